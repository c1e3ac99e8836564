#!/bin/sh
# logfmt 1.4.0 from npm: a log line with an equals sign in a value.
#
# One expects that the first equals sign ends the name and the rest is the value, as in the logs of routers and of Go programs,
# where url=http://h/?a=1&b=2 is one pair.
# Each equals sign in a value is dropped: the url is http://h/?a1&b2, and q=x== is x. Behind a quote within a value the rest of
# the line belongs to it. Within quotes all is kept, but "true" is not a text. No error is reported.
#
# So a search by the address finds nothing, and two addresses count as one. Let your programs put such values into quotes, or
# read these lines with a parser of your own.
#
# Needs Node.js 20 and npm.
set -eu
. "$(dirname "$0")/lib.sh"
npm_get logfmt@1.4.0
cd "$tmp"
node -p '"logfmt " + require("logfmt/package.json").version + ", node " + process.version'

line() { # line TEXT EXPECTED
  got=$(node -p 'JSON.stringify(require("logfmt").parse(process.argv[1]))' -- "$1") || fail "exit code $?"
  printf '%s\n' "$1 -> $got"
  [ "$got" = "$2" ] || fail "not $2"
}
line 'url="http://h/?a=1&b=2" code=200' '{"url":"http://h/?a=1&b=2","code":"200"}'
line 'url=http://h/?a=1&b=2 code=200' '{"url":"http://h/?a1&b2","code":"200"}'
line 'q=x== code=200' '{"q":"x","code":"200"}'
line 'size=2" code=200' '{"size":"2 code=200"}'
say "a text that says true"
line 'state="true"' '{"state":true}'
line 'state="truer"' '{"state":"truer"}'
