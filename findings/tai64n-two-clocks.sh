#!/bin/sh
# Debian s6 2.11.3, daemontools 0.76 and runit 2.1.2: the time stamps @4000… of TAI64N in the logs of supervised services.
#
# One expects that a stamp of one tool is read by the others as the same time: the format has the same name in all.
# daemontools and runit write the time of Unix plus 10 seconds, and s6 writes it plus 37, with the leap seconds. So
# s6-tai64nlocal reads the logs of svlogd and multilog 27 seconds early, and tai64nlocal reads the logs of s6-log 27
# seconds late. The exit codes are 0.
#
# So events of two services on one machine are in the wrong order. Read each log with the reader of the tool that wrote it.
set -eu
. "$(dirname "$0")/lib.sh"
get s6=2.11.3.2-1 libs6-2.11=2.11.3.2-1 libskarnet2.13=2.13.1.1-1 libexecline2.9=2.9.3.0-1 daemontools=1:0.76-8.1 runit=2.1.2-54
export TZ=UTC
cd "$tmp"
echo "s6 2.11.3.2-1, daemontools 1:0.76-8.1, runit 2.1.2-54"

stamp() { # stamp WRITER: prints a line with the stamp of the writer
  case $1 in
    svlogd) rm -rf log; mkdir log; echo up | svlogd -t log 2>/dev/null; cat log/current ;;
    *) echo up | "$1" ;;
  esac
}
off() { # off WRITER READER SECONDS: how far the reader is from the time at which the line was written
  before=$(date +%s)
  stamp "$1" >line
  text=$("$2" <line) || fail "exit code $?"
  read_as=$(date -d "$(echo "${text%% up}" | cut -c1-19 | tr T ' ')" +%s)
  seconds=$((read_as - before))
  echo "$1 at $(date -d "@$before" +%T), $2: $text, $seconds seconds off"
  [ "$seconds" -ge "$3" ] && [ "$seconds" -le $(($3 + 3)) ] || fail "not $3"
}
off tai64n tai64nlocal 0
off svlogd tai64nlocal 0
off s6-tai64n s6-tai64nlocal 0
say "across"
off tai64n s6-tai64nlocal -27
off svlogd s6-tai64nlocal -27
off s6-tai64n tai64nlocal 27
