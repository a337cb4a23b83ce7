#!/usr/bin/env bash
# What a commit costs against an older one: builds both, runs the same work with each in turn, and
# prints the ratios of their CPU time. For the same work also whether cells.csv is the same.
set -euo pipefail
shopt -s inherit_errexit
cd "$(dirname "$0")/.."

rows=(lean full default threads memory area fuzz diagnose map policy)
about=(
    'lean      long streams: the old one in full, the new one until the first failure (none fails)'
    "full      the same with all metrics: the old commit's reports/imx8m-mixed/plan.toml"
    "default   the old commit's built-in plan, as a file"
    'threads   CPU of a sweep with two threads / with one, in each commit'
    'memory    peak memory for one seed more of one configuration (needs GNU time)'
    'area      CPU in an area of 16 GiB / in one of 1.1 GiB, in each commit'
    "fuzz      the targets ingest, laws, free_map and roundtrip over the old commit's seeds"
    'diagnose  a log of 0.5 MB of failures with lists, one of 50 MB, and what is between them'
    'map       set and clear of the map, and the same with a search before each set'
    'policy    the policies kernel and best-fit with nothing checked'
)

usage() {
    cat <<'END'
corpora/versus.sh [OPTIONS] OLD [NEW]

OLD and NEW are commits; NEW is HEAD where none is named. A ratio is old / new of user and system
time of the whole process: above 1 the new one is faster. It is the median of pairs that run in
turn, and the least and the most of them are beside it.

  --row NAME   only these (may be given again; default all of them):
END
    printf '                 %s\n' "${about[@]}"
    cat <<'END'
  --pairs N    runs of each commit for each ratio (default 5)
  --ops N      ops of a cell of the long streams (default 50000)
  --seeds N    streams of each of their configurations (default 2)
  --jobs N     threads of a sweep (default 1)
  --memory N   seeds for which `memory` also runs the new commit in full (1000000 takes minutes)
  --cache DIR  where both are built, and found the next time (default target/versus)
END
}

chosen=() commits=() pairs=5 ops=50000 seeds=2 jobs=1 full=0 cache=${CARGO_TARGET_DIR:-target}/versus
while [ $# -gt 0 ]; do
    case $1 in
        --help | -h) usage; exit 0 ;;
        --row | --pairs | --ops | --seeds | --jobs | --memory | --cache)
            [ $# -ge 2 ] || { printf '%s needs a value\n' "$1" >&2; exit 2; }
            case $1 in
                --row) chosen+=("$2") ;;
                --pairs) pairs=$2 ;;
                --ops) ops=$2 ;;
                --seeds) seeds=$2 ;;
                --jobs) jobs=$2 ;;
                --memory) full=$2 ;;
                --cache) cache=$2 ;;
            esac
            shift 2 ;;
        -*) printf '%s is no option\n' "$1" >&2; usage >&2; exit 2 ;;
        *) commits+=("$1"); shift ;;
    esac
