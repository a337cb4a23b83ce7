//! What a sweep leaves in its folder, and what is written there at its end: by `sweep`, or by
//! `merge` for the shards of one.

use std::fs::{self, File};
use std::io::{self, BufReader, Write};
use std::path::{Path, PathBuf};

use super::journal::at;
use super::{parse_plan, quote};
use crate::answer::{Findings, findings, pictures};
use crate::cli::context::{Context, Format};
use crate::cli::failure::Failure;
use crate::ingest::quoted;
use crate::program;
use crate::report::{csv, html, text};
use crate::sweep::disk::{self, Blocks, Row};
use crate::sweep::{self, Plan, Ready, Stream, What};

/// The finished cells of a shard, in order, with sums: what `merge` reads.
pub(in crate::cli) const SHARD: &str = "shard.csv";
/// The results of a whole plan.
pub(in crate::cli) const CELLS: &str = "cells.csv";
/// The plan as it was run.
pub(in crate::cli) const PLAN: &str = "plan.toml";
/// The line that makes a report again, which is there where all of it is.
pub(in crate::cli) const COMMAND: &str = "COMMAND";
/// Everything that a report is.
pub(super) const FILES: [&str; 6] =
    [CELLS, "summary.csv", "sizing.csv", "report.html", PLAN, COMMAND];

/// Where a plan came from, a word in the head of a shard.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::cli) enum From {
    /// A file.
    File,
    /// It is the one that is built in.
    BuiltIn,
    /// It is the one that is built in, with more seeds.
    Thorough,
}

impl From {
    pub(in crate::cli) const ALL: [Self; 3] = [Self::File, Self::BuiltIn, Self::Thorough];

    pub(in crate::cli) const fn word(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::BuiltIn => "built-in",
            Self::Thorough => "built-in-thorough",
        }
    }
}

/// Where a report goes if nobody says.
pub(in crate::cli) fn default_folder(plan: &Plan) -> PathBuf {
    Path::new("reports").join(&plan.name)
}

/// One line that makes the report again: from the folder that `reports` is in or, where the
/// report is somewhere else (`elsewhere`), from its own. It names no other folder, so the line is
/// the same in any.
pub(in crate::cli) fn command(from: From, elsewhere: bool, plan: &Plan) -> String {
    let (program, version) = (quote(program::name()), env!("CARGO_PKG_VERSION"));
    let (name, seed) = (&plan.name, plan.seed);
    match (from, elsewhere) {
        (From::BuiltIn, _) => format!("{program} sweep --seed {seed} # cmalab {version}\n"),
        (From::Thorough, _) => {
            format!("{program} sweep --seed {seed} --thorough # cmalab {version}\n")
        }
        (From::File, false) => {
            format!("{program} sweep reports/{name}/plan.toml --seed {seed} # cmalab {version}\n")
        }
        (From::File, true) if plan.streams.iter().any(names_files) => format!(
            "cd \"${{FROM:?the folder from which files of the plan are named}}\" && {program} sweep \
             \"$OLDPWD/plan.toml\" --out \"$OLDPWD\" --seed {seed} # cmalab {version}, in this \
             folder\n"
        ),
        (From::File, true) => format!(
            "{program} sweep plan.toml --out . --seed {seed} # cmalab {version}, in this folder; \
             files of the plan are named from the folder where it was run\n"
        ),
    }
}

/// Whether what a stream reads is somewhere else for who runs the plan in another folder.
fn names_files(stream: &Stream) -> bool {
    files_of(stream).any(|path| Path::new(path).is_relative())
}

/// What a stream reads, by the paths in the plan.
pub(super) fn files_of(stream: &Stream) -> impl Iterator<Item = &str> {
    let files: Vec<&str> = match &stream.what {
        What::Mix(mix) => mix.paths().collect(),
        _ => stream.files().collect(),
    };
    files.into_iter().chain(stream.snapshot.as_deref())
}

/// The names that a file has while it is written: not NAME.partial, where finished cells are.
pub(in crate::cli) fn temporary(folder: &Path, name: &str) -> [PathBuf; 2] {
    [folder.join(format!("{name}.new")), folder.join(format!("{name}.new.partial"))]
}

/// Writes `folder`/`name`, which appears whole or not at all.
pub(in crate::cli) fn write_rows(
    context: &Context,
    (folder, name): (&Path, &str),
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), Failure> {
    let [new, _] = temporary(folder, name);
    let path = folder.join(name);
    context.output(Some(&new), |out| write(out).map_err(|error| at(&path, &error)))?;
    fs::rename(&new, &path).map_err(|error| at(&path, &error))
}

/// Writes `cells.csv` out of these rows, which are in order.
pub(in crate::cli) fn write_cells(
    context: &Context,
    folder: &Path,
    rows: impl IntoIterator<Item = io::Result<Row>>,
) -> Result<(), Failure> {
    write_rows(context, (folder, CELLS), |out| disk::write_cells(rows, out))
}

