#!/bin/sh
# Debian firewalld 1.3.3: `firewall-offline-cmd --check-config`, and what the check and the other commands take.
#
# One expects what firewall-offline-cmd(1) says: the check includes XML validity and semantics. A service that does not exist is
# an error with --add-service, and a network that is in another zone already is one with --add-source.
# A rich rule with a service that does not exist, and the source ipset:NAME without that set, are a "success", and the check
# exits with 0. The core of firewalld then cannot load the configuration, writes so into its log, and falls back to that of the
# package: all ports and rules of the operator are gone. 10.0.0.5/24 beside 10.0.0.0/24 in another zone passes as well, is the
# same network in the rules, and the second zone is never reached.
#
# So after its next start a host is cut off, while each tool said yes. Load the configuration once in a network namespace, as
# this script does, and look for "Falling back".
set -eu
. "$(dirname "$0")/lib.sh"
get firewalld=1.3.3-1~deb12u2 python3-firewall=1.3.3-1~deb12u2 python3-nftables=1.0.6-2+deb12u2 python3-dbus=1.3.2-4+b1 \
  python3-cap-ng=0.8.3-1+b3 libcap-ng0=0.8.3-1+b3 libdbus-1-3=1.14.10-1~deb12u1 nftables=1.0.6-2+deb12u2 libnftables1=1.0.6-2+deb12u2 \
  libnftnl11=1.2.4-2 libmnl0=1.0.4-3 libjansson4=2.14-2 libedit2=3.1-20221030-2 netbase=6.4
export PYTHONPATH="$root/usr/lib/python3/dist-packages"
cd "$tmp"
cat >start.py <<'P'
from firewall.core.fw import Firewall
from firewall.errors import FirewallError
core = Firewall()
try:
    core.start()
except FirewallError as error:
    print("error:", error)
print("port 8080:", "open" if core.zone.query_port("public", "8080", "tcp") else "closed")
P
cat >inside <<'I'
mount -t tmpfs none /etc
cp "$1/etc/protocols" "$1/etc/services" /etc
cp -r "$1/etc/firewalld" /etc
mount -t overlay usr -o "lowerdir=$1/usr:/usr" /usr
mount -t tmpfs none /run
mount -t tmpfs none /var/lib
cmd() { echo "firewall-offline-cmd $*"; code=0; /usr/bin/python3 /usr/bin/firewall-offline-cmd "$@" 2>&1 || code=$?; echo "exit code $code"; }
start() { echo "the core of firewalld:"; /usr/bin/python3 start.py 2>&1 | grep -v usable; }
cmd --zone=public --add-port=8080/tcp
start
cmd --zone=public --add-service=nosuch
cmd --zone=public --add-rich-rule='rule service name="nosuch" accept'
cmd --check-config
start
cmd --zone=public --remove-rich-rule='rule service name="nosuch" accept'
cmd --zone=public --add-source=ipset:nosuch
cmd --check-config
start
cmd --zone=public --remove-source=ipset:nosuch
cmd --zone=public --add-source=10.0.0.0/24
cmd --zone=trusted --add-source=10.0.0.0/24
cmd --zone=trusted --add-source=10.0.0.5/24
cmd --check-config
start
nft list ruleset | grep 'ip saddr 10.0.0.*filter_IN'
I
unshare -rmn sh -e inside "$root" >out 2>err || fail "exit code $?: $(cat out err)"
cat out
after() { # after COMMAND LINE…: these lines follow the first one that has the command
  command=$1
  shift
  for line; do grep -F -A 4 -- "$command" out | grep -qF -- "$line" || fail "after $command not: $line"; done
}
after --add-port=8080 success 'port 8080: open'
after --add-service=nosuch INVALID_SERVICE 'exit code 101'
after --add-rich-rule success 'exit code 0'
after --add-source=ipset:nosuch success 'exit code 0'
after '--zone=trusted --add-source=10.0.0.0/24' 'already bound' 'exit code 105'
after '--zone=trusted --add-source=10.0.0.5/24' success 'exit code 0'
[ "$(grep -A 1 check-config out | grep -c 'exit code 0')" = 3 ] || fail "the check fails"
[ "$(grep -c 'Falling back to full stock configuration' out)" = 2 ] || fail "it does not fall back"
[ "$(grep 'port 8080' out | paste -sd' ')" = 'port 8080: open port 8080: closed port 8080: closed port 8080: open' ] || fail "other ports"
[ "$(grep -o 'saddr 10.*' out | xargs)" = 'saddr 10.0.0.0/24 goto filter_IN_public saddr 10.0.0.0/24 goto filter_IN_trusted' ] || fail "other rules"
