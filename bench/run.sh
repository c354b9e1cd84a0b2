#!/usr/bin/env bash
# ./dev bench [NAME]: measures, and prints ratios. Usage: run.sh BUILD_DIRECTORY [NAME]
#   pgbench    pgbench on a line of the store beside plain ext4, in one run (takes minutes)
#   branches   1,000 branches of one parent through the real daemon: time and bytes of each
#   store      micro benchmarks of the store
#   plan       plans and applies of 100 to 10,000 branches, beside Terraform where it is installed
#   growth     what a branch costs to make, to use first and to write to (LB_BENCH_FULL=1: also 5 GiB)
#   tree       10,000 branches in a tree of depth 20
#   space      bytes of history per transaction, beside an archive of WAL
#   restart    time until lb answers after a kill with 1 GiB of log
#   filesystem fio and stress-ng with verification on a mounted line and a fork
#   pgbench has LB_BENCH_FULL=1 too: btrfs and XFS beside it, 1 to 32 clients
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
for script in plan growth tree restart; do
    if [ "$name" = $script ] || [ "$name" = all ]; then
        echo "== $script"
        "$here/$script.sh" "$build/cli/lb" "${@:3}"
    fi
done
if [ "$name" = space ] || [ "$name" = all ]; then
    echo "== space"
    "$here/space.sh" "$build/cli/lb" "$build/bench/reclaim_bench" "${@:3}"
fi
mount_store=$(find "$build/tests" -name mount_store -type f -perm -u+x | head -1)
if [ "$name" = filesystem ] || [ "$name" = all ]; then
    echo "== filesystem"
    "$here/filesystem.sh" "$mount_store" "${@:3}"
fi
if [ "$name" = pgbench ] || [ "$name" = all ]; then
    echo "== pgbench"
    "$here/pgbench_compare.sh" "$mount_store" "${@:3}"
fi
