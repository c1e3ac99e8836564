#!/bin/sh
# Debian grepcidr 2.0-2: `grepcidr -v` on a list that has addresses of IPv4 and of IPv6.
#
# One expects what grepcidr(1) says of -v: it prints the lines with addresses that do not match.
# An address is compared only where a pattern of its family exists. With patterns of IPv4 alone each line of IPv6 is
# left out, of the match and of its inverse, and the other way round. A network counts as its first address: with
# the pattern 10.0.0.0/24 the line 10.0.0.0/8 matches, so -v removes it. Each time the exit code is 0.
#
# So the example of the manual, a block list without the networks of a white list, loses each address of IPv6 until
# the white list has its first network of IPv6, and a whole /8 for the sake of a /24. Count the lines that both calls
# print, and give each list one pattern of each family, such as 192.0.2.0/32 and 2001:db8::/128.
set -eu
. "$(dirname "$0")/lib.sh"
get grepcidr=2.0-2
grepcidr -V || :
cd "$tmp"
printf '%s\n' 10.0.0.1 172.16.0.1 2001:db8:1::1 2001:db8:2::1 10.0.0.0/8 >list
say "the list"
cat list

both() { # both PATTERN LINES INVERSE
  say "grepcidr '$1', and with -v"
  match=$(grepcidr "$1" list) || fail "exit code $?"
  rest=$(grepcidr -v "$1" list) || fail "exit code $?"
  echo "match:  " $match
  echo "inverse:" $rest
  [ "$(echo $match)" = "$2" ] || fail "the match is not $2"
  [ "$(echo $rest)" = "$3" ] || fail "the inverse is not $3"
}
both 10.0.0.0/24 '10.0.0.1 10.0.0.0/8' 172.16.0.1
both 2001:db8:1::/48 2001:db8:1::1 2001:db8:2::1
both '10.0.0.0/24 2001:db8:1::/48' '10.0.0.1 2001:db8:1::1 10.0.0.0/8' '172.16.0.1 2001:db8:2::1'
