#!/usr/bin/env bash
# PostgreSQL's own tools and heavier commands on a mounted line.
#   postgres_commands_test.sh MOUNT_STORE
mount_store=$1
source "$(dirname "$0")/postgres_common.sh"

serve
data=$(data_of "$line")
initialize "$data"
step "initdb"
start_server main "$data" "${store_settings[@]}"
on main "$postgres_bin/pgbench" -i -q -s 5 postgres 2>/dev/null
step "pgbench -i"

query main postgres "CREATE DATABASE by_log STRATEGY wal_log TEMPLATE template0"
query main postgres "CREATE DATABASE by_copy STRATEGY file_copy TEMPLATE template0"
for database in by_log by_copy; do
    query main $database "CREATE TABLE t AS SELECT generate_series(1, 10000) AS n"
    [ "$(query main $database 'SELECT sum(n) FROM t')" = 50005000 ] || fail "$database"
done
query main postgres "CREATE DATABASE copied TEMPLATE by_copy STRATEGY file_copy"
[ "$(query main copied 'SELECT count(*) FROM t')" = 10000 ] || fail "CREATE DATABASE from a template"
query main postgres "DROP DATABASE copied"
step "CREATE DATABASE in both strategies"

mkdir "$work/outside"
[ ${#run[@]} = 0 ] || chown "$owner" "$work/outside"
refusal=$(query main postgres "CREATE TABLESPACE outside LOCATION '$work/outside'" 2>&1) &&
    fail "CREATE TABLESPACE was not refused"
[[ $refusal == *"not supported"* ]] || fail "CREATE TABLESPACE: $refusal"
step "CREATE TABLESPACE is refused: ${refusal##*: }"

query main postgres "DELETE FROM pgbench_accounts WHERE aid % 3 = 0"
query main postgres "VACUUM pgbench_accounts"
query main postgres "VACUUM FULL pgbench_accounts"
query main postgres "CLUSTER pgbench_accounts USING pgbench_accounts_pkey"
query main postgres "REINDEX DATABASE postgres"
query main postgres "REINDEX TABLE CONCURRENTLY pgbench_accounts"
query main postgres "TRUNCATE pgbench_history"
step "VACUUM FULL, CLUSTER, REINDEX"

plan=$(query main postgres "SET max_parallel_workers_per_gather = 2; SET parallel_setup_cost = 0;
    SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;
    EXPLAIN (ANALYZE, COSTS OFF) SELECT sum(abalance) FROM pgbench_accounts")
[[ $plan == *"Workers Launched: 2"* ]] || fail "no parallel workers: $plan"
query main postgres "SET work_mem = '64kB';
    SELECT count(*) FROM (SELECT * FROM pgbench_accounts ORDER BY filler, aid) sorted" >/dev/null
step "parallel query and external sort"

query main postgres "CREATE DATABASE restored"
on main bash -c "'$postgres_bin/pg_dump' postgres | psql -Xq -v ON_ERROR_STOP=1 -d restored" >/dev/null
digest="SELECT md5(string_agg(a::text, ',' ORDER BY aid)) FROM pgbench_accounts a"
[ "$(query main postgres "$digest")" = "$(query main restored "$digest")" ] || fail "pg_dump | psql"
step "pg_dump | psql"

on main "$postgres_bin/pg_basebackup" -D "$work/run/backup" -c fast -X stream
as_owner "$postgres_bin/pg_verifybackup" "$work/run/backup" >/dev/null || fail "pg_verifybackup"
start_server backup "$work/run/backup"
[ "$(query main postgres "$digest")" = "$(query backup postgres "$digest")" ] || fail "the backup"
stop_server "$work/run/backup"
step "pg_basebackup, pg_verifybackup"

check_tables main
check_no_split_writes
stop_server "$data"
check_checksums "$data"
as_owner "$postgres_bin/postgres" --single -D "$data" postgres </dev/null >/dev/null 2>&1 ||
    fail "single-user mode"
stop_serving
step "pg_amcheck, pg_checksums, clean stop"
