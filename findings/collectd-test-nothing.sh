#!/bin/sh
# Debian collectd-core 5.12.0: the check `collectd -t`.
#
# One expects what collectd(1) says of -t: the configuration is parsed, and an exit code other than zero means an error. The
# unit and the init script of the package run it before each start.
# It reads no file: with a syntax error, a plugin that does not exist, or no file at all it exits with 0, without a word.
# The start exits with 1 for each of them, as does `collectd -T`. A misspelt option goes through all three.
#
# So a deployment that checks a new file first restarts into the error. Run `collectd -T`, which asks each plugin once.
set -eu
. "$(dirname "$0")/lib.sh"
get collectd-core=5.12.0-14
collectd -h | grep '^collectd'
cd "$tmp"
printf 'Hostname "a"\nBaseDir "%s"\nTypesDB "%s"\nPluginDir "%s"\n' "$tmp" "$root/usr/share/collectd/types.db" "$root/usr/lib/collectd" >good
(cat good; echo '<Plugin cpu') >broken
(cat good; echo 'Intervall 5') >word
(cat good; echo 'LoadPlugin nosuch') >plugin
check() { # check FILE CODE [SAID]: collectd -t, -T and -f, which is stopped after two seconds if it has started
  collectd -t -C "$1" >out 2>&1 || fail "collectd -t exits with $?: $(cat out)"
  [ ! -s out ] || fail "collectd -t says $(cat out)"
  test=0; start=0
  collectd -T -C "$1" >out 2>&1 || test=$?
  timeout 2 collectd -f -B -P "$tmp/pid" -C "$1" >log 2>&1 || start=$?
  [ $start != 124 ] || start=0
  printf '%s\n' "$1: collectd -t: exit code 0, -T: $test, the start: $start, $(head -1 log)"
  [ $test = "$2" ] || fail "exit code $test of -T: $(cat out)"
  [ $start = "$2" ] || fail "exit code $start of the start: $(cat log)"
  holds "${3:-Initialization complete}" log
}
check good 0
check broken 1 'Parse error'
check plugin 1 'Could not find plugin'
check none 1 'No such file'
check word 0
