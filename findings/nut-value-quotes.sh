#!/bin/sh
# Debian nut-server 2.8.0 and nut-client 2.8.0: a value with a quote, a backslash or a "#" on its way through dummy-ups
# and upsd.
#
# One expects that upsrw sets the value that it is given, or fails, and that dummy-ups plays a file that was made with
# `upsc UPS > FILE.dev`, as dummy-ups(8) proposes. Between the driver and upsd values are not escaped. Set to `one "b"
# c` the value is `one `, set to `two\b` it is `twob`, and set to `three # b` it stays what it was. upsrw says OK with
# exit code 0 each time. In the dump the model Rack "X" is right, and played again it is Rack X.
#
# So a label that was set for a battery is lost or cut, and a simulation has other values than the device. Use letters,
# digits and spaces, and ask with upsc after each upsrw.
set -eu
. "$(dirname "$0")/lib.sh"
get nut-server=2.8.0-7 nut-client=2.8.0-7 libupsclient6=2.8.0-7 libnspr4=2:4.35-1 libnss3=2:3.87.1-1+deb12u4
cd "$tmp"
upsc -V 2>&1 | head -1
printf '[first]\ndriver = dummy-ups\nport = first.dev\n[second]\ndriver = dummy-ups\nport = second.dev\n' >ups.conf
printf 'ups.status: OL\nups.id: before\nups.model: "Rack \\"X\\""\n' >first.dev
echo 'LISTEN 127.0.0.1 3493' >upsd.conf
printf '[admin]\npassword = x\nactions = SET\n' >upsd.users
export NUT_CONFPATH="$tmp" NUT_STATEPATH="$tmp" NUT_ALTPIDPATH="$tmp" dir="$root/lib/nut"
cat >inside <<'I'
set -eu
trap 'kill $pids 2>/dev/null || :; wait' EXIT
pids=
start() { "$dir/$@" -F -u nobody >>log 2>&1 & pids="$pids $!"; }
value() { upsc "$1" "$2" 2>/dev/null; }
shows() { # shows UPS VARIABLE VALUE: waits for ten seconds
  for _ in $(seq 50); do [ "$(value "$1" "$2")" = "$3" ] && return; sleep 0.2; done
  echo "NOT AS STATED: $2 is $(value "$1" "$2") and not $3"; exit 1
}
start dummy-ups -a first
start upsd
shows first ups.status OL
set_to() { # set_to VALUE EXPECTED
  said=$(upsrw -s "ups.id=$1" -u admin -p x first 2>&1) || { echo "NOT AS STATED: upsrw exits with $?"; exit 1; }
  sleep 1
  shows first ups.id "$2"
  printf "upsrw -s ups.id='%s': %s, exit code 0; upsc: '%s'\\n" "$1" "$(echo "$said" | tail -1)" "$(value first ups.id)"
}
set_to 'plain two' 'plain two'
set_to 'one "b" c' 'one '
set_to 'two\b' 'twob'
set_to 'three # b' twob
echo "the model: $(value first ups.model)"
shows first ups.model 'Rack "X"'
upsc first 2>/dev/null | grep '^ups' >second.dev
start dummy-ups -a second
shows second ups.status OL
echo "the model in the dump: $(grep model second.dev), and played again: $(value second ups.model)"
shows second ups.model 'Rack X'
I
# The drivers change to another user where they are root, which a namespace does not allow.
unshare -rn sh -ec 'ip link set lo up; exec unshare --user --map-user=1000 --map-group=1000 sh inside' || fail "$(tail -5 log)"
