#!/usr/bin/env bash
# Bytes of history per committed pgbench transaction: of a branch in its first hour (every position),
# after that (one a second) and after a day (one a minute), beside the WAL that an archive with
# PostgreSQL's defaults and zstd would keep. The hours pass in the store's clock only.
#   space.sh PATH_TO_LB PATH_TO_RECLAIM_BENCH [SECONDS] [SCALE]     60 10
lb=$1
reclaim_bench=$(readlink -f "$2")
seconds=${3:-60}
scale=${4:-10}
source "$(dirname "$(readlink -f "$0")")/common.sh"

transactions() { awk '/number of transactions actually processed/ { print $NF }' output; }
per_transaction() { # label bytes transactions
    awk -v label="$1" -v bytes="$2" -v count="$3" 'BEGIN {
        printf "%-58s %7.0f bytes per transaction\n", label, bytes / count }'
}

printf '[project]\nname = "space"\n\n[databases.shop]\n' >lb.toml
"$lb" apply --auto-approve --quiet >/dev/null
url=$("$lb" url --socket --branch main --database shop)
"$pgbench" -i -q -s "$scale" "$url" 2>/dev/null
sql main "CHECKPOINT"
"$lb" stop >/dev/null 2>&1
rm -rf before
"$reclaim_bench" "$LB_HOME/store" >before
url=$("$lb" url --socket --branch main --database shop)
"$pgbench" -n -c 8 -j 2 -T "$seconds" "$url" >output 2>/dev/null
count=$(transactions)
sql main "CHECKPOINT"
"$lb" stop >/dev/null 2>&1
"$reclaim_bench" "$LB_HOME/store" 2 26 >after
bytes() { awk -v when="$1" '$1 == when { print $3 + $5 }' "$2"; }
echo "$count transactions in $seconds s at scale $scale, 8 clients"
per_transaction "lb, first hour: every position" $(($(bytes now after) - $(bytes now before))) "$count"
per_transaction "lb, up to a day: one position a second" $(($(bytes 2h after) - $(bytes none after))) "$count"
per_transaction "lb, after a day: one position a minute" $(($(bytes 26h after) - $(bytes none after))) "$count"
awk '$1 == "now" { hot = $3 } $1 == "2h" { printf "reclaim of %.0f MiB took %.1f s; left are %.0f MiB, which took %.0f MiB in hot segments\n",
    hot / 1048576, $9, $5 / 1048576, $7 / 1048576 }' after

# The same load on plain files, as an archive would see it.
bin=$(dirname "$pgbench")
run_as=()
if [ "$(id -u)" -eq 0 ]; then
    mkdir plain && chown postgres plain && run_as=(setpriv --reuid=postgres --regid=postgres --clear-groups)
else
    mkdir plain
fi
"${run_as[@]}" "$bin/initdb" -D "$work/plain/data" -U postgres --auth=trust --no-sync >/dev/null
"${run_as[@]}" mkdir plain/archive plain/socket
"${run_as[@]}" "$bin/pg_ctl" -D "$work/plain/data" -w -l "$work/plain/log" -o "-c listen_addresses='' \
    -c unix_socket_directories=$work/plain/socket -c archive_mode=on \
    -c archive_command='cp %p $work/plain/archive/%f'" start >/dev/null
stop_plain() { "${run_as[@]}" "$bin/pg_ctl" -D "$work/plain/data" -m fast stop >/dev/null 2>&1; }
trap 'stop_plain; "$lb" stop >/dev/null 2>&1; rm -rf "$work"' EXIT
plain="host=$work/plain/socket user=postgres dbname=postgres"
"$pgbench" -i -q -s "$scale" "$plain" 2>/dev/null
"$bin/psql" "$plain" -XAtqc "CHECKPOINT" -c "SELECT pg_switch_wal()" >/dev/null
sleep 2
rm -f plain/archive/*
"$pgbench" -n -c 8 -j 2 -T "$seconds" "$plain" >output 2>/dev/null
count=$(transactions)
"$bin/psql" "$plain" -XAtqc "SELECT pg_switch_wal()" >/dev/null
sleep 3
plain_bytes=$(cat plain/archive/* | wc -c)
zstd_bytes=$(for file in plain/archive/*; do zstd -3 -q -c "$file"; done | wc -c)
per_transaction "archive of PostgreSQL's defaults, plain" "$plain_bytes" "$count"
per_transaction "archive of PostgreSQL's defaults, zstd -3" "$zstd_bytes" "$count"
