#!/bin/sh
# Debian tgt 1.0.85: `tgt-admin -e` where the disk of a target does not exist, or the word for it is misspelt.
#
# One expects an exit code other than 0, as where the configuration file is missing, which gives 2.
# It makes the target without a disk, says nothing, and exits with 0. A misspelt word, as in bakcing-store, has the same
# end. With -v it says of the first that the path does not exist, and exits with 0 as well.
#
# So after a start at which a volume group was not yet active the portal answers, the target is there, and the disk is
# not, with each service green. After the start look for the LUNs with `tgtadm --lld iscsi --op show --mode target`.
set -eu
. "$(dirname "$0")/lib.sh"
get tgt=1:1.0.85-1+deb12u1 libconfig-general-perl=2.65-2 libibverbs1=44.0-2 librdmacm1=44.0-2 libnl-3-200=3.7.0-0.2+b1 \
  libnl-route-3-200=3.7.0-0.2+b1 libaio1=0.3.113-4
export PERL5LIB="$root/usr/share/perl5"
cd "$tmp"
echo "tgt $(tgtadm --version)"
truncate -s 8M disk
conf() { printf '<target iqn.2026-01.example:%s>\n  %s %s\n</target>\n' "$1" "$2" "$3" >"$1.conf"; }
conf good backing-store "$tmp/disk"
conf missing backing-store "$tmp/no-disk"
conf misspelt bakcing-store "$tmp/disk"
cat >inside <<'I'
mount -t tmpfs none /run
mkdir /run/tgtd
ip link set lo up
tgtd -f >tgtd.log 2>&1 &
for _ in $(seq 50); do tgtadm --lld iscsi --op show --mode target >/dev/null 2>&1 && break; sleep 0.2; done
for name in good missing misspelt no-file; do
  code=0; tgt-admin -e -c $name.conf >$name.out 2>&1 || code=$?
  luns=$(tgtadm --lld iscsi --op show --mode target |
    awk -v name=$name '/^Target/ { mine = $3 ~ ":" name "$" } mine && /Type: disk/ { n++ } END { print n + 0 }')
  there=$(tgtadm --lld iscsi --op show --mode target | grep -c ":$name\$" || :)
  echo "$name: exit code $code, targets $there, disks $luns"
done
tgt-admin --delete ALL
code=0; tgt-admin -e -v -c missing.conf >said 2>&1 || code=$?
grep exist said | sort -u >verbose.out
echo "exit code $code" >>verbose.out
I
# The namespace of processes ends tgtd, which does not heed a SIGTERM while it has targets.
unshare -rmnpf --kill-child sh -e inside >out 2>&1 || fail "exit code $?: $(tail -5 out tgtd.log)"
cat out
holds '^good: exit code 0, targets 1, disks 1$' out
holds '^missing: exit code 0, targets 1, disks 0$' out
holds '^misspelt: exit code 0, targets 1, disks 0$' out
holds '^no-file: exit code 2, targets 0, disks 0$' out
[ ! -s missing.out ] && [ ! -s misspelt.out ] || fail "it says $(cat missing.out misspelt.out)"
say "with -v"
cat verbose.out
holds 'no-disk does not exist' verbose.out
holds '^exit code 0$' verbose.out
