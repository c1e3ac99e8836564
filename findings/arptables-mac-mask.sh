#!/bin/sh
# Debian iptables 1.8.9-2, nftables 1.0.6: `arptables-nft-save` of a rule with a mask for the hardware address.
#
# One expects the rule, with which arptables-nft-restore makes the same again.
# Where the mask ends with a whole byte, as in --source-mac 00:11:22:00:00:00/ff:ff:ff:00:00:00, the match is left out, by
# arptables-nft-save and by `arptables-nft -L`. The rule itself is right. Restored, it is one for each packet. A mask that
# ends within a byte is right, and `ebtables-nft-save` is right with both. The exit code is 0.
#
# So a rule that dropped the ARP packets of one vendor's cards drops all of them after the next start, and the host
# is cut off. Save `nft list table arp filter` in place of it, or write the rule for ebtables.
set -eu
. "$(dirname "$0")/lib.sh"
get iptables=1.8.9-2 libxtables12=1.8.9-2 nftables=1.0.6-2+deb12u2 libnftables1=1.0.6-2+deb12u2 libnftnl11=1.2.4-2 \
  libmnl0=1.0.4-3 libjansson4=2.14-2 libedit2=3.1-20221030-2 libgmp10=2:6.2.1+dfsg1-1.1 libbsd0=0.11.7-2 libmd0=1.0.4-2
export XTABLES_LIBDIR="$root/usr/lib/$lib/xtables"
arptables-nft --version
nft --version

rule() { # rule "MATCH" SAVED NFT RESTORED: a rule, what is saved, what nft lists, and what nft lists after a restore
  say "arptables-nft -A INPUT $1 -j DROP"
  unshare -rn sh -e -c '
    list() { nft list chain arp filter INPUT | sed -n "s/^\t\tarp htype 1 arp hlen 6 arp plen 4 /$1: /p"; }
    arptables-nft -A INPUT '"$1"' -j DROP
    echo "listed: $(arptables-nft -nL INPUT | tail -1)"
    arptables-nft-save >"$0"; sed -n "s/^-A/saved: -A/p" "$0"
    list "nft before"
    arptables-nft -F
    arptables-nft-restore <"$0"
    list "nft after"' "$tmp/saved" >"$tmp/out" || fail "exit code $?"
  cat "$tmp/out"
  holds "^listed: $2" "$tmp/out"
  holds "^saved: -A INPUT $2 *$" "$tmp/out"
  holds "^nft before: $3counter packets 0 bytes 0 drop" "$tmp/out"
  holds "^nft after: $4counter packets 0 bytes 0 drop" "$tmp/out"
}
rule '--source-mac 00:11:22:00:00:00/ff:ff:ff:00:00:00' '-j DROP' 'arp saddr ether 00:11:22:00:00:00/24 ' ''
rule '! --source-mac 00:11:22:00:00:00/ff:ff:ff:00:00:00' '-j DROP' 'arp saddr ether != 00:11:22:00:00:00/24 ' ''
rule '--destination-mac 02:00:00:00:00:00/ff:00:00:00:00:00' '-j DROP' 'arp daddr ether 02:00:00:00:00:00/8 ' ''
half='arp saddr ether & ff:ff:ff:f0:00:00 == 00:11:22:30:00:00 '
rule '--source-mac 00:11:22:30:00:00/ff:ff:ff:f0:00:00' '-j DROP --src-mac 00:11:22:30:00:00/ff:ff:ff:f0:00:00' "$half" "$half"
whole='arp saddr ether 00:11:22:33:44:55 '
rule '--source-mac 00:11:22:33:44:55' '-j DROP --src-mac 00:11:22:33:44:55' "$whole" "$whole"
say "ebtables-nft"
unshare -rn sh -e -c 'ebtables-nft -A INPUT -s 00:11:22:00:00:00/ff:ff:ff:00:00:00 -j DROP; ebtables-nft-save' >"$tmp/out" || fail "exit code $?"
grep '^-A' "$tmp/out"
holds '^-A INPUT -s 00:11:22:00:00:00/ff:ff:ff:00:00:00 -j DROP' "$tmp/out"
