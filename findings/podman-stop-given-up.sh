#!/bin/sh
# Debian podman 4.3.1: `podman stop` that is interrupted, of a program that ignores its signal. Needs root.
#
# One expects that a stop which was given up has changed nothing, and that `podman rm -f` ends what it removes.
# The container stays "stopping" for as long as the program lives: "running" is false, and `podman ps` lists it no more.
# `podman rm -f` exits with 0, forgets the container, and leaves the program running and writing to its volume.
#
# So what believes "running", or the list, starts a second program on the same data. Look at the pid: it is set while
# the program lives. `podman stop -t SECONDS` once more ends it.
set -eu
. "$(dirname "$0")/podman.sh"
deaf='trap "" TERM; while :; do echo x >>/data/lines; sleep 0.1; done'
start deaf sh -c "$deaf"
pid=$(pid deaf)
state deaf

say "timeout 1 podman stop -t 600"
timeout 1 $pod stop -t 600 deaf || echo "exit code $?"
state deaf
holds 'stopping, running false' state
lives "$pid" || fail "the program has ended"
[ -z "$($pod ps -q)" ] || fail "it is listed"

say "podman rm -f"
$pod rm -f deaf || fail "exit code $?"
[ -z "$($pod ps -aq)" ] || fail "the container is there"
lives "$pid" || fail "the program has ended"
before=$(wc -l <data/lines)
sleep 1
after=$(wc -l <data/lines)
echo "its file has grown from $before to $after lines"
kill -9 "$pid"
[ "$after" -gt "$before" ] || fail "it does not write"
