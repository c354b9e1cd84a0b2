#!/usr/bin/env bash
# Plans and applies of many branches, beside Terraform where it is installed, in one run.
#   plan.sh PATH_TO_LB [COUNT...]      counts of branches; without them 100 1000 10000
# Terraform's side are `terraform_data` resources with a local state: nothing outside of its own
# process, its best case. LB_BENCH_KILLS (26): how often an apply is killed on each side.
lb=$1
source "$(dirname "$(readlink -f "$0")")/common.sh"
shift
counts=("${@:-100 1000 10000}")
read -ra counts <<<"${counts[*]}"
kills=${LB_BENCH_KILLS:-26}
repeats=9
# Its time to create grows with the square of the count: 22 s for 1,000.
terraform_max=${LB_BENCH_FULL:+1000000}
terraform_max=${terraform_max:-1000}
terraform=$(command -v terraform || command -v tofu || true)
export CHECKPOINT_DISABLE=1 TF_IN_AUTOMATION=1 TF_CLI_ARGS="-no-color"

lb_spec() { # COUNT
    printf '[project]\nname = "many"\n'
    for ((n = 1; n <= $1; n++)); do printf '[branches.b%s]\n' "$n"; done
}
terraform_spec() { # COUNT
    for ((n = 1; n <= $1; n++)); do printf 'resource "terraform_data" "b%s" {\n  input = "main"\n}\n' "$n"; done
}
# Milliseconds and KiB of a command: "31 20480".
measured() {
    local start
    start=$(now_us)
    /usr/bin/time -q -o memory -f %M "$@" >output 2>&1 || { cat output >&2; return 1; }
    echo "$((($(now_us) - start) / 1000)) $(cat memory)"
}
# Medians of the two columns.
medians() { tee measured >/dev/null; echo "$(awk '{ print $1 }' measured | median) $(awk '{ print $2 }' measured | median)"; }
repeat() { for ((r = 0; r < repeats; r++)); do measured "$@"; done | medians; }
row() { printf '%-34s %9s ms %9s KiB %9s ms %9s KiB\n' "$@"; }

mkdir lb terraform
# The first project of a home runs initdb; that is not what is measured here.
lb_spec 0 >lb/lb.toml
(cd lb && "$lb" apply --auto-approve --quiet && "$lb" destroy many --confirm many --quiet) >/dev/null
printf '%-34s %12s %13s %12s %13s\n' "" lb "" "${terraform:+terraform_data}" ""
for count in "${counts[@]}"; do
    lb_spec "$count" >lb/lb.toml
    cd lb
    read -r create_ms create_kib <<<"$(measured "$lb" apply --auto-approve --quiet)"
    read -r plan_ms plan_kib <<<"$(repeat "$lb" plan)"
    grep -q '0 to create, 0 to update, 0 to delete' output
    "$lb" destroy many --confirm many --quiet >/dev/null
    cd ..
    other=(- - - -)
    if [ -n "$terraform" ] && [ "$count" -le "$terraform_max" ]; then
        rm -rf terraform && mkdir terraform && cd terraform
        terraform_spec "$count" >main.tf
        "$terraform" init -input=false >output 2>&1
        read -ra created <<<"$(measured "$terraform" apply -auto-approve -input=false)"
        read -ra planned <<<"$(repeat "$terraform" plan -input=false)"
        other=("${created[@]}" "${planned[@]}")
        cd ..
    fi
    row "create $count in one apply" "$create_ms" "$create_kib" "${other[0]}" "${other[1]}"
    row "no-op plan of $count" "$plan_ms" "$plan_kib" "${other[2]}" "${other[3]}"
done
echo "daemon after that: $(memory_kib "$(daemon_pid)" VmRSS) KiB"

# An apply of 200 more things is killed at a random moment of the time that it takes; what is there
# afterwards is none of them, all, or something between.
kill_outcome() { # DAEMON_OR_EMPTY MILLISECONDS COMMAND...
    local victim=$1 limit_ms=$2
    shift 2
    "$@" >output 2>&1 &
    local command=$!
    sleep "$(awk -v limit="$limit_ms" -v r="$RANDOM" 'BEGIN { print limit / 1000 * r / 32768 }')"
    # shellcheck disable=SC2086
    kill -9 $command $victim 2>/dev/null || true
    wait $command 2>/dev/null || true
}
tally() { awk '{ n[$1 == 0 ? "none" : $1 == 200 ? "all" : "between"]++ }
    END { printf "none %d, all %d, between %d\n", n["none"], n["all"], n["between"] }'; }
if [ "$kills" -gt 0 ]; then
    cd lb
    lb_spec 0 >lb.toml
    "$lb" apply --auto-approve --quiet >/dev/null
    lb_spec 200 >lb.toml
    for ((k = 0; k < kills; k++)); do
        kill_outcome "$(daemon_pid)" 120 "$lb" apply --auto-approve --quiet
        made=$("$lb" branch list --json | python3 -c 'import json, sys; print(len(json.load(sys.stdin)["branches"]) - 1)')
        echo "$made"
        if [ "$made" -gt 0 ]; then
            "$lb" destroy many --confirm many --quiet >/dev/null
            lb_spec 0 >lb.toml
            "$lb" apply --auto-approve --quiet >/dev/null
            lb_spec 200 >lb.toml
        fi
    done >../killed
    echo "lb: $kills applies of 200, client and daemon killed: $(tally <../killed)"
    cd ..
    if [ -n "$terraform" ]; then
        rm -rf terraform && mkdir terraform && cd terraform
        terraform_spec 200 >main.tf
        "$terraform" init -input=false >output 2>&1
        whole_ms=$(measured "$terraform" apply -auto-approve -input=false | cut -d' ' -f1)
        for ((k = 0; k < kills; k++)); do
            rm -f terraform.tfstate* .terraform.tfstate.lock.info
            kill_outcome "" "$whole_ms" "$terraform" apply -auto-approve -input=false
            { "$terraform" state list 2>/dev/null || true; } | wc -l
        done >../killed
        echo "terraform: $kills applies of 200, killed: $(tally <../killed)"
        cd ..
    fi
fi
