#!/bin/sh
# Debian dateutils 0.4.10-1: `dateutils.ddiff A B -f '%m %d'`, and the sum A + months + days with `dateutils.dadd`.
#
# One expects that the months and days between two dates lead from the first to the second.
# From the 30th or 31st of January to the first days of March ddiff says 1 month and 62 or 63 days, for 29 or 30 days. From
# any 29th, 30th or 31st over the end of a shorter month the days are one to three too few: from March 31st to May 1st it is
# 1 month and 0 days, and dadd arrives at April 30th. The number of days alone is right.
#
# So a retention or a contract that is counted in months and days is off by a month in the first days of March.
# Count days, `-f %d`, or weeks, and use months with the first 28 days of a month only.
set -eu
. "$(dirname "$0")/lib.sh"
get dateutils=0.4.10-1
dateutils.ddiff --version | head -1

pair() { # pair FROM TO MONTHS DAYS BACK: what ddiff says, and where dadd arrives with it
  said=$(dateutils.ddiff "$1" "$2" -f '%m %d') || fail "exit code $?"
  back=$(dateutils.dadd "$1" "${said% *}mo" "${said#* }d")
  echo "from $1 to $2: ${said% *} months, ${said#* } days, or $(dateutils.ddiff "$1" "$2" -f %d) days; dadd arrives at $back"
  [ "$said" = "$3 $4" ] || fail "not $3 months and $4 days"
  [ "$back" = "$5" ] || fail "dadd does not arrive at $5"
}
pair 2026-01-15 2026-03-01 1 14 2026-03-01
pair 2026-01-28 2026-03-05 1 5 2026-03-05
say "the end of a month"
pair 2026-03-31 2026-05-01 1 0 2026-04-30
pair 2026-01-29 2026-03-01 1 0 2026-02-28
pair 2026-01-30 2026-03-01 1 63 2026-05-02
pair 2026-01-31 2026-03-01 1 62 2026-05-01
pair 2026-01-31 2026-03-02 1 63 2026-05-02
pair 2026-01-31 2026-03-05 1 2 2026-03-02
