#!/bin/sh
# Debian jc 1.22.5, iptables 1.8.9 and util-linux 2.38.1: JSON made of the output of `iptables -L`, `mount` and `findmnt`.
#
# One expects an object with the values of the line, or an error where the line cannot be read.
# A rule without a target, one that only counts, has an empty column, and the others move to the left: its source is given as
# 0.0.0.0/0, and its own source is in "opt". A mount point with a space moves them too: a tmpfs on "/mnt/a b" is
# on "/mnt/a" and of the type "type" after `mount`, and of the type "spaced", its source, after `findmnt`. The exit code is 0.
#
# So a program that looks for rules of a network, or for what is mounted at a path, does not find them. Take `nft -j
# list ruleset` and `findmnt --json`, and `jc` for tables that have no empty columns.
set -eu
. "$(dirname "$0")/lib.sh"
get jc=1.22.5-1 python3-xmltodict=0.13.0-1.1~deb12u1 python3-ruamel.yaml=0.17.21-1 python3-ruamel.yaml.clib=0.2.7-1+b2 \
  python3-pygments=2.14.0+dfsg-1 iptables=1.8.9-2 libxtables12=1.8.9-2 libip4tc2=1.8.9-2 libip6tc2=1.8.9-2 libnftnl11=1.2.4-2 libmnl0=1.0.4-3
export XTABLES_LIBDIR="$root/usr/lib/$lib/xtables" PYTHONPATH="$root/usr/lib/python3/dist-packages"
cd "$tmp"
iptables-nft -V

cat >inside <<'I'
iptables-nft -A INPUT -s 192.0.2.0/24
iptables-nft -A INPUT -s 192.0.2.0/24 -j ACCEPT
iptables-nft -nL INPUT >rules
mount -t tmpfs none /mnt
mkdir /mnt/plain "/mnt/a b"
mount -t tmpfs plain /mnt/plain
mount -t tmpfs spaced "/mnt/a b"
mount | tail -2 >mounts
findmnt /mnt/plain >found
findmnt -n "/mnt/a b" >>found
findmnt -n --json "/mnt/a b" >json
I
unshare -rmn sh -e inside || fail "exit code $?"
values() { # values PARSER FILE EXPRESSION: of each object
  jc "$1" <"$2" >out || fail "exit code $?"
  python3 -c 'import json, sys; [print(x) for x in eval(sys.argv[1], {"all": json.load(open("out"))})]' "$3" | tee got; }
say "iptables -nL, and the sources in the JSON"
cat rules
values --iptables rules '[r["source"] + " (opt " + str(r["opt"]) + ")" for r in all[0]["rules"]]'
holds '^0.0.0.0/0 (opt 192.0.2.0/24)$' got
holds '^192.0.2.0/24 (opt None)$' got
say "mount, and the points and types in the JSON"
cat mounts
values --mount mounts '[m["mount_point"] + ", a " + m["type"] for m in all]'
holds '^/mnt/plain, a tmpfs$' got
holds '^/mnt/a, a type$' got
say "findmnt, and the targets, sources and types in the JSON"
cat found
values --findmnt found '[m["target"] + " from " + m["source"] + ", a " + m["fstype"] for m in all]'
holds '^/mnt/plain from plain, a tmpfs$' got
holds '^/mnt/a from b, a spaced$' got
say "findmnt --json"
cat json
holds '"target": "/mnt/a b"' json
