#!/bin/sh
# Debian python3-dateutil 2.8.2: `str` of a recurrence rule with a time zone, and `rrulestr` of that text.
#
# One expects what the documentation of str says: it gives text from which rrulestr makes this rule.
# The zone is left out, of the start and of UNTIL: a job each day at 02:30 in Berlin comes back without a zone, and one
# until 07:30 UTC, which is 08:30 there, ends a day early. Nobody complains.
#
# So a scheduler that stores its rules as text runs them hours off after a restart on a machine with another zone. Store the
# name of the zone beside the text, with UNTIL in that zone, and give rrulestr the start as dtstart=.
set -eu
. "$(dirname "$0")/lib.sh"
get python3-dateutil=2.8.2-2 python3-six=1.16.0-4 tzdata=2026f-0+deb12u1
export PYTHONPATH="$root/usr/lib/python3/dist-packages" TZDIR="$root/usr/share/zoneinfo"
python3 - >"$tmp/out" <<'P' || fail "exit code $?"
import dateutil, os, time
from dateutil.rrule import rrulestr
print("dateutil", dateutil.__version__)
for zone in "Europe/Berlin", "America/New_York":
    os.environ["TZ"] = zone
    time.tzset()
    print("on a machine in", zone)
    for text in ("DTSTART;TZID=Europe/Berlin:20260101T023000\nRRULE:FREQ=DAILY;COUNT=2",
                 "DTSTART;TZID=Europe/Berlin:20260101T083000\nRRULE:FREQ=DAILY;UNTIL=20260103T073000Z",
                 "DTSTART:20260101T023000Z\nRRULE:FREQ=DAILY;COUNT=2"):
        rule = rrulestr(text)
        again = rrulestr(str(rule))
        print("rule:", " ".join(text.split()), "-> str:", " ".join(str(rule).split()))
        for name, dates in ("first", rule), ("again", again):
            print(name, " ".join(str(int(d.timestamp())) for d in dates), " ".join(d.isoformat() for d in dates))
P
cat "$tmp/out"
line() { # line NUMBER TEXT
  sed -n "$1p" "$tmp/out" | grep -q -- "$2" || fail "line $1 has not $2"
}
for n in 3 13; do
  line $n 'str: DTSTART:20260101T023000 RRULE:FREQ=DAILY;COUNT=2'
  line $((n + 3)) 'str: DTSTART:20260101T083000 RRULE:FREQ=DAILY;UNTIL=20260103T073000'
  line $((n + 4)) '2026-01-01T08:30:00+01:00 2026-01-02T08:30:00+01:00 2026-01-03T08:30:00+01:00'
  line $((n + 5)) '2026-01-01T08:30:00 2026-01-02T08:30:00$'
  line $((n + 6)) 'str: DTSTART:20260101T023000 RRULE:FREQ=DAILY;COUNT=2'
done
line 4 '^first 1767231000 1767317400 '
line 5 '^again 1767231000 1767317400 '
line 14 '^first 1767231000 1767317400 '
line 15 '^again 1767252600 1767339000 '
