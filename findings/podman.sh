# Each finding about podman sources this file instead of lib.sh: podman with directories of its own, and a file system for containers.
# Needs root. Containers have no network.
if [ -z "${private-}" ]; then private=1 exec unshare --mount sh "$0"; fi # all podmans of a machine share /dev/shm/libpod_lock
mount -t tmpfs none /dev/shm
. "$(dirname "$0")/lib.sh"
get podman=4.3.1+ds1-8+deb12u1+b3 conmon=2.1.6+ds1-1 runc=1.1.5+ds1-1+deb12u1 busybox-static=1:1.35.0-4+deb12u1+b1 \
  libdevmapper1.02.1=2:1.02.185-2 libgpg-error0=1.46-1
pod="podman --root $tmp/pod --runroot $tmp/run --tmpdir $tmp/t --runtime $root/usr/sbin/runc --conmon $root/usr/bin/conmon
  --cgroup-manager cgroupfs --storage-driver vfs --events-backend file"
undo() { $pod rm -f -a -t 0 >/dev/null 2>&1 || :; }
mkdir -p "$tmp/fs/bin" "$tmp/data"
cp "$root/bin/busybox" "$tmp/fs/bin/"
for name in sh sleep echo; do ln -s busybox "$tmp/fs/bin/$name"; done
start() { # start NAME COMMAND…: a container that sees $tmp/data
  name=$1; shift
  $pod run -d --name "$name" --network none --ulimit nofile=100:100 --ulimit nproc=1000:1000 -v "$tmp/data:/data" --rootfs "$tmp/fs" "$@" >"$tmp/id"
}
state() { $pod inspect --format '{{.State.Status}}, running {{.State.Running}}, pid {{.State.Pid}}' "$1" | tee "$tmp/state"; }
pid() { $pod inspect --format '{{.State.Pid}}' "$1"; }
lives() { [ -e "/proc/$1" ] && echo "process $1 lives"; }
podman --version
cd "$tmp"
