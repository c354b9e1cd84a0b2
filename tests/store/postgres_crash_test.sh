#!/usr/bin/env bash
# The process that serves the mount is killed under load; after the next start PostgreSQL recovers, every
# transaction that was acknowledged is there, and nothing is damaged.
#   postgres_crash_test.sh MOUNT_STORE [ROUNDS]
mount_store=$1
rounds=${2:-5}
source "$(dirname "$0")/postgres_common.sh"

serve
data=$(data_of "$line")
initialize "$data"
start_server main "$data" "${store_settings[@]}" -c checkpoint_timeout=30s
on main "$postgres_bin/pgbench" -i -q -s 4 postgres 2>/dev/null
query main postgres "CREATE TABLE acknowledged (n bigint PRIMARY KEY)"
step "pgbench -i"

# Inserts 1, 2, 3... and notes each number after its commit was acknowledged.
client() {
    local n=$1
    while query main postgres "INSERT INTO acknowledged VALUES ($n)" 2>/dev/null; do
        echo "$n" >>"$work/acknowledged"
        n=$((n + 1))
    done
}

touch "$work/acknowledged"
for ((round = 1; round <= rounds; ++round)); do
    on main "$postgres_bin/pgbench" -n -c 4 -T 60 postgres >/dev/null 2>&1 &
    load=$!
    client $((round * 1000000)) &
    inserter=$!
    sleep "$((1 + RANDOM % 3)).$((RANDOM % 10))"
    stop_serving KILL
    abandon_server "$data"
    wait "$inserter"
    wait "$load" || true

    serve
    start_server main "$data" "${store_settings[@]}" -c checkpoint_timeout=30s
    lost=$(comm -23 <(sort -u "$work/acknowledged") \
        <(query main postgres "SELECT n FROM acknowledged" | sort -u))
    [ -z "$lost" ] || fail "acknowledged transactions are lost: $lost"
    check_pgbench main
    step "round $round: $(wc -l <"$work/acknowledged") acknowledged, $(query main postgres \
        'SELECT count(*) FROM pgbench_history') transactions of pgbench"
done
check_tables main
stop_server "$data"
check_checksums "$data"
stop_serving
step "pg_amcheck, pg_checksums"
