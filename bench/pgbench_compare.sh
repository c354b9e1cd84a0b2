#!/usr/bin/env bash
# PostgreSQL on a line of the store beside PostgreSQL on the plain file system, in one run.
#
#   pgbench_compare.sh MOUNT_STORE [SCALE [CLIENTS [SECONDS [ROUNDS]]]]     30 8 20 5
#
# LB_BENCH_FULL=1: also btrfs and XFS on loop devices, each after what makes a branch there (a
# snapshot; a copy by reflinks), and 1, 4, 8 and 32 clients. Needs root and 20 GB.
#
# The figures, each as the median over ROUNDS that alternate between the systems, and lb's ratio to each:
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
client_counts=("$clients")
source "$(dirname "$0")/../tests/store/postgres_common.sh"

median() { sort -n | awk '{ v[NR] = $1 } END { print (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 }'; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'; }

systems=(plain lb)
declare -A settings=([plain]="" [lb]="${store_settings[*]}" [btrfs]="" [xfs]="")
peers=()
if [ -n "${LB_BENCH_FULL:-}" ]; then
    [ "$(id -u)" = 0 ] || skip "loop devices need root"
    client_counts=(1 4 8 32)
    peers=(btrfs xfs)
    systems+=("${peers[@]}")
fi
declare -A data=()
serve
data[lb]=$(data_of "$line")
data[plain]=$work/plain
mkdir "${data[plain]}"
[ ${#run[@]} = 0 ] || chown "$owner" "${data[plain]}"

unmount_peers() {
    local peer
    for peer in "${peers[@]}"; do umount "$work/$peer" 2>/dev/null || umount -l "$work/$peer"; done
}
trap 'code=$?; for pid in "${postmasters[@]}"; do kill -QUIT "$pid"; done 2>/dev/null; sleep 0.5
    unmount_peers 2>/dev/null; (exit $code); clean_up' EXIT
for peer in "${peers[@]}"; do
    truncate -s 10G "$work/$peer.img"
    "mkfs.$peer" -q "$work/$peer.img"
    mkdir "$work/$peer"
    mount -o loop "$work/$peer.img" "$work/$peer"
    data[$peer]=$work/$peer/data
    if [ $peer = btrfs ]; then btrfs -q subvolume create "${data[$peer]}"; else mkdir "${data[$peer]}"; fi
    chown "$owner" "${data[$peer]}"
    chmod 700 "${data[$peer]}"
done
# What a tool on that file system would do for a branch; from then on writes have to copy.
branch_peers() {
    local peer
    for peer in "${peers[@]}"; do
        query $peer postgres CHECKPOINT
        if [ $peer = btrfs ]; then
            btrfs -q subvolume snapshot "${data[$peer]}" "$work/$peer/branch"
        else
            cp -a --reflink=always "${data[$peer]}" "$work/$peer/branch"
        fi
    done
}

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
branch_peers
figures=("load:pgbench -i, s")
for workload in "${client_counts[@]/#/tpcb-}" "${client_counts[@]/#/select-}"; do
    clients=${workload#*-}
    arguments=()
    [[ $workload = tpcb-* ]] || arguments=(-S)
    figures+=("$workload:$([[ $workload = tpcb-* ]] && echo "TPC-B" || echo "-S"), $clients clients, tps")
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
echo "scale $scale, $rounds rounds of $seconds s, medians, and lb's ratio to each:"
printf '%-28s %10s' "" lb
for system in "${systems[@]}"; do [ $system = lb ] || printf ' %10s %6s' $system ratio; done
echo
for figure in "${figures[@]}"; do
    name=${figure%%:*}
    lb=$(median <"$work/log/$name.lb")
    printf '%-28s %10.1f' "${figure#*:}" "$lb"
    for system in "${systems[@]}"; do
        [ $system != lb ] || continue
        other=$(median <"$work/log/$name.$system")
        printf ' %10.1f %6s' "$other" "$(ratio "$lb" "$other")"
    done
    echo
done
stop_serving
