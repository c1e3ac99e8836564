#!/bin/sh
# Debian docker-registry 2.8.2: an upload in chunks, with gaps in it and after a lost answer.
#
# One expects that a chunk whose Content-Range does not start where the last one ended is refused with 416, as the
# specification of the protocol says. Nothing looks at the range: a chunk "500-699" after 400 bytes is added with 202.
# One also expects that a client whose connection broke asks the upload for its state and goes on from there.
# The state is in the address, which changes with each chunk. The address that the client knows answers 404 once a chunk
# was stored, and the one that would work was in the answer that got lost.
#
# So resuming is not possible after the very event that it is for: start the blob again. And only the digest in the last
# request finds a chunk that is missing or in the wrong order.
set -eu
. "$(dirname "$0")/lib.sh"
get docker-registry=2.8.2+ds1-1
port=$((20000 + $$ % 10000))
cat >"$tmp/config.yml" <<E
version: 0.1
log: { level: error }
storage: { filesystem: { rootdirectory: $tmp/blobs } }
http: { addr: "127.0.0.1:$port" }
E
docker-registry --version
docker-registry serve "$tmp/config.yml" >"$tmp/log" 2>&1 & pids=$!
until_ok curl -sf "http://127.0.0.1:$port/v2/"
cd "$tmp"
head -c 400 /dev/zero | tr '\0' a >first
head -c 200 /dev/zero | tr '\0' b >second

ask() { # ask STATUS METHOD ADDRESS CURL-OPTION…: sets $next to the address in the answer
  want=$1 method=$2 address=$3; shift 3
  got=$(curl -s -o body -D head -w '%{http_code}' -X "$method" "$@" "$address")
  next=$(sed -n 's/^Location: //p' head | tr -d '\r')
  echo "$method: $got $(grep -i '^range' head | tr -d '\r')$(cat body)"
  [ "$got" = "$want" ] || fail "$method gives $got, and not $want"
}
chunk() { # chunk STATUS ADDRESS RANGE FILE
  echo "a chunk with Content-Range $3"
  ask "$1" PATCH "$2" -H 'Content-Type: application/octet-stream' -H "Content-Range: $3" --data-binary "@$4"
}
ask 202 POST "http://127.0.0.1:$port/v2/a/blob/blobs/uploads/"
start=$next
chunk 202 "$start" 0-399 first
second=$next

say "the client did not get that answer, and has only the address from before"
ask 404 GET "$start"
chunk 404 "$start" 400-599 second

say "with the address from that answer, and a gap of 100 bytes"
ask 204 GET "$second"
chunk 202 "$second" 500-699 second
digest=$(cat first second | sha256sum | cut -d ' ' -f 1)
ask 201 PUT "$next&digest=sha256:$digest"
echo "stored: the two chunks, one after the other"
