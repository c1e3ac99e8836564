#!/bin/sh
# Debian resource-agents 4.12.0: the defaults in the meta-data of the OCF agent iSCSILogicalUnit.
#
# One expects that meta-data describes the agent, and is the same whoever asks.
# The SCSI id of a LUN and its serial number have defaults that are made of OCF_RESOURCE_INSTANCE, the name of the
# instance that is just being handled. Tools ask for meta-data without an instance, and then the id is RESOURCE_ID and
# the serial is a digest of that, for every LUN of every cluster.
#
# So a tool that reads the defaults once and passes them back as values gives each LUN the same serial and id, and
# multipath on the initiator takes two disks for two paths to one. Never pass a default that the user did not write.
set -eu
. "$(dirname "$0")/lib.sh"
get resource-agents=1:4.12.0-2
export OCF_ROOT="$root/usr/lib/ocf" HA_RSCTMP="$tmp/state"
mkdir "$HA_RSCTMP"
unset OCF_RESOURCE_INSTANCE
echo "resource-agents 4.12.0, iSCSILogicalUnit"

default() { # default PARAMETER
  "$OCF_ROOT/resource.d/heartbeat/iSCSILogicalUnit" meta-data 2>/dev/null |
    sed -n "/<parameter name=\"$1\"/,/<\/parameter>/s/.*default=\"\([^\"]*\)\".*/\1/p"
}
pair() { echo "id $(default scsi_id), serial $(default scsi_sn)"; }

say "asked without an instance, as tools do"
plain=$(pair); echo "$plain"
again=$(pair); echo "$again"
say "asked for the instances disk1 and disk2"
disk1=$(OCF_RESOURCE_INSTANCE=disk1 pair); echo "$disk1"
disk2=$(OCF_RESOURCE_INSTANCE=disk2 pair); echo "$disk2"

case $plain in "id RESOURCE_ID, serial "?*) ;; *) fail "the defaults without an instance: $plain";; esac
[ "$plain" = "$again" ] || fail "the defaults differ between two calls"
[ "$disk1" != "$disk2" ] || fail "the instance does not matter"
[ "$plain" != "$disk1" ] || fail "the instance does not matter"
