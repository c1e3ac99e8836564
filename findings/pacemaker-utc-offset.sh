#!/bin/sh
# Debian pacemaker-cli-utils 2.1.5: dates with an offset from UTC, and dates without a day, in rules and in `iso8601`.
#
# One expects that 2026-01-31T10:00:00+02:00, the common form of ISO 8601, is 08:00 UTC: the tool and the rules take
# "an ISO 8601 date/time".
# The offset counts only behind a space. Without the space it is dropped without a word, and the time is taken for that of
# the zone of the process, the one after the offset of today: in New York the same text is 15:00 UTC. "Z" without a space
# counts. 2026-10, in ISO 8601 October, is the tenth day of the year. The exit code is 0.
#
# So a rule that bans a resource for a window of maintenance, written by a program, begins and ends hours away, and
# elsewhere on a node with another zone. Write UTC with a Z, and ask `crm_rule --check` with a date on each side.
set -eu
. "$(dirname "$0")/lib.sh"
p=2.1.5-1+deb12u1
get pacemaker-cli-utils=$p pacemaker-common=$p libcib27=$p libcrmcommon34=$p libcrmservice28=$p liblrmd28=$p \
  libpacemaker1=$p libpe-rules26=$p libpe-status28=$p libstonithd26=$p libqb100=2.0.6-2 libpils2=1.0.12-21+b2 \
  libltdl7=2.4.7-7~deb12u1 libxml2=2.9.14+dfsg-1.3~deb12u6 libicu72=72.1-3+deb12u1 libxslt1.1=1.1.35-1+deb12u4 \
  libglib2.0-0=2.74.6-2+deb12u9 libpcre2-8-0=10.42-1+deb12u2 libdbus-1-3=1.14.10-1~deb12u1 tzdata=2026f-0+deb12u1
LD_LIBRARY_PATH=$LD_LIBRARY_PATH:$root/usr/lib
export PCMK_schema_directory="$root/usr/share/pacemaker" CIB_shadow_dir="$tmp" TZDIR="$root/usr/share/zoneinfo"
iso8601 --version | head -1

date_is() { # date_is ZONE TEXT UTC
  out=$(TZ=$1 iso8601 -d "$2") || fail "exit code $? for $2"
  echo "TZ=$1 iso8601 -d '$2': $out"
  [ "$out" = "Date: $3" ] || fail "$2 is not $3"
}
say "an offset with and without a space"
date_is UTC '2026-01-31 10:00:00 +02:00' '2026-01-31 08:00:00Z'
date_is UTC '2026-01-31T10:00:00+02:00' '2026-01-31 10:00:00Z'
date_is UTC '2026-01-31 10:00:00+02:00' '2026-01-31 10:00:00Z'
date_is America/New_York '2026-01-31 10:00:00 +02:00' '2026-01-31 08:00:00Z'
date_is America/New_York '2026-01-31T10:00:00Z' '2026-01-31 10:00:00Z'
case $(TZ=America/New_York date +%z) in -0500) utc=15 ;; *) utc=14 ;; esac
date_is America/New_York '2026-01-31T10:00:00+02:00' "2026-01-31 $utc:00:00Z"
say "a month without a day"
date_is UTC 2026-10-01 '2026-10-01 00:00:00Z'
date_is UTC 2026-10 '2026-01-10 00:00:00Z'

rule() { # rule ZONE START NOW EXIT-CODE: is a rule for the time after START in effect?
  code=0
  TZ=$1 crm_rule -c -r r -X - -d "$3" >"$tmp/out" 2>&1 <<R || code=$?
<cib validate-with="pacemaker-3.9" admin_epoch="0" epoch="1" num_updates="0"><configuration><crm_config/><nodes/>
<resources><primitive id="d" class="ocf" provider="pacemaker" type="Dummy"/></resources>
<constraints><rsc_location id="l" rsc="d"><rule id="r" score="-INFINITY">
<date_expression id="e" operation="gt" start="$2"/></rule></rsc_location></constraints></configuration><status/></cib>
R
  echo "TZ=$1, start=\"$2\", at $3: exit code $code, $(cat "$tmp/out")"
  [ "$code" = "$4" ] || fail "exit code $code, and not $4"
}
say "crm_rule --check, an hour after the start"
rule UTC '2026-01-31 10:00:00 +02:00' 2026-01-31T09:00:00Z 0
rule UTC '2026-01-31T10:00:00+02:00' 2026-01-31T09:00:00Z 111
rule UTC '2026-01-31T10:00:00+02:00' 2026-01-31T10:01:00Z 0
rule America/New_York '2026-01-31T10:00:00+02:00' 2026-01-31T13:00:00Z 111
