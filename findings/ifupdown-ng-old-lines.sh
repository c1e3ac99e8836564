#!/bin/sh
# Debian ifupdown-ng 0.11.4~rc1: /etc/network/interfaces as the package ifupdown and the installer of Debian write it.
#
# One expects that it means the same, or an error: the package takes the place of ifupdown ("Provides: ifupdown"), and
# interfaces(5) says that syntax from legacy implementations is supported in most cases.
# "allow-hotplug eth0" becomes a property of the interface above it, here of lo, so `ifup -a` does not bring up eth0. Of "auto
# lo eth0" only lo counts. A stanza "mapping" is read into the interface above as well, and its line "script" makes that one an
# interface with DHCP. Each time the exit code is 0, without a word. With "source /etc/network/interfaces.d/*", the first
# line of Debian's own file, nothing is read: "could not parse", and exit code 1.
#
# So after the change of packages a machine has no network at its next start. Write one "auto" line for each interface, and
# source-directory, and look with `ifquery --list --auto` before you restart.
set -eu
. "$(dirname "$0")/lib.sh"
get ifupdown-ng=0.11.4~rc1-1+b2
cd "$tmp"
echo "ifupdown-ng 0.11.4~rc1-1+b2"

conf() { printf '%s\n' "$@" >interfaces; say "$(cat interfaces)"; }
auto() { # auto NAMES: the interfaces that ifup -a brings up
  ifquery -i interfaces --list --auto >names 2>err || fail "exit code $?: $(cat err)"
  ifup -i interfaces -n -a -S state >up 2>&1 || fail "exit code $?: $(cat up)"
  [ ! -s err ] || fail "it says: $(cat err)"
  rm -f state
  echo "brought up: $(sed -n 's/.*state of interface \(.*\) to .*/\1/p' up | xargs), listed: $(xargs <names)"
  [ "$(xargs <names)" = "$1" ] || fail "and not $1"
  [ "$(sed -n 's/.*state of interface \(.*\) to .*/\1/p' up | xargs)" = "$1" ] || fail "and not $1"
}
conf 'auto lo' 'iface lo inet loopback' 'auto eth0' 'iface eth0 inet dhcp'
auto 'lo eth0'
conf 'auto lo' 'iface lo inet loopback' 'allow-hotplug eth0' 'iface eth0 inet dhcp'
auto lo
ifparse -i interfaces lo >out
grep hotplug out || fail "not a property of lo: $(cat out)"
conf 'auto lo eth0' 'iface lo inet loopback' 'iface eth0 inet dhcp'
auto lo
conf 'auto lo' 'iface lo inet loopback' 'auto eth0' 'iface eth0 inet manual' 'mapping eth1' '  script /bin/choose'
auto 'lo eth0'
ifparse -i interfaces eth0 >out
cat out
holds 'mapping eth1' out
holds 'use dhcp' out
mkdir interfaces.d
printf '%s\n' 'auto eth0' 'iface eth0 inet dhcp' >interfaces.d/eth0
conf "source-directory $tmp/interfaces.d" 'auto lo' 'iface lo inet loopback'
auto 'lo eth0'
conf "source $tmp/interfaces.d/*" 'auto lo' 'iface lo inet loopback'
if ifup -i interfaces -n -a -S state >out 2>&1; then fail "exit code 0"; fi
cat out
holds 'could not parse' out
