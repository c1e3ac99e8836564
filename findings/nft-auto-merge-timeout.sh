#!/bin/sh
# Debian nftables 1.0.6: a set with timeouts and `auto-merge`.
#
# One expects that merging joins ranges and leaves it alone how long each address stays in the set.
# A merged range has one timeout. A host added for an hour inside a network that stays ten seconds is gone with it
# after ten seconds. A network added for an hour beside one that stays ten seconds keeps both for an hour.
# One also expects that what was added can be deleted. What was merged cannot be: "element does not exist", exit code 1,
# though `nft get element` finds it with exit code 0.
#
# So a list of banned addresses bans some too short and others too long, with exit code 0 for each.
# Use auto-merge only where all elements of a set have the same life.
set -eu
. "$(dirname "$0")/lib.sh"
get nftables=1.0.6-2+deb12u2 libnftables1=1.0.6-2+deb12u2 libnftnl11=1.2.4-2 libmnl0=1.0.4-3 libjansson4=2.14-2 \
  libxtables12=1.8.9-2 libedit2=3.1-20221030-2 libgmp10=2:6.2.1+dfsg1-1.1 \
  libbsd0=0.11.7-2 libmd0=1.0.4-2
nft --version

unshare -rn sh >"$tmp/out" 2>&1 <<'E'
nft add table t
nft 'add set t banned { type ipv4_addr; flags interval,timeout; auto-merge; }'
add() { nft "add element t banned { $1 }"; echo "add $1: exit code $?"; }
show() { nft list set t banned | sed -n 's/.*elements = /now: /p'; }

add '198.51.100.0/24 timeout 10s'
add '198.51.100.7 timeout 1h'
show
nft flush set t banned

add '203.0.112.0/24 timeout 10s'
add '203.0.113.0/24 timeout 1h'
show
nft get element t banned '{ 203.0.113.0/24 }' >/dev/null; echo "get: exit code $?"
nft delete element t banned '{ 203.0.113.0/24 }'; echo "delete: exit code $?"
E

say "what was added, and what is in the set"
cat "$tmp/out"
[ "$(grep -c '^add .*: exit code 0$' "$tmp/out")" = 4 ] || fail "an element was refused"
holds '^now: { 198.51.100.0/24 timeout 10s expires [0-9ms]* }$' "$tmp/out"
holds '^now: { 203.0.112.0/23 timeout 1h expires [0-9ms]* }$' "$tmp/out"
holds '^get: exit code 0' "$tmp/out"
holds 'element does not exist' "$tmp/out"
holds '^delete: exit code 1' "$tmp/out"
