#!/bin/sh
# Debian borgbackup 1.2.4: a backup whose only source is missing, and the pruning after it.
#
# One expects that there is no archive where nothing could be saved; restic refuses ("all target directories/files do not
# exist"), and borg itself fails with 2 if it cannot do its task.
# `borg create` exits with 1, the code of warnings such as a file that changed, and makes an archive without a file. `borg prune
# --keep-last 1` keeps that one and deletes the full one, with exit code 0. `borg delete` of an archive that does not exist
# says "not found" and exits with 0, while `borg check` of it exits with 1 and `borg list` with 2.
#
# So scripts that let code 1 pass, as those for live file systems do, replace all backups by empty ones while a source is not
# mounted, one day after the other. Do not prune after a warning, and count the files of the new archive.
set -eu
. "$(dirname "$0")/lib.sh"
get borgbackup=1.2.4-1 python3-msgpack=1.0.3-2+b1 python3-packaging=23.0-1 libxxhash0=0.8.1-1 libacl1=2.3.1-3
cd "$tmp"
export HOME="$tmp" BORG_BASE_DIR="$tmp/base" BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK=yes
export BORG_REPO="$tmp/repository" PYTHONPATH="$root/usr/lib/python3/dist-packages"
borg() { # borg EXIT-CODE ARGUMENT…
  want=$1
  shift
  say "borg $*"
  code=0; /usr/bin/python3 -m borg "$@" >out 2>&1 || code=$?
  cat out
  echo "exit code $code"
  [ "$code" = "$want" ] || fail "exit code $code, and not $want"
}
borg 0 --version
borg 0 init -e none
mkdir data
echo content >data/file
borg 0 create ::monday data
mv data elsewhere
borg 1 create ::tuesday data
holds 'No such file or directory' out
borg 0 list --short ::tuesday
[ ! -s out ] || fail "the archive has: $(cat out)"
borg 0 prune --keep-last 1
borg 0 list --short
[ "$(cat out)" = tuesday ] || fail "there is: $(cat out)"
borg 0 delete ::monday
holds 'not found' out
borg 1 check ::monday
borg 2 list ::monday
