#!/usr/bin/env bash
# File system checks on a mounted line: what was written is what is read, there and on a fork.
#   filesystem.sh MOUNT_STORE [SECONDS]     per job, 5; LB_BENCH_FULL=1: 60
#
# fio writes at random with a checksum in each block (8 KiB and 64 KiB, fsync now and then), verifies,
# and verifies again on a fork of the line; then stress-ng's file system class runs with --verify.
mount_store=$1
seconds=${2:-${LB_BENCH_FULL:+60}}
seconds=${seconds:-5}
source "$(dirname "$(readlink -f "$0")")/../tests/store/postgres_common.sh"
for program in fio stress-ng; do
    command -v $program >/dev/null || skip "$program is not installed"
done

serve
data=$(data_of "$line")

fio_job() { # directory block_size arguments...
    local directory=$1 block=$2
    shift 2
    as_owner fio --name="blocks-$block" --directory="$directory" --rw=randrw --bs="$block" \
        --size=64m --ioengine=psync --fsync=16 --randseed=7 --verify=xxhash --verify_fatal=1 \
        --verify_state_save=0 --minimal "$@" >"$work/log/fio.log" 2>&1 ||
        { tail -n 20 "$work/log/fio.log"; fail "fio $block $*"; }
}
for block in 8k 64k; do
    fio_job "$data" $block --do_verify=1
    step "fio randrw $block: written and verified"
done
child=$(fork_line "$line")
for block in 8k 64k; do
    # The parent goes on; the fork must not see it.
    fio_job "$data" $block --randseed=8 --do_verify=1
    fio_job "$(data_of "$child")" $block --verify_only
    step "fio randrw $block: verified on the fork, while the parent was written anew"
done

# Not among them:
#   bind-mount binderfs   mount file systems of their own, not on the line
#   mknod                 FIFOs and sockets, which the store has not
#   symlink               makes absolute ones, which the store refuses (docs/store-architecture.md)
excluded=${LB_STRESS_EXCLUDED-bind-mount,binderfs,mknod,symlink}
mkdir "$data/stress"
[ ${#run[@]} = 0 ] || chown "$owner" "$data/stress" 2>/dev/null || true
stressors=$(stress-ng --class filesystem\? 2>/dev/null | sed 's/.*: //' | tr ' ' '\n' | sort -u)
for stressor in $stressors; do
    [[ ,$excluded, == *",$stressor,"* ]] && continue
    code=0
    (cd "$data/stress" && "${run[@]}" stress-ng --"$stressor" 1 --verify --timeout "$seconds" \
        --temp-path "$data/stress" --hdd-bytes 64m --oomable >"$work/log/stress.log" 2>&1) || code=$?
    # 3: not possible here, 4: needs something that is not there
    case $code in
    0) echo "    $stressor" ;;
    3 | 4) echo "    $stressor: skipped by stress-ng" ;;
    *)
        grep -E "fail|error" "$work/log/stress.log" | head -n 5
        failed="${failed:-} $stressor"
        ;;
    esac
done
rm -rf "$data/stress"
[ -z "${failed:-}" ] || fail "stress-ng:$failed"
step "stress-ng"
stop_serving
