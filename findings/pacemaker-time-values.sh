#!/bin/sh
# Debian pacemaker-cli-utils 2.1.5: times of an operation that Pacemaker does not read, in a CIB that crm_verify accepts.
#
# One expects that interval and timeout of an operation read a time alike, and that crm_verify -V names one that is lost.
# interval="PT1M" is a minute, as ISO 8601 has it. timeout="PT1M" is dropped, and the default of 20 s holds.
# "1m30s" is 60 s in both. With interval="1d" the monitor is never scheduled at all, without a word. crm_verify exits with 0
# and prints nothing for any of them.
#
# So a slow start is cut off after 20 s, or a resource is never watched, and the check of the configuration is green.
# Give times in whole seconds, and look into the graph of `crm_simulate -R -G` for what the cluster will use.
set -eu
. "$(dirname "$0")/lib.sh"
p=2.1.5-1+deb12u1
get pacemaker-cli-utils=$p pacemaker-common=$p libcib27=$p libcrmcommon34=$p libcrmservice28=$p liblrmd28=$p \
  libpacemaker1=$p libpe-rules26=$p libpe-status28=$p libstonithd26=$p libqb100=2.0.6-2 libpils2=1.0.12-21+b2 \
  libltdl7=2.4.7-7~deb12u1 libxml2=2.9.14+dfsg-1.3~deb12u6 libicu72=72.1-3+deb12u1 libxslt1.1=1.1.35-1+deb12u4 \
  libglib2.0-0=2.74.6-2+deb12u9 libpcre2-8-0=10.42-1+deb12u2 libdbus-1-3=1.14.10-1~deb12u1
LD_LIBRARY_PATH=$LD_LIBRARY_PATH:$root/usr/lib
export PCMK_schema_directory="$root/usr/share/pacemaker" CIB_shadow_dir="$tmp"
crm_simulate --version | head -1
cd "$tmp"

monitor() { # monitor INTERVAL TIMEOUT "INTERVAL-MS TIMEOUT-MS": the recurring monitor in the graph of the transition
  say "interval=\"$1\" timeout=\"$2\""
  cat >cib.xml <<C
<cib validate-with="pacemaker-3.9" crm_feature_set="3.16.2" admin_epoch="0" epoch="1" num_updates="0" have-quorum="1" dc-uuid="1">
  <configuration>
    <crm_config><cluster_property_set id="o"><nvpair id="s" name="stonith-enabled" value="false"/></cluster_property_set></crm_config>
    <nodes><node id="1" uname="one"/></nodes>
    <resources><primitive id="d" class="ocf" provider="pacemaker" type="Dummy"><operations>
      <op id="m" name="monitor" interval="$1" timeout="$2"/></operations></primitive></resources>
    <constraints/>
  </configuration>
  <status><node_state id="1" uname="one" in_ccm="true" crmd="online" join="member" expected="member">
    <lrm id="1"><lrm_resources/></lrm></node_state></status>
</cib>
C
  crm_verify -V -x cib.xml >out 2>&1 || fail "crm_verify exits with $?: $(cat out)"
  [ ! -s out ] || fail "crm_verify says: $(cat out)"
  echo "crm_verify -V: exit code 0, nothing printed"
  rm -f graph
  crm_simulate -x cib.xml -R -G graph >out 2>&1 || fail "crm_simulate exits with $?: $(cat out)"
  holds 'Start  *d ' out
  seen=$(sed -n 's/.*CRM_meta_interval="\([0-9]*\)".*CRM_meta_timeout="\([0-9]*\)".*/\1 \2/p' graph)
  echo "the recurring monitor, interval and timeout in ms: ${seen:-none}"
  [ "$seen" = "$3" ] || fail "'$seen', and not '$3'"
}
monitor 60 60 "60000 60000"
monitor PT1M PT1M "60000 20000"
monitor 1m30s 1m30s "60000 60000"
monitor 60 1d "60000 20000"
monitor 1d 60 ""
