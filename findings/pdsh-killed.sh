#!/bin/sh
# Debian pdsh 2.34-0.2: `pdsh -S -R exec`, the exit code of a command that a signal ended.
#
# One expects what pdsh(1) says of -S: the largest of the values that the commands returned. A shell makes 137 of a
# SIGKILL.
# The command that was killed counts as 0: pdsh says "killed by signal 9" on standard error and exits with 0. A command that does
# not exist gives 255, and one that runs into the limit of -u gives 254.
#
# So a job that the kernel ended for its memory is a success for the script around pdsh. Let the command be a shell that
# waits for the job, `sh -c "JOB; exit \$?"`, or look for "killed by signal" on standard error.
set -eu
. "$(dirname "$0")/lib.sh"
get pdsh=2.34-0.2
cp "$root/usr/bin/pdsh.bin" "$tmp/pdsh" # the package has a wrapper around it, and the program looks at its name
check() { # check EXIT-CODE ARGUMENT…: in a mount namespace that has the modules of pdsh
  want=$1; shift
  say "pdsh -S -R exec $*"
  code=0
  unshare -rm sh -ec 'mount -t overlay modules -o "lowerdir=$1/usr/lib/$2:/usr/lib/$2" "/usr/lib/$2"; shift 2; exec "$@"' \
    - "$root" "$lib" "$tmp/pdsh" -S -R exec "$@" >"$tmp/out" 2>&1 || code=$?
  cat "$tmp/out"; echo "exit code $code"
  [ "$code" = "$want" ] || fail "not $want"
}
echo "pdsh 2.34-0.2"
check 3 -w 'n[0-3]' sh -c 'exit %n'
check 255 -w n1 no-such-command
check 254 -u 1 -w n1 sleep 5
check 0 -w 'n[1-2]' sh -c 'kill -9 $$'
holds 'killed by signal 9' "$tmp/out"
check 137 -w n1 sh -c 'sh -c "kill -9 \$\$"; exit $?'
