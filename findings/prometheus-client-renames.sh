#!/bin/sh
# Debian python3-prometheus-client 0.16.0: its parser of the text format, on a counter whose name has no "_total".
#
# One expects that samples are named as in the text. In the text format, unlike in OpenMetrics, "_total" is a habit and no
# rule; Prometheus stores such a counter under the name it has.
# The parser puts "_total" behind it: "requests 5" becomes the sample requests_total, and so it is exported again. Without
# the line TYPE, as a gauge, or with the sample's type unknown the same line keeps its name.
#
# So a check that looks for the documented name of a counter finds none, and a relay on this library offers each such
# counter under another name than the dashboards ask for. Look for both names.
set -eu
. "$(dirname "$0")/lib.sh"
get python3-prometheus-client=0.16.0-0.1 python3-decorator=5.1.1-3 prometheus=2.42.0+ds-5+deb12u1
echo "python3-prometheus-client 0.16.0-0.1, $(/usr/bin/python3 --version)"
cd "$tmp"
cat >parse.py <<'P'
import sys
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client import CollectorRegistry, generate_latest
text = sys.argv[1].replace("\\n", "\n")
class Relay:
    def collect(self):
        return text_string_to_metric_families(text)
registry = CollectorRegistry()
registry.register(Relay())
print(*(s.name for m in text_string_to_metric_families(text) for s in m.samples))
print(generate_latest(registry).decode().strip().split("\n")[-1])
P
parse() { # parse TEXT NAME
  say "$1"
  PYTHONPATH=$root/usr/lib/python3/dist-packages /usr/bin/python3 parse.py "$1" >out || fail "exit code $?"
  sed '1s/^/parsed: /; 2s/^/exported again: /' out
  [ "$(head -1 out)" = "$2" ] || fail "the name is not $2"
  tail -1 out | grep -q "^$2 5.0$" || fail "it is not exported as $2"
}
parse '# TYPE requests counter\nrequests 5\n' requests_total
parse '# TYPE requests_total counter\nrequests_total 5\n' requests_total
parse '# TYPE requests gauge\nrequests 5\n' requests
parse '# TYPE requests untyped\nrequests 5\n' requests
parse 'requests 5\n' requests

say "Prometheus reads the same text from a server"
mkdir web
printf '# TYPE requests counter\nrequests 5\n' >web/metrics
printf 'scrape_configs: [{job_name: a, scrape_interval: 1s, static_configs: [{targets: ["127.0.0.1:9091"]}]}]\n' >prometheus.yml
cat >run <<'R'
ip link set lo up
python3 -m http.server -b 127.0.0.1 -d web 9091 >/dev/null 2>&1 &
server=$!
prometheus --config.file=prometheus.yml --storage.tsdb.path=data --web.listen-address=127.0.0.1:9090 >log 2>&1 &
for _ in $(seq 50); do
  curl -sf http://127.0.0.1:9090/api/v1/label/__name__/values >names && grep -q requests names && break
  sleep 0.2
done
kill $! $server
wait
R
unshare -rn sh run || :
grep -o '"requests[^"]*"' names | tee out || fail "no answer: $(cat log)"
[ "$(cat out)" = '"requests"' ] || fail "Prometheus has $(cat out)"
