//! The command line: one file and two lines here for each subcommand.
//!
//! A stranger's binary gets all of it with its own policies in the catalog by [`run_with`].

mod attack;
mod bar;
mod by_name;
mod cap;
mod collect;
mod completions;
mod conform;
mod context;
mod diagnose;
mod failure;
mod fit;
mod formats;
mod generate;
mod given;
mod lint;
mod list;
mod man;
mod merge;
mod policies;
mod recommend;
mod replay;
mod shrink;
mod size;
mod sweep;
mod version;
mod view;
mod yardstick;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use cma_policies::Entry;

use context::Context;

use crate::program;

/// Why Linux CMA allocations fail although pages are free, and what would help.
#[derive(Parser, Debug)]
#[command(name = "cmalab", version = version::SHORT, long_version = version::long(),
    max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    common: context::Common,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    Diagnose(Box<diagnose::Diagnose>),
    Replay(Box<replay::Replay>),
    Generate(generate::Generate),
    Fit(fit::Fit),
    Conform(conform::Conform),
    Collect(collect::Collect),
    Lint(Box<lint::Lint>),
    List(list::List),
    Sweep(sweep::Sweep),
    Merge(merge::Merge),
    Recommend(Box<recommend::Recommend>),
    Attack(attack::Attack),
    Shrink(Box<shrink::Shrink>),
    View(Box<view::View>),
    Completions(completions::Completions),
    Man(man::Man),
}

/// The command line with the built-in policies, on the arguments of the process.
pub fn run() -> ExitCode {
    // It is `cmalab` whatever its file is called.
    run_args(std::env::args_os(), &[])
}

/// The command line with these policies beside the built-in ones.
///
/// The program is called what its file is called, without the folder: in its help, in what it tells
/// to run next, and in the `COMMAND` of a report, which so makes the report again with these
/// policies in it. Its version is that of this crate.
///
/// ```no_run
/// # let my_entry = cma_policies::builtin::ENTRIES[0];
/// cma_harness::cli::run_with(&[my_entry]);
/// ```
pub fn run_with(entries: &[Entry]) -> ExitCode {
    program::call(std::env::args_os().next().as_deref());
    run_args(std::env::args_os(), entries)
}

/// What it takes, in the name of this program.
fn command() -> clap::Command {
    let command = formats::of_each(Cli::command());
    match program::name() {
        program::CMALAB => command,
        name => by_name::called(command, name),
    }
}

fn run_args(args: impl IntoIterator<Item = OsString>, entries: &[Entry]) -> ExitCode {
    let mut command = command();
    let cli = command.try_get_matches_from_mut(args).and_then(|matches| {
        formats::check(&matches)?;
        Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
    });
    let cli = match cli {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no failure; a closed pipe after them is none either.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    let context = Context::new(&cli.common, entries);
    let done = match &cli.command {
        Command::Diagnose(args) => diagnose::run(args, &context),
        Command::Replay(args) => replay::run(args, &context),
        Command::Generate(args) => generate::run(args, &context),
        Command::Fit(args) => fit::run(args, &context),
        Command::Conform(args) => conform::run(args, &context),
        Command::Collect(args) => collect::run(args, &context),
        Command::Lint(args) => lint::run(args, &context),
        Command::List(args) => list::run(args, &context),
        Command::Sweep(args) => sweep::run(args, &context),
        Command::Attack(args) => attack::run(args, &context),
        Command::Merge(args) => merge::run(args, &context),
        Command::Recommend(args) => recommend::run(args, &context),
        Command::Shrink(args) => shrink::run(args, &context),
        Command::View(args) => view::run(args, &context),
        Command::Completions(args) => completions::run(args, &context),
        Command::Man(args) => man::run(args, &context),
    };
    match done {
        Ok(exit) => exit.into(),
        Err(failure) => failure.report(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// What a value is called, of a list as of one. Where a result goes, a folder or a file, is the
    /// same thing of two commands.
    fn value(arg: &clap::Arg) -> String {
        let names = arg.get_value_names().unwrap_or_default();
        let name = names.iter().map(|name| name.trim_end_matches(",…")).collect::<String>();
        if arg.get_id() == "out" { name.replace("DIR", "FILE") } else { name }
    }

    #[test]
    fn an_option_name_means_the_same_in_every_command() {
        let mut known = BTreeMap::new();
        let mut count = 0;
        let mut command = command();
        command.build();
        let commands = command.get_subcommands().filter(|command| command.get_name() != "help");
        for command in commands {
            for arg in command.get_arguments().filter(|arg| arg.get_long().is_some()) {
                let is_flag = !arg.get_action().takes_values();
                let kind = (!is_flag).then(|| arg.get_value_parser().type_id());
                let meaning = (arg.get_short(), is_flag, kind, value(arg));
                let long = arg.get_long().unwrap_or_default().to_string();
                let first = known
                    .entry(long.clone())
                    .or_insert_with(|| (command.get_name().to_string(), meaning.clone()));
                assert_eq!(first.1, meaning, "--{long} of {} and {}", first.0, command.get_name());
                count += 1;
            }
        }
        assert!(count > 150 && known.len() > 60, "{count} {}", known.len());
        // No letter stands for two of them.
        let mut letters = BTreeMap::new();
        for (long, (_, (short, ..))) in &known {
            let Some(short) = short else { continue };
            assert_eq!(letters.insert(*short, long), None, "-{short}");
        }
        assert_eq!(letters.keys().copied().collect::<String>(), "hjoq");
    }

    #[test]
    fn the_table_is_one_that_clap_takes() {
        command().debug_assert();
    }
}
