#!/bin/sh
# Debian gnutls-bin 3.7.9: `ca = false` and other flags with a value in a template of `certtool`.
#
# One expects no authority, or an error: certtool warns of names that it does not know.
# A flag counts as soon as its name is there, and what stands behind it is not read: with "ca = false" the certificate is that
# of an authority, and "tls_www_server = 0" makes it one for servers. Nothing is said, and the exit code is 0. "expiration_days
# = 1h" is a day, and "expiration_days = 0" a year.
#
# So a template made by a program that writes each flag with its value makes an authority of each server. Leave out the lines
# of flags that are off, and look at the certificate with `certtool -i`.
set -eu
. "$(dirname "$0")/lib.sh"
v=3.7.9-2+deb12u7
get gnutls-bin=$v libgnutls30=$v libgnutls-dane0=$v libopts25=1:5.18.16-5
cd "$tmp"
certtool --version | head -1
certtool --generate-privkey --key-type=ed25519 --outfile key >/dev/null 2>&1

certificate() { # certificate LINE…: out has what certtool says of a certificate from this template
  printf '%s\n' 'cn = "server"' 'serial = 1' "$@" >template
  certtool --generate-self-signed --load-privkey key --template template >cert 2>err || fail "exit code $?: $(cat err)"
  certtool -i <cert | tr -d '\t' >out
  days=$(($(($(date -d "$(sed -n 's/^Not After: //p' out)" +%s) - $(date -d "$(sed -n 's/^Not Before: //p' out)" +%s))) / 86400))
  echo "$*: $(grep -c skipping err || :) warnings; $(grep 'Authority (CA)' out); for servers: $(grep -c 'TLS WWW Server' out || :); $days days"
}
certificate 'expiration_days = 30'
holds 'Certificate Authority (CA): FALSE' out
certificate 'expiration_days = 30' 'authority = false'
holds "skipping unknown option 'authority'" err
for value in false no 0 '"false"'; do
  certificate 'expiration_days = 30' "ca = $value" "tls_www_server = $value"
  holds 'Certificate Authority (CA): TRUE' out
  holds 'TLS WWW Server' out
  if grep -v '^Generating\|^Signing\|^$' err | grep -i 'skipping\|option'; then fail 'it warns'; fi
done
certificate 'expiration_days = 1h'
[ $days = 1 ] || fail "not a day"
certificate 'expiration_days = 0'
[ $days = 365 ] || fail "not a year"
