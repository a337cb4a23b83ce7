//! A script for HyperQueue: a task array, then the merge.

use super::Words;

/// The script. It starts itself for each shard.
pub(super) fn text(words: &Words) -> String {
    let Words { program, name, shards, sweep, parts, merge, .. } = words;
    format!(
        r#"#!/bin/sh
# The plan {name} in {shards} shards as a task array of HyperQueue, then the merge. In the folder
# from which files of the plan are named, on a file system that all workers have:
#   hq server start &
#   hq worker start &    (on each node; or: hq alloc add slurm --time-limit 1h)
#   sh THIS-FILE
# A shard whose worker is lost is run again by another one, and goes on from what is finished. What
# a shard that failed had to say is in job-N/; the merge says which are missing. After a stop run
# it again. In the environment:
#   CMALAB=/path/to/cmalab  where it is not in the PATH, the same on all nodes
set -eu
cmalab=${{CMALAB:-{program}}}
if [ "${{1:-}}" = shard ]; then
    exec "$2" {sweep} --shard "$HQ_TASK_ID/{shards}" --out {parts}/"$HQ_TASK_ID-of-{shards}" \
        --jobs 1 --resume --quiet
fi
for program in "$cmalab" hq; do
    command -v "$program" >/dev/null || {{
        echo "$program is not in the PATH; CMALAB=/path/to/cmalab names the one of that name" >&2
        exit 2
    }}
done
hq submit --wait --name cmalab --array 1-{shards} --cpus 1 --stdout none \
    -- sh "$0" shard "$cmalab" || echo 'not all shards ended well' >&2
exec "$cmalab" {merge}
"#
    )
}
