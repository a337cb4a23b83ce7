//! A script for GNU parallel, on this machine or over ssh.

use super::Words;

/// The script. It starts itself for each shard.
pub(super) fn text(words: &Words) -> String {
    let Words { program, name, shards, sweep, parts, merge, files } = words;
    let files: String = files.iter().map(|file| format!(" --basefile {file}")).collect();
    format!(
        r#"#!/bin/sh
# The plan {name} in {shards} shards with GNU parallel, then the merge. Run it in the folder from
# which files of the plan are named; after a stop run it again, and it goes on. In the environment:
#   CMALAB=/path/to/cmalab  where it is not in the PATH
#   HOSTS=FILE              machines to run on: one a line, as ssh knows them; ":" is this one. They
#                           need cmalab in the same place, and rsync, but no file system in common:
#                           the plan and its files are sent, and the shards are fetched.
set -eu
cmalab=${{CMALAB:-{program}}}
hosts=${{HOSTS:-}}
if [ "${{1:-}}" = shard ]; then
    exec "$cmalab" {sweep} --shard "$2/{shards}" --out {parts}/"$2-of-{shards}" \
        --jobs 1 --resume --quiet
fi
for program in "$cmalab" parallel ${{hosts:+rsync}}; do
    command -v "$program" >/dev/null || {{
        echo "$program is not in the PATH; CMALAB=/path/to/cmalab names the one of that name" >&2
        exit 2
    }}
done
# Those that are to be run: what was fetched is not sent again.
shards() {{
    for shard in $(seq {shards}); do
        [ -n "$hosts" ] && [ -f {parts}/"$shard-of-{shards}/shard.csv" ] || echo "$shard"
    done
}}
set --
if [ -n "$hosts" ]; then
    set -- --sshloginfile "$hosts" --workdir {work} --cleanup --basefile "$0"{files} \
        --return {parts}/{{}}-of-{shards}/shard.csv --return {parts}/{{}}-of-{shards}/plan.toml
fi
# A shard that fails is tried twice more, on another machine where there is one.
shards | parallel --quote --retries 3 --halt soon,fail=1 "$@" \
    env CMALAB="$cmalab" sh "$0" shard {{}}
"$cmalab" {merge}
"#,
        work = format_args!("cmalab-{name}"),
    )
}
