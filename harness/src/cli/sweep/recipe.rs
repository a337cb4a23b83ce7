//! Ready-made text for engines that people have: one plan in many shards, and the merge.

mod kubernetes;

use clap::ValueEnum;

use super::{Sweep, shards_folder};
use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure};
use crate::cli::sweep::folder;
use crate::sweep::Plan;

/// Who runs the shards.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
pub(super) enum Engine {
    /// GNU parallel, on this machine or over ssh.
    Parallel,
    /// A Slurm job array.
    Slurm,
    /// An indexed Job of Kubernetes.
    Kubernetes,
}

/// What the text is made of; every field can be put into a shell's command as it is.
struct Words {
    /// Name of the plan, which has no letter that a shell or YAML knows.
    name: String,
    shards: u64,
    /// `sweep` with its plan and options.
    sweep: String,
    /// The folder that has a folder for each shard.
    parts: String,
    /// `merge` with its options.
    merge: String,
}

/// Prints the recipe.
pub(super) fn print(
    args: &Sweep,
    engine: Engine,
    shards: u64,
    plan: &Plan,
    context: &Context,
) -> Result<Exit, Failure> {
    let words = words(args, shards, plan)?;
    let text = match engine {
        Engine::Parallel => parallel(&words),
        Engine::Slurm => slurm(&words),
        Engine::Kubernetes => kubernetes::text(&words),
    };
    context.output(None, |out| Ok(out.write_all(text.as_bytes())?))?;
    Ok(Exit::Good)
}

fn words(args: &Sweep, shards: u64, plan: &Plan) -> Result<Words, Failure> {
    let report = args.out.clone().unwrap_or_else(|| folder::default_folder(plan));
    let parts = shards_folder(&report);
    let path = |path: &std::path::Path| match path.to_str() {
        Some(text) => Ok(quote(text)),
        None => Err(Failure::because(format_args!(
            "write a recipe with {}: its name is no text",
            path.display()
        ))),
    };
    let mut sweep = "sweep".to_string();
    if let Some(plan) = &args.plan {
        sweep += &format!(" {}", path(plan)?);
    }
    if let Some(seed) = args.seed {
        sweep += &format!(" --seed {seed}");
    }
    if args.thorough {
        sweep += " --thorough";
    }
    let parts = path(&parts)?;
    let mut merge = format!("merge {parts}");
    if args.out.is_some() {
        merge += &format!(" --out {}", path(&report)?);
    }
    Ok(Words { name: plan.name.clone(), shards, sweep, parts, merge })
}

/// A word for a POSIX shell. One that begins with a dash is no option.
fn quote(text: &str) -> String {
    let text = if text.starts_with('-') { format!("./{text}") } else { text.to_string() };
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text;
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

fn parallel(words: &Words) -> String {
    let Words { name, shards, sweep, parts, merge } = words;
    format!(
        r#"#!/bin/sh
# The plan {name} in {shards} shards with GNU parallel, then the merge. Run it in the folder from
# which files of the plan are named; after a stop run it again, and it goes on.
# On several machines with a file system in common: PARALLEL='--sshloginfile hosts --workdir .'
# in the environment.
set -eu
cmalab=${{CMALAB:-cmalab}}
shard() {{
    exec "$1" {sweep} --shard "$2/{shards}" --out {parts}/"$2-of-{shards}" \
        --jobs 1 --resume --quiet
}}
# parallel starts this file again for each shard.
if [ "${{1:-}}" = shard ]; then
    shard "$cmalab" "$2"
fi
seq {shards} | parallel --quote --halt now,fail=1 env CMALAB="$cmalab" sh "$0" shard {{}}
"$cmalab" {merge}
"#
    )
}

fn slurm(words: &Words) -> String {
    let Words { name, shards, sweep, parts, merge } = words;
    format!(
        r#"#!/bin/bash
#SBATCH --job-name=cmalab-{name}
#SBATCH --array=1-{shards}
#SBATCH --cpus-per-task=1
#SBATCH --requeue
# The plan {name} in {shards} shards as a Slurm job array, then the merge. In the folder from which
# files of the plan are named, on a file system that all nodes have:
#   bash THIS-FILE
# sends the array, and behind it the merge. What a node loses or a time limit stops goes on when it
# is sent again. Add --time, --partition and --account as your site has them. An array of more than
# 1000 tasks needs MaxArraySize.
set -eu
cmalab=${{CMALAB:-cmalab}}
case ${{SLURM_ARRAY_TASK_ID:-}} in
'')
    job=$(sbatch --parsable "$0")
    # Task 0 is the merge.
    sbatch --dependency="afterok:${{job%%;*}}" --array=0 "$0"
    ;;
0)
    exec "$cmalab" {merge}
    ;;
*)
    exec "$cmalab" {sweep} --shard "$SLURM_ARRAY_TASK_ID/{shards}" \
        --out {parts}/"$SLURM_ARRAY_TASK_ID-of-{shards}" \
        --jobs "${{SLURM_CPUS_PER_TASK:-1}}" --resume --quiet
    ;;
esac
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_one_word_for_a_shell() {
        let table = [
            ("plan.toml", "plan.toml"),
            ("my plan.toml", "'my plan.toml'"),
            ("it's", r"'it'\''s'"),
            ("", "''"),
            ("-o", "./-o"),
            ("$(rm)", "'$(rm)'"),
            ("~a", "'~a'"),
        ];
        for (text, word) in table {
            assert_eq!(quote(text), word);
        }
    }
}
