#!/bin/sh
# @breejs/later 4.2.0 from npm, the maintained form of later: `later.parse.cron`, the dates of a crontab line.
#
# One expects the dates of cron, where 7 is Sunday and the two day fields count as either, or an error. The weekday 7 is
# Saturday, and so are 6-7, and each range over the end of the week, as fri-mon and sat-sun. nov-feb is December alone.
# 28-2 is the last day of the month. "0 0 13 * 5" is each Friday the 13th. Nothing of it is an error.
#
# So a job for the weekend never runs on Sunday. Write lists, as in 0,5,6 or 1,2,11,12, leave one of the day fields at
# *, and look at the next dates.
#
# Needs Node.js 20 and npm.
set -eu
. "$(dirname "$0")/lib.sh"
npm_get @breejs/later@4.2.0
cd "$tmp"
echo "@breejs/later $(node -p 'require("@breejs/later/package.json").version'), node $(node --version)"
cat >run.js <<'J'
const later = require("@breejs/later")
const start = new Date("2026-01-30T12:00:00Z") // a Friday
for (const line of process.argv.slice(2)) {
  const dates = later.schedule(later.parse.cron(line)).next(4, start)
  console.log(line + ": " + dates.map((d) => d.toUTCString().slice(0, 11)).join("; "))
}
J
node run.js '0 0 * * 0' '0 0 * * 0,5,6' '0 0 * * 7' '0 0 * * 6-7' '0 0 * * fri-mon' '0 0 * * sat-sun' '0 0 1 nov-feb *' \
  '0 0 28-2 * *' '0 0 13 * 5' | tee out
saturdays='Sat, 31 Jan; Sat, 07 Feb; Sat, 14 Feb; Sat, 21 Feb'
holds '^0 0 \* \* 0: Sun, 01 Feb; Sun, 08 Feb' out
holds '^0 0 \* \* 0,5,6: Sat, 31 Jan; Sun, 01 Feb; Fri, 06 Feb' out
for days in 7 6-7 fri-mon sat-sun; do holds "^0 0 \* \* $days: $saturdays\$" out; done
holds '^0 0 1 nov-feb \*: Tue, 01 Dec; Wed, 01 Dec' out
holds '^0 0 28-2 \* \*: Sat, 31 Jan; Sat, 28 Feb; Tue, 31 Mar' out
holds '^0 0 13 \* 5: Fri, 13 Feb; Fri, 13 Mar; Fri, 13 Nov' out
