#!/bin/sh
# What guides a search for harm, measured:
#   corpora/guidance.sh            both tables; some 25 minutes on two idle cores
#   corpora/guidance.sh ways       mutator x counters at equal executions, with a rank test
#   corpora/guidance.sh means      adversaries, fuzzing from an empty corpus and local search
# RUNS, REPEATS, REPEATS_OTHERS, PAGES and TRIES in the environment make it shorter or longer:
#   RUNS=2000 REPEATS=3 corpora/guidance.sh ways
# The rows are CSV on standard output; the table of the ways stands below them.
set -eu
cd "$(dirname "$0")/.."
cargo +nightly fuzz build -s none enomem
CMALAB_ENOMEM=$(find "$PWD/fuzz/target" -path '*/release/enomem' -type f -perm -u+x | head -n 1)
export CMALAB_ENOMEM
case "${1:-all}" in
ways) only=what_mutator_and_counters_are_worth ;;
means) only=harm_by_each_means ;;
all) only= ;;
*) echo "guidance.sh: \"$1\" is none of: ways, means" >&2; exit 2 ;;
esac
exec cargo test -q -p cma-harness --release --test guidance -- --ignored --nocapture \
    --test-threads=1 $only
