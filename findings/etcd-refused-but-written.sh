#!/bin/sh
# Debian etcd-server and etcd-client 3.4.23: a write that is refused with "database space exceeded".
#
# One expects that a refused write was not made: the quota protects the disk, and the answer is an error.
# Writes that arrive together pass the first look at the quota together. When etcd carries them out it looks once more,
# carries them out whatever it sees, and answers with the error all the same, until the alarm is raised.
#
# So a program that takes the refusal for "not written", and writes elsewhere or under another name, has both. After this
# error, as after a timeout, read before you go on.
set -eu
. "$(dirname "$0")/lib.sh"
get etcd-server=3.4.23-4+b4 etcd-client=3.4.23-4+b4
port=$((20000 + $$ % 10000 * 2)) peer=$((20001 + $$ % 10000 * 2))
export ETCDCTL_API=3 ETCDCTL_ENDPOINTS="127.0.0.1:$port"
etcd --version | head -1
names=$(seq 100 139)
value=$(head -c 600000 /dev/zero | base64 -w0)
for name in $names; do
  printf '{"key":"%s","value":"%s"}' "$(printf %s "$name" | base64)" "$value" >"$tmp/put-$name"
done

fill() { # fill ROUND: 40 writes that arrive together at an empty store with room for 8
  etcd --data-dir "$tmp/data-$1" --quota-backend-bytes 5000000 \
    --listen-client-urls "http://127.0.0.1:$port" --advertise-client-urls "http://127.0.0.1:$port" \
    --listen-peer-urls "http://127.0.0.1:$peer" --initial-advertise-peer-urls "http://127.0.0.1:$peer" \
    --initial-cluster "default=http://127.0.0.1:$peer" >>"$tmp/log" 2>&1 & pids=$!
  until_ok etcdctl endpoint health
  puts=
  for name in $names; do
    curl -s -o "$tmp/answer-$name" --data-binary "@$tmp/put-$name" "http://127.0.0.1:$port/v3/kv/put" & puts="$puts $!"
  done
  for put in $puts; do wait "$put"; done
  refused=0 written=0
  for answer in $(grep -l 'database space exceeded' "$tmp"/answer-*); do
    refused=$((refused + 1))
    if etcdctl get "${answer##*answer-}" --keys-only | grep -q .; then written=$((written + 1)); fi
  done
  echo "round $1: $refused of 40 refused, and $written of these are in the store"
  stop
}

say "40 writes at once, room for 8"
for round in 1 2 3 4 5 6; do
  fill "$round"
  if [ "$written" -gt 0 ]; then exit 0; fi
done
fail "no refused write is in the store"
