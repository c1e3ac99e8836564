#!/bin/sh
# Debian cron 3.0pl1-162: a range whose end lies before its start, as in "22-2" for the hours of the night.
#
# One expects that crontab refuses it, as it does other times that it cannot use ("bad minute"), or that it wraps.
# `crontab -n` says that the syntax was successfully checked, cron loads the line, and the job never runs: not at 22 either.
# The days mon-sun are such a range too, since sun is 0. 1-7 and sun-sat are each day, as they look.
#
# So a job of the night or of the weekend (fri-sun) is accepted and dead, and nothing but its missing line in the log shows it.
# Write 22-23,0-2, and 5-7 for the days. Newer versions of croniter (7.0.0) wrap the range, so a preview proves nothing.
#
# Needs root, and waits for two full minutes.
set -eu
. "$(dirname "$0")/lib.sh"
get cron=3.0pl1-162 libselinux1=3.4-1+b6 libpam0g=1.5.2-6+deb12u3 libaudit1=1:3.0.9-1 libcap-ng0=0.8.3-1+b3
echo "cron 3.0pl1-162"
mkdir "$tmp/etc" "$tmp/ran"
hour=$(date +%k)
[ "$hour" -gt 0 ] || hour=1
hours=$((hour))-$((hour - 1)) # from this hour to the one before: all, if it wrapped, and this one, if only the start counted
cat >"$tmp/tab" <<T
* * * * * echo >>$tmp/ran/each-minute
30-29 * * * * echo >>$tmp/ran/minutes-30-29
* $hours * * * echo >>$tmp/ran/hours-$hours
* * * * mon-sun echo >>$tmp/ran/days-mon-sun
* * * * 1-7 echo >>$tmp/ran/days-1-7
* * * * sun-sat echo >>$tmp/ran/days-sun-sat
T
cat >"$tmp/run" <<'R'
mount -t tmpfs none /run
mount -t tmpfs none /var/spool
mount --bind "$1/etc" /etc/cron.d
mkdir -p /var/spool/cron/crontabs
crontab -n "$1/tab" || exit
echo nonsense | crontab -n - && exit 9
cp "$1/jobs" "$1/etc/jobs"
exec timeout 125 cron -f
R
sed 's/\(.*\) echo/\1 root echo/' "$tmp/tab" >"$tmp/jobs"
sed "s,$tmp/,," "$tmp/tab"
say "crontab -n of these lines, crontab -n of nonsense, and cron for two minutes"
code=0; unshare -m sh "$tmp/run" "$tmp" >"$tmp/out" 2>&1 || code=$?
cat "$tmp/out"
[ "$code" = 124 ] || fail "exit code $code"
holds 'syntax of the crontab file was successfully checked' "$tmp/out"
echo "ran: "; ls "$tmp/ran"
[ "$(ls "$tmp/ran" | tr '\n' ' ')" = 'days-1-7 days-sun-sat each-minute ' ] || fail "other jobs ran"
