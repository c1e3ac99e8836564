#!/bin/sh
# Debian iptables 1.8.9-2, nftables 1.0.6: `ebtables-translate` of a match for the type of service.
#
# One expects a rule with the same meaning: --ip-tos 0x10 is a byte of the header, of which nft's dscp is the upper six bits,
# here 0x04.
# The number goes into the rule unchanged, cut to six bits: 0x10 comes out as "ip dscp 0x10", which is the byte 0x40, and
# 0x80 as "ip dscp 0x00", which each plain packet has. --ip6-tclass is treated the same, and `nft list` shows the
# rule of `ebtables-nft` in these words too, though it counts the right packets. The exit code is 0.
#
# So a bridge that dropped the packets of one class drops all packets without a class after the move to nftables. Divide
# the number by four, and compare the counters before and after.
set -eu
. "$(dirname "$0")/lib.sh"
get iptables=1.8.9-2 libxtables12=1.8.9-2 nftables=1.0.6-2+deb12u2 libnftables1=1.0.6-2+deb12u2 libnftnl11=1.2.4-2 \
  libmnl0=1.0.4-3 libjansson4=2.14-2 libedit2=3.1-20221030-2 libgmp10=2:6.2.1+dfsg1-1.1 libbsd0=0.11.7-2 libmd0=1.0.4-2 \
  iproute2=6.1.0-3 libbpf1=1:1.1.2-0+deb12u1 libelf1=0.188-2.1
export XTABLES_LIBDIR="$root/usr/lib/$lib/xtables"
ebtables-nft --version
cd "$tmp"
say "translations"
translate() { # translate MATCH RULE
  unshare -rn ebtables-translate -A INPUT $1 -j ACCEPT >out || fail "exit code $?"
  echo "$1: $(cat out)"
  holds "INPUT $2 counter accept" out
}
translate '-p IPv4 --ip-tos 0x10' 'ip dscp 0x10'
translate '-p IPv4 --ip-tos 0x80' 'ip dscp 0x00'
translate '-p IPv4 --ip-tos 0xb8' 'ip dscp 0x38'
translate '-p IPv6 --ip6-tclass 0x80' 'ip6 dscp 0x00'

say "five packets with the byte 0, and three with 0x80, through a bridge"
cat >send.py <<'P'
import socket
for byte, times in (0, 5), (0x80, 3):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, byte)
    for _ in range(times):
        s.sendto(b"x", ("192.0.2.1", 9))
P
cat >run <<'R'
unshare -n sleep 60 & other=$!
trap 'kill $other' EXIT
sleep 0.5
ip link add br0 type bridge; ip link add v0 type veth peer name v1; ip link set v0 master br0; ip link set v1 netns $other
ip address add 192.0.2.1/24 dev br0; ip link set br0 up; ip link set v0 up
nsenter -t $other -n sh -ec 'ip address add 192.0.2.2/24 dev v1; ip link set v1 up'
mac=$(ip -br link show br0 | tr -s ' ' | cut -d' ' -f3)
nsenter -t $other -n ip neighbour add 192.0.2.1 lladdr "$mac" dev v1
if [ "$1" = ebtables ]; then
  ebtables-nft -A INPUT -p IPv4 --ip-proto udp --ip-dport 9 --ip-tos 0x80 -j ACCEPT
else
  nft 'add table bridge filter; add chain bridge filter INPUT { type filter hook input priority -200; }'
  ebtables-translate -A INPUT -p IPv4 --ip-proto udp --ip-dport 9 --ip-tos 0x80 -j ACCEPT | sh
fi
sleep 2
nsenter -t $other -n python3 send.py
sleep 1
nft list chain bridge filter INPUT | grep counter
R
for which in ebtables translated; do
  unshare -rn sh -e run $which >out 2>err || fail "$(cat err)"
  echo "$which: $(cat out)"
  case $which in ebtables) n=3 ;; *) n=5 ;; esac
  holds "dscp .*packets $n " out
done
