#!/bin/sh
# Debian podman 4.3.1: `podman generate kube` of a container with --tmpfs, and `podman play kube` of the result. Needs root.
#
# One expects a volume in memory, an emptyDir with medium Memory, or an error, as for a --device.
# The volume is the folder "tmpfs" of the host, and all tmpfs volumes are this one folder: with --read-only, where podman
# gives a container a /tmp, a /run and a /var/tmp of its own, the three become one. play kube makes the folder below the
# directory in which it is called. What the container writes to /tmp stays on the disk, and is there for the next pod.
# A health check, --restart, --stop-timeout, --ulimit and --sysctl are left out. The exit codes are 0.
#
# So secrets in a tmpfs come to lie on a disk, and two services share one /run. Read the volumes before you play a file.
set -eu
. "$(dirname "$0")/podman.sh"
printf '#!/bin/sh\nexec /bin/sleep 1000\n' >fs/bin/pause
chmod +x fs/bin/pause
ln -s busybox fs/bin/ls
tar -C fs -c . | $pod import - localhost/box:1 >/dev/null 2>&1
tar -C fs -c . | $pod import --change 'ENTRYPOINT ["/bin/pause"]' - localhost/pause:1 >/dev/null 2>&1
printf '[engine]\ninfra_image = "localhost/pause:1"\n[containers]\ndefault_ulimits = ["nofile=100:100", "nproc=1000:1000"]\n' >containers.conf
export CONTAINERS_CONF="$tmp/containers.conf"

say "the mounts of a container with --read-only, and the volumes of the generated file"
$pod run -d --name one --network none --read-only localhost/box:1 /bin/sh -c 'echo of-one >/tmp/secret; /bin/sleep 1000' >/dev/null
grep '^tmpfs' "/proc/$(pid one)/mounts" | grep ' /tmp \| /run \| /var/tmp ' | tee mounts
[ "$(wc -l <mounts)" = 3 ] || fail "not three tmpfs"
$pod generate kube one >kube.yaml || fail "exit code $?"
$pod rm -f -t 0 one >/dev/null
sed -n '/^ *volumes:/,$p' kube.yaml
[ "$(grep -c 'path: tmpfs' kube.yaml)" = 3 ] || fail "the volumes are not the folder tmpfs"

say "podman play kube of the file"
mkdir here && cd here
$pod play kube --network none ../kube.yaml >../out 2>&1 || fail "exit code $?: $(cat ../out)"
until_ok test -e tmpfs/secret
echo "on the host: tmpfs/secret, $(cat tmpfs/secret)"
inside=$($pod exec one-pod-one /bin/ls /run /var/tmp | tr '\n' ' ')
echo "in the container: $inside"
[ "$inside" = '/run: secret  /var/tmp: secret ' ] || fail "the folders are not one"
$pod play kube --down ../kube.yaml >/dev/null 2>&1 || fail "exit code $?"
[ -e tmpfs/secret ] || fail "the file went with the pod"
echo "after the pod is gone: $(ls tmpfs)"
cd ..

say "options that are left out"
$pod create --name two --network none --ulimit nofile=90:90 --health-cmd true --restart always --stop-timeout 60 --sysctl kernel.msgmax=9000 \
  localhost/box:1 sleep 1000 >/dev/null 2>&1
$pod generate kube two >kube.yaml || fail "exit code $?"
sed '1,/^spec:/d' kube.yaml
if grep -i 'probe\|limits\|sysctl\|grace\|restartPolicy: Always' kube.yaml; then fail "more than expected is there"; fi
