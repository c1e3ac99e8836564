#!/bin/sh
# docker-parse-image 3.0.1 from npm: the registry and the full name of an image.
#
# One expects the name that Docker would pull, as in "Parse docker image urls": its rule takes the first part for a registry if
# it has a dot or a colon or is localhost, and adds "library" for docker.io alone.
# fullname has "library" for each registry: registry.example/app is registry.example/library/app, another image. A digest
# becomes a tag, as in app:sha256:…, which is no valid name. localhost/app is an image of the user localhost on Docker Hub, and
# of a/b/c the part a is a registry. A name with four parts, as in ghcr.io/org/team/app, is null.
#
# So a check of what may run, or a cache by full name, has other images than the engine. Use `name` where there is a registry,
# and split a name by Docker's rule.
#
# Needs Node.js 20 and npm.
set -eu
. "$(dirname "$0")/lib.sh"
npm_get docker-parse-image@3.0.1
cd "$tmp"
node -p '"docker-parse-image " + require("docker-parse-image/package.json").version + ", node " + process.version'
parse() { # parse IMAGE EXPECTED
  out=$(node -e 'const image = require("docker-parse-image")(process.argv[1])
console.log(image === null ? "null" : image.registry + " " + image.fullname)' -- "$1")
  echo "$1: $out"
  [ "$out" = "$2" ] || fail "and not $2"
}
digest=sha256:$(printf '%064d' 1)
say "the registry and the full name: right"
parse busybox 'null library/busybox:latest'
parse user/app:1 'null user/app:1'
parse registry.example/team/app:1 'registry.example registry.example/team/app:1'
say "wrong"
parse registry.example/app:1 'registry.example registry.example/library/app:1'
parse registry.example:5000/app 'registry.example:5000 registry.example:5000/library/app:latest'
parse "busybox@$digest" "null library/busybox:$digest"
parse localhost/app 'null localhost/app:latest'
parse a/b/c 'a a/b/c:latest'
parse ghcr.io/org/team/app null
