//! The free runs of a recording in bits, at some of its ops: `X.bitmaps.gz` beside `X.csv.gz`.

use std::path::{Path, PathBuf};

use super::error::{IngestError, quoted};
use super::lines::Lines;
use super::source::Source;

/// The most bytes of a line: a million free runs.
const LONGEST: usize = 1 << 24;

/// The free runs at one op.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bitmap {
    /// The op, as the recording numbers it.
    pub idx: u64,
    /// The free runs: first bit, bits.
    pub runs: Vec<(u64, u64)>,
    /// The line of the file, from 1 on.
    pub line: u64,
}

/// Reads a file of bitmaps, line by line.
pub struct Bitmaps {
    lines: Lines,
    last: Option<u64>,
}

impl Bitmaps {
    /// Opens `source`.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn open(source: &Source) -> Result<Self, IngestError> {
        Ok(Self { lines: Lines::open(source, LONGEST)?, last: None })
    }

    /// The next line.
    ///
    /// # Errors
    /// Where it is not `idx bit+len bit+len …` with runs that ascend, or idx does not.
    pub fn next_bitmap(&mut self) -> Result<Option<Bitmap>, IngestError> {
        if !self.lines.advance_past(|_| Ok(()))? {
            return Ok(None);
        }
        let lines = &self.lines;
        let mut words = lines.text().split(' ');
        let first = words.next().unwrap_or_default();
        let idx: u64 = first
            .parse()
            .map_err(|_| lines.error(1, format!("idx {} is not a number", quoted(first))))?;
        if self.last.is_some_and(|last| idx <= last) {
            return Err(lines.error(1, format!("idx {idx} does not ascend")));
        }
        let mut at = first.len() + 1;
        let mut runs: Vec<(u64, u64)> = Vec::new();
        for word in words {
            let run = word.split_once('+').and_then(|(bit, len)| {
                Some((bit.parse().ok()?, len.parse().ok().filter(|len| *len > 0)?))
            });
            let free = runs.last().map_or(0, |(bit, len): &(u64, u64)| bit.saturating_add(*len));
            let run = run.filter(|(bit, _)| *bit >= free).ok_or_else(|| {
                let why = format!("{} is no ascending run \"bit+bits\"", quoted(word));
                lines.error(at + 1, why)
            })?;
            runs.push(run);
            at += word.len() + 1;
        }
        self.last = Some(idx);
        Ok(Some(Bitmap { idx, runs, line: lines.number() }))
    }

    /// An error about the line that was read last.
    pub fn error(&self, why: impl Into<String>) -> IngestError {
        self.lines.error(1, why)
    }
}

/// The file of bitmaps beside the recording at `path`, if there is one.
pub fn sidecar(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?.to_str()?;
    let plain = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst")).unwrap_or(name);
    let stem = plain.strip_suffix(".csv")?;
    let beside = ["gz", "zst", ""].map(|packed| {
        let dot = if packed.is_empty() { "" } else { "." };
        path.with_file_name(format!("{stem}.bitmaps{dot}{packed}"))
    });
    beside.into_iter().find(|path| path.is_file())
}
