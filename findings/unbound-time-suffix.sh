#!/bin/sh
# Debian unbound 1.17.1: a time with a unit, such as 1h, in unbound.conf, and two forward zones of one name.
#
# One expects that 1h is an hour, or that the check refuses it: sizes take 4k and 4m, a record in local-data takes 1h, and a
# size of 1h is an error.
# The unit of a time or a number is dropped: "cache-min-ttl: 1h" is one second, and "port: 53x" is 53. Of two forward zones
# with one name the second is ignored, with a line that says "error:". `unbound-checkconf` says "no errors" each time, with
# exit code 0.
#
# So a resolver that was to keep its answers for an hour asks again each second. Write seconds, ask
# `unbound-checkconf -o NAME` for each value, and look for "error:".
set -eu
. "$(dirname "$0")/lib.sh"
get unbound=1.17.1-2+deb12u4 libprotobuf-c1=1.4.1-1+b1 libevent-2.1-7=2.1.12-stable-8+deb12u1 libpython3.11=3.11.2-6+deb12u9 \
  libnghttp2-14=1.52.0-1+deb12u3
cd "$tmp"
unbound-checkconf -h | grep Version

value() { # value NAME GIVEN READ
  printf 'server:\n chroot: ""\n username: ""\n directory: "%s"\n %s: %s\n' "$tmp" "$1" "$2" >file
  unbound-checkconf file >out 2>&1 || fail "exit code $?: $(cat out)"
  holds 'no errors' out
  got=$(unbound-checkconf -o "$1" file) || fail "exit code $?"
  echo "$1: $2 -> $got"
  [ "$got" = "$3" ] || fail "not $3"
}
say "sizes"
value msg-cache-size 4k 4096
value msg-cache-size 4m 4194304
printf 'server:\n msg-cache-size: 1h\n' >file
if unbound-checkconf file >out 2>&1; then fail "exit code 0"; fi
head -1 out
say "times and numbers"
for name in cache-min-ttl cache-max-ttl cache-max-negative-ttl infra-host-ttl serve-expired-ttl; do
  value $name 3600 3600
  value $name 1h 1
done
value port 53x 53
say "two forward zones"
printf 'server:\n chroot: ""\n username: ""\n directory: "%s"\n' "$tmp" >file
printf 'forward-zone:\n name: "."\n forward-addr: %s\n' 192.0.2.1 192.0.2.2 >>file
unbound-checkconf file >out 2>&1 || fail "exit code $?"
sed 's/^\[[^]]*\] //' out
holds 'error: duplicate forward zone . ignored' out
holds 'no errors in file' out
