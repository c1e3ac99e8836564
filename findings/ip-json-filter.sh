#!/bin/sh
# Debian iproute2 6.1.0: `ip -j` when a filter leaves nothing.
#
# One expects one element for each interface that passes, and [] when none does.
# `ip -j address show up` prints an empty object {} for each interface that is down, and a filter by label an object
# with nothing but an empty addr_info. The text output leaves these interfaces out.
# Routes are worse: for a table that never had a route ip prints one "[" and stops with exit code 2, which no parser
# takes. The same table prints [] and exits with 0 after a route came and went, though it is as empty as before.
#
# So counting elements counts interfaces that are down, `.[0].ifname` is null, and a first run that looks into its
# own routing table breaks where all later runs work.
set -eu
. "$(dirname "$0")/lib.sh"
get iproute2=6.1.0-3 jq=1.6-2.1+deb12u3 libjq1=1.6-2.1+deb12u3 libonig5=6.9.8-1 libbpf1=1:1.1.2-0+deb12u1 \
  libelf1=0.188-2.1 libmnl0=1.0.4-3 libcap2=1:2.66-4+deb12u3+b1
ip -V

# A namespace has one interface, lo, and it is down.
unshare -rn sh >"$tmp/out" <<'E'
show() { echo "$* -> $(ip "$@" 2>/dev/null | tr -d '\n')"; }
show address show up
show -j address show up
show address show label 'lo*'
show -j address show label 'lo*'
show -j address show to 192.0.2.0/24
ip link set lo up
show -j route show table 77
ip -j route show table 77; echo "exit code $?"
ip -j route show table 77 2>/dev/null | jq . || echo "jq: exit code $?"
echo "a route comes and goes"
ip route add 192.0.2.0/24 dev lo table 77
ip route del 192.0.2.0/24 table 77
show -j route show table 77
ip -j route show table 77 >/dev/null; echo "exit code $?"
E
say "what ip prints"
cat "$tmp/out"
is() { [ "$(sed -n "$1p" "$tmp/out")" = "$2" ] || fail "line $1 of the output is not '$2'"; }
is 1 'address show up -> '
is 2 '-j address show up -> [{}]'
is 3 'address show label lo* -> '
is 4 '-j address show label lo* -> [{"addr_info":[]}]'
is 5 '-j address show to 192.0.2.0/24 -> []'
is 6 '-j route show table 77 -> ['
is 7 '[exit code 2'
is 10 '-j route show table 77 -> []'
is 11 'exit code 0'
