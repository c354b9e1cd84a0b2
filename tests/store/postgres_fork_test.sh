#!/usr/bin/env bash
# Lines forked while pgbench runs on the parent: each fork comes up as after a crash, is whole, and
# goes its own way.
#   postgres_fork_test.sh MOUNT_STORE [FORKS]
mount_store=$1
forks=${2:-4}
source "$(dirname "$0")/postgres_common.sh"

serve
parent=$line
data=$(data_of "$parent")
initialize "$data"
start_server main "$data" "${store_settings[@]}" -c checkpoint_timeout=30s
on main "$postgres_bin/pgbench" -i -q -s 4 postgres 2>/dev/null
step "pgbench -i"

on main "$postgres_bin/pgbench" -n -c 4 -T 600 postgres >/dev/null 2>&1 &
load=$!
previous=$parent
for ((i = 1; i <= forks; ++i)); do
    sleep "0.$((RANDOM % 10))"
    # Every second one is a fork of a fork.
    [ $((i % 2)) = 0 ] || previous=$parent
    child=$(fork_line "$previous")
    directory=$(data_of "$child")
    [ ! -e "$directory/postmaster.pid" ] || fail "the fork shows its parent's postmaster.pid"
    start_server "fork$i" "$directory" "${store_settings[@]}"
    before=$(query "fork$i" postgres "SELECT count(*) FROM pgbench_history")
    check_pgbench "fork$i"
    check_tables "fork$i"
    on "fork$i" "$postgres_bin/pgbench" -n -c 2 -t 200 postgres >/dev/null 2>&1 ||
        fail "pgbench on fork $i"
    [ "$(query "fork$i" postgres 'SELECT count(*) FROM pgbench_history')" = $((before + 400)) ] ||
        fail "the fork sees its parent's later transactions"
    check_pgbench "fork$i"
    stop_server "$directory"
    check_checksums "$directory"
    step "fork $i of line $previous: line $child with $before transactions"
    previous=$child
done
query main postgres "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE application_name = 'pgbench'" >/dev/null
wait "$load" || true
check_pgbench main
check_tables main
check_no_split_writes
stop_server "$data"
check_checksums "$data"

ask "delete $child" >/dev/null
[ ! -e "$(data_of "$child")" ] || fail "the deleted line is still shown"
check_checksums "$data"
stop_serving
step "the parent is whole"
