#!/bin/sh
# Debian cloud-init 22.4.2: `cloud-init schema --config-file FILE`, on a cloud-config with a key that does not exist.
#
# One expects an error: the command validates a file against the schema, and a misspelt key one level below, as in a file of
# write_files, is one: "Additional properties are not allowed".
# A misspelt key at the top, as in "pakages" or "run_cmd", is "Valid cloud-config" and exit code 0. So is a key that is there
# twice, of which cloud-init takes the last, and a mode of a file that is none, as in permissions: "rw-r--r--".
#
# So a machine starts without its packages or its first command. Compare the top keys with the list of modules, and load the
# file with a reader that refuses keys that are there twice, such as yamllint.
set -eu
. "$(dirname "$0")/lib.sh"
get cloud-init=22.4.2-1+deb12u4 python3-configobj=5.0.8-1 python3-jinja2=3.1.2-1+deb12u3 python3-markupsafe=2.1.2-1+b1 \
  python3-jsonpatch=1.32-2 python3-json-pointer=2.3-2 python3-jsonschema=4.10.3-1 python3-pyrsistent=0.18.1-1+b3 \
  python3-attr=22.2.0-1 python3-netifaces=0.11.0-2+b1 python3-oauthlib=3.2.2-1 python3-requests=2.28.1+dfsg-1 \
  python3-urllib3=1.26.12-1+deb12u4 python3-idna=3.3-1+deb12u1 python3-certifi=2022.9.24-1 python3-chardet=5.1.0+dfsg-2 \
  python3-six=1.16.0-4 python3-yaml=6.0-3+b2 libyaml-0-2=0.2.5-1
export PYTHONPATH="$root/usr/lib/python3/dist-packages"
cd "$tmp"
cloud_init() { # with its files in /etc and /run in a namespace
  unshare -rmn sh -ec 'mount -t tmpfs none /etc; mount -t tmpfs none /run; cp -r "$1/etc/cloud" /etc; shift
    exec /usr/bin/python3 "$@"' - "$root" "$root/usr/bin/cloud-init" "$@"
}
cloud_init --version
check() { # check EXIT-CODE LINES: of a cloud-config with these lines
  printf '#cloud-config\n%s\n' "$2" >user-data
  say "$2"
  code=0; cloud_init schema --config-file user-data >out 2>&1 || code=$?
  echo "$(tail -1 out) (exit code $code)"
  [ "$code" = "$1" ] || fail "and not $1"
  [ "$1" = 1 ] || holds '^Valid cloud-config: user-data$' out
}
check 0 'packages: [vim]'
check 1 'packages: 5'
check 1 'write_files: [{ path: /etc/x, content: x, permision: "0600" }]'
check 0 'pakages: [vim]'
check 0 'run_cmd: [[mkfs.ext4, /dev/vdb]]'
check 0 'write_files: [{ path: /etc/x, content: x, permissions: "rw-r--r--" }]'
check 0 'runcmd: [[mkfs.ext4, /dev/vdb]]
runcmd: [[mount, /dev/vdb, /mnt]]'
say "what is left of the last one"
/usr/bin/python3 -c 'from cloudinit import util
print(util.load_yaml(open("user-data").read()))' | tee out
holds "^{'runcmd': \[\['mount', '/dev/vdb', '/mnt'\]\]}$" out
