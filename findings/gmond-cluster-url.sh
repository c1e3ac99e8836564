#!/bin/sh
# Debian ganglia-monitor 3.7.2: the section "cluster" of gmond.conf, with an ampersand in the URL or the name.
#
# One expects XML that can be read: gmond escapes the values of metrics, and gmond.conf(5) says of the url that it leads to
# more information on the cluster, and nothing of a syntax.
# The values of this section are written as they are. With url = "http://wiki.example/?page=1&rack=2", or the name "R&D", no
# parser takes what gmond sends, of any host. The start and gmetric say nothing.
#
# So one address takes all values of a cluster away. Write &amp; in this section.
set -eu
. "$(dirname "$0")/lib.sh"
get ganglia-monitor=3.7.2-6+b2 libganglia1=3.7.2-6+b2 libconfuse2=3.3-3 libapr1=1.7.2-3+deb12u1 libpcre3=2:8.39-15
cd "$tmp"
gmond --version
conf() { # conf NAME URL
  cat <<C
globals {
  daemonize = no
  setuid = no
}
cluster {
  name = "$1"
  url = "$2"
}
udp_send_channel {
  host = 127.0.0.1
  port = 8649
}
udp_recv_channel {
  port = 8649
  bind = 127.0.0.1
}
tcp_accept_channel {
  port = 8649
  bind = 127.0.0.1
}
C
}
cat >inside <<'I'
ip link set lo up
gmond -c gmond.conf >log 2>&1 &
daemon=$!
trap 'kill $daemon; wait $daemon || :' EXIT
/usr/bin/python3 - <<'P'
import socket, subprocess, time
def ask():
    with socket.create_connection(("127.0.0.1", 8649)) as connection:
        return b"".join(iter(lambda: connection.recv(65536), b""))
for _ in range(50):
    try:
        subprocess.run(["gmetric", "-c", "gmond.conf", "--name", "state", "--value", "up & ready", "--type", "string"], check=True)
        time.sleep(0.2)
        if b'NAME="state"' in (xml := ask()):
            break
    except OSError:
        time.sleep(0.2)
open("xml", "wb").write(xml)
P
I
answer() { # answer NAME URL RESULT
  conf "$1" "$2" >gmond.conf
  unshare -rn sh -e inside || fail "exit code $?: $(cat log)"
  say "name $1, url $2"
  grep '^<CLUSTER\|NAME="state"' xml
  holds 'NAME="state" VAL="up &amp; ready"' xml
  [ ! -s log ] || fail "gmond says: $(cat log)"
  python3 -c 'import xml.etree.ElementTree as tree
try:
    print("a parser finds", len(tree.parse("xml").findall(".//METRIC")) > 0 and "metrics")
except tree.ParseError as error:
    print("a parser says:", error)' >out
  cat out
  holds "$3" out
}
answer web 'http://wiki.example/?rack=2' 'finds metrics'
answer web 'http://wiki.example/?page=1&rack=2' 'says: not well-formed'
answer R\&D 'http://wiki.example/?rack=2' 'says: not well-formed'
answer web 'http://wiki.example/?page=1&amp;rack=2' 'finds metrics'
