//! A plan whose streams have become longer: what an earlier run of it has found out is kept.

use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};

use super::folder::{CELLS, PLAN, SHARD};
use super::journal::{at, lock};
use crate::cli::failure::Failure;
use crate::metric::{Value, column};
use crate::sweep::Ready;
use crate::sweep::disk::{Head, Row, checksum, without_times};

/// What became of the cells of a shorter run.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Extended {
    /// A longer stream does not change them: they ended at their first failure, or are as long as
    /// before.
    pub(super) kept: u64,
    /// They are run again, from their start: no policy, and no pages, are stored on disk.
    pub(super) again: u64,
}

/// Where a shorter run of a plan left its cells.
enum Left {
    /// It was stopped, or was a shard: rows with sums below a head.
    Rows(PathBuf, Head),
    /// It was finished.
    Cells(PathBuf),
}

/// Puts the cells that stay as they are into the journal at `path`, where a run of the same plan with
/// shorter streams left some. [`None`] where there is no such run.
///
/// # Errors
/// A file that cannot be read or written, or where another sweep is running.
pub(super) fn extend(
    ready: &Ready,
    head: &Head,
    folder: &Path,
    path: &Path,
) -> Result<Option<Extended>, Failure> {
    let Some(left) = find(ready, head, folder, path)? else { return Ok(None) };
    // Nobody else writes there meanwhile: the file is made where there is none.
    let _lock = lock(path)?;
    let (from, old) = match &left {
        Left::Rows(from, old) => (from, old.times_us.clone()),
        Left::Cells(from) => (from, times_of(&folder.join(PLAN))),
    };
    let unread =
        |error: io::Error| Failure::because(format_args!("read {}: {error}", from.display()));
    let mut file = BufReader::new(File::open(from).map_err(unread)?);
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    let new = PathBuf::from(new);
    let fail = |error: io::Error| at(&new, &error);
    let mut out = io::BufWriter::new(File::create(&new).map_err(fail)?);
    out.write_all(head.text().as_bytes()).map_err(fail)?;
    let same = unchanged(ready, head, &old);
    let mut found = Extended::default();
    let mut line = Vec::new();
    loop {
        line.clear();
        if file.read_until(b'\n', &mut line).map_err(unread)? == 0 {
            break;
        }
        let row = match &left {
            Left::Rows(..) => Row::parse(&line),
            Left::Cells(_) => str::from_utf8(&line)
                .ok()
                .and_then(|line| Row::parse_plain(line.strip_suffix('\n')?)),
        };
        // A head, or a row that was torn.
        let Some(row) = row else { continue };
        let Some(cell) = ready.plan.cell(row.number) else { continue };
        let ended = row.values[column("ended_early")] == Value::Count(1);
        if ended || same.get(cell.at.stream).copied().unwrap_or(true) {
            row.write(&mut out).map_err(fail)?;
            found.kept += 1;
        } else {
            found.again += 1;
        }
    }
    out.flush().map_err(fail)?;
    drop(out);
    fs::rename(&new, path).map_err(fail)?;
    Ok(Some(found))
}

/// Where a shorter run of this plan left its cells.
fn find(ready: &Ready, head: &Head, folder: &Path, path: &Path) -> Result<Option<Left>, Failure> {
    for rows in [path, &folder.join(SHARD)] {
        // An empty one was made for its lock alone.
        if !fs::metadata(rows).is_ok_and(|there| there.is_file() && there.len() > 0) {
            continue;
        }
        let unread =
            |error: io::Error| Failure::because(format_args!("read {}: {error}", rows.display()));
        let mut file = BufReader::new(File::open(rows).map_err(unread)?);
        let there = Head::read(&mut file).map_err(unread)?;
        return Ok(there
            .filter(|there| head.extends(there))
            .map(|there| Left::Rows(rows.to_path_buf(), there)));
    }
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap_or_default();
    let (plan, command) = (read(PLAN), read("COMMAND"));
    let version = format!("# cmalab {}", head.version);
    let same_version = command.split_once("# cmalab ").is_some_and(|(_, rest)| {
        let word = rest.split([',', ' ', '\n']).next().unwrap_or_default();
        format!("# cmalab {word}") == version
    });
    let cells = folder.join(CELLS);
    let old = times_of(&folder.join(PLAN));
    let longer = old.len() == head.times_us.len()
        && old.iter().zip(&head.times_us).all(|(old, new)| old <= new);
    let is_base = checksum(&without_times(&plan)) == head.base
        && plan != crate::sweep::emit(ready)
        && head.shard.is_whole();
    Ok((cells.is_file() && same_version && longer && is_base).then_some(Left::Cells(cells)))
}

/// The board times of a plan as written, in microseconds.
fn times_of(path: &Path) -> Vec<u64> {
    let text = fs::read_to_string(path).unwrap_or_default();
    let hours = text.lines().filter_map(|line| line.strip_prefix("hours = "));
    let hours = hours.filter_map(|rest| rest.split(' ').next()?.parse::<f64>().ok());
    hours.map(|hours| libm::round(hours * crate::sweep::Length::HOUR_US as f64) as u64).collect()
}

/// For each stream of the plan whether it is as long as before.
fn unchanged(ready: &Ready, head: &Head, old: &[u64]) -> Vec<bool> {
    let mut times = head.times_us.iter().zip(old);
    let streams = ready.plan.streams.iter();
    streams
        .map(|stream| {
            stream.length.time_us().is_none() || times.next().is_some_and(|(new, old)| new == old)
        })
        .collect()
}
