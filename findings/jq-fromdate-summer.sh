#!/bin/sh
# Debian jq 1.6-2.1: `fromdate` and `mktime` where the machine's zone has summer time.
#
# One expects that a time with a Z behind it is the same second on each machine; the manual says that mktime takes UTC.
# With TZ=Europe/Berlin or America/New_York a date in summer comes out one hour late: "2026-07-01T10:00:00Z" | fromdate |
# todate is 11:00. A date in winter, and a zone without summer time, is right. `todate` alone is right, so a number does
# not survive todate and fromdate. The exit code is 0.
#
# So ages of copies, ends of certificates and gaps between events that a script takes from JSON are wrong by an hour on
# some machines, in half of the year, and right in a container, where the zone is UTC. Run jq with TZ=UTC for times.
set -eu
. "$(dirname "$0")/lib.sh"
get jq=1.6-2.1+deb12u3 libjq1=1.6-2.1+deb12u3 libonig5=6.9.8-1 tzdata=2026f-0+deb12u1
export TZDIR="$root/usr/share/zoneinfo"
jq --version

try() { # try ZONE FILTER RESULT
  out=$(TZ=$1 jq -n "$2")
  echo "TZ=$1 jq -n '$2': $out"
  [ "$out" = "$3" ] || fail "$out, and not $3"
}
say "a date in summer"
try UTC '"2026-07-01T10:00:00Z" | fromdate' 1782900000
try Asia/Tokyo '"2026-07-01T10:00:00Z" | fromdate' 1782900000
try Europe/Berlin '"2026-07-01T10:00:00Z" | fromdate' 1782903600
try America/New_York '"2026-07-01T10:00:00Z" | fromdate' 1782903600
try Europe/Berlin '"2026-07-01T10:00:00Z" | fromdate | todate' '"2026-07-01T11:00:00Z"'
try Europe/Berlin '1782900000 | todate' '"2026-07-01T10:00:00Z"'
try Europe/Berlin '1782900000 | gmtime | mktime' 1782903600
say "a date in winter"
try Europe/Berlin '"2026-01-01T10:00:00Z" | fromdate | todate' '"2026-01-01T10:00:00Z"'
