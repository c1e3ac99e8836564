#!/bin/sh
# Debian etcd-client 3.4.23: `etcdctl lock NAME COMMAND` when the lock is lost while the command runs.
#
# One expects that the command is stopped, or that etcdctl fails, when the lease of the lock is gone: the purpose of a lock
# is that no two run at once, and `etcdctl lock NAME` without a command does end with an error then.
# With a command nothing happens. The command runs on, a second one gets the lock and runs beside it, and when the first is
# done etcdctl exits with 0. A pause of the first etcdctl that is longer than --ttl (10 s by default) is enough.
# Each exit code of a command that failed becomes 1.
#
# So a nightly job runs on two nodes at once after a stalled machine or a cut network, and both report success.
# Let the job write to its own store with a compare on the key in ETCD_LOCK_KEY, and take the lock for advice.
set -eu
. "$(dirname "$0")/lib.sh"
get etcd-server=3.4.23-4+b4 etcd-client=3.4.23-4+b4
cd "$tmp"
cat >run <<'R'
export ETCDCTL_API=3
ip link set lo up
etcd --data-dir data --log-level error >log 2>&1 &
server=$!
for _ in $(seq 50); do etcdctl endpoint health >/dev/null 2>&1 && break; sleep 0.2; done
etcdctl version | head -1

echo "== the first etcdctl is stopped for 6 s, with --ttl 2"
etcdctl lock job --ttl 2 -- sh -c 'echo "first: begins"; sleep 8; echo "first: ends"' &
first=$!
sleep 1
kill -STOP $first
etcdctl lock job -- sh -c 'echo "second: begins"; sleep 1; echo "second: ends"'
echo "exit code of the second: $?"
kill -CONT $first
wait $first
echo "exit code of the first: $?"

echo "== a lock without a command, whose lease is revoked"
timeout 10 etcdctl lock job >/dev/null &
first=$!
sleep 1
etcdctl lease revoke "$(etcdctl lease list | tail -1)" >/dev/null
wait $first
echo "exit code of etcdctl: $?"

echo "== a command that exits with 7"
etcdctl lock job -- sh -c 'exit 7'
echo "exit code of etcdctl: $?"
kill $server
wait
R
unshare -rn sh run >out 2>&1 || :
cat out
order() { [ "$(grep "^$1\|^$2" out)" = "$1
$2" ] || fail "'$1' does not come before '$2'"; }
order 'second: ends' 'first: ends'
order 'first: begins' 'second: begins'
holds 'exit code of the second: 0' out
holds 'exit code of the first: 0' out
[ "$(grep -c 'exit code of etcdctl: 1$' out)" = 2 ] || fail "other exit codes"
