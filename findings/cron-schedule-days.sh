#!/bin/sh
# cron-schedule 6.0.0 from npm: a day of the month beside a day of the week.
#
# One expects the rule of crontab(5), to which the README points for the syntax: if neither of the two fields has a "*",
# a day that is in either runs, and else a day must be in both.
# The library asks instead whether a field leaves a day out. "*/2" with Monday, which cron 3.0pl1 runs on Mondays with an
# odd day, runs each odd day and each Monday. "1-31" with Monday, which cron runs each day, runs on Mondays alone.
# A field like 5#2 or 5L, the second and the last Friday elsewhere, is taken for 5, each Friday, where L alone is refused.
#
# So the same crontab has other days in a service on this library, seven times as many or as few.
# Leave one of the two fields at *, and look at the next dates first.
#
# Needs root, for the comparison with cron, Node.js 20 and npm, and waits for a minute.
set -eu
. "$(dirname "$0")/lib.sh"
npm_get cron-schedule@6.0.0
get cron=3.0pl1-162 libselinux1=3.4-1+b6 libpam0g=1.5.2-6+deb12u3 libaudit1=1:3.0.9-1 libcap-ng0=0.8.3-1+b3
cd "$tmp"
echo "cron-schedule $(node -p 'require("./node_modules/cron-schedule/package.json").version'), node $(node --version)"

cat >next.mjs <<'J'
import { parseCronExpression } from "cron-schedule"
const days = parseCronExpression(process.argv[2]).getNextDates(40, new Date("2025-12-31T12:00:00"))
console.log(days.filter((d) => d < new Date("2026-01-13T00:00:00")).map((d) => d.getDate()).join(" "))
J
days() { # days EXPRESSION DAYS: the days in the first twelve of January 2026; the Mondays are 5 and 12
  out=$(TZ=UTC node next.mjs "$1") || fail "exit code $?"
  echo "$1: $out"
  [ "$out" = "$2" ] || fail "$out, and not $2"
}
say "from the first to the twelfth of January 2026"
days '0 0 1,2 * 1' '1 2 5 12'
days '0 0 */2 * 1' '1 3 5 7 9 11 12'
days '0 0 1-31 * 1' '5 12'
days '0 0 * * 5#2' '2 9'
days '0 0 * * 5L' '2 9'
if TZ=UTC node next.mjs '0 0 L * *' 2>err; then fail "L is accepted"; fi
echo "0 0 L * *: $(grep '^Error' err | head -1)"

say "today, on the $(date +%-d): two jobs in cron 3.0pl1, for a minute, and in the library"
tomorrow=$(date -d tomorrow +%w)
case $(date +%-d) in *[13579]) other=$tomorrow ;; *) other=$(date +%w) ;; esac # of */2 and this weekday one is today
full="* * 1-31 * $tomorrow" half="* * */2 * $other"
mkdir etc ran
printf '%s root touch %s\n' '* * * * *' "$tmp/ran/each" "$full" "$tmp/ran/full" "$half" "$tmp/ran/half" >etc/jobs
cat >run <<'R'
mount -t tmpfs none /run
mount -t tmpfs none /var/spool
mkdir -p /var/spool/cron/crontabs
mount --bind etc /etc/cron.d
chmod 644 /etc/cron.d/jobs
exec timeout 65 cron -f
R
unshare -m sh run || [ $? = 124 ] || fail "cron ends with $?"
ran=$(ls ran | tr '\n' ' ')
today() { node -e 'import("cron-schedule").then((c) => { const now = new Date()
console.log(c.parseCronExpression(process.argv[1]).getNextDate(now).toDateString() == now.toDateString() ? "runs" : "rests") })' -- "$1"; }
echo "cron ran: $ran"
echo "the library: '$full' $(today "$full"), '$half' $(today "$half")"
[ "$ran" = 'each full ' ] || fail "cron ran other jobs"
[ "$(today "$full") $(today "$half")" = 'rests runs' ] || fail "the library agrees with cron"
