#!/usr/bin/env bash
# Harm by each means: known adversaries, guided fuzzing from an empty corpus, and local search, for
# each policy and area. Writes the rows of `cmalab attack` as CSV to standard output.
set -euo pipefail
cd "$(dirname "$0")/.."

usage() {
    cat <<'END'
corpora/means.sh [OPTIONS]

  --policy P   may be given again (default kernel, best-fit, buddy and zoned)
  --pages N    may be given again (default 64, 256, 1024 and 4096)
  --runs N     executions of the fuzz target in 1024 pages, more in smaller areas and fewer in larger
               ones (default 50000, about 30 s)
  --tries N    programs that the local search tries (default 100000)

Needs cargo-fuzz and a nightly toolchain.
END
}

policies=() areas=() runs=50000 tries=100000
while [ $# -gt 0 ]; do
    case $1 in
        --policy) policies+=("${2-}") ;;
        --pages) areas+=("${2-}") ;;
        --runs) runs=${2-} ;;
        --tries) tries=${2-} ;;
        --help | -h) usage; exit 0 ;;
        *) printf '%s is no option\n' "$1" >&2; usage >&2; exit 2 ;;
    esac
    [ $# -ge 2 ] || { printf '%s needs a value\n' "$1" >&2; exit 2; }
    shift 2
done
[ ${#policies[@]} -gt 0 ] || policies=(kernel best-fit buddy zoned)
[ ${#areas[@]} -gt 0 ] || areas=(64 256 1024 4096)
for number in "$runs" "$tries" "${areas[@]}"; do
    [[ $number =~ ^[1-9][0-9]*$ ]] || { printf '%s is no number of at least 1\n' "$number" >&2; exit 2; }
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
[ -n "${CMALAB_ENOMEM:-}" ] || cargo +nightly fuzz build -s none --no-trace-compares enomem >&2
binary=${CMALAB_ENOMEM:-$(find "${CARGO_TARGET_DIR:-fuzz/target}" -path '*/release/enomem' -type f | head -n 1)}
[ -x "$binary" ] || { echo 'the build left no binary' >&2; exit 2; }
cargo build --quiet --release -p cma-harness --bin cmalab >&2
cmalab=${CARGO_TARGET_DIR:-target}/release/cmalab

for policy in "${policies[@]}"; do
    for pages in "${areas[@]}"; do
        here=$(mktemp -d "$work/run.XXXXXX")
        mkdir "$here/corpus" "$here/champions"
        # An execution takes about as long as the area is large.
        here_runs=$((runs * 1024 / pages))
        [ "$here_runs" -le $((runs * 4)) ] || here_runs=$((runs * 4))
        CMALAB_GOAL=$policy,$pages CMALAB_CHAMPIONS=$here/champions "$binary" "$here/corpus" \
            -seed=1 -runs="$here_runs" -max_len=2048 -len_control=0 -verbosity=0 \
            -artifact_prefix="$here/" >"$here/log" 2>&1 || { tail -n 20 "$here/log" >&2; exit 1; }
        "$cmalab" attack --policy "$policy" --pages "$pages" --tries "$tries" \
            --from "$here/champions" --format csv >"$here/rows"
        [ -n "${head:-}" ] || { head=$(head -n 1 "$here/rows"); printf '%s\n' "$head"; }
        tail -n +2 "$here/rows"
        rm -rf "$here"
    done
done
