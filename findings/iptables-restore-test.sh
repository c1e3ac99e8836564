#!/bin/sh
# Debian iptables 1.8.9: `iptables-restore --test` with the default variant, nf_tables.
#
# One expects what iptables-restore(8) says of --test: it parses and constructs the rule set, and leaves out the commit.
# A jump to a chain that does not exist, a match in the wrong chain and a reset of TCP for UDP pass with exit code 0, and the
# real run fails with 2 or 4. The legacy variant of the same package finds the missing chain, with exit code 2. A misspelt
# option gives 2 in both.
#
# So a rule set that was tested is not loaded at the next start, and the host runs without a filter. Load it once in a network
# namespace, `unshare -rn iptables-restore FILE`.
set -eu
. "$(dirname "$0")/lib.sh"
get iptables=1.8.9-2 libxtables12=1.8.9-2 libip4tc2=1.8.9-2 libip6tc2=1.8.9-2 libnftnl11=1.2.4-2 libmnl0=1.0.4-3
export XTABLES_LIBDIR="$root/usr/lib/$lib/xtables"
cd "$tmp"
iptables-nft -V

code() { # code COMMAND…: its exit code, what it says goes into the file err
  c=0; unshare -rn "$@" >/dev/null 2>err || c=$?; echo "$c"; }
check() { # check LEGACY TEST REAL RULE
  printf '*filter\n%s\nCOMMIT\n' "$4" >rules
  legacy=$(code iptables-legacy-restore --test rules)
  test=$(code iptables-nft-restore --test rules)
  real=$(code iptables-nft-restore rules)
  echo "$4: --test $test, real run $real $(grep -o 'RULE.*\|Chain.*\|Bad rule.*' err || :), --test of the legacy variant $legacy"
  [ "$legacy $test $real" = "$1 $2 $3" ] || fail "not $1 $2 $3: $(cat err)"
}
check 0 0 0 '-A INPUT -p tcp --dport 22 -j ACCEPT'
check 2 2 2 '-A INPUT -p tcp --dports 22 -j ACCEPT'
say "tested, and refused"
check 2 0 2 '-A INPUT -j NOT-THERE'
check 0 0 4 '-A INPUT -m owner --uid-owner 0 -j ACCEPT'
check 0 0 4 '-A INPUT -p udp -j REJECT --reject-with tcp-reset'
