//! Rows of many files, each in order, as those of one: of all those files one is open at a time.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Display, Path, PathBuf};

use super::partial::Head;
use super::row::{Row, read_line};

/// Bytes that are read ahead of all files together.
const AHEAD: usize = 1 << 26;
/// Bytes that are read ahead of one file: about a row, and at most.
const LEAST_AHEAD: usize = 1 << 11;
const MOST_AHEAD: usize = 1 << 18;

/// A file that is open only while it is read: a process may have some hundred files open, and a
/// sweep may have [`Shard::MOST`](crate::sweep::Shard::MOST) shards.
#[derive(Debug)]
struct Shut {
    path: PathBuf,
    at: u64,
}

impl Read for Shut {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(self.at))?;
        let read = file.read(buffer)?;
        self.at += read as u64;
        Ok(read)
    }
}

/// The rows of a file in which they are in order of their numbers, as in a finished shard. Those
/// that are torn or were changed are left out.
#[derive(Debug)]
pub struct Rows {
    file: BufReader<Shut>,
    line: Vec<u8>,
    last: Option<u64>,
}

impl Rows {
    /// The rows after the head of the file at `path`, one of `files` that are read side by side.
    pub fn new(path: &Path, head: &Head, files: usize) -> Self {
        let file = Shut { path: path.to_path_buf(), at: head.text().len() as u64 };
        let ahead = (AHEAD / files.max(1)).clamp(LEAST_AHEAD, MOST_AHEAD);
        let file = BufReader::with_capacity(ahead, file);
        Self { file, line: Vec::new(), last: None }
    }

    fn path(&self) -> Display<'_> {
        self.file.get_ref().path.display()
    }

    fn next_row(&mut self) -> io::Result<Option<Row>> {
        loop {
            let read = read_line(&mut self.file, &mut self.line);
            let named = |error: io::Error| {
                io::Error::new(error.kind(), format!("{}: {error}", self.path()))
            };
            if read.map_err(named)? == 0 {
                return Ok(None);
            }
            let Some(row) = Row::parse(&self.line) else { continue };
            if self.last >= Some(row.number) {
                let (path, number) = (self.path(), row.number);
                return Err(io::Error::other(format!(
                    "the rows of {path} are not in order at cell {number}; run that shard again"
                )));
            }
            self.last = Some(row.number);
            return Ok(Some(row));
        }
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
/// 2 KiB of each file where that is more.
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
                let path = |index: usize| self.files[index].path();
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
