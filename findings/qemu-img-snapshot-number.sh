#!/bin/sh
# Debian qemu-utils 7.2: snapshots of a qcow2 image whose tag is a number.
#
# One expects that `qemu-img snapshot -a 1` and `qemu-img snapshot -d 1` mean the same snapshot.
# -a takes 1 for the ID that the listing has in its first column, and -d takes it for the tag. With the tag 1 on the
# snapshot with ID 2, the disk goes back to the older one, and then the newer one is deleted. Two snapshots with the
# same tag are allowed as well. Each exit code is 0.
#
# So numbered snapshots, as in "keep the last five", restore one state and delete another. Begin each tag with a letter,
# and compare the listing.
set -eu
. "$(dirname "$0")/lib.sh"
get qemu-utils=1:7.2+dfsg-7+deb12u18+b3 libaio1=0.3.113-4 liburing2=2.3-3
qemu-img --version | head -1
cd "$tmp"
qemu-img create -q -f qcow2 disk 1M
state() { qemu-io -c "write -q -P $1 0 64k" disk; }
now() { qemu-img convert -f qcow2 -O raw disk raw; head -c 1 raw | od -An -tu1 | xargs; }
list() { qemu-img snapshot -l disk | awk 'NR > 2 { print "ID " $1 ", tag " $2 }'; }

state 10; qemu-img snapshot -c old disk
state 20; qemu-img snapshot -c 1 disk
state 30
list
say "qemu-img snapshot -a 1"
qemu-img snapshot -a 1 disk || fail "exit code $?"
got=$(now)
echo "the disk has the state $got: that of the tag old is 10, that of the tag 1 is 20"
[ "$got" = 10 ] || fail "not the state of the ID 1"
say "qemu-img snapshot -d 1"
qemu-img snapshot -d 1 disk || fail "exit code $?"
list | tee left
[ "$(cat left)" = 'ID 1, tag old' ] || fail "not the tag 1 was deleted"
say "a second snapshot with the tag old"
qemu-img snapshot -c old disk || fail "exit code $?"
list | tee left
[ "$(grep -c 'tag old' left)" = 2 ] || fail "not two"
