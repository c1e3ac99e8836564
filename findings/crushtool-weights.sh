#!/bin/sh
# Debian ceph-base 16.2.15: `crushtool -d` and `crushtool -c`, a CRUSH map as text and back.
#
# One expects the same map: crushtool(8) says that -d writes a plaintext source file, suitable for editing.
# The text has three digits of each weight. A weight is the size in TiB, so a disk of 10 GiB, 0.00977, becomes 0.010, which is
# 2 % more, and one of 512 MiB, 0.00049, becomes 0.000: it gets nothing. Two disks of 1 and 1.4 GiB weigh the same. The tree
# that `crushtool --tree` prints has five digits. Nothing is said, and the exit code is 0.
#
# So an edit of one rule moves data between all small disks, as in a cluster for tests, and empties the smallest ones. Change
# maps with `crushtool -i MAP --update-item` or `ceph osd crush`, or write the weights of `--tree` into the text.
set -eu
. "$(dirname "$0")/lib.sh"
get ceph-base=16.2.15+ds-0+deb12u2 librados2=16.2.15+ds-0+deb12u2 libboost-thread1.74.0=1.74.0+ds1-21 \
  libboost-iostreams1.74.0=1.74.0+ds1-21 libfmt9=9.1.0+ds1-2 librdmacm1=44.0-2 libibverbs1=44.0-2 \
  libnl-3-200=3.7.0-0.2+b1 libnl-route-3-200=3.7.0-0.2+b1
export LD_LIBRARY_PATH="$LD_LIBRARY_PATH:$root/usr/lib/$lib/ceph"
echo "ceph-base 16.2.15+ds-0+deb12u2"
cd "$tmp"
cat >text <<'T'
device 0 osd.0
device 1 osd.1
device 2 osd.2
device 3 osd.3
type 0 osd
type 10 root
root default {
  id -1
  alg straw2
  hash 0
  item osd.0 weight 0.00049
  item osd.1 weight 0.00098
  item osd.2 weight 0.00138
  item osd.3 weight 0.00977
}
rule r {
  id 0
  type replicated
  min_size 1
  max_size 10
  step take default
  step choose firstn 0 type osd
  step emit
}
T
weights() { # weights MAP: of the four disks, and how many of 20480 objects each gets
  crushtool -i "$1" --tree | awk '$NF ~ /^osd/ { print $NF, $(NF - 1) }' | paste -sd' ' >weights
  crushtool -i "$1" --test --show-utilization --rule 0 --num-rep 1 --min-x 0 --max-x 20479 2>/dev/null >test
  cat weights
  awk '$1 == "device" { sub(":", "", $2); print "osd." $2 ": " $5 " objects" }' test
}
crushtool -c text -o map || fail "exit code $?"
say "the map"
weights map
holds '^osd.0 0.00049 osd.1 0.00098 osd.2 0.00137 osd.3 0.00977$' weights
holds 'device 0:' test
crushtool -d map -o again >err 2>&1 || fail "exit code $?"
say "crushtool -d"
grep 'item osd' again
crushtool -c again -o map2 >>err 2>&1 || fail "exit code $?"
[ ! -s err ] || fail "it says: $(cat err)"
say "and crushtool -c of that"
weights map2
holds '^osd.0 0 osd.1 0.00099 osd.2 0.00099 osd.3 0.00999$' weights
if grep 'device 0:' test; then fail "the smallest disk gets objects"; fi
