#!/bin/sh
# dns-zonefile 0.3.2 from npm: a zone file with times such as 1h, lower case, and more than one $ORIGIN.
#
# One expects the records that BIND reads, or an error: the parser is for "zone files" of RFC 1035.
# A record with a time such as 1h, or with "in a" in lower case, is left out. Of several $ORIGIN the last counts for all
# names. The times of the SOA are cut behind their first number: 1d12h is 1 second. No error is reported.
#
# So a zone that was read, changed and written again lacks hosts. Count the records, and give the parser the output of
# `named-checkzone -D`.
#
# Needs Node.js 20 and npm.
set -eu
. "$(dirname "$0")/lib.sh"
npm_get dns-zonefile@0.3.2
cd "$tmp"
node -p '"dns-zonefile " + require("dns-zonefile/package.json").version + ", node " + process.version'
cat >zone <<'Z'
$ORIGIN example.org.
$TTL 1h
@ IN SOA ns1 host 1 1d12h 30m 2w 1h
@ IN NS ns1
ns1 IN A 192.0.2.1
plain 600 IN A 192.0.2.2
unit 1h IN A 192.0.2.3
lower in a 192.0.2.4
$ORIGIN sub.example.org.
other IN A 192.0.2.5
Z
cat zone
node -e 'const { parse, generate } = require("dns-zonefile").default, fs = require("fs")
const zone = parse(fs.readFileSync("zone", "utf8"))
for (const name in zone) console.log(name, JSON.stringify(zone[name]))
fs.writeFileSync("written", generate(zone))' >out || fail "exit code $?"
say "parse"
cat out
holds '^$origin "sub.example.org."' out
holds '"minimum":1,"expire":2,"retry":30,"refresh":1,"serial":1,' out
holds '^a \[{"name":"ns1","ip":"192.0.2.1"},{"name":"plain","ip":"192.0.2.2","ttl":600},{"name":"other","ip":"192.0.2.5"}\]' out
say "generate"
grep -v '^;\|^$' written
holds '^$ORIGIN sub.example.org.' written
if grep -q '192.0.2.[34]' written; then fail "all records are there"; fi
