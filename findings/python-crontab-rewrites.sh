#!/bin/sh
# Debian python3-crontab 2.7.1: what a write of a crontab does to the lines that the program did not touch.
#
# One expects that a program that adds one job leaves the others as they were, or at least with the same meaning.
# The weekdays 1-7/2 (Monday, Wednesday, Friday, Sunday) come back as */2, which are the other days: Sunday, Tuesday,
# Thursday, Saturday. The days 1-31 beside a weekday come back as *: cron ran that each day, since either of the two is
# enough, and now on Mondays only. The minutes */60, which cron takes for the full hour, come back as a comment,
# "DISABLED LINE". The write succeeds, and says only of the last one something, in the log.
#
# So jobs of others move or end when a deployment tool on this library adds its own. Keep a file of your own in
# /etc/cron.d for each tool, and compare `crontab -l` before and after.
set -eu
. "$(dirname "$0")/lib.sh"
get python3-crontab=2.7.1-1 python3-dateutil=2.8.2-2 python3-six=1.16.0-4 cron=3.0pl1-162 libselinux1=3.4-1+b6 \
  libpam0g=1.5.2-6+deb12u3
echo "python3-crontab 2.7.1-1, $(/usr/bin/python3 --version)"
cd "$tmp"
cat >before <<'T'
0 1 * * 1-7/2 /bin/true weekdays
0 2 1-31 * 1 /bin/true days
*/60 * * * * /bin/true hourly
T
say "the crontab, and crontab -n of Debian's cron 3.0pl1-162 on it"
cat before
unshare -rm sh -c 'mount -t tmpfs none /var/spool && mkdir -p /var/spool/cron/crontabs && crontab -n before' >out 2>&1 ||
  fail "exit code $?: $(cat out)"
holds 'syntax of the crontab file was successfully checked' out
tail -1 out

say "one job is added"
PYTHONPATH=$root/usr/lib/python3/dist-packages /usr/bin/python3 - <<'P'
from crontab import CronTab
tab = CronTab(tabfile="before")
tab.new(command="/bin/true new").setall("5 5 * * *")
tab.write("after")
P
cat after
holds '^0 1 \* \* \*/2 /bin/true weekdays$' after
holds '^0 2 \* \* 1 /bin/true days$' after
holds '^# DISABLED LINE$' after
holds '^# \*/60 \* \* \* \* /bin/true hourly$' after
holds '^5 5 \* \* \* /bin/true new$' after
[ "$(wc -l <after)" = 5 ] || fail "not five lines"
