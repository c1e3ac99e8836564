#!/bin/sh
# boot.sh SCRATCH PACKAGES: becomes systemd, as the init of a copy of this machine that shares nothing with it: what is written
# goes to a tmpfs on SCRATCH. To be run by unshare(1), first in its namespaces. PACKAGES is seen as /srv/packages.
set -eu
scratch=$1 packages=$2
mount -t tmpfs scratch "$scratch"
mkdir "$scratch/changes" "$scratch/work" "$scratch/root"
mount -t overlay root -o "lowerdir=/,upperdir=$scratch/changes,workdir=$scratch/work" "$scratch/root"
cd "$scratch/root"

mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 dev dev
for name in null zero full random urandom tty; do cp -a "/dev/$name" dev/; done
mkdir dev/shm dev/mqueue dev/pts
mount -t tmpfs shm dev/shm
mount -t devpts -o newinstance,ptmxmode=666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
touch dev/console
mount -t tmpfs -o mode=755 run run
mount -t tmpfs tmp tmp
mkdir -p srv/packages
mount --bind "$packages" srv/packages

# What this machine mounts and starts is its own affair, and so is what an agent has left here.
: > etc/fstab
rm -rf etc/hostler var/lib/hostler* var/cache/hostler* var/log/hostler*
rm -rf etc/systemd/system/*.wants usr/sbin/policy-rc.d

mkdir -p mnt
pivot_root . mnt
umount -l /mnt
export container=test
exec /lib/systemd/systemd --system --unit=basic.target --log-target=null < /dev/null
