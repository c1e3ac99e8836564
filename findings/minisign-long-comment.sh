#!/bin/sh
# Debian minisign 0.11: signing with a long untrusted comment.
#
# One expects that a signature that minisign made with exit code 0 is one that minisign verifies.
# With an untrusted comment of more than about 1000 bytes it signs, warns only that signify may not read this, and exits
# with 0. Its own verification then refuses the file with exit code 2, "Untrusted signature comment too long".
#
# So a build that puts a change list or labels into the comment publishes what nobody can verify, and learns it from its
# users. The former signature is overwritten. Verify each signature after making it, and keep comments short.
set -eu
. "$(dirname "$0")/lib.sh"
get minisign=0.11-1 libsodium23=1.0.18-1+deb12u1
minisign -v
cd "$tmp"
minisign -G -W -p key.pub -s key.sec >/dev/null
echo content >file

try() { # try LENGTH EXIT-CODE-OF-VERIFY
  say "a comment of $1 bytes"
  comment=$(head -c "$1" /dev/zero | tr '\0' c)
  minisign -S -s key.sec -m file -c "$comment" >out 2>&1 || fail "it does not sign: $(cat out)"
  cat out
  echo "sign: exit code 0"
  code=0; minisign -V -q -p key.pub -m file >out 2>&1 || code=$?
  cat out
  echo "verify: exit code $code"
  [ "$code" = "$2" ] || fail "exit code $code, and not $2"
}
try 900 0
try 1100 2
holds 'Untrusted signature comment too long' out
