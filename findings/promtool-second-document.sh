#!/bin/sh
# Debian prometheus 2.42.0: a file of rules that holds two YAML documents, with "---" between them.
#
# One expects that both are read, as by tools for manifests, or that the check refuses the file, as it does for an
# expression that cannot be parsed or a key that does not exist.
# `promtool check rules` reads the first document only. It says SUCCESS, counts the rules of the first, and exits with 0,
# whatever the second holds, here an unknown key and a broken expression. Prometheus starts, and runs the first alone.
# `promtool check config` does the same with a second document in the configuration.
#
# So alarms that were joined from several files with "---" are not there, and the check was green. Join the groups in
# one list, and compare the number of rules found with what you wrote.
set -eu
. "$(dirname "$0")/lib.sh"
get prometheus=2.42.0+ds-5+deb12u1
promtool --version 2>&1 | head -1
cd "$tmp"
check() { # check EXIT-CODE KIND FILE
  code=0; promtool check "$2" "$3" >out 2>&1 || code=$?
  cat out
  echo "exit code $code"
  [ "$code" = "$1" ] || fail "exit code $code, and not $1"
}
cat >first.yml <<'Y'
groups:
- name: first
  rules:
  - alert: One
    expr: vector(1)
Y
cat >second.yml <<'Y'
groups:
- name: second
  rulez: unknown
  rules:
  - alert: Two
    expr: vector(
Y
say "promtool check rules of the second alone"
check 1 rules second.yml

say "promtool check rules of both, with --- between them"
(cat first.yml; echo ---; cat second.yml) >both.yml
check 0 rules both.yml
holds 'SUCCESS: 1 rules found' out

say "promtool check config, with a second document"
printf 'rule_files: [both.yml]\n---\nunknown: 1\n' >prometheus.yml
check 0 config prometheus.yml
holds 'is valid prometheus config' out

say "the rules that Prometheus runs"
cat >run <<'R'
ip link set lo up
prometheus --config.file=prometheus.yml --storage.tsdb.path=data --web.listen-address=127.0.0.1:9090 >log 2>&1 &
for _ in $(seq 50); do
  curl -sf http://127.0.0.1:9090/api/v1/rules >rules && break
  sleep 0.2
done
kill $!
wait $!
R
unshare -rn sh run || :
grep -o '"name":"[^"]*"' rules | tee out || fail "no answer: $(cat log)"
[ "$(tr '\n' ' ' <out)" = '"name":"first" "name":"One" ' ] || fail "the rules are $(cat rules)"
