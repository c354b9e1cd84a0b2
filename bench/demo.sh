#!/usr/bin/env bash
# ./dev demo: lb's main job on real data, each step with its time, beside a plain copy of the same
# data. Usage: demo.sh PATH_TO_LB
set -euo pipefail
repository=$(dirname "$(dirname "$(readlink -f "$0")")")
lb=$(readlink -f "$1")

work=${TMPDIR:-/tmp}/lb-demo-$(id -u)
export LB_HOME=$work/home APP_PASSWORD=demo-only NO_COLOR=1

# A demo that ran before is replaced.
if [ -d "$work" ]; then
    "$lb" stop >/dev/null 2>&1 || true
    rm -rf "$work"
fi
mkdir -p "$work"
if [ "$(id -u)" -eq 0 ]; then chmod 711 "$work"; fi
cp "$repository/specs/examples/shop.toml" "$work/lb.toml"
cd "$work"
output=$work/output.txt
trap 'code=$?; [ $code -eq 0 ] || { echo "demo: failed; last output:"; tail -20 "$output"; }' EXIT

now_us() { echo $((${EPOCHREALTIME/[.,]/})); }

# "12 ms", "3.4 s"
pretty_time() { awk -v us="$1" 'BEGIN {
    if (us < 999500) printf "%.0f ms", us / 1e3; else printf "%.1f s", us / 1e6 }'; }
pretty_bytes() { numfmt --to=iec-i --suffix=B --format='%.1f' "$1"; }

row() { printf '  %-58s %9s %11s\n' "$1" "$2" "${3:-}"; }

# step TEXT COMMAND...: runs it and leaves the time in $step_us.
timed() {
    local start
    start=$(now_us)
    "$@" >"$output" 2>&1
    step_us=$(($(now_us) - start))
}

sql() { # BRANCH SQL
    "$lb" psql --branch "$1" -- -X -q -A -t -v ON_ERROR_STOP=1 -c "$2"
}

status_field() { # BRANCH FIELD
    "$lb" status --json | python3 -c "
import json, sys
print(next(b for b in json.load(sys.stdin)['branches'] if b['name'] == '$1')['$2'])"
}

store_bytes() { # what the store holds for one branch
    status_field "$1" own_bytes
}

echo "lb demo: $("$lb" version | head -1), $(uname -sr), $(nproc) cores; everything is in $work"
echo
row "step" "time" "new bytes"
timed "$lb" apply --auto-approve
row "lb apply: project shop, 2 branches, 2 roles, 1 database" "$(pretty_time $step_us)"
timed "$lb" load "$repository/specs/examples/shop.sql" --branch main --database shop
row "lb load shop.sql: $(sql main 'SELECT count(*) FROM order_line') order lines with keys and indexes" \
    "$(pretty_time $step_us)" "$(pretty_bytes "$(store_bytes main)")"
before_position=$(status_field main head)
sql main "UPDATE product SET price_cents = price_cents + 1" >/dev/null

timed cp -a "$LB_HOME/mnt/$(status_field main line)" "$work/copy-1"
timed cp -a "$work/copy-1" "$work/copy-2"
copy_us=$step_us
copy_bytes=$(du -sb "$work/copy-2" | cut -f1)
row "for comparison: cp -a of the data directory, disk to disk" \
    "$(pretty_time $copy_us)" "$(pretty_bytes "$copy_bytes")"
rm -rf "$work/copy-1" "$work/copy-2"

branch() { # NAME DESCRIPTION OPTIONS...
    local name=$1 description=$2
    shift 2
    timed "$lb" branch create "$name" "$@"
    row "lb branch create $name: $description" "$(pretty_time $step_us)" \
        "$(pretty_bytes "$(store_bytes "$name")")"
    timed sql "$name" "SELECT count(*) FROM customer"
    row "    first query there (starts its PostgreSQL)" "$(pretty_time $step_us)"
}
branch preview "from main" --parent main
branch preview-2 "from a branch" --parent preview
branch before-prices "from main's past" --parent main --at "position:$before_position"

timed sql preview "ALTER TABLE order_line DROP COLUMN quantity;
    DELETE FROM order_line WHERE purchase_id % 10 = 0;"
row "a bad migration on preview: drops a column, deletes 10 %" "$(pretty_time $step_us)" \
    "$(pretty_bytes "$(store_bytes preview)")"
echo
printf '  %-16s %12s %16s %18s\n' branch "order lines" "quantity column" "sum of prices"
for branch in main preview preview-2 before-prices; do
    printf '  %-16s %12s %16s %18s\n' "$branch" $(sql "$branch" "
        SELECT count(*),
               (SELECT CASE WHEN count(*) = 1 THEN 'there' ELSE 'gone' END
                FROM information_schema.columns
                WHERE table_name = 'order_line' AND column_name = 'quantity'),
               (SELECT sum(price_cents) FROM product)
        FROM order_line" | tr '|' ' ')
done
echo
timed "$lb" branch delete preview-2 --yes
row "lb branch delete preview-2" "$(pretty_time $step_us)"
timed "$lb" branch delete preview --yes
row "lb branch delete preview: the bad migration is gone" "$(pretty_time $step_us)"
timed "$lb" plan
row "lb plan" "$(pretty_time $step_us)"
sed 's/^/    /' "$output"
echo
"$lb" status
echo
echo "Try it:   LB_HOME=$LB_HOME $lb --spec $work/lb.toml psql"
echo "Stop it:  LB_HOME=$LB_HOME $lb stop && rm -rf $work"
