#!/bin/sh
# Debian rrdtool 1.7.2: the JSON of `rrdtool xport --json` and `rrdtool graph -a JSON` where a legend has a quote or a
# backslash.
#
# One expects JSON.
# The legend is written as it is, without escapes: with a quote in it no parser takes the text, and data\temp is read with a
# tab in it. In the XML of `rrdtool xport` the signs < and & are not escaped either. The exit code is 0.
#
# So a page with graphs stays empty because of the label of one disk. Give legends without these signs, as names that your
# program looks up.
set -eu
. "$(dirname "$0")/lib.sh"
get rrdtool=1.7.2-4+b8 librrd8=1.7.2-4+b8 libdbi1=0.9.0-6
rrdtool --version | sed -n '1s/ *Copyright.*//p'
cd "$tmp"
rrdtool create file.rrd --start 1700000000 --step 60 DS:v:GAUGE:120:U:U RRA:AVERAGE:0.5:1:10
rrdtool update file.rrd 1700000060:1 1700000120:2 1700000180:3

export_as() { # export_as FORMAT LEGEND: writes to out
  if [ "$1" = xml ]; then flag=; else flag=--json; fi
  rrdtool xport $flag --start 1700000000 --end 1700000180 DEF:v=file.rrd:v:AVERAGE "XPORT:v:$2" >out || fail "exit code $?"
}
legend() { # legend LEGEND EXPECTED: what a parser of JSON reads
  export_as json "$1"
  got=$(python3 -c 'import json, sys; print(json.load(sys.stdin)["meta"]["legend"])' <out 2>err) || got=$(tail -1 err | cut -d: -f1-2)
  printf '%s\n' "legend $1: JSON has $(grep -A1 '"legend"' out | tail -1 | xargs -0 | tr -s ' \n' ' '), read as: $got"
  [ "$got" = "$2" ] || fail "not $2"
}
legend 'disk sda' "['disk sda']"
legend 'disk "sda"' "json.decoder.JSONDecodeError: Expecting ',' delimiter"
legend 'data\temp' "['data\\temp']"
say "rrdtool graph -a JSON"
rrdtool graph out -a JSON --start 1700000000 --end 1700000180 DEF:v=file.rrd:v:AVERAGE 'LINE:v#ff0000:disk "sda"' || fail "exit code $?"
if python3 -m json.tool out >/dev/null 2>err; then fail "it is JSON: $(cat out)"; fi
grep -A1 '"legend"' out
say "rrdtool xport without --json"
export_as xml 'disk <sda>'
holds '<entry>disk <sda></entry>' out
if python3 -c 'import sys, xml.dom.minidom as m; m.parse(sys.stdin)' <out 2>err; then fail "it is XML: $(cat out)"; fi
tail -1 err
