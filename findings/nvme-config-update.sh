#!/bin/sh
# Debian nvme-cli 2.4+really2.3 and libnvme1 1.3: `nvme config --modify --update`, a change of /etc/nvme/config.json.
#
# One expects that the port that is named changes, and that the others stay as they were.
# Each rewrite of the file drops ctrl_loss_tmo and tos of all ports, and "application" of each subsystem, also without any
# change, with `nvme config --update`. The other options stay: queues, digests, keep_alive_tmo, reconnect_delay. `nvme config
# --dump` does not show the three either. The exit code is 0. A ctrl_loss_tmo that is given in the same call is written.
#
# So after a second target is added, the first one has the default again: 600 seconds until the kernel gives a lost path up, in
# place of what the cluster was tuned for. Edit the file by hand, or compare it after each call.
set -eu
. "$(dirname "$0")/lib.sh"
get nvme-cli=2.4+really2.3-3 libnvme1=1.3-1+deb12u1 libjson-c5=0.16-2
cd "$tmp"
cat >inside <<'I'
mount -t tmpfs none /etc
mkdir /etc/nvme
id=00000000-0000-4000-8000-000000000001
echo nqn.2014-08.org.nvmexpress:uuid:$id >/etc/nvme/hostnqn
echo $id >/etc/nvme/hostid
nvme --version
cat >/etc/nvme/config.json <<'J'
[{ "hostnqn": "nqn.2014-08.org.nvmexpress:uuid:00000000-0000-4000-8000-000000000001",
   "hostid": "00000000-0000-4000-8000-000000000001",
   "subsystems": [{ "nqn": "nqn.2026-01.example:one", "application": "database", "ports": [
     { "transport": "tcp", "traddr": "10.0.0.1", "trsvcid": "4420", "nr_io_queues": 4, "keep_alive_tmo": 30,
       "reconnect_delay": 5, "ctrl_loss_tmo": 60, "tos": 8, "hdr_digest": true } ] }] }]
J
port() { # port FILE: of the first subsystem
  python3 -c 'import json, sys
for system in json.load(open(sys.argv[1]))[0]["subsystems"]:
    print(system["nqn"].split(":")[1] + ":", *[f"{k}={v}" for k, v in system.items() if k not in ("nqn", "ports")], end=" ")
    print(*[f"{k}={v}" for k, v in system["ports"][0].items() if k not in ("transport", "trsvcid", "traddr")])' "$1" | sort
}
port /etc/nvme/config.json >before
nvme config --dump >shown.json
port shown.json >shown
nvme config --modify --transport=tcp --traddr=10.0.0.2 --trsvcid=4420 --nqn=nqn.2026-01.example:two --ctrl-loss-tmo=90 --update
port /etc/nvme/config.json >after
nvme config --update
port /etc/nvme/config.json >again
I
unshare -rmn sh -e inside || fail "exit code $?"
is() { say "$1"; cat "$2"; [ "$(paste -sd';' "$2")" = "$3" ] || fail "and not $3"; }
is 'the file' before 'one: application=database nr_io_queues=4 keep_alive_tmo=30 reconnect_delay=5 ctrl_loss_tmo=60 tos=8 hdr_digest=True'
is 'nvme config --dump' shown 'one: nr_io_queues=4 keep_alive_tmo=30 reconnect_delay=5 hdr_digest=True'
is 'after the port of another subsystem was added, with --ctrl-loss-tmo=90' after \
  'one: nr_io_queues=4 keep_alive_tmo=30 reconnect_delay=5 hdr_digest=True;two: ctrl_loss_tmo=90'
is 'after nvme config --update' again 'one: nr_io_queues=4 keep_alive_tmo=30 reconnect_delay=5 hdr_digest=True;two: '
