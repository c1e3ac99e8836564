#!/bin/sh
# Debian qemu-utils 7.2: `qemu-img dd skip=N count=M`.
#
# One expects what qemu-img(1) says, and what dd does: skip N blocks of the input, and copy M.
# count is counted from the start of the input and not from the first block that is read, so M - N blocks are copied. With
# count=4 and skip=3 one block comes, and with skip=4 an empty file. With skip=5 it says "cannot skip to specified
# offset", and makes the empty file too. Each time the exit code is 0. skip alone and count alone are right.
#
# So a partition or a header that was cut out of an image is short or empty, and the script goes on. Add skip to count, and
# compare the size of the result.
set -eu
. "$(dirname "$0")/lib.sh"
get qemu-utils=1:7.2+dfsg-7+deb12u18+b3 libaio1=0.3.113-4 liburing2=2.3-3
qemu-img --version | head -1
cd "$tmp"
for block in 0 1 2 3 4 5 6 7; do printf '%-512s' "block$block"; done >in

check() { # check OPTIONS BLOCKS
  rm -f out; qemu-img dd -f raw -O raw bs=512 $1 if=in of=out 2>err || fail "exit code $?"
  blocks() { grep -ao 'block.' "$1" | cut -c6- | xargs; }
  dd bs=512 $1 if=in of=right status=none
  echo "$1: $(wc -c <out) bytes, the blocks '$(blocks out)'; dd gives '$(blocks right)'. $(cat err)"
  [ "$(blocks out)" = "$2" ] || fail "not the blocks $2"
}
check count=4 '0 1 2 3'
check skip=5 '5 6 7'
say "both"
check 'skip=1 count=4' '1 2 3'
check 'skip=3 count=4' '3'
check 'skip=4 count=4' ''
check 'skip=5 count=4' ''
holds 'cannot skip to specified offset' err
check 'skip=5 count=7' '5 6'
