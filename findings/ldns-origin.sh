#!/bin/sh
# Debian ldnsutils 1.8.3: a zone file with a relative name behind $ORIGIN, as `ldns-read-zone` and the tools around it read it.
#
# One expects what RFC 1035 says of names in a zone file: one without a dot at its end is relative to the origin, and BIND
# takes "$ORIGIN sub" below example.org for sub.example.org.
# ldns takes it for the absolute name "sub.": each name after it is outside of the zone, without a word and with exit code 0.
# `ldns-signzone` signs the zone with these names in it, and `ldns-compare-zones` calls the same zone, once written by hand
# and once by BIND, two different ones.
#
# So hosts vanish from a zone that is sorted or signed with these tools. Write absolute names behind $ORIGIN, and look for
# names outside of the zone.
set -eu
. "$(dirname "$0")/lib.sh"
b=1:9.18.49-1~deb12u3
get ldnsutils=1.8.3-1+b1 libldns3=1.8.3-1+b1 bind9-utils=$b bind9-libs=$b libfstrm0=0.6.1-1 libjemalloc2=5.3.0-1 \
  libmaxminddb0=1.7.1-1 libprotobuf-c1=1.4.1-1+b1 libuv1=1.44.2-1+deb12u1 liblmdb0=0.9.24-1 libjson-c5=0.16-2 \
  libnghttp2-14=1.52.0-1+deb12u3
ldns-read-zone -v | head -1
cd "$tmp"
printf '%s\n' '$ORIGIN example.org.' '$TTL 3600' '@ SOA ns1 host 1 3600 600 86400 300' '@ NS ns1' 'ns1 A 192.0.2.1' \
  '$ORIGIN sub' 'www A 192.0.2.2' 'mail MX 10 www' >zone
cat zone
say "named-checkzone -D"
named-checkzone -D -q example.org zone | tr -s ' \t' ' ' | tee right
holds '^www.sub.example.org. 3600 IN A 192.0.2.2' right
holds '^mail.sub.example.org. 3600 IN MX 10 www.sub.example.org.' right
say "ldns-read-zone"
ldns-read-zone zone >out 2>err || fail "exit code $?"
tr '\t' ' ' <out | tee got
holds '^www.sub. 3600 IN A 192.0.2.2' got
holds '^mail.sub. 3600 IN MX 10 www.sub.' got
[ ! -s err ] || fail "it said $(cat err)"
say "ldns-compare-zones"
ldns-compare-zones zone right | tail -1 | tr '\t' ' ' | tee got || fail "exit code $?"
holds '+2 -2 ~0' got
say "ldns-signzone"
key=$(ldns-keygen -a ED25519 example.org)
ldns-signzone -f signed zone "$key" >out 2>&1 || fail "exit code $?: $(cat out)"
cat out
grep -c . signed
grep -v 'RRSIG\|DNSKEY' signed | cut -c 1-60 | tr '\t' ' ' | tee got
holds '^www.sub. 3600 IN A' got
