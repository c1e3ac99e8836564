#!/bin/sh
# Debian systemd 252.39-1~deb12u2: `systemd-analyze verify` of a unit with settings that systemd ignores.
#
# One expects that the check of a unit fails if part of the unit will not be used, all the more since it names the line.
# For a limit with a bad unit, a word of Restart= that does not exist and a key that does not exist it prints
# "ignoring", and exits with 0. With a unit whose program does not exist it exits with 1.
#
# So a service that passes the check in a pipeline runs with no memory limit and is not restarted.
# Take any line on standard error for a failure.
set -eu
. "$(dirname "$0")/lib.sh"
get systemd=252.39-1~deb12u2 libsystemd-shared=252.39-1~deb12u2
LD_LIBRARY_PATH=$LD_LIBRARY_PATH:$root/usr/lib/$lib/systemd
systemd-analyze --version | head -1
cd "$tmp"

verify() { # verify EXIT-CODE
  code=0; systemd-analyze verify ./job.service 2>err || code=$?
  sed "s,$tmp/,," err
  echo "exit code $code"
  [ "$code" = "$1" ] || fail "exit code $code, and not $1"
}
say "settings that are ignored"
cat >job.service <<'E'
[Service]
ExecStart=/bin/true
MemoryMax=5gb
Restart=allways
RestartSecs=3
E
verify 0
holds "Invalid memory limit '5gb', ignoring" err
holds "Failed to parse service restart specifier, ignoring: allways" err
holds "Unknown key 'RestartSecs' in section .Service., ignoring" err

say "a program that does not exist"
printf '[Service]\nExecStart=/absent\n' >job.service
verify 1
