#!/bin/sh
# Debian network-manager 1.42.4: `nmcli connection modify` with -ipv4.addresses and -ipv4.routes.
#
# One expects that the address or the route is removed, or an error.
# Only the whole value counts, and what is not found is no error: -ipv4.addresses 10.0.0.6 leaves 10.0.0.6/24, as without a
# prefix it means 10.0.0.6/32, and -ipv4.routes 10.1.0.0/16 leaves the route with a next hop. The exit code is 0. An address
# that is added without a prefix is a /32, and a route that is added with another metric is a second one.
#
# So an address that was given up is there again after the next start. Give the prefix, and all of a route, and look at
# the profile after each change.
set -eu
. "$(dirname "$0")/lib.sh"
get network-manager=1.42.4-1+deb12u1 libnm0=1.42.4-1+deb12u1 libgnutls30=3.7.9-2+deb12u7 libudev1=252.39-1~deb12u2
nmcli --version
cd "$tmp"
nmcli --offline connection add type ethernet con-name test ifname eth0 ipv4.method manual \
  ipv4.addresses 10.0.0.5/24,10.0.0.6/24 ipv4.routes '10.1.0.0/16 10.0.0.9 5' >profile
grep '^address\|^route' profile

change() { # change SETTING VALUE EXPECTED: the addresses and routes after a change
  nmcli --offline connection modify "$1" "$2" <profile >new 2>err || fail "exit code $?: $(cat err)"
  got=$(sed -n 's/^\(address\|route\)[0-9]*=//p' new | xargs)
  echo "$1 '$2': $got"
  [ "$got" = "$3" ] || fail "not $3"
}
route=10.1.0.0/16,10.0.0.9,5
say "what removes something"
change -ipv4.addresses 10.0.0.6/24 "10.0.0.5/24 $route"
change -ipv4.routes '10.1.0.0/16 10.0.0.9 5' '10.0.0.5/24 10.0.0.6/24'
say "what removes nothing"
change -ipv4.addresses 10.0.0.6 "10.0.0.5/24 10.0.0.6/24 $route"
change -ipv4.routes 10.1.0.0/16 "10.0.0.5/24 10.0.0.6/24 $route"
change -ipv4.routes '10.1.0.0/16 10.0.0.9' "10.0.0.5/24 10.0.0.6/24 $route"
say "what adds something"
change +ipv4.addresses 10.0.0.6 "10.0.0.5/24 10.0.0.6/24 10.0.0.6/32 $route"
change +ipv4.routes '10.1.0.0/16 10.0.0.9 7' "10.0.0.5/24 10.0.0.6/24 $route 10.1.0.0/16,10.0.0.9,7"
