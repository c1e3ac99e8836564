#!/bin/sh
# Debian resource-agents 4.12.0: an OCF agent whose parameter is set but empty.
#
# One expects that OCF_RESKEY_state="" means "not given", as an empty field of a form does, and takes the default.
# The agents set a default only where the variable is unset. Dummy takes the empty text for the path of its state, and
# says that it runs (0) before it was started and after it was stopped. Without the variable it says 7, not running.
#
# So whoever calls agents with one variable for each parameter of a form, empty or not, starts nothing: the probe says
# that all is up. And a stop reports success, and the service is still "up". Leave empty parameters out.
set -eu
. "$(dirname "$0")/lib.sh"
get resource-agents=1:4.12.0-2
export OCF_ROOT="$root/usr/lib/ocf" HA_RSCTMP="$tmp/state"
mkdir "$HA_RSCTMP"
dummy=$OCF_ROOT/resource.d/heartbeat/Dummy
echo "resource-agents 4.12.0, Dummy"

does() { # does EXIT-CODE COMMAND…
  want=$1; shift
  code=0; "$@" >/dev/null 2>&1 || code=$?
  echo "$(echo "$*" | sed "s,$OCF_ROOT/.*/,,"): exit code $code"
  [ "$code" = "$want" ] || fail "exit code $code, and not $want"
}
say "state is not set"
does 7 "$dummy" monitor
does 0 "$dummy" start
does 0 "$dummy" monitor
does 0 "$dummy" stop
does 7 "$dummy" monitor

say "state is set and empty"
does 0 env OCF_RESKEY_state= "$dummy" monitor
does 0 env OCF_RESKEY_state= "$dummy" start
does 0 env OCF_RESKEY_state= "$dummy" stop
does 0 env OCF_RESKEY_state= "$dummy" monitor
