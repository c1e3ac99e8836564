#!/bin/sh
# Debian etcd-server and etcd-client 3.4.23: the exit code of a member that was removed from its cluster.
#
# One expects that a server that refuses to serve exits with a failure.
# A member that somebody removed stops with exit code 0, and so does each later start on its old data directory.
#
# So a supervisor with Restart=on-failure or on-abnormal sees a service that ended as it was meant to, and no alarm is
# raised on a node that silently lost its vote. Ask the other members for the list; the exit code does not tell.
set -eu
. "$(dirname "$0")/lib.sh"
get etcd-server=3.4.23-4+b4 etcd-client=3.4.23-4+b4
p=$((20000 + $$ % 8000 * 4))
export ETCDCTL_API=3 ETCDCTL_ENDPOINTS="127.0.0.1:$p"
start() { # start NAME CLIENT-PORT PEER-PORT
  exec etcd --name "$1" --data-dir "$tmp/$1" \
    --listen-client-urls "http://127.0.0.1:$2" --advertise-client-urls "http://127.0.0.1:$2" \
    --listen-peer-urls "http://127.0.0.1:$3" --initial-advertise-peer-urls "http://127.0.0.1:$3" \
    --initial-cluster "a=http://127.0.0.1:$((p + 1)),b=http://127.0.0.1:$((p + 3))" >>"$tmp/$1.log" 2>&1
}
start a "$p" $((p + 1)) & pids=$!
start b $((p + 2)) $((p + 3)) & b=$!
pids="$pids $b"
until_ok etcdctl endpoint health
until_ok env ETCDCTL_ENDPOINTS="127.0.0.1:$((p + 2))" etcdctl endpoint health
etcd --version | head -1
sleep 5 # a cluster that was made a moment ago refuses to change its members

say "b is removed"
etcdctl member remove "$(etcdctl member list | sed -n 's/, started, b, .*//p')"
code=0; wait "$b" || code=$?
echo "b exits with $code"
[ "$code" = 0 ] || fail "exit code $code"

for try in 1 2; do
  say "b is started again ($try)"
  code=0; (start b $((p + 2)) $((p + 3))) || code=$?
  grep -o 'the member has been permanently removed from the cluster' "$tmp/b.log" | tail -1
  echo "b exits with $code"
  [ "$code" = 0 ] || fail "exit code $code"
done
etcdctl member list