done
[ ${#commits[@]} -ge 1 ] && [ ${#commits[@]} -le 2 ] || { usage >&2; exit 2; }
[ ${#chosen[@]} -gt 0 ] || chosen=("${rows[@]}")
for row in "${chosen[@]}"; do
    [[ " ${rows[*]} " == *" $row "* ]] || { printf '%s is no row\n' "$row" >&2; exit 2; }
done
for number in "$pairs" "$ops" "$seeds" "$jobs"; do
    [[ $number =~ ^[1-9][0-9]*$ ]] || { printf '%s is no number of at least 1\n' "$number" >&2; exit 2; }
done
[[ $full =~ ^[0-9]+$ ]] || { printf '%s is no number of seeds\n' "$full" >&2; exit 2; }

# ---------------------------------------------------------------------------------------------
# Both commits, and the parts that need the library, which are in this tree

mkdir -p "$cache"
cache=$(cd "$cache" && pwd)
example=harness/examples/versus.rs

# Builds $1 where that was not done, and says in which folder.
build() {
    local commit here cargo
    commit=$(git rev-parse --verify --quiet "$1^{commit}") || { printf '%s is no commit\n' "$1" >&2; exit 2; }
    here=$cache/$commit
    if [ ! -e "$here/tree" ]; then
        rm -rf "$here/part"
        mkdir -p "$here/part"
        git archive "$commit" | tar -x -C "$here/part"
        mv "$here/part" "$here/tree"
    fi
    # The old commit has no such example, or another one.
    cmp -s "$example" "$here/tree/$example" || cp "$example" "$here/tree/$example"
    cargo=(cargo build --quiet --release --locked --manifest-path "$here/tree/Cargo.toml"
        --target-dir "$here/target" -p cma-harness --bin cmalab)
    printf 'building %s\n' "$commit" >&2
    rm -f "$here/versus"
    # Together, or all of the library is compiled twice.
    if "${cargo[@]}" --example versus >"$here/log" 2>&1; then
        ln -s "$here/target/release/examples/versus" "$here/versus"
    else
        "${cargo[@]}" >&2
    fi
    printf '%s\n' "$here"
}

old=$(build "${commits[0]}")
new=$(build "${commits[1]:-HEAD}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
printf 'old %s\nnew %s\n' "$(basename "$old")" "$(basename "$new")"

# ---------------------------------------------------------------------------------------------
# Measuring

# CPU seconds, user and system, of a command in the tree of a commit's folder $1. What it says goes
# to $work/said; 1 is the end of a sweep with failures, anything above that one that went wrong.
cpu() {
    local tree=$1/tree TIMEFORMAT='%3U %3S' took status=0
    shift
    # Not in a subshell of its own: bash would become that, and say no time.
    took=$(cd "$tree" && { time "$@" >"$work/said" 2>&1; } 2>&1) || status=$?
    [ "$status" -le 1 ] || return 1
    awk '{ print $1 + $2 }' <<<"$took"
}

# Median, least and most of numbers, one a line.
spread() {
    sort -g | awk '{ at[NR] = $1 } END {
        printf "%.4f %.4f %.4f\n", (at[int((NR + 1) / 2)] + at[int(NR / 2) + 1]) / 2, at[1], at[NR] }'
}

cannot() { printf '%-24s cannot be done: %s\n' "$1" "$2"; }

# versus NAME COMMAND… -- COMMAND…: each of them with its commit's folder in front.
versus() {
    local name=$1 first=() second=() ratio=() pair one two
    shift
    while [ "$1" != -- ]; do first+=("$1"); shift; done
    shift
    second=("$@")
    : >"$work/pairs"
    for ((pair = 0; pair < pairs; pair++)); do
        one=$(cpu "${first[@]}") || { cannot "$name" "$(head -n 1 "$work/said")"; return 1; }
        two=$(cpu "${second[@]}") || { cannot "$name" "$(head -n 1 "$work/said")"; return 1; }
        printf '%s %s\n' "$one" "$two" >>"$work/pairs"
    done
    read -r one _ <<<"$(cut -d ' ' -f 1 "$work/pairs" | spread)"
    read -r two _ <<<"$(cut -d ' ' -f 2 "$work/pairs" | spread)"
    read -r -a ratio <<<"$(awk '{ print $1 / ($2 > 0 ? $2 : 0.001) }' "$work/pairs" | spread)"
    printf '%-24s %9.2f s %9.2f s %8.3f (%.3f to %.3f)\n' "$name" "$one" "$two" "${ratio[@]}"
}

# The same command in both, @ standing for the commit's folder.
both() {
    local name=$1
    shift
    versus "$name" "$old" "${@//@/$old}" -- "$new" "${@//@/$new}"
}

# words_of FOLDER PLAN OUT [JOBS]: the words that sweep a plan.
words_of() {
    words=("$1" "$1/target/release/cmalab" sweep "$2" --quiet --jobs "${4:-$jobs}" --out "$work/$3")
}

# sweeps NAME OLD_PLAN NEW_PLAN: both sweep, then a line about their cells where it is one plan.
sweeps() {
    local words first
    words_of "$old" "$2" old
    first=("${words[@]}")
    words_of "$new" "$3" new
    versus "$1" "${first[@]}" -- "${words[@]}" || return 1
    [ "$2" = "$3" ] || return 0
    has_parts '  cells.csv' "$new" || return 0
    printf '  cells.csv: %s\n' "$("$new/versus" columns "$work/old/cells.csv" "$work/new/cells.csv")"
}

# has_parts NAME FOLDER…: whether the parts that need the library were built in these.
has_parts() {
    local name=$1 folder
    shift
    for folder in "$@"; do
        [ -x "$folder/versus" ] && continue
        cannot "$name" "$example does not build in $(basename "$folder"), see $folder/log"
        return 1
    done
}

# ---------------------------------------------------------------------------------------------
# Plans, of keys that both commits know

# The old commit's plan of the mixed i.MX 8M boards with these pages, all in full.
mixed() {
    sed -E -e "s/^seeds = .*/seeds = $seeds/" -e '/^(target|until) = /d' \
        -e "s/^(hours|days|ops) = [0-9.]+/ops = $ops/" \
        -e "s/^environments = .*/environments = [\"$1\"]/" "$old/tree/reports/imx8m-mixed/plan.toml"
}

# The same streams on a single board, where none of them fails, under the line $2.
roomy() {
    printf '%s\n' "${2:-}"
    mixed "$1" | awk '/^\[\[boards\]\]/ { boards = 1 }
        /^\[\[streams\]\]/ && !streams++ {
            print "[[boards]]\nname = \"roomy\"\ncaller = \"dma-direct\""
            print "areas = [{ name = \"linux,cma\", mib = 2048 }]\n"
        }
        !boards || streams { print }'
}

# One configuration: $1 seeds, $2 ops of each, an area of $3 pages.
single() {
    cat <<END
name = "single"
seeds = $1
policies = ["kernel"]
caps = [8]
environments = ["quiet"]
after_failure = "drop"
[[boards]]
name = "one"
areas = [{ name = "linux,cma", pages = $3 }]
[[streams]]
profile = "set-top"
loads = [0.9]
ops = $2
END
}

# ---------------------------------------------------------------------------------------------
# Rows

kinds=(quiet movable:theta=0.5)

row_lean() {
    local kind
    for kind in "${kinds[@]}"; do
        roomy "$kind" >"$work/roomy.toml"
        roomy "$kind" 'until = "first-failure"' >"$work/lean.toml"
        sweeps "lean ${kind%:*}" "$work/roomy.toml" "$work/lean.toml" || continue
        has_parts '  refused' "$new" || continue
        printf '  refused in the old run: %s\n' "$("$new/versus" sum refused "$work/old/cells.csv")"
    done
}

row_full() {
    local kind
    for kind in "${kinds[@]}"; do
        mixed "$kind" >"$work/mixed.toml"
        sweeps "full ${kind%:*}" "$work/mixed.toml" "$work/mixed.toml" || true
    done
}

row_default() {
    cp "$old/tree/harness/src/sweep/default.toml" "$work/default.toml"
    sweeps default "$work/default.toml" "$work/default.toml" || true
}

row_threads() {
    local words first commit
    mixed quiet >"$work/mixed.toml"
    for commit in old new; do
        words_of "${!commit}" "$work/mixed.toml" two 2
        first=("${words[@]}")
        words_of "${!commit}" "$work/mixed.toml" one 1
        versus "threads 2 / 1, $commit" "${first[@]}" -- "${words[@]}" || true
    done
}

row_area() {
    local words first commit
    single 1 "$((ops * 20))" 4194304 >"$work/large.toml"
    single 1 "$((ops * 20))" 286720 >"$work/small.toml"
    for commit in old new; do
        words_of "${!commit}" "$work/large.toml" area-large
        first=("${words[@]}")
        words_of "${!commit}" "$work/small.toml" area-small
        versus "area 16 / 1.1 GiB, $commit" "${first[@]}" -- "${words[@]}" || true
    done
}

# Peak KiB of a sweep of $2 seeds in the commit of folder $1.
peak() {
    local words status=0
    single "$2" 20 102400 >"$work/single.toml"
    words_of "$1" "$work/single.toml" memory
    (cd "$1/tree" && /usr/bin/time -f %M -o "$work/peak" "${words[@]:1}") >"$work/said" 2>&1 || status=$?
    [ "$status" -le 1 ] && tail -n 1 "$work/peak"
}

row_memory() {
    local commit few many
    /usr/bin/time -f %M true >/dev/null 2>&1 || { cannot memory '/usr/bin/time is not GNU time'; return; }
    for commit in old new; do
        few=$(peak "${!commit}" 20000) && many=$(peak "${!commit}" 100000) ||
            { cannot "memory, $commit" "$(head -n 1 "$work/said")"; continue; }
        awk -v name="memory, $commit" -v few="$few" -v many="$many" 'BEGIN {
            each = (many - few) * 1024 / 80000
            printf "%-24s %.0f bytes a seed; 10^5 seeds %.0f MB, 10^6 seeds %.2f GB by that\n", name,
                each, many * 1.024e-3, (many * 1024 + each * 900000) / 1e9 }'
    done
    [ "$full" -gt 0 ] || return 0
    many=$(peak "$new" "$full") || { cannot 'memory in full, new' "$(head -n 1 "$work/said")"; return; }
    printf '%-24s %s seeds: %s KiB\n' 'memory in full, new' "$full" "$many"
}

row_fuzz() {
    local target took rounds folder executions
    has_parts fuzz "$old" "$new" || return 0
    for target in ingest laws free_map roundtrip; do
        folder=$old/tree/corpora/seeds/$target
        took=$(cpu "$old" "$old/versus" fuzz "$target" "$folder" 1) ||
            { cannot "fuzz $target" "$(head -n 1 "$work/said")"; continue; }
        # About two seconds of the old one.
        rounds=$(awk -v took="$took" 'BEGIN { print int(2 / (took + 0.01)) + 1 }')
        both "fuzz $target" @/versus fuzz "$target" "$folder" "$rounds" || continue
        executions=$(tail -n 1 "$work/said")
        awk -v executions="$executions" '{ old += $1; new += $2 } END {
            printf "  executions/s: %.0f, %.0f\n", executions * NR / old, executions * NR / new }' "$work/pairs"
    done
}

# A log of $1 KB: the failures of a board under stress and their lists, of many holes and all
# different, again and again, each time 100 s later.
failures() {
    gzip -dc "$old/tree/corpora/recordings/6.12/text/dmesg-dma-heap.txt.gz" |
        awk -v bytes="$(($1 * 1000))" '{ line[NR] = $0 } END {
            for (; written < bytes; later += 100) {
                for (n = 1; n <= NR; n++) {
                    text = line[n]
                    if (match(text, /^\[ *[0-9]+\.[0-9]+\]/))
                        text = sprintf("[%12.6f]%s", substr(text, 2) + later, substr(text, RLENGTH + 1))
                    print text
                    written += length(text) + 1
                }
            }
        }'
}

row_diagnose() {
    failures 500 >"$work/small.log"
    failures 50000 >"$work/large.log"
    both 'diagnose 0.5 MB' @/target/release/cmalab diagnose "$work/small.log" || return 0
    cp "$work/pairs" "$work/small"
    both 'diagnose 50 MB' @/target/release/cmalab diagnose "$work/large.log" || return 0
    # Seconds a MB and at 0 MB of the line through both sizes.
    paste -d ' ' "$work/small" "$work/pairs" | awk '{
        old = ($3 - $1) / 49.5; new = ($4 - $2) / 49.5
        print old / new, $1 - old / 2, $2 - new / 2, 1 / old, 1 / new }' >"$work/rest"
    awk -v ratio="$(cut -d ' ' -f 1 "$work/rest" | spread)" '{ for (n = 2; n <= 5; n++) sum[n] += $n }
        END { split(ratio, of, " ")
            printf "  fixed %.3f s, %.3f s; the rest %.0f MB/s, %.0f MB/s: %.2f (%.2f to %.2f)\n",
                sum[2] / NR, sum[3] / NR, sum[4] / NR, sum[5] / NR, of[1], of[2], of[3] }' "$work/rest"
}

row_map() {
    has_parts map "$old" "$new" || return 0
    both 'map, set and clear' @/versus map 100 || true
    both 'map, first fit too' @/versus search 100 || true
}

row_policy() {
    local policy
    has_parts policy "$old" "$new" || return 0
    for policy in kernel best-fit; do
        both "policy $policy" @/versus policy "$policy" 2000000 || true
    done
}

printf '%-24s %11s %11s %8s (least to most of %s)\n' row old new 'old/new' "$pairs"
for row in "${chosen[@]}"; do
    "row_$row"
done
