#!/bin/sh
# Debian iptables 1.8.9-2: `iptables-translate` of a negated multiport match, and of a connection mark with a mask.
#
# One expects a rule for nftables with the same meaning, or for what cannot be translated the comment that the tool
# prints for other options.
# `-m multiport ! --ports 80,443 -j DROP` comes out without the negation, so that the new rule drops what the old one let
# through, and lets the rest through. `! --dports` is right. `-j CONNMARK --set-mark 0x1/0xff` comes out as "ct mark xor
# 0x1 and 0xffffff00", where nft takes the "and" first: nft loads "ct mark set ct mark", which sets nothing. For
# `-j MARK` the same words stand in the right order. The exit code is 0, and nft loads both rules without a word.
#
# So a server that was moved to nftables drops its own web traffic, or routes no connection by its mark.
# Load the translation in a namespace, and read what `nft list ruleset` says of each rule with "!" or a mask.
set -eu
. "$(dirname "$0")/lib.sh"
get iptables=1.8.9-2 libxtables12=1.8.9-2 nftables=1.0.6-2+deb12u2 libnftables1=1.0.6-2+deb12u2 libnftnl11=1.2.4-2 \
  libmnl0=1.0.4-3 libjansson4=2.14-2 libedit2=3.1-20221030-2 libgmp10=2:6.2.1+dfsg1-1.1 libbsd0=0.11.7-2 libmd0=1.0.4-2
export XTABLES_LIBDIR="$root/usr/lib/$lib/xtables"
xtables-nft-multi iptables-translate --version
nft --version

translate() { # translate RULE LISTED: what the translation is, and what nft makes of it
  say "iptables $1"
  # shellcheck disable=SC2086
  unshare -rn xtables-nft-multi iptables-translate $1 >"$tmp/new" || fail "exit code $?"
  cat "$tmp/new"
  unshare -rn sh -eu >"$tmp/out" 2>&1 <<R || fail "$(cat "$tmp/out")"
nft 'add table ip filter; add chain ip filter INPUT'
$(cat "$tmp/new")
nft list chain ip filter INPUT
R
  sed -n 's/^\t\t/listed: /p' "$tmp/out"
  holds "$2" "$tmp/out"
}
translate '-A INPUT -p tcp -m multiport ! --dports 80,443 -j DROP' 'tcp dport != { 80, 443 } .*drop'
translate '-A INPUT -p tcp -m multiport ! --ports 80,443 -j DROP' 'tcp sport . tcp dport { 0-65535 . 80, .*drop'
translate '-A INPUT -p tcp -m multiport --ports 80,443 -j DROP' 'tcp sport . tcp dport { 0-65535 . 80, .*drop'
translate '-A INPUT -j MARK --set-xmark 0x1/0xff' 'meta mark set meta mark & 0xffffff01 | 0x00000001'
translate '-A INPUT -j CONNMARK --set-mark 0x1/0xff' 'ct mark set ct mark$'
translate '-A INPUT -j CONNMARK --set-xmark 0x10/0xf0' 'ct mark set ct mark$'
translate '-A INPUT -j CONNMARK --set-mark 0x1' 'ct mark set 0x00000001'

say "the mark of a connection after the rule in iptables, and after its translation"
cat >"$tmp/run" <<'R'
ip link set lo up
nft 'add table ip t; add chain ip t o { type filter hook output priority 100; }; add rule ip t o ct mark and 0xff == 0x1 counter'
seen() { bash -c 'echo >/dev/udp/127.0.0.1/9' 2>/dev/null; nft list chain ip t o | sed -n 's/.*counter packets \([0-9]*\).*/\1/p'; }
if [ "$1" = old ]; then
  iptables-nft -A OUTPUT -j CONNMARK --set-mark 0x1/0xff
else
  nft 'add table ip filter; add chain ip filter OUTPUT { type filter hook output priority filter; }'
  eval "$(xtables-nft-multi iptables-translate -A OUTPUT -j CONNMARK --set-mark 0x1/0xff)"
fi
seen
R
for which in old new; do
  n=$(unshare -rn sh -eu "$tmp/run" $which)
  echo "$which: packets with the mark 0x1: $n"
  case $which$n in old0 | new[1-9]*) fail "the $which rule: $n packets" ;; esac
done
