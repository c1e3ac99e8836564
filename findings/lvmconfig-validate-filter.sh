#!/bin/sh
# Debian lvm2 2.03.16: `lvmconfig --validate` on a lvm.conf with a filter that cannot be read.
#
# One expects what lvmconfig(8) says: it validates the configuration, with an appropriate exit code. A misspelt name,
# a wrong type and a bad list of types give 4 or 5.
# A pattern without its last "|", or with another first letter than a or r, is "LVM configuration valid." and 0. Each
# command that looks at devices then fails with "Failed to create regex device filter" and 5.
#
# So a check in the pipeline is green, and at the next start no volume group is activated. Run `vgs --config` with the new
# filter, or with the new file in LVM_SYSTEM_DIR, before you put it in place.
set -eu
. "$(dirname "$0")/lib.sh"
get lvm2=2.03.16-2 libdevmapper1.02.1=2:1.02.185-2 libdevmapper-event1.02.1=2:1.02.185-2 libaio1=0.3.113-4 \
  libedit2=3.1-20221030-2 libbsd0=0.11.7-2
export LVM_SYSTEM_DIR="$tmp/etc" LVM_SUPPRESS_FD_WARNINGS=1
mkdir "$tmp/etc"
lvm version 2>/dev/null | grep 'LVM version' || :

check() { # check LINE VALIDATE VGS
  echo "$1" >"$tmp/etc/lvm.conf"
  say "$1"
  a=0; lvmconfig --validate >"$tmp/said" 2>&1 || a=$?
  b=0; unshare -rm sh -ec 'mount -t tmpfs none /run; mkdir -p /run/lvm /run/lock/lvm; exec vgs' >"$tmp/out" 2>&1 || b=$?
  echo "lvmconfig --validate: exit code $a: $(tail -1 "$tmp/said" | xargs)"
  echo "vgs: exit code $b"
  [ "$a" = "$2" ] || fail "lvmconfig: not $2"
  [ "$b" = "$3" ] || fail "vgs: not $3, $(cat "$tmp/out")"
}
check 'devices { filter=["a|/dev/sd.*|","r|.*|"] }' 0 0
check 'devices { filters=["a|/dev/sd.*|","r|.*|"] }' 5 0
check 'devices { types=["fd"] }' 4 4
check 'devices { filter=["a|/dev/sd.*|","r|.*"] }' 0 5
holds 'LVM configuration valid' "$tmp/said"
holds 'Invalid filter pattern "r|.\*"' "$tmp/out"
check 'devices { filter=["x|/dev/sd.*|"] }' 0 5
check 'devices { global_filter=["a|/dev/sd.*"] }' 0 5
holds 'Failed to create global regex device filter' "$tmp/out"
