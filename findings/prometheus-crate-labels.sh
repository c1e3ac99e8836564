#!/bin/sh
# prometheus-parse 0.2.5 from crates.io: label values with a comma, an equals sign, a backslash or a brace.
#
# One expects the labels of the text: a value may be any text between quotes, with \\, \" and \n for three characters.
# The crate cuts the labels at each comma and each part at each equals sign. Of path="/a,b" the half /a stays, query="x=1"
# vanishes, and "x=1,y=2" becomes a label y that nobody exported. Escapes stay as they are written, and a space behind a
# comma becomes part of the next name. A sample with a brace in a value, and one with a colon in its name, is left out.
# Scrape::parse returns Ok each time.
#
# So two disks become one, sums count twice, and alarms by label never ring. Compare the number of samples with that of
# the lines, and look for backslashes.
#
# Needs cargo.
set -eu
. "$(dirname "$0")/lib.sh"
get prometheus=2.42.0+ds-5+deb12u1
cd "$tmp"
crate_get prometheus-parse 0.2.5 <<'R'
use std::io::{stdin, BufRead};
fn main() {
    let scrape = prometheus_parse::Scrape::parse(stdin().lock().lines()).expect("an error");
    for sample in &scrape.samples {
        let mut labels: Vec<_> = sample.labels.iter().map(|(name, value)| format!("\"{name}={value}\"")).collect();
        labels.sort();
        println!("{:?} [{}]", sample.value, labels.join(", "));
    }
    println!("{} samples", scrape.samples.len());
}
R
unset LD_LIBRARY_PATH

parse() { # parse SAMPLE OUTPUT
  name=${1%%[ {]*}
  printf '# HELP %s Size.\n# TYPE %s gauge\n%s\n' "$name" "$name" "$1" >text
  promtool check metrics <text >out 2>&1 || grep -q 'should not contain' out || fail "promtool says: $(cat out)"
  out=$(target/debug/finding <text | tr '\n' ' ') || fail "exit code $?"
  echo "$1 -> $out"
  [ "$out" = "$2 " ] || fail "not $2"
}
say "what promtool takes, and what the crate reads"
parse 'disk_bytes{path="/a",node="n1"} 5' 'Gauge(5.0) ["node=n1", "path=/a"] 1 samples'
parse 'disk_bytes{path="/a,b",node="n1"} 5' 'Gauge(5.0) ["node=n1", "path=/a"] 1 samples'
parse 'disk_bytes{query="x=1",node="n1"} 5' 'Gauge(5.0) ["node=n1"] 1 samples'
parse 'disk_bytes{query="x=1,y=2",node="n1"} 5' 'Gauge(5.0) ["node=n1", "y=2"] 1 samples'
parse 'disk_bytes{path="C:\\\\disk",node="n1"} 5' 'Gauge(5.0) ["node=n1", "path=C:\\\\disk"] 1 samples'
parse 'disk_bytes{path="/a", node="n1"} 5' 'Gauge(5.0) [" node=n1", "path=/a"] 1 samples'
parse 'disk_bytes{path="/{a}",node="n1"} 5' '0 samples'
parse 'node:disk_bytes:sum{node="n1"} 5' '0 samples'
