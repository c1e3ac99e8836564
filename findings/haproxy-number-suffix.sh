#!/bin/sh
# Debian haproxy 2.6.12: a number with a suffix, such as 2k, in a configuration file.
#
# One expects that 2k is 2000 or 2048, or that the check refuses it: the size of a stick table takes 1k, and "rate-limit
# sessions 1k" is an error, as is 1k in a condition.
# In maxconn, fullconn, maxqueue, minconn and retries what stands behind the digits is dropped: a frontend with "maxconn 2k"
# serves two connections at a time. `haproxy -c` says "Configuration file is valid" with exit code 0.
#
# So a service that was tested by hand stands still under load, with its clients in the backlog. Write all digits, and look at
# slim and qlimit in `show stat` after the start.
set -eu
. "$(dirname "$0")/lib.sh"
get haproxy=2.6.12-1+deb12u4 liblua5.3-0=5.3.6-2 libopentracing-c-wrapper0=1.1.3-3+b1 libopentracing1=1.6.0-4
haproxy -v | head -1
cd "$tmp"
cat >file <<H
global
  stats socket $tmp/stats level admin
defaults
  timeout client 10s
  timeout server 10s
  timeout connect 10s
  mode http
frontend f
  bind unix@$tmp/listen
  maxconn 2k
  http-request return status 200
  default_backend b
backend b
  fullconn 10k
  server s unix@$tmp/nobody maxconn 3k maxqueue 4k
  stick-table type ip size 5k
H
say "haproxy -c"
haproxy -c -f file >out 2>&1 || fail "exit code $?: $(cat out)"
cat out
holds 'Configuration file is valid' out
say "rate-limit sessions 1k"
sed 's/  maxconn 2k/&\n  rate-limit sessions 1k/' file >refused
if haproxy -c -f refused >out 2>&1; then fail "exit code 0"; fi
grep rate-limit out
holds "unexpected character 'k'" out

say "what it serves with, from show stat and show table"
haproxy -f file >log 2>&1 & pids=$!
cat >ask.py <<'P'
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect("stats")
s.sendall(sys.argv[1].encode() + b"\n")
sys.stdout.write(s.makefile().read())
P
until_ok python3 ask.py 'show info'
python3 ask.py 'show stat' | python3 -c 'import csv, sys
for row in csv.DictReader(filter(str.strip, sys.stdin)): print(row["# pxname"], row["svname"], "slim:", row["slim"], "qlimit:", row["qlimit"])' >out
python3 ask.py 'show table' | grep . >>out
cat out
holds '^f FRONTEND slim: 2 ' out
holds '^b s slim: 3 qlimit: 4$' out
holds '^b BACKEND slim: 10 ' out
holds 'table: b, type: ip, size:5120,' out
say "three clients"
cat >clients.py <<'P'
import socket
clients = []
for n in 1, 2, 3:
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(2)
    s.connect("listen")
    s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    try:
        print(n, s.recv(100).split(b"\r")[0].decode())
    except TimeoutError:
        print(n, "no answer within two seconds")
    clients.append(s)
P
python3 clients.py | tee out
holds '^2 HTTP/1.1 200' out
holds '^3 no answer' out
