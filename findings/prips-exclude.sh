#!/bin/sh
# Debian prips 1.2.0-1: `prips -e ADDRESS NETWORK`, a list of addresses without one.
#
# One expects what prips(1) says of -e: it excludes ranges from the output.
# The four numbers are four conditions, and each alone excludes: of 10.0.0.0/29 without 10.0.0.2 nothing is left, as the
# first number of each address is 10, and without 192.168.1.1, which is not in it, 10.0.0.1 is missing. "...2" does
# what one meant. A range ...2-4 excludes 2 and 4 and leaves 3. The exit code is 0 each time.
#
# So a loop over all hosts but the gateway does nothing, or leaves out others. Write the last number alone,
# with each number of a range, or filter with `grep -vxF ADDRESS`.
set -eu
. "$(dirname "$0")/lib.sh"
get prips=1.2.0-1
prips --version

without() { # without EXCLUSION EXPECTED
  got=$(prips -e "$1" 10.0.0.0/29) || fail "exit code $?"
  echo "prips -e $1 10.0.0.0/29:" $got
  [ "$(echo $got)" = "$2" ] || fail "not '$2'"
}
all=$(prips 10.0.0.0/29)
echo "prips 10.0.0.0/29:" $all
without ...2 '10.0.0.0 10.0.0.1 10.0.0.3 10.0.0.4 10.0.0.5 10.0.0.6 10.0.0.7'
without 10.0.0.2 ''
without 192.168.1.1 '10.0.0.0 10.0.0.2 10.0.0.3 10.0.0.4 10.0.0.5 10.0.0.6 10.0.0.7'
without ...2-4 '10.0.0.0 10.0.0.1 10.0.0.3 10.0.0.5 10.0.0.6 10.0.0.7'
