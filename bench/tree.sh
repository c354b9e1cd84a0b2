#!/usr/bin/env bash
# Many branches in a tree: what it costs to make, read and delete them, to restart, to plan over all
# of them, and what the daemon needs while nothing happens.
#   tree.sh PATH_TO_LB [BRANCHES [DEPTH [WRITTEN]]]     10000 20 20; LB_BENCH_FULL=1: 200 written
lb=$1
count=${2:-10000}
depth=${3:-20}
written=${4:-${LB_BENCH_FULL:+200}}
written=${written:-20}
source "$(dirname "$(readlink -f "$0")")/common.sh"

idle() { # label
    local pid ticks_before ticks_after
    pid=$(daemon_pid)
    sleep 2
    ticks_before=$(awk '{ print $14 + $15 }' "/proc/$pid/stat")
    sleep 10
    ticks_after=$(awk '{ print $14 + $15 }' "/proc/$pid/stat")
    echo "daemon idle, $1: $(($(memory_kib "$pid" VmRSS) / 1024)) MiB resident, $(
        awk -v t=$((ticks_after - ticks_before)) -v hz="$(getconf CLK_TCK)" \
            'BEGIN { printf "%.2f", 100 * t / hz / 10 }') % of a core"
}
plan() { # label
    local n
    for n in 1 2 3 4 5; do timed "$lb" plan; done >times-plan
    "$lb" plan | grep -q "^No changes" || { echo "the plan is not empty" >&2; exit 1; }
    echo "no-op lb plan, $1: median $(median <times-plan) ms, peak memory $(
        python3 -c 'import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)' "$lb" plan) MiB"
}
# Branch n hangs below branch n - width: `depth` levels of `width` each, below main.
width=$((count / depth))
branches() { # first last
    local n
    for ((n = $1; n <= $2; ++n)); do
        if ((n <= width)); then
            printf '[branches.b%s]\nparent = "main"\n' "$n"
        else
            printf '[branches.b%s]\nparent = "b%s"\n' "$n" $((n - width))
        fi
    done
}

printf '[project]\nname = "tree"\n\n[databases.shop]\n' >lb.toml
"$lb" apply --auto-approve --quiet >/dev/null
sql main "CREATE TABLE t AS SELECT n, repeat('x', 100) AS text FROM generate_series(1, 100000) AS n"
"$lb" compute stop main >/dev/null 2>&1
branches 1 10 >>lb.toml
"$lb" apply --auto-approve --quiet >/dev/null
idle "10 branches"
branches 11 $((count / 10)) >>lb.toml
echo "apply of $((count / 10 - 10)) branches: $(timed "$lb" apply --auto-approve --quiet) ms"
plan "$((count / 10)) branches"
branches $((count / 10 + 1)) "$count" >>lb.toml
echo "apply of $((count - count / 10)) branches: $(timed "$lb" apply --auto-approve --quiet) ms"
plan "$count branches"
for n in 1 2 3 4 5; do timed "$lb" branch create "one-$n" --parent b"$count"; done >times
echo "lb branch create at depth $((depth + 1)): median $(median <times) ms"

# Read and written at all depths.
for ((n = 1; n <= written; ++n)); do
    branch=b$((n * count / written))
    timed sql "$branch" "SELECT count(*) FROM t" >>times-first
    timed sql "$branch" "SELECT count(*) FROM t" >>times-read
    timed sql "$branch" "UPDATE t SET text = 'y' WHERE n % 100 = 0" >>times-write
    "$lb" compute stop "$branch" >/dev/null 2>&1
done
echo "$written branches, medians: first query with its server's start $(median <times-first) ms, again $(
    median <times-read) ms, UPDATE of 1 % $(median <times-write) ms"
idle "$count branches"
"$lb" stop >/dev/null 2>&1
echo "restart, until lb status answers: $(timed "$lb" status) ms"
kill -9 "$(daemon_pid)"
sleep 0.5
echo "restart after kill -9: $(timed "$lb" status) ms"
for n in 1 2 3 4 5; do timed "$lb" branch delete "one-$n" --yes; done >times
echo "lb branch delete: median $(median <times) ms"
