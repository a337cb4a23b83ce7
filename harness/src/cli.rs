//! The command line: one file and two lines here for each subcommand.
//!
//! A stranger's binary gets all of it with its own policies in the catalog by [`run_with`].

mod attack;
mod bar;
mod cap;
mod collect;
mod conform;
mod context;
mod diagnose;
mod failure;
mod fit;
mod generate;
mod given;
mod lint;
mod list;
mod merge;
mod recommend;
mod replay;
mod shrink;
mod sweep;
mod view;
mod yardstick;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use cma_policies::Entry;

use context::{Context, Format};
use failure::Failure;

/// Why Linux CMA allocations fail although pages are free, and what would help.
#[derive(Parser, Debug)]
#[command(name = "cmalab", version, max_term_width = 100)]
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
}

/// The command line with the built-in policies, on the arguments of the process.
pub fn run() -> ExitCode {
    run_with(&[])
}

/// The command line with these policies beside the built-in ones.
///
/// ```no_run
/// # let my_entry = cma_policies::builtin::ENTRIES[0];
/// cma_harness::cli::run_with(&[my_entry]);
/// ```
pub fn run_with(entries: &[Entry]) -> ExitCode {
    run_args(std::env::args_os(), entries)
}

fn run_args(args: impl IntoIterator<Item = OsString>, entries: &[Entry]) -> ExitCode {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no failure; a closed pipe after them is none either.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    let context = Context::new(&cli.common, entries);
    let only = match (context.format, &cli.command) {
        (
            Format::Html,
            Command::Diagnose(_) | Command::Recommend(_) | Command::Replay(_) | Command::View(_),
        )
        | (Format::Sarif, Command::Lint(_)) => None,
        (Format::Html, _) => Some("html: only diagnose, recommend, replay and view do"),
        (Format::Sarif, _) => Some("sarif: only lint does"),
        _ => None,
    };
    if let Some(only) = only {
        let why = format_args!("write {only}; text, json and csv are allowed");
        return Failure::because(why).report();
    }
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
    };
    match done {
        Ok(exit) => exit.into(),
        Err(failure) => failure.report(),
    }
}
