#!/bin/sh
# Debian btrfs-progs 6.2: `btrfs receive` of a stream that ends too early. Needs root and a loop device.
#
# One expects that a receive that fails leaves nothing, or something with another name until it is complete, and that
# the same full stream can be received again.
# It leaves a writable subvolume with part of the files under the final name. The next receive of the whole stream
# fails with "File exists", and so does each one after it.
#
# So a replication that breaks once never gets well by trying again, and whoever looks for the name finds a backup that
# is not one. A complete one is read-only and has a Received UUID: delete what has none before the next try.
set -eu
. "$(dirname "$0")/lib.sh"
get btrfs-progs=6.2-1+deb12u2 liblzo2-2=2.10-2
undo() { cd /; if mountpoint -q "$tmp/fs"; then umount "$tmp/fs"; fi; }
btrfs --version
cd "$tmp"
mkdir fs
truncate -s 200M disk
mkfs.btrfs -q disk >/dev/null 2>&1
mount -o loop disk fs
btrfs -q subvolume create fs/data
head -c 300000 /dev/urandom >fs/data/a
head -c 300000 /dev/urandom >fs/data/b
btrfs -q subvolume snapshot -r fs/data fs/monday
btrfs -q send -f whole fs/monday
head -c 400000 whole >cut
mkdir fs/backup

state() {
  echo "monday: $(ls fs/backup/monday | xargs), $(btrfs property get fs/backup/monday ro), Received UUID $(uuid)"
}
uuid() { btrfs subvolume show fs/backup/monday | sed -n 's/.*Received UUID:[[:space:]]*//p'; }

say "the stream ends after 400000 of $(wc -c <whole) bytes"
if btrfs receive fs/backup <cut 2>&1; then fail "the receive succeeds"; fi
state
[ "$(uuid)" = - ] || fail "it has a Received UUID"
touch fs/backup/monday/mine || fail "it is read-only"

say "the whole stream"
if btrfs receive fs/backup <whole >out 2>&1; then fail "the receive succeeds"; fi
cat out
holds 'File exists' out

say "the whole stream, after the rest was deleted"
btrfs -q subvolume delete fs/backup/monday
btrfs receive fs/backup <whole 2>&1 || fail "the receive fails"
state
[ "$(uuid)" != - ] || fail "it has no Received UUID"
