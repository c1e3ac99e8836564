#!/bin/sh
# Debian openssh-client 9.2p1-2+deb12u10: `ssh-keygen -Y sign` where a signature file is already there.
#
# One expects that signing a file makes a signature of that file, or fails.
# If FILE.sig exists, ssh-keygen asks "Overwrite (y/n)?". With an empty standard input, as under cron or in a service,
# it takes that for a no, leaves the old signature and exits with 0. Of several files the others are signed,
# so the run leaves new and old signatures side by side.
#
# So a release job that signs a changed file again reports success, and everybody's verification fails.
# Remove FILE.sig first, or sign from standard input to standard output.
set -eu
. "$(dirname "$0")/lib.sh"
get openssh-client=1:9.2p1-2+deb12u10
ssh -V 2>&1
cd "$tmp"
ssh-keygen -q -t ed25519 -N '' -C signer -f key
echo "signer $(cat key.pub)" >allowed
verify() { ssh-keygen -Y verify -f allowed -I signer -n file -s "$1.sig" <"$1" >out 2>&1; }

echo old >a
ssh-keygen -Y sign -f key -n file a </dev/null 2>/dev/null
verify a || fail "the first signature is not good: $(cat out)"

say "a changes, b is new, and both are signed"
echo new >a
echo new >b
ssh-keygen -Y sign -f key -n file a b </dev/null 2>&1 || fail "ssh-keygen says that it did not sign"
echo "exit code 0"

say "the signatures"
verify b || fail "the signature of b is not good: $(cat out)"
echo "b: $(cat out)"
if verify a; then fail "the signature of a is good"; fi
echo "a: $(head -1 out)"

say "from standard input to standard output there is no question"
ssh-keygen -Y sign -f key -n file <a >a.sig 2>/dev/null
verify a || fail "the signature of a is not good: $(cat out)"
echo "a: $(cat out)"
