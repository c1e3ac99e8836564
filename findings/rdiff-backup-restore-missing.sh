#!/bin/sh
# Debian rdiff-backup 2.2.2: `rdiff-backup restore` of a path that is not in the backup.
#
# One expects an error: the manual has 0 for an action that was completely successful. It restores nothing, makes no
# target, and exits with 0. With --force and a folder as the target, which is how one goes back to an older state, the
# folder is deleted with all that is in it. The exit code is then 2, for a warning, as it is with each restore over a
# folder that has something in it.
#
# So a misspelt name in a restore looks like a success, and takes the rest of the data with it. Restore into a new folder, and
# ask `rdiff-backup list files REPOSITORY` for the name before.
set -eu
. "$(dirname "$0")/lib.sh"
get rdiff-backup=2.2.2-1 librsync2=2.3.2-1+b1 libb2-1=0.98.1-1.1 libgomp1=12.2.0-14+deb12u1 \
  python3-yaml=6.0-3+b2 libyaml-0-2=0.2.5-1
export PYTHONPATH="$root/usr/lib/python3/dist-packages"
cd "$tmp"
backup() { # backup EXIT-CODE ARGUMENT…
  want=$1; shift
  code=0; /usr/bin/python3 "$root/usr/bin/rdiff-backup" "$@" >out 2>&1 || code=$?
  grep -v '^\* \|^ *$' out | cut -c1-110
  echo "rdiff-backup $*: exit code $code"
  [ "$code" = "$want" ] || fail "not $want"
}
backup 0 --version
mkdir -p data/mail data/web
echo letter >data/mail/letter
echo page >data/web/page
backup 0 backup data store

say "into a new folder"
backup 0 restore store/mail new
[ "$(cat new/letter)" = letter ] || fail "the letter is not restored"
backup 0 restore store/mial missing
[ ! -e missing ] || fail "there is a target: $(ls missing)"
echo "there is no folder missing"

say "over a folder"
backup 2 --force restore store/mail data/mail
[ "$(cat data/mail/letter)" = letter ] || fail "the letter is not restored"
backup 2 --force restore store/wbe data/web
[ ! -e data/web ] || fail "the folder is still there"
echo "data has $(ls data), and no web"
