//! A file for Slurm that sends itself: as an array, and as the merge after it.

use super::Words;

/// The file. It has no `--array` of its own, so that it can be run and be sent.
pub(super) fn text(words: &Words) -> String {
    let Words { program, name, shards, sweep, parts, merge, .. } = words;
    format!(
        r#"#!/bin/bash
#SBATCH --job-name=cmalab-{name}
#SBATCH --cpus-per-task=1
#SBATCH --requeue
# The plan {name} in {shards} shards as a Slurm job array, then the merge. In the folder from which
# files of the plan are named, on a file system that all nodes have:
#   bash THIS-FILE    (or sbatch THIS-FILE)
# sends the array, and after it the merge, which says what is missing if a shard failed. Then, and
# after a time limit or a lost node, send it again: it goes on from what is finished.
# Options of your site (--time, --partition, --account) go into #SBATCH lines above, or into
# SBATCH_TIMELIMIT, SBATCH_PARTITION and SBATCH_ACCOUNT. In the environment:
#   CMALAB=/path/to/cmalab  where it is not in the PATH, the same on all nodes
#   TASKS=N                 fewer tasks than MaxArraySize allows; each runs every Nth shard
set -eu
fail() {{
    echo "$1" >&2
    exit 2
}}
# The file is sent with these words after its name: what it is to do, cmalab, the number of tasks.
what=${{1:-send}} cmalab=${{2:-${{CMALAB:-{program}}}}} tasks=${{3:-${{TASKS:-}}}}
command -v "$cmalab" >/dev/null ||
    fail "$cmalab is not in the PATH of $(uname -n); CMALAB=/path/to/cmalab names one of all nodes"
case $what in
send)
    command -v sbatch >/dev/null || fail "sbatch is not in the PATH of $(uname -n)"
    [ -z "${{SLURM_ARRAY_TASK_ID:-}}" ] ||
        fail 'this file sends its array itself; leave out --array'
    # The number of a task is below MaxArraySize, which is 1001 where a site says nothing.
    most=$(scontrol show config 2>/dev/null | sed -n 's/^MaxArraySize *= *\([0-9]*\)$/\1/p')
    most=$((${{most:-1001}} - 1))
    [ "$most" -ge 1 ] || fail 'this Slurm takes no arrays: its MaxArraySize is too small'
    [ -n "$tasks" ] && [ "$tasks" -le "$most" ] || tasks=$most
    [ "$tasks" -le {shards} ] || tasks={shards}
    job=$(sbatch --parsable --array="1-$tasks" "$0" shards "$cmalab" "$tasks")
    job=${{job%%;*}}
    # After any end of them: where a shard failed the merge has to say so.
    merge=$(sbatch --parsable --dependency="afterany:$job" "$0" merge "$cmalab")
    echo "job $job: {shards} shards in $tasks tasks; job ${{merge%%;*}}: the merge, at their end"
    ;;
shards)
    code=0
    for ((shard = SLURM_ARRAY_TASK_ID; shard <= {shards}; shard += tasks)); do
        "$cmalab" {sweep} --shard "$shard/{shards}" --out {parts}/"$shard-of-{shards}" \
            --jobs "${{SLURM_CPUS_PER_TASK:-1}}" --resume --quiet || code=$?
    done
    exit $code
    ;;
merge)
    exec "$cmalab" {merge}
    ;;
*)
    fail "\"$what\" is none of send, shards, merge"
    ;;
esac
"#
    )
}
