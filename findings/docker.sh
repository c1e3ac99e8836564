# Each finding about docker sources this file instead of lib.sh: a dockerd with directories of its own, and an image. Needs root.
. "$(dirname "$0")/lib.sh"
get docker.io=20.10.24+dfsg1-1+deb12u1+b6 containerd=1.6.20~ds1-1+deb12u3 runc=1.1.5+ds1-1+deb12u1 \
  busybox-static=1:1.35.0-4+deb12u1+b1 libdevmapper1.02.1=2:1.02.185-2
export DOCKER_HOST="unix://$tmp/docker.sock"
engine() { # starts dockerd, as $daemon
  dockerd --data-root "$tmp/data" --exec-root "$tmp/exec" --pidfile "$tmp/docker.pid" --host "$DOCKER_HOST" \
    --storage-driver vfs --containerd-namespace "findings.$$" --containerd-plugins-namespace "findings.$$.plugins" \
    --bridge=none --iptables=false --ip6tables=false --ip-forward=false --ip-masq=false >>"$tmp/log" 2>&1 &
  daemon=$! pids=$daemon
  for _ in $(seq 300); do docker version >/dev/null 2>&1 && return; sleep 0.2; done; fail "dockerd: $(tail -5 "$tmp/log")"
}
undo() { umount "$tmp/data" 2>/dev/null || :; }
mkdir -p "$tmp/fs/bin"
cp "$root/bin/busybox" "$tmp/fs/bin/"
for name in sh sleep true; do ln -s busybox "$tmp/fs/bin/$name"; done
image() { tar -C "$tmp/fs" -c . | docker import "$@" >/dev/null; } # image [--change INSTRUCTION]… - NAME
dockerd --version
cd "$tmp"
engine
