#!/bin/sh
# Debian etcd-server and etcd-client 3.4.23: the health of a store that is over its quota.
#
# One expects that `etcdctl endpoint health`, which commits a proposal to find out, fails when no write can be made.
# Over the quota it says "healthy: successfully committed proposal" and exits with 0, while every put is refused and
# the member's own /health page answers 503 and false.
# One also expects that making room ends it. After compaction, defragmentation and a restart the store is far below
# the quota, and every put is still refused: the alarm is part of the data, and stays until `etcdctl alarm disarm`.
#
# So a monitor or a rolling upgrade that trusts the exit code goes on with a cluster that can take no new lock.
# Ask /health or `etcdctl alarm list`, and disarm as the last step of the cleaning.
set -eu
. "$(dirname "$0")/lib.sh"
get etcd-server=3.4.23-4+b4 etcd-client=3.4.23-4+b4
port=$((20000 + $$ % 10000 * 2)) peer=$((20001 + $$ % 10000 * 2))
quota=2000000
start() {
  etcd --data-dir "$tmp/data" --quota-backend-bytes $quota \
    --listen-client-urls "http://127.0.0.1:$port" --advertise-client-urls "http://127.0.0.1:$port" \
    --listen-peer-urls "http://127.0.0.1:$peer" --initial-advertise-peer-urls "http://127.0.0.1:$peer" \
    --initial-cluster "default=http://127.0.0.1:$peer" >>"$tmp/log" 2>&1 & pids=$!
  until_ok etcdctl endpoint health
}
refused() {
  if etcdctl put one more >"$tmp/put" 2>&1; then fail "the put was taken"; fi
  grep '^Error' "$tmp/put"
  holds 'database space exceeded' "$tmp/put"
}
export ETCDCTL_API=3 ETCDCTL_ENDPOINTS="127.0.0.1:$port"
start
etcd --version | head -1
head -c 400000 /dev/zero | tr '\0' x >"$tmp/big"
for _ in $(seq 20); do etcdctl put big <"$tmp/big" >/dev/null 2>&1 || break; done

say "over the quota"
refused
etcdctl endpoint health 2>&1 || fail "endpoint health failed"
echo "exit code 0"
code=$(curl -s -o "$tmp/health" -w '%{http_code}' "http://127.0.0.1:$port/health")
echo "/health: $code $(cat "$tmp/health")"
[ "$code" = 503 ] || fail "/health answers $code"

say "after compaction, defragmentation and a restart"
etcdctl compact "$(etcdctl get big -w fields --keys-only | sed -n 's/^"Revision" : //p')"
etcdctl defrag
stop
start
size=$(etcdctl endpoint status -w json | sed 's/.*"dbSize":\([0-9]*\).*/\1/')
echo "the store has $size bytes, the quota is $quota"
[ "$size" -lt $((quota / 2)) ] || fail "the store did not shrink"
refused
etcdctl endpoint health 2>&1 || fail "endpoint health failed"

say "after alarm disarm"
etcdctl alarm disarm
etcdctl put one more || fail "the put is still refused"
