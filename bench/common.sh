# Sourced by the benchmarks that drive the real lb: a home in a temporary directory that is stopped
# and removed at exit, and short words for time and statistics. Needs $lb.
set -euo pipefail
lb=$(readlink -f "$lb")
work=$(mktemp -d /tmp/lbb-XXXXXX)
if [ "$(id -u)" -eq 0 ]; then chmod 711 "$work"; fi
export LB_HOME=$work/home NO_COLOR=1
trap '"$lb" stop >/dev/null 2>&1; rm -rf "$work"' EXIT
cd "$work"

now_us() { echo $((${EPOCHREALTIME/[.,]/})); }
# Milliseconds that a command took; what it prints goes to ./output.
timed() {
    local start
    start=$(now_us)
    "$@" >output 2>&1 || { cat output >&2; return 1; }
    echo $((($(now_us) - start) / 1000))
}
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
sql() { # branch SQL
    "$lb" psql --branch "$1" --database shop -- -XAtq -v ON_ERROR_STOP=1 -c "$2"
}
own_bytes() { # branch
    "$lb" branch show "$1" --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["own_bytes"])'
}
daemon_pid() { head -n 1 "$LB_HOME/run/lock" | tr -dc 0-9; }
memory_kib() { awk -v key="$2:" '$1 == key { print $2 }' "/proc/$1/status"; }
pgbench=$(ls -d /usr/lib/postgresql/15/bin)/pgbench
