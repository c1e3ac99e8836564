#!/bin/sh
# Debian s6 2.11.3, daemontools 0.76, runit 2.1.2: a folder of environment variables, read by `s6-envdir`, `envdir` and
# `chpst -e`.
#
# One expects the same environment of all three, or an error.
# s6-envdir keeps 4095 bytes of a value and drops the rest, and without -f a carriage return at the end. The other two
# keep both. A file with an equals sign in its name is a variable for them, and none for s6-envdir. Nothing is said,
# and the command runs. With -f s6-envdir cuts at the same place.
#
# So a certificate or a token that was moved from runit or daemontools to s6 is half there, and the service says that it
# is damaged. Compare the lengths after a move, or give long values as files.
set -eu
. "$(dirname "$0")/lib.sh"
get s6=2.11.3.2-1 libs6-2.11=2.11.3.2-1 libskarnet2.13=2.13.1.1-1 libexecline2.9=2.9.3.0-1 daemontools=1:0.76-8.1 runit=2.1.2-54
echo "s6 2.11.3.2-1, daemontools 1:0.76-8.1, runit 2.1.2-54"
cd "$tmp"
mkdir env
for n in 4095 4096 20000; do head -c $n /dev/zero | tr '\0' x >env/V$n; done
printf 'one\r\n' >env/CR
printf 'v' >'env/a=b'
tool() { # tool LENGTHS CR EQUALS COMMAND…
  want="$1, $2, $3"; shift 3
  "$@" env python3 -c 'import os
e = os.environb
print(" ".join(str(len(e[b"V%d" % n])) for n in (4095, 4096, 20000)) + ",", ascii(e[b"CR"].decode()) + ",", e.get(b"a", b"none").decode())' >out 2>err || fail "exit code $?: $(cat err)"
  printf '%s\n' "$1${2:+ $2}: the lengths of 4095, 4096 and 20000 bytes, CR, and a: $(cat out)"
  [ "$(cat out)" = "$want" ] || fail "not $want"
  [ ! -s err ] || fail "it says $(cat err)"
}
tool '4095 4096 20000' "'one\\r'" b=v envdir
tool '4095 4096 20000' "'one\\r'" b=v chpst -e
tool '4095 4095 4095' "'one'" none s6-envdir
tool '4095 4095 4095' "'one\\r'" none s6-envdir -f
