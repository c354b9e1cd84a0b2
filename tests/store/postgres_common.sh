# Sourced by the PostgreSQL tests and by bench/: a store in a temporary directory, its mount, and
# PostgreSQL servers on its lines. Needs $mount_store, the program of tests/support/mount_store.cc;
# cache=direct mounts without the kernel's page cache.
# Everything is stopped, unmounted and removed at exit, also after a failure.
set -euo pipefail

skip() {
    echo "skipped: $1"
    exit 77
}
fail() {
    echo "FAILED: $1" >&2
    exit 1
}
step() { printf '%6.1f s  %s\n' "$(bc <<<"$(date +%s.%N) - $began")" "$1"; }

began=$(date +%s.%N)
postgres_bin=${LB_POSTGRES_BIN:-$(ls -d /usr/lib/postgresql/15/bin 2>/dev/null || true)}
[ -x "$postgres_bin/initdb" ] || skip "PostgreSQL 15 is not installed"
[ -r /dev/fuse ] || skip "/dev/fuse cannot be opened"

work=$(mktemp -d "${TMPDIR:-/tmp}/lb-postgres-XXXXXX")
chmod 755 "$work"
mkdir "$work/run" "$work/log"
mount=$work/mnt
# PostgreSQL refuses root.
owner=$(id -un)
run=()
if [ "$(id -u)" = 0 ]; then
    owner=postgres
    id "$owner" >/dev/null 2>&1 || skip "there is no user $owner"
    run=(setpriv --reuid "$owner" --regid "$owner" --init-groups)
    chown "$owner" "$work/run" "$work/log"
fi
as_owner() { (cd / && PGOPTIONS='' PGUSER=postgres "${run[@]}" "$@"); }

# -- The store -------------------------------------------------------------------------------------

store_process=
serve() {
    coproc STORE { exec "$mount_store" "$work/store" "$mount" "$owner" ${cache:-}; }
    store_process=$STORE_PID
    local ready
    read -r ready <&"${STORE[0]}" || fail "mount_store did not start"
    line=${ready#ready }
}
# One command to mount_store, one line of answer.
ask() {
    local answer
    echo "$1" >&"${STORE[1]}"
    read -r answer <&"${STORE[0]}" || fail "mount_store ended"
    echo "$answer"
}
stop_serving() {  # [signal]
    [ -n "$store_process" ] || return 0
    kill "-${1:-TERM}" "$store_process"
    wait "$store_process" 2>/dev/null || [ "${1:-TERM}" = KILL ]
    store_process=
}
fork_line() {
    local answer
    answer=$(ask "fork $1")
    [ "${answer% *}" = line ] || fail "fork $1: $answer"
    echo "${answer#line }"
}
data_of() { echo "$mount/$1"; }

# -- Servers: one per data directory, its socket in $work/run/NAME ------------------------------------

# full_page_writes=off is what the store allows; the other two avoid work that is for overwriting
# file systems.
store_settings=(-c full_page_writes=off -c wal_init_zero=off -c wal_recycle=off)

declare -A postmasters=()  # by data directory

initialize() {  # directory
    as_owner "$postgres_bin/initdb" -k -U postgres -A trust -N -D "$1" >"$work/log/initdb.log" ||
        { cat "$work/log/initdb.log"; fail "initdb"; }
}
start_server() {  # name directory [settings...]
    local name=$1 directory=$2
    shift 2
    mkdir -p "$work/run/$name"
    [ ${#run[@]} = 0 ] || chown "$owner" "$work/run/$name"
    as_owner "$postgres_bin/pg_ctl" -D "$directory" -l "$work/log/$name.log" -w -t 60 \
        -o "-c listen_addresses= -k $work/run/$name $*" start >/dev/null ||
        { tail -20 "$work/log/$name.log"; fail "server $name does not start"; }
    postmasters[$directory]=$(as_owner head -1 "$directory/postmaster.pid")
}
stop_server() {  # directory [mode]
    as_owner "$postgres_bin/pg_ctl" -D "$1" -m "${2:-fast}" -w stop >/dev/null
    unset "postmasters[$1]"
}
# For a server whose data directory is gone.
abandon_server() {  # directory
    local pid=${postmasters[$1]} i
    kill -QUIT "$pid" 2>/dev/null || true
    for ((i = 0; i < 200; ++i)); do
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.05
        [ $i != 100 ] || kill -KILL "$pid" 2>/dev/null || true
    done
    unset "postmasters[$1]"
}
# psql and friends against a server: on NAME program arguments...
on() {
    local name=$1
    shift
    PGHOST=$work/run/$name as_owner env PGHOST="$work/run/$name" "$@"
}
query() {  # name database SQL
    on "$1" psql -XAtq -v ON_ERROR_STOP=1 -d "$2" -c "$3"
}

# -- Checks ----------------------------------------------------------------------------------------

# pgbench's own invariant: every transaction added the same delta to four tables.
check_pgbench() {  # name
    local sums
    sums=$(query "$1" postgres "
        SELECT (SELECT sum(abalance) FROM pgbench_accounts) = coalesce(sum(delta), 0)
           AND (SELECT sum(bbalance) FROM pgbench_branches) = coalesce(sum(delta), 0)
           AND (SELECT sum(tbalance) FROM pgbench_tellers) = coalesce(sum(delta), 0)
        FROM pgbench_history")
    [ "$sums" = t ] || fail "$1: the balances of pgbench do not agree"
}
check_tables() {  # name
    query "$1" postgres "SET client_min_messages = warning; CREATE EXTENSION IF NOT EXISTS amcheck"
    on "$1" "$postgres_bin/pg_amcheck" --heapallindexed -d postgres ||
        fail "$1: pg_amcheck found damage"
}
check_checksums() {  # directory of a stopped server
    as_owner "$postgres_bin/pg_checksums" --check -D "$1" >"$work/log/checksums.log" ||
        { cat "$work/log/checksums.log"; fail "$1: checksums"; }
}
check_no_split_writes() {
    local statistics
    statistics=$(ask statistics)
    echo "    $statistics"
    # The few partial writes of PostgreSQL rewrite small files that have no whole block.
    [[ $statistics == *" split_writes=0 "* ]] || fail "writes were split: $statistics"
}

clean_up() {
    local code=$?
    trap - EXIT
    set +e
    local pid
    for pid in "${postmasters[@]}"; do kill -QUIT "$pid" 2>/dev/null; done
    for pid in $(jobs -p); do
        [ "$pid" = "$store_process" ] || kill "$pid" 2>/dev/null
    done
    stop_serving TERM 2>/dev/null
    if mountpoint -q "$mount" || ! stat "$mount" >/dev/null 2>&1; then
        umount -l "$mount" 2>/dev/null || fusermount3 -u -z "$mount" 2>/dev/null
    fi
    if [ "$code" != 0 ] && [ "$code" != 77 ]; then tail -n 15 "$work"/log/*.log; fi
    rm -rf "$work"
    exit "$code"
}
trap clean_up EXIT
trap 'exit 143' TERM INT HUP
