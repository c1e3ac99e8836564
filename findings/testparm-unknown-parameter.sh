#!/bin/sh
# Debian samba-common-bin 4.17.12: `testparm` on a smb.conf with a parameter that does not exist.
#
# One expects what testparm(1) says: exit code 1 if it finds an error, and else 0, so that scripts can test it.
# A misspelt value, as in `read only = maybe`, gives 1. A misspelt name, as in `valid user = @staff`, is "Unknown parameter
# encountered", then "Loaded services file OK.", and 0.
#
# So a share is open to each user and the check in the pipeline is green. Look for "Unknown parameter" on standard error.
set -eu
. "$(dirname "$0")/lib.sh"
v=2:4.17.12+dfsg-0+deb12u4
get samba-common-bin=$v samba-libs=$v libldb2=2:2.6.2+samba4.17.12+dfsg-0+deb12u4 libwbclient0=$v libtalloc2=2.4.0-f2 \
  libtevent0=0.14.1-1 libtdb1=1.4.8-2 libpopt0=1.19+dfsg-1 libjansson4=2.14-2 libbsd0=0.11.7-2 libmd0=1.0.4-2
export LD_LIBRARY_PATH="$LD_LIBRARY_PATH:$root/usr/lib/$lib/samba"
testparm --version
cd "$tmp"
mkdir -m 755 share state

check() { # check EXIT-CODE LINE…: testparm on a share with these lines
  want=$1; shift
  { printf '[global]\nlock directory = %s\nstate directory = %s\ncache directory = %s\n' "$tmp/state" "$tmp/state" "$tmp/state"
    printf '[data]\npath = %s/share\n' "$tmp"; printf '%s\n' "$@"; } >smb.conf
  say "$*"
  code=0; testparm -s smb.conf >out 2>err || code=$?
  grep -v '^$\|crypto\|^Load smb\|^Server role' err || :
  echo "exit code $code"
  [ "$code" = "$want" ] || fail "exit code $code, and not $want"
}
check 0 'valid users = @staff'
holds 'valid users = @staff' out
check 1 'read only = maybe'
check 1 'create mask = 99'
check 0 'valid user = @staff'
holds 'Unknown parameter encountered: "valid user"' err
holds 'Loaded services file OK' err
if grep -q staff out; then fail "the parameter is in use"; fi
