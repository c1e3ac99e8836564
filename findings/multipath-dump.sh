#!/bin/sh
# Debian multipath-tools 0.9.4: `multipath -t`, the configuration in use, read again as multipath.conf.
#
# One expects that the output has the values of the file, and means the same when it is read again: it has the form of
# a multipath.conf, and the manual offers its sister -T as a template for one.
# uid 1000 is printed as 01750, and read again as 1750. uid_attrs "sd:ID_SERIAL nvme:ID_WWN" is printed without quotes, and
# only the first of the two is read. A device of the blacklist that has a product and no vendor is printed without its
# "device {", and then the rest of the section is unread, the devices that the tool blacklists by itself among it.
# retrigger_tries, which is 3 by default, is printed as 0 whatever the file says. The exit code is 0 each time.
#
# So a configuration that was saved this way gives maps to another owner and loses its blacklist.
# Keep the file that you wrote, and read standard error after each change: multipath names the lines that it skips there.
set -eu
. "$(dirname "$0")/lib.sh"
get multipath-tools=0.9.4-3+deb12u2 libdevmapper1.02.1=2:1.02.185-2 libselinux1=3.4-1+b6 libaio1=0.3.113-4 \
  liburcu8=0.13.2-1 libjson-c5=0.16-2
export LD_LIBRARY_PATH="$LD_LIBRARY_PATH:$root/lib"
echo "multipath-tools 0.9.4-3+deb12u2"
cd "$tmp"

read_conf() { # read_conf FILE: prints what multipath makes of it, and its complaints into the file err
  unshare -rm sh -ec 'mount -t tmpfs none /etc; cp "$1" /etc/multipath.conf; exec multipath -t' - "$1" 2>err || fail "exit code $?"
  grep -v deprecated err >&2 || :
}
again() { # again LINE…: writes the lines into a file, and reads it twice
  printf '%s\n' "$@" >conf
  say "$(cat conf)"
  read_conf conf >once
  [ ! -s err ] || fail "the file is not accepted: $(cat err)"
  read_conf once >twice 2>said || :
}
line() { echo "the first output: $(grep "^	$1" once), read again: $(grep "^	$1" twice)"; }
is() { [ "$(grep "^	$1" "$2" || :)" = "	$3" ] || fail "$1 in the output $2: $(grep "^	$1" "$2")"; }

again 'defaults {' '	uid 1000' '	gid 100' '}'
line uid\ ; line gid
is 'uid ' once 'uid 01750'; is 'uid ' twice 'uid 03326'
is 'gid ' once 'gid 0144'; is 'gid ' twice 'gid 0220'

again 'defaults {' '	uid_attrs "sd:ID_SERIAL nvme:ID_WWN"' '}'
line uid_attrs
is uid_attrs once 'uid_attrs sd:ID_SERIAL nvme:ID_WWN'; is uid_attrs twice 'uid_attrs sd:ID_SERIAL'

again 'defaults {' '	retrigger_tries 5' '	retrigger_delay 7' '}'
line retrigger
is retrigger_tries once 'retrigger_tries 0'; is retrigger_delay once 'retrigger_delay 7'

again 'blacklist {' '	device {' '		product "Only"' '	}' '}'
echo "the first output:"
grep -B 3 -A 3 Only once
count() { sed -n '/^blacklist {/,/^}/p' "$1" | grep -c '^	device {'; }
echo "devices in the section: $(count once), read again: $(count twice)"
echo "standard error of the second, the first lines:"; head -3 said
[ "$(grep -B 1 Only once | head -1)" != '	device {' ] || fail "the device is complete"
holds 'invalid keyword in the blacklist section: product' said
