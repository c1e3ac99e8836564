#!/bin/sh
# Debian python3-pyroute2 0.7.2: `get_routes(dst=…)`, and a route with a keyword that does not exist.
#
# One expects the routes to that network: get_routes is there to "get all routes" and "filters routes from full output",
# and with table= and oif= it does.
# With dst= it asks the kernel how it would reach the first address instead. The answer has no prefix, says table 254
# whatever table= was given, and is there for each network that the default route covers. So a route that is not there is
# found, and one of another table as well.
# `route("add", dst="10.67.0.0", mask=16)` is taken, since addr() has a mask, and adds a route to one host.
#
# So code that adds a route where none is there never adds one, and no call fails. Compare dst, dst_len and table in the
# answer of get_routes without dst, and write the prefix into dst.
set -eu
. "$(dirname "$0")/lib.sh"
get python3-pyroute2=0.7.2-2 iproute2=6.1.0-3 libbpf1=1:1.1.2-0+deb12u1 libelf1=0.188-2.1 libmnl0=1.0.4-3 libcap2=1:2.66-4+deb12u3+b1
export PYTHONPATH="$root/usr/lib/python3/dist-packages"
echo "python3-pyroute2 0.7.2-2, $(/usr/bin/python3 --version)"
cd "$tmp"
cat >run.py <<'P'
from pyroute2 import IPRoute
ip = IPRoute()
def show(name, routes):
    found = [(r.get_attr("RTA_DST") or "default", r["dst_len"], r.get_attr("RTA_TABLE")) for r in routes]
    print(f"{name}: {found}")
show('get_routes(table=77, family=2)', ip.get_routes(table=77, family=2))
show('get_routes(dst="10.8.0.0/16", table=77, family=2)', ip.get_routes(dst="10.8.0.0/16", table=77, family=2))
show('get_routes(dst="10.5.0.0/16", family=2)', ip.get_routes(dst="10.5.0.0/16", family=2))
ip.route("add", dst="10.67.0.0", mask=16, gateway="10.0.0.9")
P
cat >run <<'R'
ip link add v0 type veth peer name v1
ip link set v0 up; ip link set v1 up
ip address add 10.0.0.1/24 dev v0
ip route add default via 10.0.0.9
ip route add 10.8.0.0/16 via 10.0.0.8 table 77
echo "== the routes, and table 77"
ip route; ip route show table 77
echo "== pyroute2"
/usr/bin/python3 run.py
echo '== route("add", dst="10.67.0.0", mask=16, gateway="10.0.0.9")'
ip route show to root 10.67.0.0/16
R
unshare -rn sh -e run | tee out
holds "^get_routes(table=77, family=2): \[('10.8.0.0', 16, 77)\]" out
holds "^get_routes(dst=\"10.8.0.0/16\", table=77, family=2): \[('10.8.0.0', 32, 254)\]" out
holds "^get_routes(dst=\"10.5.0.0/16\", family=2): \[('10.5.0.0', 32, 254)\]" out
holds '^10.67.0.0 via' out
