#!/bin/sh
# hostile 1.4.0 from npm: changing a host in a hosts file whose line has more than one name, or a comment.
#
# One expects that `set`, to "set a domain in the hosts file", gives the name the new address, as it does for a line with one
# name, and that the rest stays. A line of hosts(5) is an address, a name and its aliases.
# All names of a line count as one, "node1 node1.example". So set of node1 leaves that line and adds another one at the end:
# the name has two addresses, and the old one is the first. remove of node1 removes nothing. The comments behind entries are
# deleted, on each line. No error is reported.
#
# So a node that moved is still looked up at its old address. Give hostile one line for each name, or all names of a line as
# one.
#
# Needs Node.js 20 and npm.
set -eu
. "$(dirname "$0")/lib.sh"
npm_get hostile@1.4.0
cd "$tmp"
node -p '"hostile " + require("hostile/package.json").version + ", node " + process.version'
change() { # change COMMAND ADDRESS NAME: on a new file
  printf '%s\n' '127.0.0.1 localhost' '10.0.0.5 node1 node1.example # rack 3' '10.0.0.6 node2' >hosts
  [ $# = 0 ] && return
  say "$*"
  node -e 'const hostile = require("hostile")
hostile.HOSTS = "hosts"
hostile[process.argv[1]](process.argv[2], process.argv[3])' -- "$@" || fail "exit code $?"
  cat hosts
}
is() { [ "$(paste -sd';' hosts)" = "$1" ] || fail "and not $1"; }
lookup() { # lookup NAME ADDRESSES: with the file as /etc/hosts, in the order of the resolver
  got=$(unshare -rm sh -ec 'mount -t tmpfs none /etc; cp hosts /etc/hosts; echo "hosts: files" >/etc/nsswitch.conf; echo "multi on" >/etc/host.conf
    getent ahostsv4 "$1"' - "$1" |
    awk '$2 == "STREAM" { print $1 }' | xargs)
  echo "$1 is $got"
  [ "$got" = "$2" ] || fail "and not $2"
}
change
cat hosts
change set 10.0.0.60 node2
is '127.0.0.1 localhost;10.0.0.5 node1 node1.example;10.0.0.60 node2'
lookup node2 10.0.0.60
change set 10.0.0.50 node1
is '127.0.0.1 localhost;10.0.0.5 node1 node1.example;10.0.0.6 node2;10.0.0.50 node1'
lookup node1 '10.0.0.5 10.0.0.50'
change remove 10.0.0.5 node1
is '127.0.0.1 localhost;10.0.0.5 node1 node1.example;10.0.0.6 node2'
lookup node1 10.0.0.5
