#!/bin/sh
# Debian iproute2 6.1.0, on any kernel: `ip route del … metric 0` removes a route that has another metric.
#
# A route without a metric has the metric 0 in IPv4, and `ip route add … metric 0` adds exactly that one. Any other metric
# in `ip route del` is compared: with `metric 50` a route of metric 100 stays, and the exit code is 2. But 0 is no metric to
# compare with, it stands for any. So deleting the same route twice succeeds twice: the second time it takes the next best
# one, for example the one that a DHCP client added with metric 100, and with it the way out of the machine.
# In IPv6 even the first one goes wrong: a route that is added with metric 0 gets 1024, and the deletion with metric 0 takes
# the one of metric 100, because that comes first.
#
# So "delete it, whether or not it is there" is only safe with a protocol of one's own (`proto static` is compared), or after
# a look at what is there.
set -eu
. "$(dirname "$0")/lib.sh"
get iproute2=6.1.0-3 libbpf1=1:1.1.2-0+deb12u1 libelf1=0.188-2.1 libmnl0=1.0.4-3 libcap2=1:2.66-4+deb12u3+b1
ip -V
uname -r

unshare -rn sh >"$tmp/out" 2>/dev/null <<'E2'
ip link add d0 type veth peer name d1
ip link set d0 up
ip link set d1 up
ip addr add 10.0.0.2/24 dev d0
ip addr add fd00::2/64 dev d0 nodad
try() { # try FAMILY NETWORK ROUTER
  ip $1 route add $2 via $3 proto dhcp metric 100
  ip $1 route add $2 via $3 metric 0
  ip $1 route del $2 via $3 metric 50; echo "$1 of metric 50: exit code $?"
  ip $1 route del $2 via $3 metric 0; echo "$1 of metric 0: exit code $?"
  ip $1 route show $2 | grep -q 'proto dhcp metric 100' && echo "the other one is there" || echo "the other one is gone"
  ip $1 route del $2 via $3 metric 0; echo "$1 of metric 0 again: exit code $?"
  ip $1 route show $2 | grep -c . || :
  ip $1 route add $2 via $3 proto dhcp metric 100
  ip $1 route del $2 via $3 metric 0 proto static; echo "$1 of proto static: exit code $?"
}
try -4 10.77.0.0/16 10.0.0.1
try -6 fd77::/32 fd00::1
E2
say "what ip does"
cat "$tmp/out"
is() { [ "$(sed -n "$1p" "$tmp/out")" = "$2" ] || fail "line $1 of the output is not '$2'"; }
for first in 1 7; do
  family=$([ $first = 1 ] && echo -4 || echo -6)
  is $first "$family of metric 50: exit code 2"
  is $((first + 1)) "$family of metric 0: exit code 0"
  is $((first + 2)) "the other one is $([ $first = 1 ] && echo there || echo gone)"
  is $((first + 3)) "$family of metric 0 again: exit code 0"
  is $((first + 4)) "0"
  is $((first + 5)) "$family of proto static: exit code 2"
done
