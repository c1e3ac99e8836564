#!/bin/sh
# Debian iprange 1.0.4: a list with a wildcard mask, such as 10.0.4.0/0.0.0.255, or with addresses of IPv6.
#
# One expects that such lines are read or refused: a prefix and a netmask are read, and 255.0.255.0 is
# an "Invalid netmask".
# A wildcard mask makes the line 0.0.0.0/0, the whole of IPv4, and the list with it, without a word. Of an address of IPv6 the
# digits before the first colon are an address of IPv4: 2001:db8::/32 is 0.0.7.209, and 10::1 is 0.0.0.10, with a line on
# standard error that speaks of a host name. The exit code is 0.
#
# So a block list with one line from a router's access list blocks everybody. Look for 0.0.0.0/0 in the result, and take all
# lines with a colon out before.
set -eu
. "$(dirname "$0")/lib.sh"
get iprange=1.0.4+ds-2
iprange --version 2>&1 | head -1
cd "$tmp"
reads() { # reads LINE EXPECTED SAID
  echo "$1" | iprange >out 2>err || fail "exit code $?"
  echo "$1 -> $(xargs <out) $(head -1 err)"
  [ "$(xargs <out)" = "$2" ] || fail "not $2"
  if [ "$3" ]; then holds "$3" err; else [ ! -s err ] || fail "it says $(cat err)"; fi
}
say "a prefix and a netmask"
reads 10.0.4.0/24 10.0.4.0/24 ''
reads 10.0.4.0/255.255.255.0 10.0.4.0/24 ''
echo 10.0.4.0/255.0.255.0 | iprange 2>&1 | tee out
holds 'Invalid netmask' out
say "a wildcard mask"
reads 10.0.4.0/0.0.0.255 0.0.0.0/0 ''
reads 10.0.4.0/0.0.0.3 0.0.0.0/0 ''
printf '%s\n' 192.0.2.0/24 198.51.100.0/0.0.0.255 203.0.113.0/24 >list
echo "the list $(xargs <list) -> $(iprange list)"
[ "$(iprange list)" = 0.0.0.0/0 ] || fail "not 0.0.0.0/0"
say "IPv6"
reads 2001:db8::/32 0.0.7.209 'Ignoring text after hostname'
reads 10::1 0.0.0.10 'Ignoring text after hostname'
