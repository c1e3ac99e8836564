#!/bin/sh
# Debian util-linux 2.38.1: a loop device that was made read-only with `blockdev --setro`, detached, and attached to another file.
# Needs root and a loop device.
#
# One expects that `losetup DEVICE FILE` without --read-only gives a device that can be written.
# The flag of blockdev belongs to the number of the device and not to the file behind it. It outlives the detach, so that the next
# file behind that number, perhaps that of another program, cannot be written: mkfs says "Operation not permitted".
#
# So run `blockdev --setrw` before the detach, or use `losetup --read-only`, which belongs to the file.
set -eu
. "$(dirname "$0")/lib.sh"
get mount=2.38.1-5+deb12u3 util-linux=2.38.1-5+deb12u3 libsmartcols1=2.38.1-5+deb12u3
undo() { [ -z "${device-}" ] || { blockdev --setrw "$device"; losetup -d "$device"; }; }
losetup --version
cd "$tmp"
truncate -s 1m first second
device=$(losetup -f --show first)
blockdev --setro "$device"
losetup -d "$device"
losetup "$device" second

say "the second file was attached without --read-only"
losetup -n -O NAME,RO,BACK-FILE "$device"
blockdev --getro "$device" | tee out
holds 1 out
! dd if=/dev/zero of="$device" bs=512 count=1 2>err || fail "the device can be written"
head -n 1 err

say "losetup --read-only does not leave the flag behind"
blockdev --setrw "$device"
losetup -d "$device"
losetup --read-only "$device" first
[ "$(blockdev --getro "$device")" = 1 ] || fail "the device can be written"
losetup -d "$device"
losetup "$device" second
[ "$(blockdev --getro "$device")" = 0 ] || fail "the flag of --read-only was left behind"
