# Each finding sources this file: a temporary directory, packages unpacked into it, and the tidying up.
tmp=$(mktemp -d)
root=$tmp/root
pids=
lib=$(uname -m)-linux-gnu
export LD_LIBRARY_PATH="$root/usr/lib/$lib:$root/lib/$lib"
export LC_ALL=C.UTF-8 PATH="$root/usr/sbin:$root/usr/bin:$root/sbin:$root/bin:$PATH"

undo() { :; } # a script that mounts or attaches something defines its own
stop() { for p in $pids; do kill "$p" 2>/dev/null || :; wait "$p" 2>/dev/null || :; done; pids=; }
trap 'stop; undo; rm -rf "$tmp"' EXIT
trap 'exit 1' INT TERM HUP

get() { # get PACKAGE=VERSION…: unpacks Debian packages below $root, and installs nothing
  (cd "$tmp" && apt-get -qq -o APT::Sandbox::User=root download "$@" >&2 &&
    for deb in *.deb; do dpkg-deb -x "$deb" "$root" && rm "$deb"; done)
}
npm_get() { # npm_get PACKAGE@VERSION…: into $tmp/node_modules
  npm install --prefix "$tmp" --silent --no-audit --no-fund --ignore-scripts "$@" >&2; }
crate_get() { # crate_get CRATE VERSION: $tmp is a program that uses the crate; its source comes on standard input
  mkdir -p "$tmp/src" && cat >"$tmp/src/main.rs"
  printf '[package]\nname = "finding"\nversion = "0.0.0"\nedition = "2021"\n[dependencies]\n%s = "=%s"\n' "$1" "$2" >"$tmp/Cargo.toml"
  (cd "$tmp" && unset LD_LIBRARY_PATH && cargo build --quiet && echo "$1 $2, $(cargo --version)"); }
say() { printf '\n== %s\n' "$*"; }
fail() { echo "NOT AS STATED: $*" >&2; exit 1; }
holds() { grep -q -- "$1" "$2" || fail "'$1' is not in: $(cat "$2")"; }
until_ok() { # until_ok COMMAND…: tries for ten seconds
  for _ in $(seq 50); do "$@" >/dev/null 2>&1 && return; sleep 0.2; done; fail "never succeeded: $*"
}
