#!/bin/sh
# Debian podman 4.3.1: a name of a container that is also the beginning of another one's id. Needs root.
#
# One expects that a name means the container of that name, or none.
# If no container has the name, podman takes it for the beginning of an id. `podman rm -f NAME` twice, which a script
# does that tidies up before and after, removes a stranger the second time, with exit code 0. Docker does the same.
#
# So a name of hexadecimal digits alone, such as db or cafe, is dangerous. Give names another letter, or compare the
# name in the answer of `inspect` before you act.
set -eu
. "$(dirname "$0")/podman.sh"
start stranger sleep 1000
short=$(cut -c1-4 id)
start "$short" sleep 1000
$pod ps --format '{{.ID}} {{.Names}}'

say "podman rm -f $short, twice"
$pod rm -f -t 0 "$short"
$pod ps --format '{{.Names}}' | tee names
holds stranger names
$pod rm -f -t 0 "$short" || fail "exit code $?"
[ -z "$($pod ps -aq)" ] || fail "the stranger is there"
echo "no container is left"
