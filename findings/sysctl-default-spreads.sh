#!/bin/sh
# Debian systemd 252.39 and procps 4.0.2, on Linux 6: an interface that is excluded from a setting for all of them, such as
# net.ipv4.conf.*.rp_filter.
#
# One expects what sysctl.d(5) and sysctl.conf(5) say: with the line -net.ipv4.conf.hub0.rp_filter the name hub0 is left out
# when the pattern is applied.
# The pattern matches the name "default" too, and a value written to it is copied by the kernel to each interface whose
# own value was never written. So hub0 has the value, after `systemd-sysctl` and after `sysctl -p`, which does not print its
# name. If any value was written for hub0 before, it keeps that. In IPv6 nothing is copied.
#
# So packets for the one interface with two ways are dropped. Give it a value of its own in place of the exclusion, as in
# net.ipv4.conf.hub0.rp_filter = 0.
set -eu
. "$(dirname "$0")/lib.sh"
get systemd=252.39-1~deb12u2 libsystemd-shared=252.39-1~deb12u2 procps=2:4.0.2-3 libproc2-0=2:4.0.2-3 iproute2=6.1.0-3 \
  libbpf1=1:1.1.2-0+deb12u1 libelf1=0.188-2.1 libmnl0=1.0.4-3
LD_LIBRARY_PATH=$LD_LIBRARY_PATH:$root/usr/lib/$lib/systemd
echo "Linux $(uname -r), $(sysctl --version), $("$root/lib/systemd/systemd-sysctl" --version | head -1)"
cd "$tmp"
printf '%s\n' 'net.ipv4.conf.*.rp_filter = 2' '-net.ipv4.conf.hub0.rp_filter' >exclude.conf
printf '%s\n' 'net.ipv4.conf.*.rp_filter = 2' 'net.ipv4.conf.hub0.rp_filter = 0' >own.conf
printf '%s\n' 'net.ipv6.conf.*.hop_limit = 9' '-net.ipv6.conf.hub0.hop_limit' >six.conf

value() { # value EXPECTED KEY FILE [BEFORE]: the value of hub0 after $tool has read the file, in a new network namespace
  got=$(unshare -rn sh -ec 'ip link add hub0 type bridge; cd /proc/sys/net; [ ! "$3" ] || echo "$3" >"$1"; $4 "$2" >&2; cat "$1"' \
    - "$2" "$tmp/$3" "${4:-}" "$tool" 2>out) || fail "exit code $?: $(cat out)"
  echo "$3${4:+, with $4 written before}: $2 is $got"
  [ "$got" = "$1" ] || fail "not $1"
}
for tool in "$root/lib/systemd/systemd-sysctl" 'sysctl -p'; do
  say "${tool#"$root"}"
  value 2 ipv4/conf/hub0/rp_filter exclude.conf
  if grep hub0 out; then fail "it names hub0"; fi
  value 0 ipv4/conf/hub0/rp_filter exclude.conf 0
  value 0 ipv4/conf/hub0/rp_filter own.conf
  value 64 ipv6/conf/hub0/hop_limit six.conf
done
