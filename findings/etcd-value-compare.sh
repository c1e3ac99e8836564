#!/bin/sh
# Debian etcd-server and etcd-client 3.4.23: a compare on the value of a key that does not exist.
#
# One expects that "the value is not 'stop'" is true for a key that does not exist, since nothing is not 'stop'.
# It is false. Every compare on VALUE of a missing key is false: equal, not equal, less and greater.
# Compares on VERSION, CREATE and MOD take a missing key as 0, and are true or false as one would expect.
#
# So a guard such as "start, unless the flag says stop" never starts anything until somebody has written the flag once,
# and the transaction reports no error: it only takes the other branch. Guard by version or revision instead.
set -eu
. "$(dirname "$0")/lib.sh"
get etcd-server=3.4.23-4+b4 etcd-client=3.4.23-4+b4
port=$((20000 + $$ % 10000 * 2)) peer=$((20001 + $$ % 10000 * 2))
etcd --data-dir "$tmp/data" \
  --listen-client-urls "http://127.0.0.1:$port" --advertise-client-urls "http://127.0.0.1:$port" \
  --listen-peer-urls "http://127.0.0.1:$peer" --initial-advertise-peer-urls "http://127.0.0.1:$peer" \
  --initial-cluster "default=http://127.0.0.1:$peer" >"$tmp/log" 2>&1 & pids=$!
export ETCDCTL_API=3 ETCDCTL_ENDPOINTS="127.0.0.1:$port"
until_ok etcdctl endpoint health
etcd --version | head -1

asks() { # asks COMPARE: prints SUCCESS where it is true, FAILURE where it is false
  printf '%s\n\n\n\n' "$1" | etcdctl txn | head -1
}
check() {
  got=$(asks "$1")
  echo "$1  ->  $got"
  [ "$got" = "$2" ] || fail "'$1' gives $got, and not $2"
}

say "the key 'flag' does not exist"
check 'val("flag") != "stop"' FAILURE
check 'val("flag") = "stop"' FAILURE
check 'val("flag") < "stop"' FAILURE
check 'val("flag") > "stop"' FAILURE
check 'ver("flag") = "0"' SUCCESS
check 'mod("flag") < "1"' SUCCESS

say "the key 'flag' holds 'go'"
etcdctl put flag go
check 'val("flag") != "stop"' SUCCESS
