//! Rows of many files, each in order, as those of one: of all those files one is open at a time.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::partial::Head;
use super::row::{Row, read_line};

/// Bytes that are read ahead of all files together.
const AHEAD: usize = 1 << 26;
/// Bytes that are read ahead of one file at most.
const MOST_AHEAD: usize = 1 << 18;

/// The rows of a file in which they stand in order of their numbers, as in a finished shard. Those
/// that are torn or were changed are left out.
///
/// Between two pieces that it reads the file is closed: a process may have some hundred files open,
/// and a sweep may have [`Shard::MOST`](crate::sweep::Shard::MOST) shards.
#[derive(Debug)]
pub struct Rows {
    path: PathBuf,
    /// Where the next piece begins.
    at: u64,
    /// Whole lines, at least one: as many as have about `ahead` bytes.
    piece: Vec<u8>,
    ahead: usize,
    /// Bytes of the piece that were given out.
    used: usize,
    last: Option<u64>,
}

impl Rows {
    /// The rows behind the head of the file at `path`, one of `files` that are read side by side.
    #[must_use]
    pub fn new(path: &Path, head: &Head, files: usize) -> Self {
        Self {
            path: path.to_path_buf(),
            at: head.text().len() as u64,
            piece: Vec::new(),
            ahead: (AHEAD / files.max(1)).clamp(1, MOST_AHEAD),
            used: 0,
            last: None,
        }
    }

    fn next_row(&mut self) -> io::Result<Option<Row>> {
        loop {
            let left = &self.piece[self.used..];
            if left.is_empty() {
                self.read_on()?;
                if self.piece.is_empty() {
                    return Ok(None);
                }
                continue;
            }
            let end = memchr::memchr(b'\n', left).map_or(left.len(), |at| at + 1);
            let row = Row::parse(&left[..end]);
            self.used += end;
            let Some(row) = row else { continue };
            if self.last >= Some(row.number) {
                let (path, number) = (self.path.display(), row.number);
                return Err(io::Error::other(format!(
                    "the rows of {path} are not in order at cell {number}; run that shard again"
                )));
            }
            self.last = Some(row.number);
            return Ok(Some(row));
        }
    }

    /// Reads the next piece; none is left at the end.
    fn read_on(&mut self) -> io::Result<()> {
        let named = |error: io::Error| {
            io::Error::new(error.kind(), format!("{}: {error}", self.path.display()))
        };
        let mut file = File::open(&self.path).map_err(named)?;
        file.seek(SeekFrom::Start(self.at)).map_err(named)?;
        let mut file = BufReader::with_capacity(self.ahead.max(1 << 12), file);
        self.piece.clear();
        self.used = 0;
        let mut line = Vec::new();
        while self.piece.len() < self.ahead && read_line(&mut file, &mut line).map_err(named)? > 0 {
            self.piece.extend_from_slice(&line);
        }
        self.at += self.piece.len() as u64;
        Ok(())
    }
}

impl Iterator for Rows {
    type Item = io::Result<Row>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_row().transpose()
    }
}

/// The rows of several files, in order; of equal ones the first. Two rows of one number that
/// differ are an error.
///
/// In memory there are a row of each file, and what [`Rows`] reads ahead: together about 64 MiB, or
/// a line of each file where that is more.
#[derive(Debug)]
pub struct Merged {
    files: Vec<Rows>,
    /// The next row of each file, by its number.
    heads: BTreeMap<(u64, usize), Row>,
    last: Option<(Row, usize)>,
    /// How many rows are still to come.
    left: u64,
}

impl Merged {
    /// The rows of these files, of which there are `count` different ones.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn new(mut files: Vec<Rows>, count: u64) -> io::Result<Self> {
        let mut heads = BTreeMap::new();
        for (index, file) in files.iter_mut().enumerate() {
            if let Some(row) = file.next_row()? {
                heads.insert((row.number, index), row);
            }
        }
        Ok(Self { files, heads, last: None, left: count })
    }

    fn next_row(&mut self) -> io::Result<Option<Row>> {
        while let Some(((number, index), row)) = self.heads.pop_first() {
            if let Some(next) = self.files[index].next_row()? {
                self.heads.insert((next.number, index), next);
            }
            if let Some((first, other)) = &self.last
                && first.number == number
            {
                if *first == row {
                    continue;
                }
                let path = |index: usize| self.files[index].path.display();
                let (one, two) = (path(*other), path(index));
                return Err(io::Error::other(format!("{one} and {two} differ in cell {number}")));
            }
            self.last = Some((row.clone(), index));
            self.left = self.left.checked_sub(1).ok_or_else(changed)?;
            return Ok(Some(row));
        }
        if self.left > 0 { Err(changed()) } else { Ok(None) }
    }
}

/// Somebody else writes one of the files.
fn changed() -> io::Error {
    io::Error::other("a shard does not hold the cells that it held; was it changed meanwhile?")
}

impl Iterator for Merged {
    type Item = io::Result<Row>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_row().transpose()
    }
}
