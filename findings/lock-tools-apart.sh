#!/bin/sh
# Debian's util-linux 2.38.1, runit 2.1.2, daemontools 0.76, moreutils 0.67 and s6 2.11.3: six tools on one lock file.
#
# One expects that tools which run a command under a lock keep each other out where they are given the same file. The manual
# of lckdo sends its users to flock as a similar command, and s6-setlock has the name and the options of setlock.
# flock, chpst and setlock take one kind of lock, and lckdo and s6-setlock another. Within a kind the second is
# refused. Across the kinds both commands run at once, and `lckdo -t` says "not locked" of a file that flock holds.
#
# So while jobs are moved from lckdo to flock, or from daemontools to s6, one by one, the old and the new run side by
# side. Move all users of a lock file in one step, or give the new ones a file of their own inside the old lock.
set -eu
. "$(dirname "$0")/lib.sh"
get runit=2.1.2-54 daemontools=1:0.76-8.1 moreutils=0.67-1 s6=2.11.3.2-1 libs6-2.11=2.11.3.2-1 libskarnet2.13=2.13.1.1-1 \
  libexecline2.9=2.9.3.0-1
flock --version
cd "$tmp"
one='flock -n|chpst -L|setlock -n'
two='lckdo|s6-setlock -n'

try() { # try TOOL EXPECTED: runs a command under the lock, which another tool holds
  if $1 lock true 2>err; then got=runs; else got='is kept out'; fi
  echo "  ${1%% *} $got"
  [ "$got" = "$2" ] || fail "$1 $got, and not: $2"
}
each() { # each TOOLS EXPECTED
  IFS='|'; set -- "$2" $1; unset IFS
  want=$1; shift
  for tool in "$@"; do try "$tool" "$want"; done
}
hold() { # hold TOOL KIND OTHER
  say "${1%% *} holds the lock"
  $1 lock sh -c ': >held; while test -e held; do sleep 0.1; done' & pids=$!
  until_ok test -e held
  each "$2" 'is kept out'
  each "$3" runs
  [ "${1%% *}" != flock ] || { lckdo -t lock >out; cat out; holds 'is not locked' out; }
  rm held; wait "$pids"; pids=
}
for tool in 'flock -n' 'chpst -L' 'setlock -n'; do hold "$tool" "$one" "$two"; done
for tool in lckdo 's6-setlock -n'; do hold "$tool" "$two" "$one"; done
