#!/bin/sh
# Debian tgt 1.0.85: `tgt-admin --dump`, the targets in use as a file, which `tgt-admin -e` reads again.
#
# One expects the same LUNs again. The manual says that the dump has no details like write caching.
# It has neither the numbers of the LUNs nor their block size: the LUNs 3 and 5 come back as 1 and 2, and blocks of 4096 bytes
# as 512. The SCSI id and the serial number are made of the LUN, so they change too. The exit code is 0 each time.
#
# So after a restart with such a file an initiator sees other disks under new names, one of them with another block size, on
# which no partition table is found. Keep the file that you wrote, and give each LUN its number, scsi_id and scsi_sn there.
set -eu
. "$(dirname "$0")/lib.sh"
get tgt=1:1.0.85-1+deb12u1 libconfig-general-perl=2.65-2 libibverbs1=44.0-2 librdmacm1=44.0-2 libnl-3-200=3.7.0-0.2+b1 \
  libnl-route-3-200=3.7.0-0.2+b1 libaio1=0.3.113-4
export PERL5LIB="$root/usr/share/perl5"
cd "$tmp"
echo "tgt $(tgtadm --version)"
truncate -s 8M data log
cat >targets.conf <<F
default-driver iscsi
<target iqn.2026-01.example:disks>
  <backing-store $tmp/data>
    lun 3
  </backing-store>
  <backing-store $tmp/log>
    lun 5
    block-size 4096
  </backing-store>
</target>
F
cat >inside <<'I'
mount -t tmpfs none /run
mkdir /run/tgtd
ip link set lo up
tgtd -f >tgtd.log 2>&1 &
for _ in $(seq 50); do tgtadm --lld iscsi --op show --mode target >/dev/null 2>&1 && break; sleep 0.2; done
show() { tgtadm --lld iscsi --op show --mode target | awk '$1 == "LUN:" { lun = $2 } /SCSI ID/ { id = $3 " " $4 } /Size/ { size = $NF }
  /store path/ && lun { n = split($4, path, "/"); print path[n] ": LUN " lun ", SCSI ID " id ", block size " size }'; }
tgt-admin -e -c targets.conf
show >before
tgt-admin --dump >dump
tgt-admin --delete ALL
tgt-admin -e -c dump
show >after
I
# The namespace of processes ends tgtd, which does not heed a SIGTERM while it has targets.
unshare -rmnpf --kill-child sh -e inside >out 2>&1 || fail "exit code $?: $(tail -5 out tgtd.log)"
say "before"
cat before
say "the dump"
sed "s,$tmp,…," dump
say "read again"
cat after
holds '^data: LUN 3, SCSI ID IET 00010003, block size 512$' before
holds '^log: LUN 5, SCSI ID IET 00010005, block size 4096$' before
holds '^data: LUN 1, SCSI ID IET 00010001, block size 512$' after
holds '^log: LUN 2, SCSI ID IET 00010002, block size 512$' after
