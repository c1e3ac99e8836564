#!/bin/sh
# Debian ipcalc 0.42-2 with Debian's perl 5.36: `ipcalc NETWORK -s SIZE…`, the split into networks for so many hosts.
#
# One expects of each network that it has room for the hosts asked for.
# Where the right prefix is an even number, /30, /28, /26, /24, the answer is one longer, so half the sizes are too small:
# for 10 hosts it gives a /29 with 6, under its own line "Requested size: 10 hosts". The starts and the lines
# "Needed size" and "Unused" are right, and so are the sizes with an odd prefix. The exit code is 0.
#
# So a plan taken from this output gives hosts a prefix and a broadcast address that cut off half of them, and firewall
# rules that miss the rest. Compare Hosts/Net with the size asked for, or take the next start as the end.
set -eu
. "$(dirname "$0")/lib.sh"
get ipcalc=0.42-2
echo "ipcalc $(ipcalc --version | head -1), perl $(perl -e 'print $^V')"

split() { # split SIZE NETWORK HOSTS
  say "ipcalc -n -b 10.0.0.0/16 -s $1"
  ipcalc -n -b 10.0.0.0/16 -s "$1" >"$tmp/out" || fail "exit code $?"
  sed -n '/^1\. /,/^Needed/p' "$tmp/out"
  echo "exit code 0"
  sed -n '/^1\. /,$p' "$tmp/out" | grep -q "^Network: *$2 *$" || fail "the network is not $2"
  sed -n '/^1\. /,$p' "$tmp/out" | grep -q "^Hosts/Net: $3 " || fail "the network has not $3 hosts"
}
split 6 10.0.0.0/29 6
split 10 10.0.0.0/29 6
holds 'Needed size:  16 addresses' "$tmp/out"
split 30 10.0.0.0/27 30
split 50 10.0.0.0/27 30
split 100 10.0.0.0/25 126
split 200 10.0.0.0/25 126
holds 'Needed size:  256 addresses' "$tmp/out"
