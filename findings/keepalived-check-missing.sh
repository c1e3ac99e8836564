#!/bin/sh
# Debian keepalived 2.2.7: `keepalived -t`, the check of a configuration, when a file is missing.
#
# One expects that a configuration that cannot be read fails the check, since one unknown word does, with exit code 5.
# A file that does not exist passes with exit code 0, and so does a configuration that includes one by its full name.
# The only sign is a line on standard error, "Config files missing".
#
# So a pipeline that checks before it reloads lets through a wrong path or an include that was never copied,
# and the addresses that stood in it are no part of the new configuration. Check that the files exist, and read
# standard error.
set -eu
. "$(dirname "$0")/lib.sh"
get keepalived=1:2.2.7-1+b2 libnl-3-200=3.7.0-0.2+b1 libnl-genl-3-200=3.7.0-0.2+b1 libsnmp40=5.9.3+dfsg-2+deb12u1 \
  libpci3=1:3.9.0-4 libnftnl11=1.2.4-2 libmnl0=1.0.4-3 \
  libglib2.0-0=2.74.6-2+deb12u9 libpcre2-8-0=10.42-1+deb12u2 libsensors5=1:3.6.0-7.1
keepalived --version 2>&1 | head -1
cd "$tmp"

echo 'nosuchword' >unknown.conf
echo "include $tmp/absent.conf" >include.conf

check() { # check FILE EXIT-CODE
  say "keepalived -t -f $1"
  code=0; unshare -rn keepalived -t -f "$1" 2>err || code=$?
  cat err
  echo "exit code $code"
  [ "$code" = "$2" ] || fail "exit code $code, and not $2"
}
check unknown.conf 5
holds "Unknown keyword" err
check include.conf 0
holds "Config files missing" err
check absent.conf 0
holds "Config files missing" err
