#!/bin/sh
# Debian iproute2 6.1.0, on any kernel: `ip rule save`, and `ip rule restore` in a new network namespace.
#
# One expects what ip-rule(8) says: the rules are restored exactly as they were, beside those that are there.
# The rules with preference 0 come back behind all others, just before the rule for the table main. A rule that was to come
# first is then overruled by each of the others, and the rule for the local table is there twice, as are those
# for main and default. The exit code is 0.
#
# So a router that restores its rules at the start sends traffic through another table. Give your rules a preference
# of 1 or more, and save the text of `ip rule` instead of the stream.
set -eu
. "$(dirname "$0")/lib.sh"
get iproute2=6.1.0-3 libbpf1=1:1.1.2-0+deb12u1 libelf1=0.188-2.1 libmnl0=1.0.4-3
ip -V
cd "$tmp"
inside() { unshare -rn sh -ec "$1"; }
inside '
  ip rule add from 192.0.2.1 lookup 100 pref 0
  ip rule add from 192.0.2.0/24 lookup 200 pref 500
  ip rule >saved; ip rule save >stream'
inside 'ip rule restore <stream; ip rule >restored' || fail "exit code $?"
say "saved"
cat saved
say "restored in a new namespace"
cat restored
place() { grep -n 'from 192.0.2.1 lookup' "$1" | cut -d: -f1; }
rest() { grep -n 'from 192.0.2.0/24 lookup' "$1" | cut -d: -f1; }
[ "$(place saved)" -lt "$(rest saved)" ] || fail "the rule was not first"
[ "$(place restored)" -gt "$(rest restored)" ] || fail "the rule is still first"
holds '^3276[0-9]:.*from 192.0.2.1 lookup 100' restored
[ "$(grep -c 'lookup local' restored)" = 2 ] || fail "the local table is there $(grep -c 'lookup local' restored) times"
