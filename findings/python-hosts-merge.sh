#!/bin/sh
# python-hosts 1.1.2 from PyPI: `Hosts.add(…, merge_names=True)`, one more name for an address in a hosts file.
#
# One expects that the name is added behind those that are there: the first one in a line of hosts(5) is the canonical name, and
# the documentation says "merge names where address already exists".
# The names come out in an order of chance, which is another one at each run. If the address has two lines, as it may have,
# the names of the second are lost. So is the comment behind the names, and any write of the file drops the lines whose address
# has a scope, as fe80::1%eth0. The answer counts one entry more, and no error.
#
# So `hostname --fqdn` and the checks of names in certificates change from run to run, and other names are not found any
# more. Find the entry and append to its `names`, and compare the file before and after.
#
# Needs pip.
set -eu
. "$(dirname "$0")/lib.sh"
cd "$tmp"
python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore --no-deps --target python python-hosts==1.1.2 >&2
export PYTHONPATH="$tmp/python"
python3 -c 'from importlib.metadata import version
print("python-hosts", version("python-hosts"))'
printf '%s\n' '10.0.0.5 node1.example node1 # rack 3' '10.0.0.6 node2' '10.0.0.6 storage' 'fe80::1%eth0 gateway' >start
cat start
add() { # add ADDRESS [SEED]: adds the name db, with a seed for the order of sets
  cp start hosts
  PYTHONHASHSEED=${2-random} python3 -c 'import sys
from python_hosts import Hosts, HostsEntry
hosts = Hosts("hosts")
print(hosts.add([HostsEntry("ipv4", address=sys.argv[1], names=["db"])], merge_names=True))
hosts.write()' "$1" >answer || fail "exit code $?"
}
say "db for 10.0.0.6, with two lines"
add 10.0.0.6
cat answer
tr '\t' ' ' <hosts | tee got
holds "'ipv4_count': 1" answer
holds '^10.0.0.6 .*node2' got
if grep -q storage got; then fail "storage is there"; fi
if grep -q fe80 got; then fail "the address with a scope is there"; fi
say "db for 10.0.0.5, with the seeds 1 to 8"
for seed in 1 2 3 4 5 6 7 8; do
  add 10.0.0.5 $seed
  tail -1 hosts | tr '\t' ' '
done | tee got
[ "$(awk '{ print $2 }' got | sort -u | xargs)" = 'db node1 node1.example' ] || fail "other first names"
if grep -q rack got; then fail "the comment is there"; fi
say "the same with append"
cp start hosts
python3 -c 'from python_hosts import Hosts
hosts = Hosts("hosts")
hosts.find_all_matching(address="10.0.0.5")[0].names.append("db")
hosts.write()' || fail "exit code $?"
head -1 hosts | tr '\t' ' ' | tee got
holds '^10.0.0.5 node1.example node1 db # rack 3$' got
