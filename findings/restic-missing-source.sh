#!/bin/sh
# Debian restic 0.14.0: a backup of two folders, one of which is not there.
#
# One expects exit code 3, which `restic backup --help` promises where source data could not be read.
# A folder that is missing gives one line, "does not exist, skipping", and exit code 0. The snapshot names only the other
# one among its paths, so it is of another group than the last one: it has no parent, and `forget` counts it for itself.
# `restore --include` of what is not in the snapshot exits with 0 too and restores no file, while `dump` of it fails.
#
# So a file system that is not mounted, or a folder that was renamed, is missing in each backup while the exit code is good,
# and a rehearsal of the restore is good too. Look for the folders before, and count the files after.
set -eu
. "$(dirname "$0")/lib.sh"
get restic=0.14.0-1+b5
restic version
cd "$tmp"
export HOME="$tmp" RESTIC_PASSWORD=secret RESTIC_REPOSITORY="$tmp/repository"
restic init -q
mkdir data
echo content >data/file
restic backup --help | grep -i 'exit status is 3' || fail "the help does not promise 3"

say "restic backup data absent"
code=0; restic backup data absent >out 2>&1 || code=$?
cat out
echo "exit code $code"
[ "$code" = 0 ] || fail "exit code $code, and not 0"
holds 'absent does not exist, skipping' out

say "restic snapshots, restic ls"
restic snapshots --json >out
sed 's/.*\("paths":\[[^]]*\]\).*/\1/' out
holds "\"paths\":\[\"$tmp/data\"\]" out
restic ls -q latest | tee out
holds '/data/file$' out
! grep -q absent out || fail "absent is listed"

say "restic restore latest --include '/absent', restic dump latest /absent"
restic restore latest --include /absent --target restored >out 2>&1 || fail "exit code $?: $(cat out)"
cat out
echo "exit code 0, restored: $(find restored -type f 2>/dev/null | wc -l) files"
[ -z "$(find restored -type f 2>/dev/null)" ] || fail "something was restored"
code=0; restic dump latest /absent >out 2>&1 || code=$?
cat out
echo "exit code $code"
[ "$code" != 0 ] || fail "exit code 0"
