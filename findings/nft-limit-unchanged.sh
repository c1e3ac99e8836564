#!/bin/sh
# Debian nftables 1.0.6: adding a named limit or counter that exists, with other values.
#
# One expects that `nft add` of an object that exists takes the new values, as a quota does, or is refused, as a set of
# another type and an element with another verdict are ("File exists").
# A named limit keeps its old rate, and nft exits with 0 without a word. A counter keeps its numbers in the same way.
#
# So a tool that loads its rules again with another rate reports success and limits at the old one.
# nft refuses to delete a limit while a rule uses it. One transaction that flushes the chain, deletes the limit and
# adds both again works.
set -eu
. "$(dirname "$0")/lib.sh"
get nftables=1.0.6-2+deb12u2 libnftables1=1.0.6-2+deb12u2 libnftnl11=1.2.4-2 libmnl0=1.0.4-3 libjansson4=2.14-2 \
  libxtables12=1.8.9-2 libedit2=3.1-20221030-2 libgmp10=2:6.2.1+dfsg1-1.1 \
  libbsd0=0.11.7-2 libmd0=1.0.4-2
nft --version

cat >"$tmp/rules" <<'E'
table inet t {
  limit slow { rate 10/second; }
  counter seen { packets 5 bytes 500; }
  quota daily { over 10 mbytes; }
}
E
# changed: another rate, other numbers and another size
sed 's,10/second,99/second,; s,packets 5 bytes 500,packets 7 bytes 700,; s,10 mbytes,99 mbytes,' \
  "$tmp/rules" >"$tmp/changed"

unshare -rn sh -eu >"$tmp/out" 2>&1 <<E || fail "$(cat "$tmp/out")"
nft -f "$tmp/rules"
nft -f "$tmp/changed"
echo "exit code of the second load: \$?"
nft list ruleset
E

say "the second file says 99/second, 7 packets and 99 mbytes"
cat "$tmp/out"
holds 'rate 10/second' "$tmp/out"
holds 'packets 5 ' "$tmp/out"
holds 'over 99 mbytes' "$tmp/out"

say "what is refused: a set of another type, and another verdict"
unshare -rn sh >"$tmp/out" 2>&1 <<'E' || :
nft 'add table inet t; add set inet t s { type ipv4_addr; }; add map inet t m { type ipv4_addr : verdict; }'
nft 'add element inet t m { 192.0.2.1 : drop }'
nft 'add set inet t s { type ipv6_addr; }' || echo "exit code $?"
nft 'add element inet t m { 192.0.2.1 : accept }' || echo "exit code $?"
E
cat "$tmp/out"
[ "$(grep -c 'File exists' "$tmp/out")" = 2 ] || fail "one of the two was not refused"

say "one transaction that takes the rule out, and the limit"
unshare -rn sh -e >"$tmp/out" 2>&1 <<'E' || fail "$(cat "$tmp/out")"
nft 'add table t; add chain t c; add limit t slow { rate 10/second; }; add rule t c limit name slow accept'
if nft delete limit t slow 2>/dev/null; then echo "the limit in use was deleted"; fi
nft 'flush chain t c; delete limit t slow; add limit t slow { rate 99/second; }; add rule t c limit name slow accept'
nft list limits
E
cat "$tmp/out"
holds 'rate 99/second' "$tmp/out"
if grep 'was deleted' "$tmp/out"; then fail "a limit in use can be deleted"; fi
