#!/bin/sh
# Debian podman-compose 1.0.3: a compose file that docker-compose 1.29.2 accepts, and what podman is called with.
#
# One expects the container that the file describes, or an error: podman-compose is to run "docker-compose.yml using podman".
# ${NAME:-value} with an empty NAME is empty and not the value, and ${NAME:-} is passed on with its braces. pid: host, dns
# and stop_grace_period are left out. A health check ["CMD", "test", "-e", "/x y"] becomes a shell command whose quotes are in
# the wrong places. Of sysctls in the form of a map only the names are passed, and with network_mode: none the network of
# the project as well: podman 4.3.1 refuses these two with exit code 125, and `podman-compose up -d` exits with 0.
#
# So a service runs with another password and another health, or not at all, after a start that was a success.
# Read the commands of `podman-compose --dry-run up` before the first start, and look with `podman ps` after each.
set -eu
. "$(dirname "$0")/lib.sh"
get podman-compose=1.0.3-3 docker-compose=1.29.2-3 python3-dotenv=0.21.0-1 python3-docopt=0.6.2-4.1 \
  python3-dockerpty=0.4.1-4 python3-docker=5.0.3-1 python3-jsonschema=4.10.3-1 python3-texttable=1.6.7-1 \
  python3-websocket=1.2.3-1 python3-attr=22.2.0-1 python3-pyrsistent=0.18.1-1+b3 python3-distro=1.8.0-1 \
  python3-requests=2.28.1+dfsg-1 python3-urllib3=1.26.12-1+deb12u4 python3-chardet=5.1.0+dfsg-2 \
  python3-idna=3.3-1+deb12u1 python3-certifi=2022.9.24-1 python3-charset-normalizer=3.0.1-2 python3-yaml=6.0-3+b2 \
  python3-six=1.16.0-4 python3-packaging=23.0-1 python3-pkg-resources=66.1.1-1+deb12u2
export PYTHONPATH="$root/usr/lib/python3/dist-packages"
compose() { /usr/bin/python3 "$root/usr/bin/docker-compose" "$@"; }
compose --version
echo "podman-compose 1.0.3-3, $(/usr/bin/python3 --version)"
mkdir "$tmp/project"
cd "$tmp/project"
printf 'EMPTY=\nFULL=full\n' >.env
cat >docker-compose.yml <<'C'
version: "3.7"
services:
  web:
    image: box:1
    command: sleep 1000
    environment:
      FIRST: "${FULL:-value}"
      SECOND: "${EMPTY:-value}"
      THIRD: "${UNSET:-value}"
      FOURTH: "${UNSET:-}"
    sysctls: {net.core.somaxconn: 512}
    pid: host
    dns: 192.0.2.1
    stop_grace_period: 1m
    network_mode: none
    healthcheck: {test: ["CMD", "test", "-e", "/x y"]}
C
# podman itself is replaced by a script that writes down each argument of `podman run` in quotes.
cat >podman <<'P'
#!/bin/sh
case $1 in --version) echo "podman version 4.3.1" ;; run) shift; for word in "$@"; do echo "\"$word\""; done >args; exit $FAIL ;; esac
P
chmod +x podman

say "docker-compose config"
compose config | tee config
say "podman-compose up -d: the words behind podman run, without the labels"
export FAIL=0
/usr/bin/python3 "$root/usr/bin/podman-compose" --podman-path "$PWD/podman" up -d >out 2>&1 || fail "exit code $?: $(cat out)"
grep -v 'label\|compose' args
both() { # both IN-CONFIG IN-ARGUMENTS
  holds "$1" config
  holds "^\"$2\"\$" args
}
both 'FIRST: full' FIRST=full
both 'SECOND: value' SECOND=
both 'THIRD: value' THIRD=value
both "FOURTH: ''" 'FOURTH=${UNSET:-}'
both "net.core.somaxconn: '512'" net.core.somaxconn
both 'network_mode: none' none
both 'network_mode: none' project_default
holds '- /x y' config
holds "\"/bin/sh -c test' '-e' ''/x y'\"" args
holds 'pid: host' config
holds 'stop_grace_period: 1m' config
if grep -e '--pid' -e 192.0.2.1 -e '--stop-timeout' args; then fail "more than expected is passed on"; fi

say "the same, where podman run fails with 125"
FAIL=125
/usr/bin/python3 "$root/usr/bin/podman-compose" --podman-path "$PWD/podman" up -d >out 2>&1 || fail "exit code $?"
grep 'exit code' out
echo "exit code of podman-compose: 0"
holds 'exit code: 125' out
