#!/bin/sh
# Debian nfs-kernel-server 2.6.2: `exportfs` with a path behind a symbolic link, and with a client whose name does not resolve.
# Needs root, for a mount namespace of its own.
#
# One expects that what was exported as CLIENT:PATH is withdrawn as CLIENT:PATH, and that a client that is not exported to is an
# error.
# The table first lists the path as it was given. The next call, about any other directory, writes it anew with the links
# followed. From then on `exportfs -u` with the given path fails with "Could not find", and the directory stays exported: its file
# system cannot be unmounted. And a name that does not resolve is told on standard error alone, with exit code 0.
#
# So export the real path (realpath(1)), and look into /var/lib/nfs/etab after each call.
set -eu
. "$(dirname "$0")/lib.sh"
if [ "${1-}" != inside ]; then
  exec unshare -m --propagation private "$0" inside
fi
get nfs-kernel-server=1:2.6.2-4+deb12u1 nfs-common=1:2.6.2-4+deb12u1
mkdir -p /var/lib/nfs "$tmp/etc"
: >"$tmp/etc/exports"
mount -t overlay -o "lowerdir=$tmp/etc:/etc" none /etc # an empty /etc/exports, without one exportfs fails
mount -t tmpfs none /var/lib/nfs
mount -t tmpfs -o mode=0755 none /srv
etab=/var/lib/nfs/etab
: >$etab
mkdir -p /srv/real/sub /srv/other
ln -s real /srv/link

say "a client that does not resolve"
exportfs -o rw,fsid=1 nohost.invalid:/srv/real 2>"$tmp/err" || fail "exportfs exits with $?"
echo "exit code 0, and: $(cat "$tmp/err")"
holds "Failed to resolve" "$tmp/err"
[ ! -s $etab ] || fail "something is exported: $(cat $etab)"

say "a path behind a link"
exportfs -o rw,fsid=1 127.0.0.1:/srv/link/sub
cut -f1 $etab
holds "^/srv/link/sub" $etab
exportfs -o rw,fsid=2 127.0.0.1:/srv/other
echo "after an export of another directory:"
cut -f1 $etab
holds "^/srv/real/sub" $etab
! grep -q "^/srv/link/sub" $etab || fail "the given path is still listed"
! exportfs -u 127.0.0.1:/srv/link/sub 2>"$tmp/err" || fail "it is withdrawn by the given path"
cat "$tmp/err"
holds "Could not find" "$tmp/err"
holds "^/srv/real/sub" $etab
exportfs -u 127.0.0.1:/srv/real/sub
! grep -q "^/srv/real/sub" $etab || fail "it is not withdrawn by the real path"
