#!/bin/sh
# Debian netplan.io 0.106: `netplan set` of a key that holds a list.
#
# One expects that the key has the given value afterwards: the manual page says that set writes the pair of key and value,
# and shows it with a list of addresses. For a single value, as mtu, it is so.
# A list is added to the old one. After addresses=[10.0.0.6/24] the interface has 10.0.0.5/24 and 10.0.0.6/24, and the
# same with name servers. The exit code is 0.
#
# So a script that gives a host its new address leaves the old one on it, where another host may have it by then, and the
# old name servers are asked first. Set the key to null before, and compare with `netplan get`.
set -eu
. "$(dirname "$0")/lib.sh"
get netplan.io=0.106-2+deb12u1 libnetplan0=0.106-2+deb12u1 libyaml-0-2=0.2.5-1 python3-yaml=6.0-3+b2 \
  python3-netifaces=0.11.0-2+b1 python3-rich=13.3.1-1 python3-dbus=1.3.2-4+b1 libdbus-1-3=1.14.10-1~deb12u1 \
  libglib2.0-0=2.74.6-2+deb12u9 libpcre2-8-0=10.42-1+deb12u2
echo "netplan.io 0.106-2+deb12u1"
cd "$tmp"
cat >start.py <<'P'
# netplan asks for the path of its library, which is not installed here
import ctypes.util, runpy, sys
find = ctypes.util.find_library
ctypes.util.find_library = lambda name: "libnetplan.so.0.0" if name == "netplan" else find(name)
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
P
netplan() { # netplan COMMAND ARGUMENT…, on the files below etc/netplan
  command=$1
  shift
  PYTHONPATH=$root/usr/share/netplan:$root/usr/lib/python3/dist-packages \
    /usr/bin/python3 start.py "$root/usr/share/netplan/netplan.script" "$command" --root-dir "$tmp" "$@"
}
mkdir -p etc/netplan
cat >etc/netplan/10-net.yaml <<'Y'
network:
  version: 2
  ethernets:
    eth0:
      mtu: 1400
      addresses: [10.0.0.5/24]
      nameservers:
        addresses: [10.0.0.53]
Y
chmod 600 etc/netplan/10-net.yaml

is() { # is KEY LINES
  netplan get "$1" >out || fail "get exits with $?"
  paste -sd' ' out | sed "s/^/$1 is: /"
  [ "$(paste -sd' ' out)" = "$2" ] || fail "and not $2"
}
change() {
  say "netplan set $*"
  netplan set "$@" || fail "exit code $?"
  echo "exit code 0"
}
is ethernets.eth0.mtu 1400
is ethernets.eth0.addresses '- "10.0.0.5/24"'
change ethernets.eth0.mtu=9000
is ethernets.eth0.mtu 9000
change 'ethernets.eth0.addresses=[10.0.0.6/24]'
is ethernets.eth0.addresses '- "10.0.0.5/24" - "10.0.0.6/24"'
change 'ethernets.eth0.nameservers.addresses=[10.0.0.54]'
is ethernets.eth0.nameservers.addresses '- 10.0.0.53 - 10.0.0.54'
change ethernets.eth0.addresses=null
change 'ethernets.eth0.addresses=[10.0.0.6/24]'
is ethernets.eth0.addresses '- "10.0.0.6/24"'
