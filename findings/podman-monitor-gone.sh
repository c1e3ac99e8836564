#!/bin/sh
# Debian podman 4.3.1: a container whose monitor (conmon) and program were killed, as by a lack of memory. Needs root.
#
# One expects that podman sees at the next look that the process is gone.
# It says "running", with a pid that is nobody's, for ever; `podman start` exits with 0 and starts nothing. After a stop
# it is "stopping", and cannot be started.
#
# So a check of the state says that a service runs which does not. Look whether the process of that pid exists, and
# whether its control group names the container. `podman rm -f` and a new container end it.
set -eu
. "$(dirname "$0")/podman.sh"
start web sleep 1000
pid=$(pid web)
state web
monitor=$(ps -o ppid= -p "$pid" | tr -d ' ')

say "kill -9 of $monitor, which is $(cat "/proc/$monitor/comm"), and of $pid"
kill -9 "$monitor" "$pid"
until_ok [ ! -e "/proc/$pid" ]
state web
holds "running, running true, pid $pid" state

say "podman start"
$pod start web || fail "exit code $?"
state web
holds "running, running true, pid $pid" state
[ ! -e "/proc/$pid" ] || fail "there is such a process"

say "podman stop"
$pod stop -t 1 web || echo "exit code $?"
state web
holds "stopping" state
if $pod start web; then fail "it is started"; fi
