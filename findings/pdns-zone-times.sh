#!/bin/sh
# Debian pdns-server 4.7.3-2: a zone file with times such as 1h30m, and with $INCLUDE, as `zone2json` and `pdnsutil
# load-zone` read it.
#
# One expects what BIND makes of the file: 1h30m is 5400 seconds, and an $ORIGIN in an included file ends with that file
# (RFC 1035, 5.1).
# Of a time with two units the first number and the last letter count: 1h30m is one minute, and 1d12h an hour. The $ORIGIN of
# an included file goes on in the file that includes it: the name "after", which comes next, is in another domain. The exit
# code is 0.
#
# So secondaries ask each hour instead of each day and a half, or give a zone up early, and names are missing. Write each time
# with one unit, put each $INCLUDE last, or give the output of `named-checkzone -D` to PowerDNS.
set -eu
. "$(dirname "$0")/lib.sh"
b=1:9.18.49-1~deb12u3
get pdns-server=4.7.3-2 bind9-utils=$b bind9-libs=$b libfstrm0=0.6.1-1 \
  libjemalloc2=5.3.0-1 libmaxminddb0=1.7.1-1 libprotobuf-c1=1.4.1-1+b1 libuv1=1.44.2-1+deb12u1 liblmdb0=0.9.24-1 \
  libjson-c5=0.16-2 libnghttp2-14=1.52.0-1+deb12u3
zone2json --version 2>&1 | head -1
named-checkzone -v
cd "$tmp"
cat >zone <<'Z'
$TTL 1d12h
@ IN SOA ns1 host 1 1d12h 1h30m 2w 5m
@ 3600 NS ns1
ns1 1w A 192.0.2.1
before A 192.0.2.2
$INCLUDE part
after A 192.0.2.4
Z
printf '$ORIGIN other.example.org.\ninside A 192.0.2.3\n' >part

say "named-checkzone"
named-checkzone -D -q example.org zone | tr -s ' \t' ' ' | tee right
for line in 'example.org. 129600 IN SOA ns1.example.org. host.example.org. 1 129600 5400 1209600 300' \
  'before.example.org. 129600 IN A' 'inside.other.example.org. 129600 IN A' 'after.example.org. 129600 IN A'; do
  holds "^$line" right
done
say "zone2json"
zone2json --zone=zone --zone-name=example.org 2>err >json || fail "exit code $?: $(cat err)"
python3 -c 'import json, sys
for r in json.load(sys.stdin)["records"]: print(r["name"], r["ttl"], r["type"], r["content"])' <json | tee got
for line in 'example.org. 3600 SOA ns1.example.org host.example.org 1 3600 60 1209600 300' 'ns1.example.org. 604800 A' \
  'before.example.org. 3600 A' 'inside.other.example.org. 3600 A' 'after.other.example.org. 3600 A'; do
  holds "^$line" got
done
