#!/bin/sh
# cronosjs 1.7.1 from npm: the days of the week 0-7.
#
# One expects each day: the README allows 0-7 in that field, and says that 0 and 7 are Sunday.
# 0-7 is Sunday alone. The library first makes 0 of the 7 and then reads the range, which has one day left. 1-7 and 0-6 are
# right, and the library's own list of warnings, made for doubtful expressions, is empty. In cron 3.0pl1 0-7 is each day.
#
# So a daily job runs once a week. Write * or 0-6, and look at the next dates with CronosExpression.nextNDates.
#
# Needs Node.js 20 and npm.
set -eu
. "$(dirname "$0")/lib.sh"
npm_get cronosjs@1.7.1
cd "$tmp"
node -p '"cronosjs " + require("cronosjs/package.json").version + ", node " + process.version'

days() { # days FIELD DAYS: the days of the month in the first week of 2026, which began on a Thursday
  out=$(node -e 'const { CronosExpression } = require("cronosjs")
const job = CronosExpression.parse("0 0 * * " + process.argv[1], { timezone: "UTC" })
const days = job.nextNDates(new Date("2025-12-31T12:00:00Z"), 7).filter((d) => d < new Date("2026-01-08T00:00:00Z"))
console.log(days.map((d) => d.getUTCDate()).join(" ") + ", warnings: " + job.warnings.length)' -- "$1")
  echo "0 0 * * $1: $out"
  [ "$out" = "$2, warnings: 0" ] || fail "$out, and not $2"
}
days 0-6 '1 2 3 4 5 6 7'
days 1-7 '1 2 3 4 5 6 7'
days 7 4
days 0-7 4
days sun-7 4
