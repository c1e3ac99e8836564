#!/bin/sh
# Debian corosync 3.1.7: `corosync -t`, the test of a configuration, and the section quorum.
#
# One expects that a configuration that passes the test starts, and with what it says: a wrong transport or a token that
# is too short fails the test, and so does two_node: yes.
# The quorum is not tested. With a misspelt provider the test exits with 0, and the start with 20. With two_node and
# auto_tie_breaker both on the test exits with 0, and the start switches two_node off, "critical", and goes on.
# A misspelt key (two_nodes: 1) passes the test and the start without a word.
#
# So a file that was checked and given to all nodes can keep each of them down at its next start, or leave a cluster of two
# that stops when one node is lost. Start it once in a network namespace, and look at the flags of `corosync-quorumtool`.
set -eu
. "$(dirname "$0")/lib.sh"
c=3.1.7-1+deb12u2
get corosync=$c libcorosync-common4=$c libcfg7=$c libcmap4=$c libcpg4=$c libquorum5=$c libvotequorum8=$c libqb100=2.0.6-2 \
  libknet1=1.25-1 libnozzle1=1.25-1 libstatgrab10=0.92.1-1.1 libnl-3-200=3.7.0-0.2+b1 libnl-route-3-200=3.7.0-0.2+b1
corosync -v | head -1
cat >"$tmp/run" <<'R'
ip link set lo up
ip address add 10.9.0.1/32 dev lo
mount -t tmpfs none /run
mount -t tmpfs none /var/lib
mkdir /var/lib/corosync
corosync -t -c "$1/conf" >"$1/test" 2>&1
echo $? >"$1/test-code"
corosync -f -c "$1/conf" >"$1/start" 2>&1 &
for _ in 1 2 3 4 5 6 7 8 9 10; do
  sleep 0.5
  kill -0 $! 2>/dev/null || break
  corosync-quorumtool -s >"$1/flags" 2>/dev/null && break
done
kill $! 2>/dev/null
wait $!
echo $? >"$1/start-code"
R

try() { # try TRANSPORT PROVIDER QUORUM-LINES… TEST-CODE START-CODE
  cat >"$tmp/conf" <<C
totem {
  version: 2
  cluster_name: pair
  transport: $1
}
quorum {
  provider: $2
$(printf '%b' "$3")
}
nodelist {
  node {
    nodeid: 1
    ring0_addr: 10.9.0.1
  }
  node {
    nodeid: 2
    ring0_addr: 10.9.0.2
  }
}
logging {
  to_syslog: no
  to_stderr: yes
}
C
  say "transport: $1, provider: $2, $(printf '%b' "$3" | paste -sd,)"
  : >"$tmp/flags"
  unshare -rnm sh "$tmp/run" "$tmp" || :
  echo "corosync -t: exit code $(cat "$tmp/test-code")"
  [ "$(cat "$tmp/test-code")" = "$4" ] || fail "the test exits with $(cat "$tmp/test-code"): $(cat "$tmp/test")"
  sed -n 's/^[A-Z].* \(error\|crit\) */start: /p' "$tmp/start"
  echo "corosync -f: exit code $(cat "$tmp/start-code")"
  [ "$(cat "$tmp/start-code")" = "$5" ] || fail "the start exits with $(cat "$tmp/start-code"): $(cat "$tmp/start")"
  grep '^Flags' "$tmp/flags" || :
}
try knot corosync_votequorum '  two_node: 1' 8 8
try knet corosync_votequorum '  two_node: yes' 8 8
try knet corosync_votequorum '  two_node: 1' 0 0
holds '^Flags:.*2Node' "$tmp/flags"
try knet corosync_votequorun '  two_node: 1' 0 20
try knet corosync_votequorum '  two_node: 1\n  auto_tie_breaker: 1' 0 0
holds 'two_node has been disabled' "$tmp/start"
! grep -q 2Node "$tmp/flags" || fail "two_node is on"
try knet corosync_votequorum '  two_nodes: 1' 0 0
! grep -q 2Node "$tmp/flags" || fail "two_node is on"
! grep -qw 'error\|crit' "$tmp/start" || fail "the start complains"
