#!/bin/sh
# Debian anacron 2.3-36: the lines @daily, @weekly and START_HOURS_RANGE in an anacrontab.
#
# One expects a line with @weekly to run once a week, or, since anacrontab(5) of this package has @monthly alone, not at all.
# anacron says "Unknown named period on line 1, skipping", and runs the job at each start, however short ago the last run
# was, with exit code 0. Only `anacron -T` fails. @monthly and @yearly are right. START_HOURS_RANGE, which the anacron of other
# distributions has in its anacrontab, is a variable of the job, without a word.
#
# So an anacrontab from another machine runs its weekly job at each start, which is each hour by the timer of the package, and at
# hours that it excludes. Write 1 and 7 for the periods, and try the file with `anacron -T -t FILE`.
set -eu
. "$(dirname "$0")/lib.sh"
get anacron=2.3-36
anacron -V 2>&1 | head -1
cd "$tmp"
mkdir spool

runs() { # runs PERIOD NUMBER: three starts in one minute
  rm -f spool/* ran; echo "$1 0 job echo x >>$tmp/ran" >tab
  anacron -T -t tab -S spool >/dev/null 2>&1 && checked=accepted || checked=refused
  for _ in 1 2 3; do anacron -d -s -n -t tab -S spool >said 2>&1 || fail "exit code $?"; done
  got=$(wc -l <ran)
  echo "$1: anacron -T has it $checked, $got runs in three starts. $(grep Unknown said || :)"
  [ "$got" = "$2" ] || fail "not $2 runs"
}
runs 1 1
runs 7 1
runs @monthly 1
runs @yearly 1
say "unknown, and run"
for period in @daily @weekly; do
  runs "$period" 3
  holds 'Unknown named period on line 1, skipping' said
done
say "hours that are not now"
hour=$(date +%-H); far=$(((hour + 3) % 22))
rm -f spool/* ran; printf 'START_HOURS_RANGE=%s-%s\n1 0 job echo "$START_HOURS_RANGE" >>%s/ran\n' "$far" "$((far + 1))" "$tmp" >tab
anacron -d -s -t tab -S spool >said 2>&1 || fail "exit code $?"
[ -e ran ] || fail "the job did not run"
echo "at $(date +%H:%M) the job with START_HOURS_RANGE=$(cat ran) ran"
