#!/bin/sh
# Debian skopeo 1.9.3: `skopeo copy` to an OCI layout without a tag, once more with a newer image.
#
# One expects that the newer image takes the place of the older, as with a target dir:FOLDER, or that the copy fails.
# It exits with 0 and adds the image beside the other one. From then on `skopeo inspect oci:FOLDER` fails with "more than one
# image in oci, choose an image", and there is nothing to choose by, since neither has a tag. `umoci list` shows none, and
# `umoci gc` removes nothing.
#
# So a mirror that is refreshed that way works at first, and cannot be read after the first new version, with each copy
# a success. Give each copy a tag: oci:FOLDER:TAG is replaced as expected.
set -eu
. "$(dirname "$0")/lib.sh"
get skopeo=1.9.3+ds1-1+b10 umoci=0.4.7+ds-3+b7 libgpgme11=1.18.0-3+deb12u1 libassuan0=2.5.5-5 \
  libdevmapper1.02.1=2:1.02.185-2
skopeo --version
umoci --version
cd "$tmp"
export HOME="$tmp"
umoci init --layout source
umoci new --image source:base
for user in older newer; do
  umoci config --image source:base --config.user "$user" --tag "$user"
done
user() { # user IMAGE USER
  skopeo inspect --config "$1" >out 2>err || fail "inspect exits with $?: $(cat err)"
  grep -o '"User": "[^"]*"' out | sed "s,^,$1: ,"
  holds "\"User\": \"$2\"" out
}
copy() {
  echo "skopeo copy $1 $2"
  skopeo copy -q --insecure-policy "$1" "$2" || fail "exit code $?"
}
for target in dir:plain oci:tagged:now; do
  say "to $target"
  copy oci:source:older $target
  user $target older
  copy oci:source:newer $target
  user $target newer
done

say "to oci:mirror"
copy oci:source:older oci:mirror
user oci:mirror older
copy oci:source:newer oci:mirror
code=0; skopeo inspect --config oci:mirror >out 2>&1 || code=$?
cat out
echo "skopeo inspect: exit code $code"
[ "$code" != 0 ] || fail "it can be read"
holds 'more than one image in oci, choose an image' out
umoci list --layout mirror >out
[ ! -s out ] || fail "umoci lists $(cat out)"
before=$(find mirror/blobs -type f | wc -l)
umoci gc --layout mirror
echo "umoci list: nothing; blobs before and after umoci gc: $before, $(find mirror/blobs -type f | wc -l)"
[ "$before" = "$(find mirror/blobs -type f | wc -l)" ] || fail "gc removed some"
