#!/usr/bin/env bash
# How long does fuzzing take to find each planted defect? Every defect, from an empty corpus, with
# several seeds; a table and a CSV of the seconds. Exits 1 where the median of a defect is too long.
set -euo pipefail
cd "$(dirname "$0")/.."

usage() {
    cat <<'END'
corpora/mutants.sh [OPTIONS]

  --seeds N        runs of each defect, with the seeds 1 to N (default 5)
  --seconds N      what a run, and the median of a defect, may take (default 60)
  --target NAME    the fuzz target: laws (default), lockstep, free_map ...
  --mutants A,B    only these defects (default: all)
  --out FILE       the CSV (default overnight/mutants-TARGET.csv)

Needs cargo-fuzz and a nightly toolchain. Run it on a machine that does nothing else.
END
}

seeds=5 seconds=60 target=laws only='' out=''
while [ $# -gt 0 ]; do
    case $1 in
        --seeds) seeds=${2-} ;;
        --seconds) seconds=${2-} ;;
        --target) target=${2-} ;;
        --mutants) only=${2-} ;;
        --out) out=${2-} ;;
        --help | -h) usage; exit 0 ;;
        *) printf '%s is no option\n' "$1" >&2; usage >&2; exit 2 ;;
    esac
    [ $# -ge 2 ] || { printf '%s needs a value\n' "$1" >&2; exit 2; }
    shift 2
done
for number in "$seeds" "$seconds"; do
    [[ $number =~ ^[1-9][0-9]*$ ]] || { printf '%s is no number of at least 1\n' "$number" >&2; exit 2; }
done
out=${out:-overnight/mutants-$target.csv}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cargo +nightly fuzz build --fuzz-dir fuzz/mutants -s none --no-trace-compares mutant >&2
binary=$(find "${CARGO_TARGET_DIR:-fuzz/target}" -path '*/release/mutant' -type f | head -n 1)
[ -n "$binary" ] || { echo 'the build left no binary' >&2; exit 2; }
binary=$(realpath "$binary")

# The names are where the binary says them: in its answer to one that does not exist.
names() {
    CMALAB_MUTANT='?' "$binary" -runs=1 -artifact_prefix="$work/" 2>&1 | sed -n 's/.*is no defect; there are \(.*\), and none$/\1/p' |
        tr -d ' ' || true
}
all=$(names)
[ -n "$all" ] || { echo 'the binary names no defects' >&2; exit 2; }
IFS=, read -ra mutants <<<"${only:-$all}"
for mutant in "${mutants[@]}"; do
    [[ ",$all," == *",$mutant,"* ]] || { printf '%s is no defect; there are %s\n' "$mutant" "$all" >&2; exit 2; }
done

# One run: sets `took` (tenths of a second), `units` (executions), and `law`, empty if none broke.
run() {
    local mutant=$1 seed=$2 start log=$work/log status=0
    rm -rf "$work/corpus" && mkdir "$work/corpus"
    start=${EPOCHREALTIME/[.,]/}
    CMALAB_MUTANT=$mutant CMALAB_TARGET=$target RUST_BACKTRACE=0 "$binary" "$work/corpus" \
        -seed="$seed" -max_total_time="$seconds" -print_final_stats=1 -verbosity=0 \
        -artifact_prefix="$work/" >"$log" 2>&1 || status=$?
    took=$(((${EPOCHREALTIME/[.,]/} - start) / 100000))
    units=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log" | tail -n 1)
    law=''
    [ "$status" -ne 0 ] || return 0
    # A law that judges several requests at once names the one that broke after its own name.
    law=$(sed -nE 's/.*law (in_flight) broken at op [0-9]+: ([a-z_]+): .*/\1: \2/p; t
        s/.*law ([a-z_]+) broken at op .*/\1/p' "$log" | head -n 1)
    if [ -z "$law" ]; then
        grep -q 'panicked at' "$log" || { tail -n 20 "$log" >&2; return 1; }
        law=panic
    fi
}

# The middle one of the numbers given, the higher of the two if there are two.
median() {
    printf '%s\n' "$@" | sort -n | sed -n "$(($# / 2 + 1))p"
}

tenths() {
    printf '%d.%d' $(($1 / 10)) $(($1 % 10))
}

mkdir -p "$(dirname "$out")"
{
    printf 'mutant,target,law'
    for seed in $(seq "$seeds"); do printf ',seconds_%d' "$seed"; done
    printf ',seconds_median,executions_median\n'
} >"$work/csv"
printf '%-18s %-9s %-22s %8s %10s  %s\n' mutant target law 'median s' executions 'each seed'

late=()
for mutant in "${mutants[@]}"; do
    times=() counts=() laws=() shown=()
    for seed in $(seq "$seeds"); do
        run "$mutant" "$seed"
        counts+=("${units:-0}")
        if [ -n "$law" ]; then
            times+=("$took") shown+=("$(tenths "$took")") laws+=("$law")
        else
            # As if a little more would have done, so that the median is late if most are.
            times+=("$((seconds * 10 + 1))") shown+=("never")
        fi
    done
    middle=$(median "${times[@]}")
    # The law that convicts most often.
    law=$(printf '%s\n' "${laws[@]:-none}" | sort | uniq -c | sort -k1,1nr -k2 | sed -n '1s/^ *[0-9]* //p')
    [ "$middle" -le $((seconds * 10)) ] || late+=("$mutant")
    executions=$(median "${counts[@]}")
    said=$(tenths "$middle")
    printf '%-18s %-9s %-22s %8s %10d  %s\n' "$mutant" "$target" "$law" "$said" "$executions" \
        "${shown[*]}"
    {
        printf '%s,%s,%s' "$mutant" "$target" "$law"
        printf ',%s' "${shown[@]}"
        printf ',%s,%d\n' "$said" "$executions"
    } >>"$work/csv"
done
cp "$work/csv" "$out"
printf '%d defects, the seconds in %s\n' "${#mutants[@]}" "$out"
if [ ${#late[@]} -gt 0 ]; then
    printf 'not found within %d s (median of %d): %s\n' "$seconds" "$seeds" "${late[*]}" >&2
    exit 1
fi
