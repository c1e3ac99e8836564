#!/bin/sh
# Debian systemd-cron 1.15.19-5: the days of a crontab line, as its generator makes timers of them.
#
# One expects what the package's own crontab(5) says: the weekday goes from 0 to 7, where 0 and 7 are Sunday, ranges are
# allowed, and of a day of the month and a weekday that are both given either is enough.
# 0-7 becomes Sundays only. 5-7 and 1-7/2 become every day, with one line "garbled time" and exit code 0.
# With both days given the timer wants both: "0 0 1 * 1" runs on a first that is a Monday, some twice a year.
#
# So whoever replaces cron by systemd-cron has weekend jobs that run on each day, daily ones that run once a week, and jobs
# for "the first, and on Mondays" that hardly run. Look through `systemctl list-timers`, and write 0 for Sunday.
set -eu
. "$(dirname "$0")/lib.sh"
get systemd-cron=1.15.19-5
echo "systemd-cron 1.15.19-5, $(python3 --version)"
generator=$root/lib/systemd/system-generators/systemd-crontab-generator
mkdir "$tmp/cron.d"

makes() { # makes CRONTAB-TIMES ONCALENDAR
  say "$1"
  echo "$1 root /bin/true" >"$tmp/cron.d/job"
  rm -rf "$tmp/out"
  mkdir "$tmp/out"
  unshare -rm sh -c "mount --bind '$tmp/cron.d' /etc/cron.d && python3 '$generator' '$tmp/out'" 2>"$tmp/err" ||
    fail "exit code $?: $(cat "$tmp/err")"
  sed "s/^systemd-crontab-generator: //" "$tmp/err"
  grep -h OnCalendar "$tmp"/out/cron-job-root-*.timer | tee "$tmp/calendar"
  [ "$(cat "$tmp/calendar")" = "OnCalendar=$2" ] || fail "the timer is not '$2'"
}
makes '0 0 * * 1-5' 'Mon,Tue,Wed,Thu,Fri *-*-* 0:0:00'
makes '0 0 * * 7' 'Sun *-*-* 0:0:00'
makes '0 0 * * 0-7' 'Sun *-*-* 0:0:00'
makes '0 0 * * 5-7' ' *-*-* 0:0:00'
holds 'garbled time' "$tmp/err"
makes '0 0 * * 1-7/2' ' *-*-* 0:0:00'
holds 'garbled time' "$tmp/err"
makes '0 0 1 * 1' 'Mon *-*-1 0:0:00'
