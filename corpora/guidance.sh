#!/usr/bin/env bash
# What guides a search for harm: the target `enomem` with and without the mutator that knows what
# an act is, with and without counters of harm, all with the same number of executions from an
# empty corpus. Writes a CSV and prints medians and rank tests.
set -euo pipefail
cd "$(dirname "$0")/.."

usage() {
    cat <<'END'
corpora/guidance.sh [OPTIONS]

  --goal G     POLICY,PAGES,LARGEST (may be given again; default kernel and buddy, 1024 pages, 128)
  --seeds N    runs of each combination, with the seeds 1 to N (default 10)
  --runs N     executions of each run (default 50000, about 30 s)
  --jobs N     runs side by side (default 1)
  --out FILE   the CSV (default overnight/guidance.csv)

Needs cargo-fuzz, a nightly toolchain, and xargs. Executions are counted, not seconds, so other
work on the machine changes nothing.
END
}

goals=() seeds=10 runs=50000 jobs=1 out=overnight/guidance.csv
while [ $# -gt 0 ]; do
    case $1 in
        --goal) goals+=("${2-}") ;;
        --seeds) seeds=${2-} ;;
        --runs) runs=${2-} ;;
        --jobs) jobs=${2-} ;;
        --out) out=${2-} ;;
        --help | -h) usage; exit 0 ;;
        *) printf '%s is no option\n' "$1" >&2; usage >&2; exit 2 ;;
    esac
    [ $# -ge 2 ] || { printf '%s needs a value\n' "$1" >&2; exit 2; }
    shift 2
done
for number in "$seeds" "$runs" "$jobs"; do
    [[ $number =~ ^[1-9][0-9]*$ ]] || { printf '%s is no number of at least 1\n' "$number" >&2; exit 2; }
done
[ ${#goals[@]} -gt 0 ] || goals=(kernel,1024,128 buddy,1024,128)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
[ -n "${CMALAB_ENOMEM:-}" ] || cargo +nightly fuzz build -s none --no-trace-compares enomem >&2
binary=${CMALAB_ENOMEM:-$(find "${CARGO_TARGET_DIR:-fuzz/target}" -path '*/release/enomem' -type f | head -n 1)}
[ -x "$binary" ] || { echo 'the build left no binary' >&2; exit 2; }

# One run: a row. A run that found no refusal at all has done no harm.
one() {
    local goal=$1 mutator=$2 counters=$3 seed=$4 here
    here=$(mktemp -d "$work/run.XXXXXX")
    mkdir "$here/corpus"
    CMALAB_GOAL=$goal CMALAB_MUTATOR=$mutator CMALAB_COUNTERS=$counters \
        CMALAB_CHAMPIONS=$here/champions "$binary" "$here/corpus" -seed="$seed" -runs="$runs" \
        -max_len=2048 -len_control=0 -verbosity=0 -print_final_stats=1 \
        -artifact_prefix="$here/" >"$here/log" 2>&1 || { tail -n 20 "$here/log" >&2; return 255; }
    local done load=0 harm=0
    done=$(sed -n 's/^stat::number_of_executed_units: *//p' "$here/log")
    if [ -s "$here/champions/index.csv" ]; then
        IFS=, read -r load harm < <(tail -n 1 "$here/champions/index.csv" | rev | cut -d, -f5,6 | rev)
    fi
    printf '"%s",%s,%s,%s,%s,%s,%s\n' "$goal" "$mutator" "$counters" "$seed" "$done" "$load" "$harm"
    rm -rf "$here"
}
export -f one
export work binary runs

mkdir -p "$(dirname "$out")"
for goal in "${goals[@]}"; do
    for mutator in bytes structural; do
        for counters in no yes; do
            for seed in $(seq "$seeds"); do
                printf '%s %s %s %s\n' "$goal" "$mutator" "$counters" "$seed"
            done
        done
    done
done | xargs -P "$jobs" -L 1 bash -c 'one "$@"' one >"$work/rows"
{
    echo goal,mutator,counters,seed,executions,load_pages,harm
    sort -V "$work/rows"
} >"$work/csv"
cp "$work/csv" "$out"
cargo run --quiet --release -p cma-harness --example guidance -- "$out"
