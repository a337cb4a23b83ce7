//! `cmalab merge`: shards of one sweep, put together.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use clap::Args;

use super::context::Context;
use super::failure::{Exit, Failure};
use super::sweep::folder::{self, From, PLAN, SHARD};
use super::sweep::{prepare, read_plan};
use crate::report::partial::{self, Head};
use crate::report::sorted::Sorted;
use crate::sweep::{self, Known, Ready, Shard};

/// Puts the shards of one sweep together: the report is the same, byte for byte, as that of one run.
///
/// It runs where the sweep did: files of the plan are named from there. The shards stay as they are.
///
/// Examples:
///   cmalab merge reports/my-board-shards
///   cmalab merge parts/1 parts/2 --out reports/my-board
#[derive(Args, Debug)]
#[command(verbatim_doc_comment)]
pub(super) struct Merge {
    /// Folders of shards, or folders with such folders in them
    #[arg(required = true, value_name = "DIR")]
    folders: Vec<PathBuf>,
    /// The folder for the report [default: reports/NAME-OF-THE-PLAN]
    #[arg(long, short)]
    out: Option<PathBuf>,
}

/// A finished shard.
struct Part {
    folder: PathBuf,
    head: Head,
    known: Known,
}

impl Part {
    fn path(&self) -> PathBuf {
        self.folder.join(SHARD)
    }
}

/// Merges the shards and writes the report.
///
/// # Errors
/// A shard that is missing, unfinished, or of another plan or version than the others; output that
/// cannot be written.
pub(super) fn run(args: &Merge, context: &Context) -> Result<Exit, Failure> {
    let mut folders = Vec::new();
    for path in &args.folders {
        find(path, &mut folders)?;
    }
    let first = &folders[0];
    let ready = prepare(read_plan(&first.join(PLAN), context)?, context)?;
    let mut parts = Vec::new();
    for folder in &folders {
        parts.push(read(folder, &ready)?);
    }
    let head = &parts[0].head;
    let of = head.shard.of();
    if let Some(other) = parts.iter().find(|part| part.head.shard.of() != of) {
        let (one, two) = (head.shard, other.head.shard);
        let (folder, first) = (other.folder.display(), first.display());
        return Err(Failure::because(format_args!(
            "merge {first} and {folder}: they are shards {one} and {two}, of sweeps that were \
             parted differently"
        )));
    }
    check_whole(&ready, &parts, of)?;
    let out = args.out.clone().unwrap_or_else(|| folder::default_folder(&ready.plan));
    fs::create_dir_all(&out)
        .map_err(|error| Failure::because(format_args!("write {}: {error}", out.display())))?;
    let files = parts.iter().map(|part| Sorted::open(&part.path(), &part.known));
    let files = files.collect::<io::Result<_>>().map_err(|error| cannot_read(first, &error))?;
    folder::write_cells(context, &out, files)?;
    let from = From::ALL.into_iter().find(|from| from.word() == head.from).unwrap_or(From::File);
    let command = folder::command(from, args.out.is_some(), &ready.plan);
    let findings = folder::write_report(context, &ready, &out, &command)?;
    folder::print_report(context, &ready, &findings)?;
    context.say(&format!("{of} shards in {}", out.display()));
    Ok(Exit::Good)
}

fn cannot_read(path: &Path, error: &io::Error) -> Failure {
    Failure::because(format_args!("read {}: {error}", path.display()))
}

/// The folders of shards at `path`: itself, or those in it.
fn find(path: &Path, found: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let shard = |folder: &Path| -> Result<bool, Failure> {
        if folder.join(SHARD).is_file() {
            return Ok(true);
        }
        let unfinished = folder.join(format!("{SHARD}.partial"));
        if unfinished.exists() {
            return Err(Failure::because(format_args!(
                "merge {}: the shard is not finished; run it again with --resume",
                folder.display()
            )));
        }
        Ok(false)
    };
    if shard(path)? {
        found.push(path.to_path_buf());
        return Ok(());
    }
    let entries = fs::read_dir(path).map_err(|error| cannot_read(path, &error))?;
    let inner = entries.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<_>>();
    let mut inner: Vec<PathBuf> = inner.map_err(|error| cannot_read(path, &error))?;
    // The order of a folder is any order.
    inner.sort();
    let before = found.len();
    for folder in inner.into_iter().filter(|inner| inner.is_dir()) {
        if shard(&folder)? {
            found.push(folder);
        }
    }
    if found.len() == before {
        return Err(Failure::because(format_args!(
            "merge {}: there is no {SHARD} in it; a sweep with --shard writes one",
            path.display()
        )));
    }
    Ok(())
}

/// Reads a shard and holds it against the plan.
fn read(folder: &Path, ready: &Ready) -> Result<Part, Failure> {
    let path = folder.join(SHARD);
    let fail = |error: io::Error| cannot_read(&path, &error);
    let mut file = BufReader::new(File::open(&path).map_err(fail)?);
    let head = Head::read(&mut file).map_err(fail)?;
    let expected = head.as_ref().map(|head| Head::new(ready, head.shard, &head.from));
    let Some(head) = head.filter(|head| Some(head) == expected.as_ref()) else {
        return Err(Failure::because(format_args!(
            "merge {}: it is of another plan or version than the first shard's {PLAN}, or a file \
             that the plan names has changed since",
            path.display()
        )));
    };
    let left = partial::look_through(ready, &mut file).map_err(fail)?;
    Ok(Part { folder: folder.to_path_buf(), head, known: left.known })
}

/// Every cell that the plan runs is there, and no other.
fn check_whole(ready: &Ready, parts: &[Part], of: u64) -> Result<(), Failure> {
    let there: BTreeSet<_> = parts.iter().map(|part| part.head.shard.index()).collect();
    let missing: Vec<_> = (1..=of).filter(|index| !there.contains(index)).collect();
    if let Some(index) = missing.first() {
        let others = match missing.len() {
            1 => String::new(),
            several => format!(" and {} more", several - 1),
        };
        return Err(Failure::because(format_args!("merge: shard {index}/{of}{others} is missing")));
    }
    let mut all = Known::of(&ready.plan);
    for part in parts {
        let mut from = 0;
        while let Some(number) = part.known.next(from) {
            all.note(number, part.known.outcome(number));
            from = number + 1;
        }
    }
    match sweep::complete(ready, Shard::WHOLE, &all) {
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
