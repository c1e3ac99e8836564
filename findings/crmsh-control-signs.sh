#!/bin/sh
# Debian crmsh 4.4.1: `crm configure save` and `load` of a parameter with a line break, a tab or a backslash at its end.
#
# One expects that a configuration that was saved can be loaded, and that any value can be shown: Pacemaker takes each of
# them, and crmsh escapes quotes.
# A line break comes back as a backslash and an n, a tab as four spaces, without a word and with exit code 0. With a
# backslash at the end of one value, or before a quote in it, `save` and `show` fail for the whole configuration with "No
# closing quotation".
#
# So a resource that was moved to another cluster as text starts with another value, and one path with a backslash keeps crm
# from showing anything. Save the XML, with `cibadmin --query`: `crm configure save xml` fails as well.
set -eu
. "$(dirname "$0")/lib.sh"
p=2.1.5-1+deb12u1
get crmsh=4.4.1-1+deb12u1 python3-lxml=4.9.2-1+deb12u1 python3-yaml=6.0-3+b2 libyaml-0-2=0.2.5-1 python3-dateutil=2.8.2-2 \
  python3-six=1.16.0-4 python3-parallax=1.0.6-4 pacemaker-cli-utils=$p pacemaker-common=$p libcib27=$p libcrmcommon34=$p \
  libcrmservice28=$p liblrmd28=$p libpacemaker1=$p libpe-rules26=$p libpe-status28=$p libstonithd26=$p libqb100=2.0.6-2 \
  libpils2=1.0.12-21+b2 libltdl7=2.4.7-7~deb12u1 libxml2=2.9.14+dfsg-1.3~deb12u6 libicu72=72.1-3+deb12u1 \
  libxslt1.1=1.1.35-1+deb12u4 libglib2.0-0=2.74.6-2+deb12u9 libpcre2-8-0=10.42-1+deb12u2 libdbus-1-3=1.14.10-1~deb12u1
LD_LIBRARY_PATH=$LD_LIBRARY_PATH:$root/usr/lib
cd "$tmp"
cib() { # cib [VALUE]: a configuration with a resource that has it, or one without
  echo '<cib validate-with="pacemaker-3.9" admin_epoch="0" epoch="1" num_updates="0"><configuration>'
  echo '<crm_config><cluster_property_set id="p"><nvpair id="s" name="stonith-enabled" value="false"/></cluster_property_set></crm_config>'
  echo '<nodes/><resources>'
  if [ $# = 1 ]; then
    echo '<primitive id="d" class="ocf" provider="pacemaker" type="Dummy"><instance_attributes id="i">'
    echo '<nvpair id="n" name="fake" value="'"$1"'"/></instance_attributes></primitive>'
  fi
  echo '</resources><constraints/></configuration><status/></cib>'
}
crm_in() { # crm_in FILE ARGUMENT…: crm with a file as the cluster, and with its packages and folders below / in a namespace
  CIB_file=$tmp/$1; shift
  CIB_file=$CIB_file TERM=dumb unshare -rm sh -ec 'mount -t overlay usr -o "lowerdir=$1/usr:/usr" /usr
    for d in /var/log /var/lib; do mount -t tmpfs tmpfs $d; done
    mkdir -p /var/log/crmsh /var/log/pacemaker /var/lib/pacemaker/cib /var/lib/pacemaker/pengine
    (cat /etc/group; echo haclient:x:0:) >"$2"; mount --bind "$2" /etc/group
    (cat /etc/passwd; echo hacluster:x:0:0::/:/bin/false) >"$3"; mount --bind "$3" /etc/passwd
    shift 3; exec crm -F "$@"' - "$root" "$tmp/group" "$tmp/passwd" "$@" >log 2>&1
}
move() { # move VALUE TEXT LOADED: a value in XML, in the text of crmsh, and in XML after a load
  cib "$1" >from; cib >to; rm -f text
  PCMK_schema_directory=$root/usr/share/pacemaker crm_verify -V --xml-file from >log 2>&1 || fail "crm_verify: $(cat log)"
  crm_in from configure save "$tmp/text" || fail "exit code $?: $(cat log)"
  crm_in to configure load replace "$tmp/text" || fail "exit code $?: $(cat log)"
  got=$(sed -n 's/.*name="fake" value="\([^"]*\)".*/\1/p' to)
  printf '%s\n' "value=\"$1\" -> $(grep -o 'fake=.*' text) -> value=\"$got\""
  [ "$(grep -o 'fake=.*' text)" = "fake=$2" ] || fail "the text is not $2"
  [ "$got" = "$3" ] || fail "not $3"
}
refused() { # refused VALUE
  cib "$1" >from
  for command in "save $tmp/text" "save xml $tmp/text" show; do
    if crm_in from configure $command; then fail "exit code 0"; fi
    printf '%s\n' "value=\"$1\": crm configure ${command%" $tmp/text"}: $(grep -o 'configure: .*' log)"
    holds 'No closing quotation' log
  done
}
crm_in from --version || :; cat log
move 'a b' '"a b"' 'a b'
move 'say &quot;x&quot;' '"say \"x\""' 'say &quot;x&quot;'
move 'one&#10;two' '"one\ntwo"' 'one\ntwo'
move 'one&#9;two' '"one    two"' 'one    two'
refused 'C:\dir\'
refused 'a\&quot;b'
