#!/bin/sh
# Debian rsync 3.5.0+ds1-0+deb12u1: --dry-run into a folder whose parent does not exist.
#
# One expects that a dry run fails where the real run will, at least for what it can see without a write.
# With a target whose parent folder is missing the dry run says "created directory", lists all files and exits with 0.
# The real run exits with 11, and copies nothing.
#
# So a rehearsal before a copy or a switch-over proves nothing about the target: a mount point that was not made, or a
# name that was mistyped, passes. Look for the parent yourself, or make it with --mkpath.
set -eu
. "$(dirname "$0")/lib.sh"
get rsync=3.5.0+ds1-0+deb12u1 libxxhash0=0.8.1-1 libpopt0=1.19+dfsg-1
rsync --version | head -1
cd "$tmp"
mkdir from
echo content >from/file

say "rsync -ain, target absent/to"
rsync -ain from/ absent/to/ >out || fail "the dry run exits with $?"
cat out
holds "created directory absent/to" out
echo "exit code 0"

say "rsync -ai, target absent/to"
code=0; rsync -ai from/ absent/to/ 2>&1 || code=$?
echo "exit code $code"
[ "$code" = 11 ] || fail "exit code $code, and not 11"
[ ! -e absent ] || fail "something was made"
