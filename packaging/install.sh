#!/bin/sh
# install.sh OM [DESTDIR]: puts the program in place, with its manual pages, its completion and its unit of systemd. DESTDIR is
# prefixed to every path, as makers of packages need it. ZSH_FUNCTIONS names another directory for the completion of zsh.
set -eu
om=$1 root=${2:-}
here=$(dirname "$0")
share=$root/usr/share

install -D -m 755 "$om" "$root/usr/bin/om"
# The ancestors' names of the same program, which every script of an OpenSVC site calls.
for name in svcmgr nodemgr; do ln -sf om "$root/usr/bin/$name"; done
install -D -m 644 "$here/hostler.service" "$root/lib/systemd/system/hostler.service"
"$om" completion bash | install -D -m 644 /dev/stdin "$share/bash-completion/completions/om"
"$om" completion fish | install -D -m 644 /dev/stdin "$share/fish/vendor_completions.d/om.fish"
"$om" completion zsh | install -D -m 644 /dev/stdin "$root${ZSH_FUNCTIONS:-/usr/share/zsh/site-functions}/_om"
install -d -m 755 "$share/man/man1"
"$om" man --to "$share/man/man1"
