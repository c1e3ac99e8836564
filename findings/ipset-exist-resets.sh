#!/bin/sh
# Debian ipset 7.17, on Linux 6: `ipset -exist add` of an element that is in the set.
#
# One expects what ipset(8) says of -exist: errors are ignored when an element that is there is added, as the error says it
# is without the option.
# The element is changed: its comment and its mark are gone, and where it was to stay for ever it has the timeout of the set
# now, after which it is removed. The counters stay. With a network as the argument all its addresses are changed. The exit
# code is 0.
#
# So a script that adds its lists again each hour, for safety, makes permanent elements end, and loses who had added them
# and why. Look with `ipset test` first, or give all the options again.
set -eu
. "$(dirname "$0")/lib.sh"
get ipset=7.17-1 libipset13=7.17-1 libmnl0=1.0.4-3
echo "$(ipset --version | head -1), Linux $(uname -r)"
cat >"$tmp/run" <<'R'
ipset create s hash:ip timeout 100 counters comment skbinfo
for n in 1 2 3; do ipset add s 10.0.0.$n timeout 0 packets 5 bytes 500 comment "by hand" skbmark 0x10; done
show() { echo "$1:"; ipset save s | grep '^add' | sort; }
show before
echo "ipset add s 10.0.0.1: $(ipset add s 10.0.0.1 2>&1)"
show 'after it'
ipset -exist add s 10.0.0.1
show 'after ipset -exist add s 10.0.0.1'
ipset -exist add s 10.0.0.2/31
show 'after ipset -exist add s 10.0.0.2/31'
R
unshare -rn sh -e "$tmp/run" >"$tmp/out" 2>&1 || fail "exit code $?: $(cat "$tmp/out")"
cat "$tmp/out"
part() { # part HEADING NUMBER REST: the line of 10.0.0.NUMBER below the heading
  got=$(sed -n "/^$1:/,/:\$/p" "$tmp/out" | grep "^add s 10.0.0.$2 ")
  case $got in "add s 10.0.0.$2 "$3) ;; *) fail "$1: $got" ;; esac
}
whole='timeout 0 packets 5 bytes 500 comment "by hand" skbmark 0x10'
for n in 1 2 3; do part before $n "$whole"; part 'after it' $n "$whole"; done
holds "it's already added" "$tmp/out"
a='after ipset -exist add s 10.0.0.1'
part "$a" 1 'timeout [19][0-9]* packets 5 bytes 500'
part "$a" 2 "$whole"
part 'after ipset -exist add s 10.0.0.2.31' 2 'timeout [19][0-9]* packets 5 bytes 500'
part 'after ipset -exist add s 10.0.0.2.31' 3 'timeout [19][0-9]* packets 5 bytes 500'
