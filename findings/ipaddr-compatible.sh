#!/bin/sh
# ipaddr.js 2.5.0 from npm: the IPv6 address ::192.0.2.1, with the last four bytes in decimal.
#
# One expects the address with twelve bytes of zero before these four: RFC 4291 writes ::13.1.68.3 for it in section 2.2,
# beside ::FFFF:129.144.52.38 for the address that maps one of IPv4.
# The library reads the first as the second: ::192.0.2.1 becomes ::ffff:c000:201. The same sixteen bytes, given as an array
# or as ::c000:201, stay as they are, and 64:ff9b::192.0.2.1 is right. Python, and inet_pton(3), keep the two apart.
#
# So two routes or filters for different addresses fall together, and process(), which turns mapped addresses into IPv4,
# makes an address of IPv4 from one that is none. Write such addresses in hexadecimal.
#
# Needs Node.js 20 and npm.
set -eu
. "$(dirname "$0")/lib.sh"
npm_get ipaddr.js@2.5.0
cd "$tmp"
echo "ipaddr.js $(node -p 'require("ipaddr.js/package.json").version'), node $(node --version), $(python3 --version)"

bytes() { # bytes ADDRESS IPADDR-JS PYTHON: the sixteen bytes of the address
  js=$(node -p 'Buffer.from(require("ipaddr.js").parse(process.argv[1]).toByteArray()).toString("hex")' -- "$1")
  py=$(python3 -c 'import socket, sys; print(socket.inet_pton(socket.AF_INET6, sys.argv[1]).hex())' "$1")
  echo "$1: ipaddr.js $js, inet_pton $py"
  [ "$js" = "$2" ] || fail "ipaddr.js: not $2"
  [ "$py" = "$3" ] || fail "inet_pton: not $3"
}
same() { bytes "$1" "$2" "$2"; }
say "the bytes of an address"
same ::ffff:192.0.2.1 00000000000000000000ffffc0000201
same 64:ff9b::192.0.2.1 0064ff9b0000000000000000c0000201
same ::c000:201 000000000000000000000000c0000201
bytes ::192.0.2.1 00000000000000000000ffffc0000201 000000000000000000000000c0000201
say "process(), which turns a mapped address into one of IPv4"
for address in ::192.0.2.1 ::c000:201; do
  echo "$address: $(node -p 'require("ipaddr.js").process(process.argv[1]).toString()' -- $address)"
done | tee out
holds '^::192.0.2.1: 192.0.2.1$' out
holds '^::c000:201: ::c000:201$' out
