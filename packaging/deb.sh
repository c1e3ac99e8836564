#!/bin/sh
# deb.sh OM DIRECTORY VERSION: makes DIRECTORY/hostler_VERSION-1_ARCH.deb of this program, with debhelper, and has lintian judge it.
set -eu
om=$(realpath "$1") version=$3 revision=$3-1
here=$(realpath "$(dirname "$0")")
mkdir -p "$2"
directory=$(realpath "$2")
source=$directory/hostler-$version

rm -rf "$source"
mkdir -p "$source"
cp -r "$here/debian" "$source/debian"
ZSH_FUNCTIONS=/usr/share/zsh/vendor-completions "$here/install.sh" "$om" "$source/files"
cp "$here/../LICENSE" "$here/../CHANGELOG.md" "$here/../README.md" "$source/"
cp -r "$here/../docs" "$here/../examples" "$source/"
# The package has no history of its own: CHANGELOG.md, which is in it, says what changed.
cat > "$source/debian/changelog" <<CHANGELOG
hostler ($revision) unstable; urgency=medium

  * See /usr/share/doc/hostler/changelog.gz.

 -- The Hostler authors <authors@hostler.invalid>  $(date -R -d "@${SOURCE_DATE_EPOCH:-$(stat -c %Y "$here/../CHANGELOG.md")}")
CHANGELOG

cd "$source"
dpkg-buildpackage --build=binary --no-sign --no-check-builddeps > "$directory/build.log" 2>&1 || {
  tail -n 20 "$directory/build.log"
  echo "deb.sh: dpkg-buildpackage failed, see $directory/build.log"
  exit 1
} >&2
cd "$directory"
package=hostler_${revision}_$(dpkg --print-architecture)
lintian --allow-root --no-cfg --fail-on error,warning "$package.changes"
rm -rf "$source"
echo "$directory/$package.deb"
