#!/bin/sh
# Debian pdsh 2.34-0.2: `pdsh -w HOSTS -x HOSTS`, a command on all hosts but some.
#
# One expects what pdsh(1) says of -x: it excludes the hosts, and takes the same lists as -w.
# Where the list of -w has two ranges, as in rack[1-2]node[1-2], nothing is excluded: not by a full name, not by a smaller
# list, and not by a "-" in -w. With one range, or with a regular expression, it works. The exit code is 0.
#
# So the command runs on the hosts that were to be spared. Write one range per list, as in rack1node[1-2],rack2node[1-2],
# or -x /REGEX/, and look at the hosts with `pdsh -Q` before.
set -eu
. "$(dirname "$0")/lib.sh"
get pdsh=2.34-0.2
cp "$root/usr/bin/pdsh.bin" "$tmp/pdsh" # the package has a wrapper around it, and the program looks at its name
hosts() { # hosts EXPECTED ARGUMENT…: the hosts that a command ran on, in a mount namespace that has the modules of pdsh
  want=$1; shift
  unshare -rm sh -ec 'mount -t overlay modules -o "lowerdir=$1/usr/lib/$2:/usr/lib/$2" "/usr/lib/$2"; shift 2; exec "$@"' \
    - "$root" "$lib" "$tmp/pdsh" -R exec "$@" echo %h >"$tmp/out" || fail "exit code $?"
  got=$(sed 's/.*: //' "$tmp/out" | sort | xargs)
  echo "pdsh $*: $got"
  [ "$got" = "$want" ] || fail "not $want"
}
echo "pdsh 2.34-0.2"
say "one range"
hosts 'r1n1 r1n4' -w 'r1n[1-4]' -x 'r1n[2-3]'
hosts 'r1n2 r2n2' -w 'r1n[1-2],r2n[1-2]' -x 'r1n1,r2n1'
hosts 'r2n1 r2n2' -w 'r[1-2]n[1-2]' -x '/^r1/'
say "two ranges"
for out in r1n1 'r1n[1-2]' 'r[1-2]n1'; do
  hosts 'r1n1 r1n2 r2n1 r2n2' -w 'r[1-2]n[1-2]' -x "$out"
done
hosts 'r1n1 r1n2 r2n1 r2n2' -w 'r[1-2]n[1-2],-r1n1'
