#!/bin/sh
# Debian docker 20.10.24: the health of a container that is paused. Needs root.
#
# One expects that a healthy container which is paused stays healthy, or has no health for the time.
# It is "unhealthy" at once, with a failing streak of 0 and a last check that ended with 0, and stays so after it is
# unpaused, until the next check.
#
# So what restarts unhealthy containers, or alarms about them, does so for each one that was paused for a backup. An
# unhealthy container whose failing streak is 0 has failed no check.
set -eu
. "$(dirname "$0")/docker.sh"
image --change 'HEALTHCHECK --interval=3s CMD true' - well:1
docker run -d --name web --network none well:1 sleep 1000 >/dev/null
health() { docker inspect --format '{{.State.Health.Status}}, streak {{.State.Health.FailingStreak}}, {{.State.Status}}' web | tee health; }
is() { health | grep -q "$1"; }
until_ok is '^healthy'

say "docker pause"
docker pause web
health
holds '^unhealthy, streak 0, paused' health
docker inspect --format '{{range .State.Health.Log}}last check: {{.ExitCode}}{{"\n"}}{{end}}' web | tail -2

say "docker unpause"
docker unpause web
health
holds '^unhealthy, streak 0, running' health
until_ok is '^healthy'
health
docker rm -f web >/dev/null
