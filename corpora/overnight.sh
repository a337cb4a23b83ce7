#!/usr/bin/env bash
# Fuzzes every target for a night, keeps the smallest files that reach what was reached, and says
# what is new.

usage() {
    cat <<'END'
Usage: corpora/overnight.sh [OPTIONS]

Fuzzes all targets from corpora/seeds/ and from what earlier runs have kept, goes on after a crash,
merges what was found, and writes summary.txt and summary.csv.

  --minutes N      the whole run, without building and merging; shared evenly [480]
  --runs N         so many executions of each target, instead of a time
  --targets A,B    only these; the canary, which must crash, runs only when named
  --jobs N         targets at once [number of processors]
  --seed N         of the mutations, for the same run again; 0: another one each time [0]
  --crashes N      a target is given up after so many crashes [10]
  --state DIR      where corpora, crashes and champions are kept between runs [fuzz]
  --out DIR        where the summary and the logs go [overnight]
  --update-seeds   at the end, copy what reaches code that no named seed reaches to corpora/seeds/
                   under names by content, and write corpora/SOURCES.csv accordingly
  --max-files N    at most so many such files of a target [32]
  --max-kb N       and so many kB of them [32]

Exit status: 0 nothing crashed; 1 something did; 2 it could not be done; 130 stopped by Ctrl-C,
with a summary of what there was: the next run goes on from there.

  corpora/overnight.sh                                   # eight hours, all targets
  corpora/overnight.sh --minutes 60 --targets laws,enomem --jobs 2
  corpora/overnight.sh --minutes 0 --update-seeds        # only merge, and commit what was kept
  CMALAB_MUTATOR=bytes corpora/overnight.sh --minutes 10 # without the mutations that know acts
END
}

set -euo pipefail
export LC_ALL=C # the same order and the same numbers everywhere
cd "$(dirname "$0")/.."

die() {
    printf 'overnight: %s\n' "$1" >&2
    exit 2
}

