#!/usr/bin/env bash
# ./dev bench [NAME]: measures, and prints ratios. Usage: run.sh BUILD_DIRECTORY [NAME]
#   pgbench    pgbench on a line of the store beside plain ext4, in one run (takes minutes)
#   branches   1,000 branches of one parent through the real daemon: time and bytes of each
#   store      micro benchmarks of the store
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
build=$(readlink -f "$1")
name=${2:-all}

if [ "$name" = store ] || [ "$name" = all ]; then
    echo "== store"
    "$build/bench/store_bench" --benchmark_counters_tabular=true
fi
if [ "$name" = branches ] || [ "$name" = all ]; then
    echo "== branches"
    "$here/branches.sh" "$build/cli/lb"
fi
if [ "$name" = pgbench ] || [ "$name" = all ]; then
    echo "== pgbench"
    "$here/pgbench_compare.sh" "$(find "$build/tests" -name mount_store -type f -perm -u+x | head -1)" \
        "${@:3}"
fi
