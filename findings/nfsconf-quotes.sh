#!/bin/sh
# Debian nfs-common 2.6.2: `nfsconf --set` and `nfsconf --dump` with a value that needs quotes.
#
# One expects that --set stores the value that it is given, and that a --dump means the same when it is read: nfs.conf(5)
# has quotes around a value, with which a # or a ; may stand in it, and the dump is "in conf file format".
# Both write the value without quotes. After `nfsconf --set statd name "a # b"` the file says name = a # b, and --get
# answers "a". --dump does the same to a value that was quoted. The exit code is 0.
#
# So a value that a script set is another one for the daemons. Ask with --get after each --set, and write such values
# into a file of your own in /etc/nfs.conf.d.
set -eu
. "$(dirname "$0")/lib.sh"
get nfs-common=1:2.6.2-4+deb12u1
echo "nfs-common 1:2.6.2-4+deb12u1"
cd "$tmp"

value() { # value FILE EXPECTED: what nfsconf reads
  out=$(nfsconf -f "$1" --get statd name) || fail "exit code $?"
  echo "--get: '$out'"
  [ "$out" = "$2" ] || fail "not '$2'"
}
for given in 'a b' 'a # b' 'a;b'; do
  say "'$given', written by hand with quotes, and its --dump"
  printf '[statd]\nname = "%s"\n' "$given" >file
  value file "$given"
  nfsconf -f file --dump >dump || fail "exit code $?"
  grep name dump
  case $given in 'a b') want='a b' ;; *) want=a ;; esac
  value dump "$want"
  say "nfsconf --set statd name '$given'"
  printf '[statd]\nport = 5\n' >set
  nfsconf -f set --set statd name "$given" || fail "exit code $?"
  grep name set
  value set "$want"
done
