#!/bin/sh
# parse-prometheus-text-format 1.1.1 from npm: histograms and summaries that have a label.
#
# One expects one entry for each set of labels, with its buckets, its sum and its count, as in the output of prom2json,
# with which the README promises to be compatible. Without a label it is so.
# A histogram of two paths comes out as one entry without labels, with the buckets of the last path, and without a sum and
# a count. A summary loses labels, sum and count as well. There is no error. Counters and gauges keep their labels.
#
# So a check that reads the exposition of a real server through this library sees the times of one path for all.
# Look for entries without a count, or read the _bucket lines with the type left out.
#
# Needs Node.js 20 and npm.
set -eu
. "$(dirname "$0")/lib.sh"
npm_get parse-prometheus-text-format@1.1.1
get prometheus=2.42.0+ds-5+deb12u1
cd "$tmp"
echo "parse-prometheus-text-format $(node -p 'require("parse-prometheus-text-format/package.json").version'), node $(node --version)"
cat >parse.mjs <<'J'
import { readFileSync } from "node:fs"
import parse from "parse-prometheus-text-format"
for (const { name, metrics } of parse(readFileSync(process.argv[2], "utf8"))) {
  console.log(name + ":")
  metrics.forEach((m) => console.log("  " + JSON.stringify(m)))
}
J
parse() { # parse: the text on standard input
  cat >text
  promtool check metrics <text >/dev/null 2>err || fail "promtool says: $(cat err)"
  say "$(grep -v '^#' text)"
  node parse.mjs text | tee out
}
parse <<'T'
# HELP plain_seconds Time.
# TYPE plain_seconds histogram
plain_seconds_bucket{le="1"} 1
plain_seconds_bucket{le="+Inf"} 2
plain_seconds_sum 3
plain_seconds_count 2
T
holds '"buckets":{"1":"1","+Inf":"2"},"count":"2","sum":"3"' out
parse <<'T'
# HELP request_seconds Time.
# TYPE request_seconds histogram
request_seconds_bucket{path="/a",le="1"} 1
request_seconds_bucket{path="/a",le="+Inf"} 2
request_seconds_sum{path="/a"} 3
request_seconds_count{path="/a"} 2
request_seconds_bucket{path="/b",le="1"} 50
request_seconds_bucket{path="/b",le="+Inf"} 60
request_seconds_sum{path="/b"} 70
request_seconds_count{path="/b"} 60
T
[ "$(sed -n 2p out)" = '  {"buckets":{"1":"50","+Inf":"60"}}' ] || fail "other buckets"
[ "$(wc -l <out)" = 2 ] || fail "more than one entry"
parse <<'T'
# HELP wait_seconds Time.
# TYPE wait_seconds summary
wait_seconds{path="/a",quantile="0.5"} 1
wait_seconds_sum{path="/a"} 3
wait_seconds_count{path="/a"} 2
wait_seconds{path="/b",quantile="0.5"} 50
wait_seconds_sum{path="/b"} 70
wait_seconds_count{path="/b"} 60
T
[ "$(sed -n 2p out)" = '  {"quantiles":{"0.5":"50"}}' ] || fail "other quantiles"
parse <<'T'
# HELP requests_total Requests.
# TYPE requests_total counter
requests_total{path="/a"} 2
requests_total{path="/b"} 60
T
holds '{"value":"60","labels":{"path":"/b"}}' out
