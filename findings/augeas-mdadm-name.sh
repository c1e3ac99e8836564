#!/bin/sh
# Debian augeas-tools 1.14.0: the lens for mdadm.conf, on an array whose name has a space.
#
# One expects that `augtool set` changes the value that it names and nothing else: mdadm.conf(5) allows quotes around a
# word with spaces, and a file that a lens does not understand is an error in Augeas.
# The lens ends the word at the space. Of name="host:my data" the second half becomes another device, and after
# `set …/name x` the line says name=x data". The exit code is 0, "Saved 1 file(s)". mdadm 4.2
# understands the line before; after it the quote runs to the end of the line, and mdadm skips the UUID with it.
#
# So a tool of configuration management that renames one array takes away what the array is found by.
# Name arrays without spaces, or find them by UUID, and compare the file after a change.
set -eu
. "$(dirname "$0")/lib.sh"
get augeas-tools=1.14.0-1+deb12u1 libaugeas0=1.14.0-1+deb12u1 augeas-lenses=1.14.0-1+deb12u1 \
  libxml2=2.9.14+dfsg-1.3~deb12u6 libicu72=72.1-3+deb12u1 mdadm=4.2-5
export AUGEAS_LENS_LIB="$root/usr/share/augeas/lenses/dist"
augtool --version 2>&1 | head -1
cd "$tmp"
mkdir -p top/etc/mdadm
conf=top/etc/mdadm/mdadm.conf
uuid=01234567:89abcdef:01234567:89abcdef
printf 'DEVICE /dev/null\nARRAY /dev/md/a metadata=1.2 name="host:my data" UUID=%s\n' $uuid >$conf
read_conf() { unshare -rm mdadm --examine --scan -v -c $conf 2>&1 || :; } # reads the file, and looks at /dev/null alone
say "the file, and what mdadm says of it"
cat $conf
mdadm --version 2>&1
read_conf | tee out
if grep 'ARRAY line' out; then fail "mdadm does not understand the line"; fi
say "augtool print"
augtool -r top print /files/etc/mdadm/mdadm.conf >out || fail "exit code $?"
cat out
holds 'name = "\\"host:my"' out
holds 'devicename\[2\] = "data\\""' out
augtool -r top print /augeas//error >out
[ ! -s out ] || fail "Augeas reports: $(cat out)"
say "augtool set …/name x"
augtool -s -r top set '/files/etc/mdadm/mdadm.conf/array/name' x || fail "exit code $?"
cat $conf
[ "$(tail -1 $conf)" = "ARRAY /dev/md/a metadata=1.2 name=x data\" UUID=$uuid" ] || fail "another line"
read_conf | tee out
holds "unrecognised word on ARRAY line: data UUID=$uuid" out
