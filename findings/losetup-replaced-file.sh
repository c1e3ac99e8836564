#!/bin/sh
# Debian util-linux 2.38.1: `losetup -j FILE` after the file was replaced by a rename. Needs root and a loop device.
#
# One expects that the device whose back file is listed as FILE is found by that name.
# losetup looks for the inode that has the name now. After `mv new FILE`, the usual way to replace an image, it prints
# nothing, with exit code 0, as for a file that was never attached. The listing says "FILE (deleted)", and the device
# still serves the old content.
#
# So a tool that asks "is it attached?" before it attaches makes a second device, and one that asks before it detaches
# leaves the first for ever, with the space of the old image. Keep the name of the device, or look for "(deleted)" too.
set -eu
. "$(dirname "$0")/lib.sh"
get mount=2.38.1-5+deb12u3 libsmartcols1=2.38.1-5+deb12u3
undo() { for d in ${first-} ${second-}; do losetup -d "$d"; done; }
losetup --version
cd "$tmp"
image() { head -c 1048576 /dev/zero | tr '\0' "$1"; }
image o >image
first=$(losetup -f --show "$tmp/image")
echo "attached: $(losetup -n -O NAME -j "$tmp/image")"
[ "$(losetup -n -O NAME -j "$tmp/image")" = "$first" ] || fail "the device is not found before the rename"

say "the image is replaced"
image n >new
mv new image
losetup -j "$tmp/image" >out || fail "losetup -j exits with $?"
echo "losetup -j: '$(cat out)', exit code 0"
[ ! -s out ] || fail "the device is found"
losetup -n -O NAME,BACK-FILE "$first" | tee out
holds "$tmp/image (deleted)" out
echo "the device starts with '$(head -c 1 "$first")', the file with '$(head -c 1 image)'"
[ "$(head -c 1 "$first")" = o ] || fail "the device does not serve the old content"

say "a second device for one name"
second=$(losetup -f --show "$tmp/image")
losetup -n -O NAME,BACK-FILE -l | grep -F "$tmp/image" | tee out
[ "$(wc -l <out)" = 2 ] || fail "there are not two devices"
