#!/bin/sh
# Debian logrotate 3.21.0: errors in the configuration, and the exit code.
#
# One expects exit code 1 after a line that begins with "error:", as for a bad number or an unknown user.
# For an unknown word (weakly) it is 0: the line is left out, and the log is rotated by the default size of 1 MiB.
# A file in an included directory that its group may write is left out whole with exit code 0, so its logs are never
# rotated. `logrotate -d`, the rehearsal, exits with 0 for both.
#
# So a file that was deployed with umask 002, or one letter, lets a disk fill up while logrotate.service is green.
# Look for "error:" on standard error, and set the mode where you deploy.
set -eu
. "$(dirname "$0")/lib.sh"
get logrotate=3.21.0-1 libacl1=2.3.1-3 libpopt0=1.19+dfsg-1
logrotate --version 2>&1 | head -1
cd "$tmp"
mkdir logrotate.d
echo "include $tmp/logrotate.d" >logrotate.conf
chmod 644 logrotate.conf
chmod 755 . logrotate.d
echo content >app.log

run() { # run EXIT-CODE MODE ERROR LINES…
  want=$1 mode=$2 error=$3
  shift 3
  printf '%s {\n' "$tmp/app.log" >logrotate.d/app
  printf '  %s\n' "$@" >>logrotate.d/app
  echo '}' >>logrotate.d/app
  chmod "$mode" logrotate.d/app
  say "mode $mode: $*"
  for option in -d -v; do
    rm -f state
    code=0; logrotate $option -s "$tmp/state" logrotate.conf >out 2>&1 || code=$?
    sed "s,$tmp/,," out | grep 'error:\|^rotating pattern\|^Handling' || :
    echo "logrotate $option: exit code $code"
    [ "$code" = "$want" ] || fail "exit code $code, and not $want"
    [ -z "$error" ] || holds "$error" out
  done
}
run 0 644 '' weekly 'rotate 4'
holds 'app.log  weekly (4 rotations)' out
run 1 644 "error: app:3 bad rotation count" weekly 'rotate four'
run 0 644 "error: app:2 unknown option 'weakly' -- ignoring line" weakly 'rotate 4'
holds 'app.log  1048576 bytes (4 rotations)' out
run 0 664 'error: Ignoring app because it is writable by group or others' weekly 'rotate 4'
holds 'Handling 0 logs' out
