#!/usr/bin/env bash
# 1,000 branches of one parent: what each costs, whether the last costs more than the first, and
# what a plan over all of them takes. Usage: branches.sh PATH_TO_LB [COUNT]
set -euo pipefail
lb=$(readlink -f "$1")
count=${2:-1000}
work=$(mktemp -d /tmp/lbb-XXXXXX)
if [ "$(id -u)" -eq 0 ]; then chmod 711 "$work"; fi
export LB_HOME=$work/home NO_COLOR=1
trap '"$lb" stop >/dev/null 2>&1; rm -rf "$work"' EXIT
cd "$work"

now_us() { echo $((${EPOCHREALTIME/[.,]/})); }
median() { sort -n | awk '{ v[NR] = $1 } END { printf "%.1f", v[int((NR + 1) / 2)] / 1000 }'; }

printf '[project]\nname = "many"\n\n[databases.shop]\n' >lb.toml
"$lb" apply --auto-approve --quiet >/dev/null
"$lb" psql --database shop -- -X -q -c \
    "CREATE TABLE t AS SELECT n, repeat('x', 100) AS text FROM generate_series(1, 1000000) AS n"

# One by one: process start, plan, apply and a durable commit each.
for group in first last; do
    [ $group = first ] || {
        for n in $(seq 21 $((count - 20))); do printf '[branches.b%s]\n' "$n" >>lb.toml; done
        for n in $(seq 1 20); do printf '[branches.first-%s]\n' "$n" >>lb.toml; done
        start=$(now_us)
        "$lb" apply --auto-approve --quiet >/dev/null
        echo "lb apply of $((count - 40)) more branches: $((($(now_us) - start) / 1000)) ms"
    }
    for n in $(seq 1 20); do
        start=$(now_us)
        "$lb" branch create "$group-$n" --parent main >/dev/null 2>&1
        echo $(($(now_us) - start))
    done >"times-$group"
    echo "lb branch create, median of 20, $group: $(median <"times-$group") ms"
done
awk -v a="$(median <times-last)" -v b="$(median <times-first)" \
    'BEGIN { printf "last / first: %.2f\n", a / b }'

"$lb" branch list --json >list.json
python3 - <<'PYTHON'
import json
listed = json.load(open("list.json"))
branches = listed["branches"] if isinstance(listed, dict) else listed
own = [b["own_bytes"] for b in branches if b["name"] != "main"]
print(f"{len(own)} branches; own bytes of each: {min(own)} to {max(own)}")
PYTHON
for _ in 1 2 3 4 5; do
    start=$(now_us)
    "$lb" plan >plan.txt
    echo $(($(now_us) - start))
done >times-plan
echo "lb plan over all of them, median of 5: $(median <times-plan) ms"
head -1 plan.txt
