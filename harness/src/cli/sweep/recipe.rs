//! Ready-made text for engines that people have: one plan in many shards, and the merge.

mod hyperqueue;
mod kubernetes;
mod parallel;
mod slurm;

use std::path::{Component, Path};

use clap::ValueEnum;

use super::{Sweep, shards_folder};
use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure};
use crate::cli::sweep::folder;
use crate::program;
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
    /// A task array of HyperQueue.
    #[value(name = "hyperqueue")]
    HyperQueue,
}

/// What the text is made of; every field can be put into a shell's command as it is.
struct Words {
    /// What is run.
    program: String,
    /// Name of the plan, which has no letter that a shell or YAML knows.
    name: String,
    shards: u64,
    /// `sweep` with its plan and options.
    sweep: String,
    /// The folder that has a folder for each shard.
    parts: String,
    /// `merge` with its options: of that sweep, and no other that was run there before.
    merge: String,
    /// The plan and the files that it names.
    files: Vec<String>,
}

/// Prints the recipe.
pub(super) fn print(
    args: &Sweep,
    engine: Engine,
    shards: u64,
    plan: &Plan,
    context: &Context,
) -> Result<Exit, Failure> {
    if engine == Engine::Kubernetes {
        refuse_what_is_elsewhere(args, plan)?;
    }
    let words = words(args, shards, plan)?;
    let text = match engine {
        Engine::Parallel => parallel::text(&words),
        Engine::Slurm => slurm::text(&words),
        Engine::Kubernetes => kubernetes::text(&words),
        Engine::HyperQueue => hyperqueue::text(&words),
    };
    context.output(None, |out| Ok(out.write_all(text.as_bytes())?))?;
    Ok(Exit::Good)
}

fn words(args: &Sweep, shards: u64, plan: &Plan) -> Result<Words, Failure> {
    let report = args.out.clone().unwrap_or_else(|| folder::default_folder(plan));
    let parts = shards_folder(&report);
    let path = |path: &Path| match path.to_str() {
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
    sweep += &args.over.line();
    if let Some(seed) = args.seed {
        sweep += &format!(" --seed {seed}");
    }
    if let Some(target) = args.target {
        sweep += &format!(" --target {}", quote(&target.to_string()));
    }
    if args.thorough {
        sweep += " --thorough";
    }
    let parts = path(&parts)?;
    let mut merge = format!("merge {parts}");
    if args.out.is_some() {
        merge += &format!(" --out {}", path(&report)?);
    }
    merge += &format!(" -- {sweep}");
    let mut files = args.plan.iter().map(|plan| path(plan)).collect::<Result<Vec<_>, _>>()?;
    for file in plan.streams.iter().flat_map(folder::files_of) {
        files.push(quote(file));
    }
    files.sort();
    files.dedup();
    let program = quote(program::name());
    Ok(Words { program, name: plan.name.clone(), shards, sweep, parts, merge, files })
}

/// A container has the folder that is mounted into it, and no other.
fn refuse_what_is_elsewhere(args: &Sweep, plan: &Plan) -> Result<(), Failure> {
    let of_line = args.plan.iter().chain(&args.out).map(std::path::PathBuf::as_path);
    let named = plan.streams.iter().flat_map(folder::files_of).map(Path::new);
    let inside = |path: &Path| {
        path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
    };
    match of_line.chain(named).find(|path| !inside(path)) {
        None => Ok(()),
        Some(path) => Err(Failure::because(format_args!(
            "write a recipe for kubernetes with {}: a container does not have that path; go to the \
             folder that the volume holds, and name the plan, its files and --out from there, \
             without ..",
            path.display()
        ))),
    }
}

/// A word for a POSIX shell. One that begins with a dash is no option.
pub(in crate::cli) fn quote(text: &str) -> String {
    let text = if text.starts_with('-') { format!("./{text}") } else { text.to_string() };
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text;
    }
    format!("'{}'", text.replace('\'', "'\\''"))
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
