#!/usr/bin/env bash
# Replaces the seeds that have names by content, and keeps SOURCES.csv complete.

usage() {
    cat <<'END'
Usage: corpora/update-seeds.sh [OPTIONS] TARGET...

Copies what fuzzing has found to corpora/seeds/TARGET/, under names by content: as few files as
reach what no seed with a name of its own reaches, those that reach most first, within the bounds. Such files from
an earlier time take part again and go where they are no longer needed. The binaries must have been
built: cargo +nightly fuzz build -s none --no-trace-compares

  --state DIR      the folder with corpus/TARGET/ [fuzz]
  --max-files N    at most so many such files of a target [32]
  --max-kb N       and so many kB of them [32]

Exit status: 0 done, 2 it could not be done.

  corpora/update-seeds.sh laws lockstep
  corpora/overnight.sh --minutes 60 --update-seeds # fuzz first
END
}

set -euo pipefail
export LC_ALL=C # the same order everywhere
state='' max_files=32 max_kb=32
while [[ ${1-} == -* ]]; do
    case $1 in
        -h | --help) usage && exit 0 ;;
        --state | --max-files | --max-kb) ;;
        *) printf 'update-seeds: unknown option "%s"; --help lists them\n' "$1" >&2 && exit 2 ;;
    esac
    [ $# -ge 2 ] || { printf 'update-seeds: %s needs a value\n' "$1" >&2 && exit 2; }
    case $1 in
        --state) state=$(cd "$2" && pwd) ;;
        --max-files) max_files=$2 ;;
        --max-kb) max_kb=$2 ;;
    esac
    shift 2
done
[ $# -gt 0 ] || { usage >&2 && exit 2; }
cd "$(dirname "$0")/.."
state=${state:-$PWD/fuzz}
built=${CARGO_TARGET_DIR:-fuzz/target}/$(rustc -vV | sed -n 's/^host: //p')/release
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

by_content='^[0-9a-f]{40}$'
names() { ls -A -- "$1"; }

# Writes the names of the files that become seeds.
choose() {
    local target=$1 seeds=corpora/seeds/$1 at=$work/$1 name
    mkdir -p "$seeds" "$state/corpus/$target" "$at/named" "$at/rest"
    for name in $(names "$seeds"); do
        if [[ $name =~ $by_content ]]; then
            cp "$seeds/$name" "$at/rest/"
        else
            cp "$seeds/$name" "$at/named/"
        fi
    done
    "$built/$target" -set_cover_merge=1 -merge_control_file="$at/features" "$at/named" "$at/rest" \
        "$state/corpus/$target" >"$at/log" 2>&1 || { tail -n 5 "$at/log" >&2 && return 1; }
    greedy "$at/features" >"$at/chosen"
}

# Names of files, the one first that reaches the most which no seed of a name and no file before it
# reaches; of two that reach as much, the smaller. libFuzzer merges as well, but says no order, and
# the bounds cut the list. Reads libFuzzer's control file: how many files, how many of them are of the
# first folder, their paths, then size and features of each.
greedy() {
    awk -v max_files="$max_files" -v max_bytes=$((max_kb * 1024)) '
        NR == 1 { files = $1; next }
        NR == 2 { named = $1; next }
        NR <= files + 2 { path[NR - 3] = $0; next }
        $1 == "STARTED" { size[$2] = $3 }
        $1 == "FT" && $2 < named { for (i = 3; i <= NF; i++) reached[$i] = 1 }
        $1 == "FT" && $2 >= named { $1 = ""; features[$2] = $0 }
        END {
            while (chosen < max_files) {
                best = 0
                for (file = named; file < files; file++) {
                    if (!(file in features) || bytes + size[file] > max_bytes) continue
                    more = 0
                    n = split(features[file], each, " ")
                    for (i = 2; i <= n; i++) if (!(each[i] in reached)) more++
                    # It can only become less.
                    if (more == 0) delete features[file]
                    if (more > best || more == best && more && size[file] < size[pick]) {
                        best = more; pick = file
                    }
                }
                if (!best) break
                n = split(features[pick], each, " ")
                for (i = 2; i <= n; i++) reached[each[i]] = 1
                delete features[pick]
                chosen++
                bytes += size[pick]
                sub(/.*\//, "", path[pick])
                print path[pick]
            }
        }' "$1"
}

# Puts the chosen files in the place of the earlier ones.
replace() {
    local target=$1 seeds=corpora/seeds/$1 at=$work/$1 name
    local origin='found by fuzzing this project: reaches what no other seed does'
    for name in $(names "$seeds"); do
        if [[ $name =~ $by_content ]]; then rm "$seeds/$name"; fi
    done
    while read -r name; do
        cp "$state/corpus/$target/$name" "$seeds/" 2>/dev/null || cp "$at/rest/$name" "$seeds/"
    done <"$at/chosen"
    {
        head -n 1 corpora/SOURCES.csv
        {
            tail -n +2 corpora/SOURCES.csv | grep -Ev "^seeds/$target/[0-9a-f]{40}," || true
            sed "s|.*|seeds/$target/&,$origin,,MIT OR Apache-2.0|" "$at/chosen"
        } | sort
    } >"$work/SOURCES.csv"
    cp "$work/SOURCES.csv" corpora/SOURCES.csv
    echo "$seeds: $(wc -l <"$at/chosen") files by content, $(names "$seeds" | wc -l) in all"
}

for target in "$@"; do
    [ -x "$built/$target" ] || {
        printf 'update-seeds: %s is not built: cargo +nightly fuzz build -s none --no-trace-compares\n' "$target" >&2
        exit 2
    }
    choose "$target" || exit 2
    replace "$target"
done
