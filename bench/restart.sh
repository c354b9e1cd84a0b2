#!/usr/bin/env bash
# kill -9 of the daemon with log that is not in the index yet; time until lb answers, and until a
# query does. The index is lost for the second figure: then all of the log is replayed.
#   restart.sh PATH_TO_LB [MEBIBYTES]     1024
lb=$1
megabytes=${2:-1024}
source "$(dirname "$(readlink -f "$0")")/common.sh"

printf '[project]\nname = "restart"\n\n[databases.shop]\n' >lb.toml
"$lb" apply --auto-approve --quiet >/dev/null
url=$("$lb" url --socket --branch main --database shop)
"$pgbench" -i -q -s 5 "$url" 2>/dev/null
start=$(own_bytes main)
"$pgbench" -n -c 8 -j 2 -T 3600 "$url" >/dev/null 2>&1 &
load=$!
while [ $((($(own_bytes main) - start) / 1048576)) -lt "$megabytes" ]; do sleep 0.2; done
kill_daemon() {
    local pid
    pid=$(daemon_pid)
    kill -9 "$pid"
    while kill -0 "$pid" 2>/dev/null; do sleep 0.01; done
}
kill_daemon
kill $load 2>/dev/null || true
wait $load 2>/dev/null || true
query() { sql main "SELECT count(*) FROM pgbench_branches"; }

echo "log at the kill: $(du -sm "$LB_HOME/store/seg" | cut -f 1) MiB on disk; index flushed up to its last 256 MiB"
echo "lb status after the kill: $(timed "$lb" status) ms; first query after that: $(timed query) ms"
kill_daemon
rm -rf "$LB_HOME/store/index"
echo "without the index, all log replayed: lb status $(timed "$lb" status) ms; first query after that: $(timed query) ms"