minutes=480 runs='' targets='' jobs=$(nproc 2>/dev/null || echo 1) seed=0 crashes=10
state=fuzz out=overnight update_seeds='' max_files=32 max_kb=32
while [ $# -gt 0 ]; do
    case $1 in
        -h | --help) usage && exit 0 ;;
        --update-seeds) update_seeds=yes && shift && continue ;;
        --minutes | --runs | --targets | --jobs | --seed | --crashes | --state | --out | --max-files | --max-kb) ;;
        *) die "unknown option \"$1\"; --help lists them" ;;
    esac
    [ $# -ge 2 ] || die "$1 needs a value; --help has examples"
    case $1 in
        --targets | --state | --out) ;;
        *) [[ $2 =~ ^(0|[1-9][0-9]{0,6})$ ]] || die "$1 takes a whole number, not \"$2\"" ;;
    esac
    name=${1#--}
    printf -v "${name//-/_}" '%s' "$2"
    shift 2
done
[ "$jobs" -ge 1 ] || die '--jobs takes at least 1'
[ "$crashes" -ge 1 ] || die '--crashes takes at least 1'

# ---------------------------------------------------------------------------------------------
# What there is

cargo fuzz --version >/dev/null 2>&1 || die 'cargo-fuzz is not there: cargo install cargo-fuzz --locked'
known=$(cargo +nightly fuzz list) || die 'cargo +nightly fuzz list failed: rustup toolchain install nightly'
if [ -z "$targets" ]; then
    targets=$(grep -vx canary <<<"$known")
else
    targets=${targets//,/ }
fi
[ -n "${targets// /}" ] || die '--targets names none'
for target in $targets; do
    grep -qx -- "$target" <<<"$known" || die "no target \"$target\"; there are: ${known//$'\n'/ }"
done
mkdir -p "$state" "$out"
state=$(cd "$state" && pwd) out=$(cd "$out" && pwd)
if command -v flock >/dev/null; then
    exec 9>"$state/.overnight.lock"
    flock -n 9 || die "another run uses $state; --state takes another folder"
fi
rm -rf "$out/logs" "$out/results" "$out/summary.txt" "$out/summary.csv"
mkdir -p "$out/logs" "$out/results"

cargo +nightly fuzz build -s none --no-trace-compares || die 'the targets do not build'
built=${CARGO_TARGET_DIR:-fuzz/target}/$(rustc -vV | sed -n 's/^host: //p')/release

# Seconds of one target: as many rounds as it takes to give each target its turn fit in the time.
set -- $targets
rounds=$((($# + jobs - 1) / jobs))
share=$((minutes * 60 / rounds))
# What an enomem run keeps beside its corpus, since merging loses some of it.
export CMALAB_CHAMPIONS=$state/champions
mkdir -p "$CMALAB_CHAMPIONS"

# ---------------------------------------------------------------------------------------------
# One target

names() { ls -A -- "$1" 2>/dev/null | grep -v '^\.' || true; }
count() { names "$1" | wc -l; }
sums() { (cd "$1" && find . -name '*.case' -type f -exec cksum {} + | sort); }

# The corpus of a target, whatever an earlier run was stopped in.
recover() {
    local corpus=$state/corpus/$1
    [ -d "$corpus" ] || [ ! -d "$state/corpus/.old-$1" ] || mv "$state/corpus/.old-$1" "$corpus"
    rm -rf "$state/corpus/.old-$1" "$state/corpus/.new-$1"
    mkdir -p "$corpus" "$state/artifacts/$1"
}

# Runs libFuzzer on a target; its pid is on record, so that Ctrl-C can be passed on.
fuzzer() {
    local target=$1 log=$out/logs/$1.log words=()
    [ "$2" = hunt ] || log=$out/logs/$1.$2.log
    shift 2
    [ ! -f "fuzz/$target.dict" ] || words+=("-dict=fuzz/$target.dict")
    "$built/$target" "$@" "${words[@]}" >>"$log" 2>&1 &
    echo $! >"$out/results/$target.pid"
    local code=0
    wait $! || code=$?
    rm -f "$out/results/$target.pid"
    return $code
}

# Where the last panic of a log was, and the first line of what it said.
panic() {
    awk 'said { last = last ": " substr($0, 1, 160); said = 0 }
        /^thread .* panicked at / { last = $0; sub(/.*panicked at /, "", last); sub(/:$/, "", last)
                                    said = 1 }
        END { print last }' "$1" | tr '\t' ' '
}

# The name of the last input that libFuzzer has kept because something was wrong with it.
artifact() { sed -n 's|^artifact_prefix=.*Test unit written to .*/||p' "$1" | tail -n 1; }

# Fuzzes until the time is up: again after each crash. Sets `status`.
hunt() {
    local target=$1 corpus=$state/corpus/$1 artifacts=$state/artifacts/$1 log=$out/logs/$1.log
    local end=$((SECONDS + share)) round=0 code left limits file known before
    local folders=("$corpus")
    before=$(names "$artifacts")
    [ ! -d "corpora/seeds/$target" ] || folders+=("corpora/seeds/$target")
    status=quiet
    while [ ! -e "$out/results/stop" ]; do
        left=$((end - SECONDS))
        if [ -n "$runs" ]; then limits="-runs=$runs"; else limits="-max_total_time=$left"; fi
        [ -n "$runs" ] || [ $left -gt 0 ] || return 0
        code=0
        # 0 has libFuzzer draw a seed.
        fuzzer "$target" hunt "$limits" -seed=$((seed == 0 ? 0 : seed + round)) -timeout=60 \
            -print_final_stats=1 -artifact_prefix="$artifacts/" "${folders[@]}" || code=$?
        [ $code -ne 0 ] || return 0
        [ ! -e "$out/results/stop" ] && [ $code -ne 72 ] || break
        status=crashed round=$((round + 1))
        file=$(artifact "$log")
        # None, or one that this run has met: going on would only repeat it.
        if [ -z "$file" ] || grep -qF "$file" "$out/results/$target.crashes"; then
            status=stuck && return 0
        fi
        grep -qxF "$file" <<<"$before" && known=known || known=new
        printf '%s\t%s\t%s\n' "$known" "$file" "$(panic "$log")" >>"$out/results/$target.crashes"
        # One that an earlier version of the code had let into the corpus.
        rm -f "$corpus/${file#*-}"
        [ $round -lt "$crashes" ] || return 0
    done
    status=stopped
}

# Merges folders into one of which only what is not a seed stays.
merged() {
    local target=$1 into=$2 seeds=corpora/seeds/$1
    shift 2
    rm -rf "$into" && mkdir -p "$into"
    [ ! -d "$seeds" ] || cp "$seeds"/* "$into/"
    fuzzer "$target" merge -merge=1 "$into" "$@" || return 1
    [ ! -d "$seeds" ] || (cd "$seeds" && for name in *; do rm -f "$into/$name"; done)
}

# Sets `gained`, how many features the files of this run reach that seeds and corpus did not; then
# replaces the corpus by the smallest files that reach, beyond the seeds, all that it reaches.
merge() {
    local target=$1 corpus=$state/corpus/$1 new=$state/corpus/.new-$1 old=$state/corpus/.old-$1
    local log=$out/logs/$1.merge.log
    [ -n "$(names "$corpus")" ] || return 0
    mkdir -p "$old"
    while read -r name; do
        [ ! -e "$corpus/$name" ] || cp "$corpus/$name" "$old/"
    done <"$out/results/$target.before"
    # With what there was in front, libFuzzer counts what the rest adds to it.
    [ ! -d "corpora/seeds/$target" ] || cp "corpora/seeds/$target"/* "$old/"
    fuzzer "$target" merge -merge=1 "$old" "$corpus" || return 1
    gained=$(sed -n 's/^MERGE-OUTER: .* new files with \([0-9]*\) new features.*/\1/p' "$log")
    rm -rf "$old"
    merged "$target" "$new" "$corpus" || return 1
    mv "$corpus" "$old" && mv "$new" "$corpus" || return 1
    rm -rf "$old"
}

# One row of the summary.
row() {
    local target=$1 seconds=$2 kept=$3 log=$out/logs/$1.log
    local executed features before crashes
    executed=$(awk '/^stat::number_of_executed_units:/ { n += $2 } END { print n + 0 }' "$log")
    features=$(awk '{ for (i = 1; i < NF; i++) if ($i == "ft:") n = $(i + 1) }
        END { print n + 0 }' "$log")
    before=$(wc -l <"$out/results/$target.before")
    crashes=$(wc -l <"$out/results/$target.crashes")
    speed=$((executed / (seconds > 0 ? seconds : 1)))
    echo "$target,$status,$seconds,$executed,$speed,$features,$gained,$before,$kept,$crashes" \
        >"$out/results/$target.csv"
}

night() {
    local target=$1 start=$SECONDS seconds
    recover "$target"
    : >"$out/logs/$target.log"
    : >"$out/results/$target.crashes"
    names "$state/corpus/$target" >"$out/results/$target.before"
    status=quiet gained=0
    if [ -n "$runs" ] || [ "$share" -gt 0 ]; then hunt "$target"; fi
    seconds=$((SECONDS - start))
    # The row is there even if merging is interrupted.
    row "$target" "$seconds" "$(count "$state/corpus/$target")"
    [ "$status" != stopped ] || return 0
    merge "$target" || { [ -e "$out/results/stop" ] && status=stopped || status=unmerged; }
    row "$target" "$seconds" "$(count "$state/corpus/$target")"
}

# ---------------------------------------------------------------------------------------------
# All of them

stop() {
    trap '' INT TERM
    touch "$out/results/stop"
    local file
    for file in "$out"/results/*.pid; do
        [ ! -e "$file" ] || kill -TERM "$(cat "$file")" 2>/dev/null || true
    done
}
trap stop INT TERM

champions=$(sums "$CMALAB_CHAMPIONS")
running=0
for target in $targets; do
    [ ! -e "$out/results/stop" ] || break
    # A trap may end a wait early: the jobs that run are counted, not remembered.
    while running=$(jobs -rp | wc -l) && [ "$running" -ge "$jobs" ]; do wait -n || true; done
    night "$target" &
done
while running=$(jobs -rp | wc -l) && [ "$running" -gt 0 ]; do wait || true; done
# Written now, so that a defect in what follows hides nothing.
header=target,status,seconds,executions,executions_per_second,features,new_features,files_before
header=$header,files_kept,crashes
{
    echo "$header"
    for target in $targets; do cat "$out/results/$target.csv" 2>/dev/null || true; done
} >"$out/summary.csv"

# What to do with a crash: a case is shrunk on its acts, other bytes by libFuzzer.
again() {
    local target=$1 file=$2
    printf '           again: cargo +nightly fuzz run -s none --no-trace-compares %s %s\n' "$target" "$file"
    if grep -Eq 'case_target!|fuzz_mutator!' "fuzz/fuzz_targets/$target.rs"; then
        printf '           small: cargo run --release -- shrink %s\n' "$file"
    else
        printf '           small: cargo +nightly fuzz tmin -s none --no-trace-compares %s %s\n' "$target" "$file"
    fi
}

summary() {
    local target panic words file known seen
    echo "$(git describe --always --dirty 2>/dev/null || echo 'no commit'):" \
        "$(wc -w <<<"$targets") targets, $jobs at once," \
        "$([ -n "$runs" ] && echo "$runs executions each" || echo "$share s each")$(
            [ ! -e "$out/results/stop" ] || echo ', stopped early')"
    echo
    awk -F, 'NR > 1 {
        printf "%-10s %-8s %7d s %11d executions %7d /s", $1, $2, $3, $4, $5
        printf "  %6d features (%d new)  %5d files (%+d)  %d crashes\n", $6, $7, $9, $9 - $8, $10 }' "$out/summary.csv"
    echo
    echo 'New:'
    {
        for target in $targets; do
            [ -s "$out/results/$target.crashes" ] || continue
            seen=''
            while IFS=$'\t' read -r known file panic; do
                # What differs after the first words are the numbers of one defect.
                words=$(cut -d ' ' -f 1-5 <<<"$panic")
                [[ $seen != *"|$words|"* ]] || continue
                seen="$seen|$words|"
                [ "$known" = new ] || panic="$panic (an earlier run has met it)"
                file=$state/artifacts/$target/$file
                echo "  crash    $target ${file#"$PWD"/}: ${panic:-see $out/logs/$target.log}"
                again "$target" "${file#"$PWD"/}"
            done <"$out/results/$target.crashes"
        done
        comm -13 <(echo "$champions") <(sums "$CMALAB_CHAMPIONS") |
            awk -v at="${CMALAB_CHAMPIONS#"$PWD"/}" '{ sub(/^\.\//, "", $3); print "  champion " at "/" $3 }'
        awk -F, 'NR > 1 && $7 > 0 {
            print "  features " $1 ": " $7 " that no file of the corpus reached" }' "$out/summary.csv"
    } >"$out/results/new"
    if [ -s "$out/results/new" ]; then cat "$out/results/new"; else echo '  nothing'; fi
}
summary >"$out/summary.txt"
cat "$out/summary.txt"

# A terminal's Ctrl-C reaches libFuzzer as well, which may be first.
if [ -e "$out/results/stop" ] || grep -q '^[^,]*,stopped,' "$out/summary.csv"; then exit 130; fi
if [ -n "$update_seeds" ]; then
    # shellcheck disable=SC2086 # a list of words
    corpora/update-seeds.sh --state "$state" --max-files "$max_files" --max-kb "$max_kb" $targets
fi
for target in $targets; do
    [ -e "$out/results/$target.csv" ] || die "$target left no result; $out/logs says more"
done
awk -F, 'NR > 1 && $2 == "unmerged" { broken = 1 }
    NR > 1 && ($2 == "crashed" || $2 == "stuck" || $10 > 0) { crashed = 1 }
    END { exit broken ? 2 : crashed }' "$out/summary.csv"
