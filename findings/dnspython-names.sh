#!/bin/sh
# Debian python3-dnspython 2.3.0: a zone file with a relative $ORIGIN, and with two counters in one name of $GENERATE.
#
# One expects the records that named-checkzone 9.18 reads, or an error: the reader is for the format of RFC 1035, where
# $ORIGIN takes a relative name, and it takes the $GENERATE of BIND, as in plain$.
# The records behind "$ORIGIN sub" are left out, as if the name were absolute. In "rack${0,2}-node$" only ${0,2} is replaced: the
# name is rack01-node$, with a dollar sign, for each address. A zone that loads with named is read with other names, without
# an error.
#
# So what is made of it, a list of hosts or a zone that is written again, lacks machines. Read the output of `named-checkzone
# -D`, which has one absolute name for each record.
set -eu
. "$(dirname "$0")/lib.sh"
b=1:9.18.49-1~deb12u3
get python3-dnspython=2.3.0-1+deb12u1 bind9-utils=$b bind9-libs=$b libfstrm0=0.6.1-1 libjemalloc2=5.3.0-1 \
  libmaxminddb0=1.7.1-1 libprotobuf-c1=1.4.1-1+b1 libuv1=1.44.2-1+deb12u1 liblmdb0=0.9.24-1 libjson-c5=0.16-2 \
  libnghttp2-14=1.52.0-1+deb12u3
export PYTHONPATH="$root/usr/lib/python3/dist-packages"
cd "$tmp"
cat >zone <<'Z'
$TTL 3600
@ SOA ns host 1 3600 900 604800 3600
@ NS ns
ns A 192.0.2.1
$GENERATE 1-2 plain$ A 192.0.2.1$
$GENERATE 1-2 rack${0,2}-node$ A 192.0.2.2$
$ORIGIN sub
www A 192.0.2.30
$ORIGIN other.example.
db A 192.0.2.40
Z
cat zone
say "named-checkzone -D"
named-checkzone -D -q example zone >dump || fail "exit code $?: $(cat dump)"
awk '$4 == "A" { print $1, $5 }' dump | sort >named
cat named
say "dnspython"
/usr/bin/python3 - >python <<'P' || fail "exit code $?"
import sys
import dns.version, dns.zone
print("dnspython", dns.version.version, file=sys.stderr)
zone = dns.zone.from_file("zone", "example.", relativize=False)
print("\n".join(sorted(f"{name} {rdata}" for name, ttl, rdata in zone.iterate_rdatas("A"))))
P
cat python
for name in plain1 plain2 rack01-node1 rack02-node2 www.sub db.other ns; do
  holds "^$name.example. " named
done
for name in plain1 plain2 'rack01-node\\\$' 'rack02-node\\\$' db.other ns; do
  holds "^$name.example. " python
done
[ "$(grep -c . named), $(grep -c . python)" = '7, 6' ] || fail "other numbers of records"