/// The results of `cells.csv` in `folder`, given to `read` configuration by configuration. One that
/// needs them twice calls it twice.
pub(in crate::cli) fn with_blocks<T>(
    ready: &Ready,
    folder: &Path,
    read: impl FnOnce(&mut dyn Iterator<Item = sweep::Block>) -> T,
) -> Result<T, Failure> {
    let path = folder.join(CELLS);
    let fail = |error: io::Error| {
        Failure::because(format_args!(
            "read {}: {error}; run the sweep again without --resume",
            path.display()
        ))
    };
    let file = BufReader::new(File::open(&path).map_err(fail)?);
    let mut failed = None;
    let mut blocks = Blocks::new(ready, file)
        .map_err(fail)?
        .map_while(|block| block.map_err(|error| failed = Some(error)).ok());
    let done = read(&mut blocks);
    // What nobody asked for has to be whole too.
    blocks.by_ref().for_each(drop);
    drop(blocks);
    failed.map_or(Ok(done), |error| Err(fail(error)))
}

/// Writes everything that is made of the `cells.csv` in `folder`. The plan and the command come
/// last: where they are, everything is.
pub(in crate::cli) fn write_report(
    context: &Context,
    ready: &Ready,
    folder: &Path,
    command: &str,
) -> Result<Findings, Failure> {
    let findings = with_blocks(ready, folder, |blocks| findings(ready, blocks))?;
    let summary = &findings.summary;
    let write = |name: &str, write: &dyn Fn(&mut dyn Write) -> io::Result<()>| {
        let path = folder.join(name);
        context.output(Some(&path), |out| write(out).map_err(|error| at(&path, &error)))
    };
    write("summary.csv", &|out| csv::write_summary(ready, summary, out))?;
    write("sizing.csv", &|out| csv::write_sizing(ready, &findings.sizing, out))?;
    // First: what fails here must not leave half a page.
    let pictures = pictures(ready, &findings).map_err(Failure::because)?;
    let page = html::page(ready, &findings, &pictures, command.trim_end());
    write("report.html", &|out| out.write_all(page.as_bytes()))?;
    write(PLAN, &|out| out.write_all(sweep::emit(ready).as_bytes()))?;
    write(COMMAND, &|out| out.write_all(command.as_bytes()))?;
    Ok(findings)
}

/// Prints the table.
pub(in crate::cli) fn print_report(
    context: &Context,
    ready: &Ready,
    findings: &Findings,
) -> Result<(), Failure> {
    let summary = &findings.summary;
    context.output(None, |out| {
        match context.format {
            Format::Text | Format::Html | Format::Sarif => {
                text::write_findings(ready, findings, context.color, out)?;
            }
            Format::Csv => csv::write_summary(ready, summary, out)?,
            Format::Json => csv::write_summary_json(ready, summary, out)?,
        }
        Ok(())
    })
}

/// That no finished report of another plan is in `folder`. The same plan may be run again: what it
/// says is compared, not how it was written.
pub(in crate::cli) fn refuse_other(
    ready: &Ready,
    folder: &Path,
    context: &Context,
) -> Result<(), Failure> {
    let read = |name: &str| fs::read_to_string(folder.join(name)).ok();
    let Some(command) = read(COMMAND) else { return Ok(()) };
    let plain = |text: &str| {
        let plan = parse_plan(PLAN, text, context).ok()?;
        Some(sweep::emit_unread(&plan))
    };
    let (there, own) = (read(PLAN).and_then(|text| plain(&text)), plain(&sweep::emit(ready)));
    let what = match (&there, &own) {
        (Some(there), Some(own)) if there == own => return Ok(()),
        (Some(there), Some(own)) => differs(there, own),
        _ => format!("made by {}", quoted(command.trim_end())),
    };
    Err(overwrites(folder, &what))
}

/// Why a finished report is not written over.
pub(in crate::cli) fn overwrites(folder: &Path, what: &str) -> Failure {
    Failure::because(format_args!(
        "write {}: another report is there, finished ({what}); take another folder, or --force to \
         write over it",
        folder.display()
    ))
}

/// The first line in which two plans differ.
fn differs(there: &str, own: &str) -> String {
    let mut lines = there.lines().zip(own.lines()).map(|(there, own)| (there.trim(), own.trim()));
    match lines.find(|(there, own)| there != own) {
        Some((there, own)) => format!("of a plan with `{there}` where this one has `{own}`"),
        None => "of a longer or a shorter plan".to_string(),
    }
}

/// Whether `folder` holds the finished report of this plan by this version.
pub(in crate::cli) fn is_finished(ready: &Ready, folder: &Path, command: &str) -> bool {
    let holds = |name: &str, text: &str| {
        fs::read_to_string(folder.join(name)).is_ok_and(|there| there == text)
    };
    folder.join(CELLS).is_file() && holds(PLAN, &sweep::emit(ready)) && holds(COMMAND, command)
}
