#!/bin/sh
# Debian lxc 5.0.2: `lxc.net.0.ipv4.address` without a prefix length.
#
# One expects one default, or the class of the network, which is C for 192.168.0.6.
# The class is taken from the last number of the address: where it is below 128 the prefix is 8, below 192 it is 16, and else
# 24. So 192.168.0.6 and 10.0.0.6 are in a /8, and 192.168.0.200 and 10.0.0.200 in a /24. Two containers of one network
# that differ in the last number have different networks. An address of IPv6 has 64.
#
# So one container reaches the rest of the world and the next takes all of 192.0.0.0/8 for its neighbours. Write the prefix,
# and ask `lxc-info -c lxc.net.0.ipv4.address`.
set -eu
. "$(dirname "$0")/lib.sh"
get lxc=1:5.0.2-1+deb12u4 liblxc1=1:5.0.2-1+deb12u4 libapparmor1=3.0.8-3 libseccomp2=2.5.4-1+deb12u1
echo "lxc $(lxc-info --version)"
mkdir "$tmp/c"

prefix() { # prefix FAMILY ADDRESS EXPECTED
  printf 'lxc.uts.name = c\nlxc.net.0.type = veth\nlxc.net.0.%s.address = %s\n' "$1" "$2" >"$tmp/c/config"
  out=$(lxc-info -P "$tmp" -n c -c "lxc.net.0.$1.address") || fail "exit code $?"
  echo "$2: $out"
  [ "$out" = "lxc.net.0.$1.address = $2/$3" ] || fail "not /$3"
}
for net in 10.0.0 172.16.0 192.168.0; do
  say "$net"
  prefix ipv4 $net.6 8
  prefix ipv4 $net.127 8
  prefix ipv4 $net.128 16
  prefix ipv4 $net.191 16
  prefix ipv4 $net.192 24
  prefix ipv4 $net.200 24
done
say "IPv6"
prefix ipv6 fd00::6 64
