//! `cmalab merge`: shards of one sweep, put together.

mod differ;
mod found;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::{Args, FromArgMatches};

use super::context::Context;
use super::failure::{Exit, Failure};
use super::sweep::folder::{self, From, PLAN};
use super::sweep::{self as cli_sweep, Sweep, prepare, read_plan};
use crate::sweep::disk::{Merged, Rows};
use crate::sweep::{self, Known, Outcome, Plan, Ready, Shard};
use found::{Found, Part};

/// Puts the shards of one sweep together: the report is the same, byte for byte, as that of one
/// run.
///
/// It runs where the sweep did: files of the plan are named from there. The shards stay as they
/// are.
///
/// Examples:
///   cmalab merge reports/my-board-shards
///   cmalab merge parts/1 parts/2 --out reports/my-board
///   cmalab merge reports/my-board-shards -- sweep my-board.toml --seed 7
#[derive(Args, Debug)]
#[command(verbatim_doc_comment)]
pub(super) struct Merge {
    /// Folders of shards, or folders with such folders in them
    #[arg(required = true, value_name = "DIR")]
    folders: Vec<PathBuf>,
    /// The folder for the report [default: reports/NAME-OF-THE-PLAN]
    #[arg(long, short, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Writes over the finished report of another plan
    #[arg(long)]
    force: bool,
    /// The sweep that they have to be parts of: shards of another one are refused, such as those
    /// that were run before the plan was changed
    #[arg(last = true, value_name = "SWEEP")]
    sweep: Vec<String>,
}

/// Merges the shards and writes the report.
///
/// # Errors
/// A shard that is missing, unfinished, or of another plan or version than the others; output that
/// cannot be written.
pub(super) fn run(args: &Merge, context: &Context) -> Result<Exit, Failure> {
    let mut found = Found::look(&args.folders)?;
    differ::check_alike(&found.parts)?;
    let left_out = found.choose()?;
    let parts = found.parts;
    let first = &parts[0];
    let plan = match asked(args, context)? {
        Some(plan) => plan,
        None => read_plan(&first.folder.join(PLAN), context)?,
    };
    let ready = prepare(plan, context)?;
    differ::check_plan(first, &ready, !args.sweep.is_empty())?;
    let all = look_through(&ready, &parts)?;
    check_whole(&ready, &parts, &all)?;
    let out = args.out.clone().unwrap_or_else(|| folder::default_folder(&ready.plan));
    if !args.force {
        folder::refuse_other(&ready, &out, context)?;
    }
    fs::create_dir_all(&out)
        .map_err(|error| Failure::because(format_args!("write {}: {error}", out.display())))?;
    let rows = |part: &Part| Rows::new(&part.path(), &part.head, parts.len());
    let rows = Merged::new(parts.iter().map(rows).collect(), all.count());
    let rows = rows.map_err(|error| Failure::because(format_args!("read {error}")))?;
    folder::write_cells(context, &out, rows)?;
    let from = &first.head.from;
    let from = From::ALL.into_iter().find(|other| other.word() == from).unwrap_or(From::File);
    let command = folder::command(from, args.out.is_some(), &ready.plan);
    let findings = folder::write_report(context, &ready, &out, &command)?;
    folder::print_report(context, &ready, &findings)?;
    if let Some(left_out) = left_out {
        context.say(&left_out);
    }
    context.say(&format!("{} shards in {}", first.head.shard.of(), out.display()));
    Ok(Exit::Good)
}

/// The plan that the shards have to be of, where the command line names it.
fn asked(args: &Merge, context: &Context) -> Result<Option<Plan>, Failure> {
    if args.sweep.is_empty() {
        return Ok(None);
    }
    let parser = Sweep::augment_args(clap::Command::new("sweep").no_binary_name(false));
    let sweep = parser
        .try_get_matches_from(&args.sweep)
        .and_then(|matches| Sweep::from_arg_matches(&matches))
        .map_err(|error| {
            let text = error.to_string();
            let line = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
            Failure::because(format_args!(
                "understand the sweep after --: {line}; as in -- sweep my-board.toml --seed 7"
            ))
        })?;
    cli_sweep::plan(&sweep, context).map(Some)
}

fn cannot_read(path: &Path, error: &io::Error) -> Failure {
    Failure::because(format_args!("read {}: {error}", path.display()))
}

/// The cells that the shards hold.
fn look_through(ready: &Ready, parts: &[Part]) -> Result<Known, Failure> {
    let most = ready.plan.cell_count().unwrap_or(0);
    let mut all = Known::of(&ready.plan);
    for part in parts {
        for row in Rows::new(&part.path(), &part.head, 1) {
            let row = row.map_err(|error| Failure::because(format_args!("read {error}")))?;
            if row.number < most {
                all.note(row.number, Outcome::of(&row.values));
            }
        }
    }
    Ok(all)
}

/// Every cell that the plan runs is there, and no other.
fn check_whole(ready: &Ready, parts: &[Part], all: &Known) -> Result<(), Failure> {
    match sweep::complete(ready, Shard::WHOLE, all) {
        Ok(cells) if cells == all.count() => Ok(()),
        Ok(cells) => Err(Failure::because(format_args!(
            "merge: the shards hold {} cells and the plan runs {cells}",
            all.count()
        ))),
        Err(number) => {
            let holder = parts.iter().find(|part| sweep::belongs(ready, part.head.shard, number));
            let holder = holder.map_or_else(String::new, |part| part.path().display().to_string());
            Err(Failure::because(format_args!(
                "merge: cell {number} is missing in {holder}, or its row was changed; run that \
                 shard again"
            )))
        }
    }
}
