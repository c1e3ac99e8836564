#!/bin/sh
# Debian iproute2 6.1.0: `ip -all netns exec COMMAND`, a command in each named network namespace.
#
# One expects an exit code that tells a failure: with one namespace, `ip netns exec NAME COMMAND` has that of the command.
# With -all it is 0, also where the command failed in each namespace, and where it does not exist. ip-netns(8) says that it
# goes on after a failure, and nothing about the exit code.
#
# So a rule set that was loaded into all namespaces at once was loaded into none, and the script goes on. Loop over the
# names of `ip netns list`, and take the exit code of each.
set -eu
. "$(dirname "$0")/lib.sh"
get iproute2=6.1.0-3 libbpf1=1:1.1.2-0+deb12u1 libelf1=0.188-2.1 libmnl0=1.0.4-3
ip -V
cat >"$tmp/inside" <<'I'
mount -t tmpfs none /run
ip netns add one
ip netns add two
run() { code=0; "$@" 2>&1 || code=$?; echo "$*: exit code $code"; }
run ip netns exec one false
run ip netns exec one no-such-command
run ip -all netns exec false
run ip -all netns exec no-such-command
I
unshare -rmn sh -e "$tmp/inside" | grep -v '^$' | tee "$tmp/out"
holds '^ip netns exec one false: exit code 1$' "$tmp/out"
holds '^ip netns exec one no-such-command: exit code 1$' "$tmp/out"
holds '^ip -all netns exec false: exit code 0$' "$tmp/out"
holds '^ip -all netns exec no-such-command: exit code 0$' "$tmp/out"
[ "$(grep -c '^netns: ' "$tmp/out")" = 4 ] || fail "not two namespaces each time"
