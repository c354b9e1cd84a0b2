#!/usr/bin/env bash
# PostgreSQL on a line of the store beside PostgreSQL on the plain file system, in one run.
#
#   pgbench_compare.sh MOUNT_STORE [SCALE [CLIENTS [SECONDS [ROUNDS]]]]     30 8 20 5
#
# Three figures, each as the median over ROUNDS that alternate between the two, and their ratio:
# transactions per second of TPC-B (read-write) and of -S (read-only, after a checkpoint), and the seconds of
# `pgbench -i`. The plain server has PostgreSQL's default settings; the line's has the settings
# that lb gives it. Both have checksums and the same shared_buffers.
#
# The machine may be busy with other work: only ratios mean anything, and only from one run.
mount_store=${1:?usage: pgbench_compare.sh MOUNT_STORE [SCALE [CLIENTS [SECONDS [ROUNDS]]]]}
scale=${2:-30}
clients=${3:-8}
seconds=${4:-20}
rounds=${5:-5}
source "$(dirname "$0")/../tests/store/postgres_common.sh"

median() { sort -n | awk '{ v[NR] = $1 } END { print (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 }'; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'; }

systems=(plain lb)
declare -A settings=([plain]="" [lb]="${store_settings[*]}")
declare -A data=()
serve
data[lb]=$(data_of "$line")
data[plain]=$work/plain
mkdir "${data[plain]}"
[ ${#run[@]} = 0 ] || chown "$owner" "${data[plain]}"

for system in "${systems[@]}"; do
    initialize "${data[$system]}"
    # shellcheck disable=SC2086  # settings are words
    start_server $system "${data[$system]}" ${settings[$system]}
done

note() { echo "$2" >>"$work/log/$1"; }  # figure value
# Best run first loads the caches of nobody: what is measured twice is dropped and made again.
for ((round = 1; round <= (rounds + 1) / 2; ++round)); do
    for system in "${systems[@]}"; do
        query $system postgres CHECKPOINT
        before=$(date +%s.%N)
        on $system "$postgres_bin/pgbench" -i -q -s "$scale" postgres 2>/dev/null
        taken=$(bc <<<"$(date +%s.%N) - $before")
        note load.$system "$taken"
        step "pgbench -i  $system $taken s"
    done
done
tps() {  # system arguments...
    local system=$1
    shift
    on "$system" "$postgres_bin/pgbench" -n -c "$clients" -j 2 -T "$seconds" "$@" postgres |
        sed -n 's/^tps = \([0-9.]*\).*/\1/p'
}
for workload in tpcb select; do
    arguments=()
    [ $workload = tpcb ] || arguments=(-S)
    for ((round = 1; round <= rounds; ++round)); do
        for system in "${systems[@]}"; do
            query $system postgres CHECKPOINT
            measured=$(tps $system "${arguments[@]}")
            note $workload.$system "$measured"
            step "$workload  $system $measured tps"
        done
    done
done

for system in "${systems[@]}"; do
    check_pgbench $system
    stop_server "${data[$system]}"
done
check_no_split_writes

echo
echo "scale $scale, $clients clients, $rounds rounds of $seconds s, medians:"
printf '%-28s %12s %12s %8s\n' "" plain lb ratio
for figure in "tpcb:TPC-B, tps" "select:-S, tps" "load:pgbench -i, s"; do
    name=${figure%%:*}
    plain=$(median <"$work/log/$name.plain")
    lb=$(median <"$work/log/$name.lb")
    printf '%-28s %12.1f %12.1f %8s\n' "${figure#*:}" "$plain" "$lb" "$(ratio "$lb" "$plain")"
done
stop_serving
