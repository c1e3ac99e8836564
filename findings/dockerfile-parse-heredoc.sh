#!/bin/sh
# dockerfile-parse 2.0.1 from PyPI: a Dockerfile with a here-document, and with a default behind a variable.
#
# One expects the instructions that a build has: the library is there to read and to change a Dockerfile, and Docker's reference
# has here-documents, as in RUN <<EOF, and ${name:-value}.
# Each line of a here-document is taken for an instruction of its own: a line of Python "from os import path" is the last base
# image, LABEL in a file that is to be written a label of the image. Setting baseimage changes this line of the script and not
# the image. ${TIER:-web} becomes ":-web}". No error is reported.
#
# So a tool that pins base images or adds labels breaks the script and leaves the image. Keep scripts in files of their own, and
# compare the file before and after.
#
# Needs pip.
set -eu
. "$(dirname "$0")/lib.sh"
cd "$tmp"
python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore --no-deps --target python dockerfile-parse==2.0.1 >&2
export PYTHONPATH="$tmp/python"
cat >Dockerfile <<'D'
FROM python:3.11
RUN <<EOF python3
from os import path
print(path.sep)
EOF
COPY <<EOF /etc/unit.conf
LABEL made by the unit
EOF
LABEL tier=${TIER:-web}
D
cat Dockerfile
cat >read.py <<'P'
from importlib.metadata import version
from dockerfile_parse import DockerfileParser
print("dockerfile-parse", version("dockerfile-parse"))
parser = DockerfileParser("Dockerfile")
print("instructions:", *[part["instruction"] for part in parser.structure])
print("base image:", parser.baseimage)
print("all images:", parser.parent_images)
print("labels:", parser.labels)
parser.baseimage = "python:3.12"
P
python3 read.py >out || fail "exit code $?"
say "what the library reads"
cat out
say "the file after baseimage = \"python:3.12\""
cat Dockerfile
holds '^instructions: FROM RUN FROM PRINT(PATH.SEP) EOF COPY LABEL EOF LABEL$' out
holds '^base image: os$' out
holds "^all images: \['python:3.11', 'os'\]$" out
holds "'made': 'by the unit'" out
holds "'tier': ':-web}'" out
[ "$(head -3 Dockerfile | paste -sd' ')" = 'FROM python:3.11 RUN <<EOF python3 FROM python:3.12' ] || fail "another line was changed"
