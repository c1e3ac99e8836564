#!/bin/sh
# Debian nftables 1.0.6: `nft -j list ruleset`, loaded again with `nft -j -f`.
#
# One expects the same ruleset: libnftables-json(5) has one form for what nft prints and what it reads.
# These are lost without a word, with exit code 0: that a table is dormant, so that its chains filter from then on; the
# times of a ct timeout, so that connections live for the kernel's five days again; auto-merge and the dynamic flag of a
# set; the counters of set elements; and each comment on a table, a chain or a set. The numbers of a named counter stay.
# `nft list ruleset` without -j, loaded with `nft -f`, keeps all of them.
#
# So a backup or a rollback in JSON switches rules on that were off. Save the text, and compare the text after a reload.
set -eu
. "$(dirname "$0")/lib.sh"
get nftables=1.0.6-2+deb12u2 libnftables1=1.0.6-2+deb12u2 libnftnl11=1.2.4-2 libmnl0=1.0.4-3 libjansson4=2.14-2 \
  libxtables12=1.8.9-2 libedit2=3.1-20221030-2 libgmp10=2:6.2.1+dfsg1-1.1 libbsd0=0.11.7-2 libmd0=1.0.4-2
nft --version
cd "$tmp"
cat >rules <<'R'
table ip t {
	comment "of the database"
	flags dormant
	ct timeout short { protocol tcp; l3proto ip; policy = { established: 100, close_wait: 4 }; }
	counter seen { packets 5 bytes 500; }
	set merged { type ipv4_addr; flags interval; auto-merge; comment "of the office"; }
	set seen4 { type ipv4_addr; size 100; flags dynamic; }
	set counted { type ipv4_addr; counter; elements = { 192.0.2.1 counter packets 7 bytes 700 }; }
	chain in { comment "closed for repairs"; type filter hook input priority filter; policy drop; }
}
R
cat >run <<'R'
nft -f rules
nft list ruleset >before
nft list ruleset >saved.nft
nft -j list ruleset >saved.json
nft flush ruleset; nft -f saved.nft; nft list ruleset >text
nft flush ruleset; nft -j -f saved.json; echo "exit code of the load from JSON: $?"; nft list ruleset >json
R
unshare -rn sh -e run 2>err || fail "exit code $?: $(cat err)"
[ ! -s err ] || fail "nft says: $(cat err)"
say "before"
cat before
say "after a reload from the text"
cmp before text || fail "the text loses something"
echo "the same"
say "after a reload from JSON: what is gone (<) and what is new (>)"
diff before json | tee out | grep '^[<>]'
for gone in 'comment "of the database"' 'flags dormant' 'policy = { established : 100, close_wait : 4 }' auto-merge \
  'comment "of the office"' 'flags dynamic' 'packets 7 bytes 700' 'comment "closed for repairs"'; do
  grep -q "^<.*$gone" out || fail "'$gone' is still there"
done
holds 'packets 5 bytes 500' json
holds 'policy drop' json
holds 'policy = {  }' json

say "a packet through the table that was dormant"
cat >run <<'R'
ip link set lo up
sent() { python3 -c 'import socket; a = socket.socket(2, 2); a.bind(("127.0.0.1", 0)); a.settimeout(0.5)
a.sendto(b"x", a.getsockname()); a.recv(9)' 2>/dev/null && echo arrives || echo "is dropped"; }
nft -f saved.nft; echo "loaded from the text: it $(sent)"
nft flush ruleset; nft -j -f saved.json; echo "loaded from JSON: it $(sent)"
R
unshare -rn sh -e run | tee out
holds 'text: it arrives' out
holds 'JSON: it is dropped' out
