#!/bin/sh
# Debian iptables 1.8.9-2 and nftables 1.0.6: `iptables-translate` of a rule for some hours of the day.
#
# One expects that the new rule holds in the same hours.
# The times of `-m time` are in UTC, as iptables-extensions(8) says. The translation has the same digits, and nft reads
# them in the zone of the machine that loads the rule: in Berlin the rule for 22:00 to 23:00 UTC becomes one for 21:00 to
# 22:00 UTC in winter and 20:00 to 21:00 in summer, and a rule with a date is off by as much. With `--kerneltz` the tool
# prints the same line as without it. The days of the week, which nft does not convert, stay in UTC.
#
# So a window for copies or for maintenance opens and closes hours too early, and right in a container in UTC.
# Load the translated rules with TZ=UTC, and check with `TZ=UTC nft list ruleset`.
set -eu
. "$(dirname "$0")/lib.sh"
get iptables=1.8.9-2 libxtables12=1.8.9-2 nftables=1.0.6-2+deb12u2 libnftables1=1.0.6-2+deb12u2 libnftnl11=1.2.4-2 \
  libmnl0=1.0.4-3 libjansson4=2.14-2 libedit2=3.1-20221030-2 libgmp10=2:6.2.1+dfsg1-1.1 libbsd0=0.11.7-2 libmd0=1.0.4-2 \
  tzdata=2026f-0+deb12u1
export XTABLES_LIBDIR="$root/usr/lib/$lib/xtables" TZDIR="$root/usr/share/zoneinfo"
xtables-nft-multi iptables-translate --version
nft --version

translate() { # translate OPTIONS ZONE EXPECTED: the translated rule, loaded in ZONE, as it is listed in UTC
  # shellcheck disable=SC2086
  rule=$(TZ=$2 unshare -rn xtables-nft-multi iptables-translate -A INPUT -m time $1 -j DROP) || fail "exit code $?"
  unshare -rn sh -eu >"$tmp/out" 2>&1 <<R || fail "$(cat "$tmp/out")"
nft 'add table ip filter; add chain ip filter INPUT'
export TZ=$2
$rule
TZ=UTC nft list chain ip filter INPUT
R
  echo "$rule"
  echo "loaded with TZ=$2, in UTC: $(sed -n 's/^\t\t\(.*\) counter.*/\1/p' "$tmp/out")"
  holds "$3" "$tmp/out"
}
say "--timestart 22:00 --timestop 23:00"
translate '--timestart 22:00 --timestop 23:00' UTC '"22:00"-"23:00"'
case $(TZDIR=$TZDIR TZ=Europe/Berlin date +%z) in +0100) berlin='"21:00"-"22:00"' ;; *) berlin='"20:00"-"21:00"' ;; esac
translate '--timestart 22:00 --timestop 23:00' Europe/Berlin "$berlin"
translate '--timestart 22:00 --timestop 23:00' Asia/Tokyo '"13:00"-"14:00"'
say "the same with --kerneltz"
translate '--timestart 22:00 --timestop 23:00 --kerneltz' Asia/Tokyo '"13:00"-"14:00"'
say "a rule with dates"
translate '--datestart 2026-02-01T00:00:00 --datestop 2026-02-02T00:00:00' Asia/Tokyo \
  '"2026-01-31 15:00:00"-"2026-02-01 15:00:00"'

say "iptables itself loads the same times in each zone"
for zone in UTC Asia/Tokyo; do
  TZ=$zone unshare -rn sh -eu >"$tmp/out" 2>&1 <<'R' || fail "$(cat "$tmp/out")"
iptables-nft -A INPUT -m time --timestart 22:00 --timestop 23:00 -j DROP
TZ=UTC iptables-nft -S INPUT
R
  echo "TZ=$zone: $(tail -1 "$tmp/out")"
  holds '--timestart 22:00:00 --timestop 23:00:00' "$tmp/out"
done
