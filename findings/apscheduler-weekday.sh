#!/bin/sh
# Debian python3-apscheduler 3.9.1: a crontab line with weekdays, given to `CronTrigger.from_crontab`.
#
# One expects the days of crontab(5), where 0 and 7 are Sunday: the function takes "a standard crontab expression", and its
# documentation refers to an article on cron.
# The numbers begin with Monday: 0 is Monday, 1-5 is Tuesday to Saturday, and 7 an error. A day of the month and a weekday must
# both match, where cron needs one of them. What stands behind a name is dropped: mon#1 is each Monday. Names are right.
#
# So a job that was to run on workdays runs on Saturday and not on Monday. Write the weekdays as names, leave one of the day
# fields at *, and look at the next dates with get_next_fire_time.
set -eu
. "$(dirname "$0")/lib.sh"
get python3-apscheduler=3.9.1-2 python3-tzlocal=4.2-1 python3-pytz-deprecation-shim=0.1.0.post0-3 python3-tz=2022.7.1-4 python3-six=1.16.0-4
export PYTHONPATH="$root/usr/lib/python3/dist-packages"
python3 -c 'import apscheduler, sys; print("apscheduler", apscheduler.__version__ + ", python", sys.version.split()[0])'

dates() { # dates EXPRESSION DATES: the first six from 2026-01-01, a Thursday
  out=$(python3 -c 'import sys
from apscheduler.triggers.cron import CronTrigger
from datetime import datetime, timedelta, timezone
trigger = CronTrigger.from_crontab(sys.argv[1], timezone="UTC")
now, last = datetime(2026, 1, 1, tzinfo=timezone.utc), None
for _ in range(6):
    last = trigger.get_next_fire_time(last, now)
    now = last + timedelta(seconds=1)
    print(last.strftime("%a-%m-%d"))' "$1" 2>"$tmp/err") || out=$(tail -1 "$tmp/err")
  echo "$1:" $out
  case "$(echo $out)" in "$2"*) ;; *) fail "not $2" ;; esac
}
say "names"
dates '0 0 * * sun' 'Sun-01-04 Sun-01-11 Sun-01-18'
dates '0 0 * * mon-fri' 'Thu-01-01 Fri-01-02 Mon-01-05 Tue-01-06 Wed-01-07 Thu-01-08'
say "numbers"
dates '0 0 * * 0' 'Mon-01-05 Mon-01-12 Mon-01-19'
dates '0 0 * * 1-5' 'Thu-01-01 Fri-01-02 Sat-01-03 Tue-01-06 Wed-01-07 Thu-01-08'
dates '0 0 * * 7' 'ValueError'
say "a day of the month beside a weekday, and the first Monday"
dates '0 0 13 * fri' 'Fri-02-13 Fri-03-13 Fri-11-13'
dates '0 0 * * mon#1' 'Mon-01-05 Mon-01-12 Mon-01-19'
