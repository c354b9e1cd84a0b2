#!/usr/bin/env bash
# What a branch costs to make, to use first, and to write to, at two sizes of the parent.
#   growth.sh PATH_TO_LB [SCALE...]     68 (1 GiB); LB_BENCH_FULL=1: 68 and 342 (5 GiB)
#
# For each scale of pgbench: `lb branch create` to the first query, five times, with an idle parent
# and with a parent under full load (8 clients); then UPDATE of 1 % of the rows of a branch, spread
# over the table or side by side, and CHECKPOINT: bytes that the branch brought to the store beside
# the bytes of the pages that the UPDATE touched (heap and index, as they differ from the parent's).
lb=$1
shift
scales=("$@")
if [ $# = 0 ]; then
    scales=(68)
    [ -z "${LB_BENCH_FULL:-}" ] || scales+=(342)
fi
source "$(dirname "$(readlink -f "$0")")/common.sh"

printf '[project]\nname = "growth"\n\n[databases.shop]\n' >lb.toml
"$lb" apply --auto-approve --quiet >/dev/null
url=$("$lb" url --socket --branch main --database shop)

first_query() { # name
    "$lb" branch create "$1" --parent main && sql "$1" "SELECT count(*) FROM pgbench_branches"
}
first_queries() { # label
    local n
    for n in 1 2 3 4 5; do
        timed first_query "new-$1-$n"
        "$lb" compute stop "new-$1-$n" >/dev/null 2>&1 || true
    done >"times-$1"
    echo "branch create to first query, parent $1: median $(median <"times-$1") ms ($(
        tr '\n' ' ' <"times-$1"))"
}

# The relation's pages with the place in the WAL of their last change.
pages() { # branch relation
    sql "$1" "SELECT i, (page_header(get_raw_page('$2', i::int))).lsn FROM
        generate_series(0, pg_relation_size('$2') / 8192 - 1) AS i"
}
touched_pages() {
    local relation total=0
    for relation in pgbench_accounts pgbench_accounts_pkey; do
        pages main $relation >pages-before
        pages "$1" $relation >pages-after
        total=$((total + $(comm -13 <(sort pages-before) <(sort pages-after) | wc -l)))
    done
    echo $total
}
update() { # branch condition
    "$lb" branch create "$1" --parent main >/dev/null 2>&1
    sql "$1" "CHECKPOINT"
    local before after pages
    before=$(own_bytes "$1")
    sql "$1" "UPDATE pgbench_accounts SET abalance = abalance + 1 WHERE $2"
    sql "$1" "CHECKPOINT"
    after=$(own_bytes "$1")
    pages=$(touched_pages "$1")
    awk -v grown=$((after - before)) -v pages="$pages" -v name="$1" 'BEGIN {
        printf "UPDATE of 1 %% of the rows, %s: the branch grew %.1f MiB, touched pages %.1f MiB, ratio %.2f\n",
            name, grown / 1048576, pages / 128, grown / (pages * 8192) }'
}

for scale in "${scales[@]}"; do
    echo "-- scale $scale"
    "$pgbench" -i -q -s "$scale" "$url" 2>/dev/null
    sql main "CREATE EXTENSION IF NOT EXISTS pageinspect"
    # Hint bits and all-visible marks are not what an UPDATE touches.
    sql main "VACUUM (FREEZE, ANALYZE)" && sql main "CHECKPOINT"
    sleep 1
    # Before the load: what it leaves free on every page would spread the new rows.
    update "side-by-side-$scale" "aid <= $((scale * 1000))"
    update "spread-$scale" "aid % 100 = 0"
    first_queries "idle-$scale"
    "$pgbench" -n -c 8 -j 2 -T 600 "$url" >/dev/null 2>&1 &
    load=$!
    sleep 3
    first_queries "loaded-$scale"
    kill $load
    wait $load 2>/dev/null || true
done
