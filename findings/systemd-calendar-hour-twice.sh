#!/bin/sh
# Debian systemd 252.39-1~deb12u2: OnCalendar= of a timer in a zone with summer time, in the night of the change.
#
# One expects that "each 20 minutes" means each 20 minutes, since `*:0/20` names no hour.
# `systemd-analyze calendar` shows otherwise. In autumn a timer that fired in the first of the two equal hours leaves out
# the second: after 02:40 CEST comes 03:00 CET, 80 minutes later, and an hourly timer rests for two hours. Asked from within
# the second hour, the same timer elapses in it. In spring a daily timer in the hour that does not exist is left out that
# day; it does not run at 03:00.
#
# So what must not rest (watchdogs, dead man's switches, copies with a promised age) raises an alarm once a year, and a
# nightly job at 02:30 is missing once a year. Use OnUnitActiveSec=, or write UTC behind the calendar expression.
set -eu
. "$(dirname "$0")/lib.sh"
get systemd=252.39-1~deb12u2 libsystemd-shared=252.39-1~deb12u2
LD_LIBRARY_PATH=$LD_LIBRARY_PATH:$root/usr/lib/$lib/systemd
systemd-analyze --version | head -1
export TZ=UTC

elapses() { # elapses EXPRESSION BASE TIME…: the next times in UTC
  expression=$1 base=$2
  shift 2
  say "'$expression' from $base UTC"
  systemd-analyze calendar --iterations=$# --base-time="$base UTC" "$expression" >"$tmp/out" || fail "exit code $?"
  sed -n 's/.*\(Next elapse\|Iter. #[0-9]*\): [A-Z][a-z]* \([-0-9]* [0-9:]*\) UTC$/\2/p' "$tmp/out" >"$tmp/times"
  cat "$tmp/times"
  printf '%s\n' "$@" | cmp -s - "$tmp/times" || fail "the next times are not: $*"
}
elapses '*:0/20 Europe/Berlin' '2026-10-25 00:10' \
  '2026-10-25 00:20:00' '2026-10-25 00:40:00' '2026-10-25 02:00:00'
elapses '*:0/20 Europe/Berlin' '2026-10-25 01:10' \
  '2026-10-25 01:20:00' '2026-10-25 01:40:00' '2026-10-25 02:00:00'
elapses 'hourly Europe/Berlin' '2026-10-24 23:30' '2026-10-25 00:00:00' '2026-10-25 02:00:00'
elapses '*:0/20 UTC' '2026-10-25 00:10' \
  '2026-10-25 00:20:00' '2026-10-25 00:40:00' '2026-10-25 01:00:00'
elapses '02:30 Europe/Berlin' '2026-03-27 12:00' '2026-03-28 01:30:00' '2026-03-30 00:30:00'
