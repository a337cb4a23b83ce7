//! Rows in the order of the plan, out of a file that holds them in the order in which they ended.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::partial::Head;
use super::row::{Row, cells_header, read_line};
use crate::sweep::Known;

/// The rows of one file, each once, in order of their numbers.
///
/// The file is read once from its start to its end. Of a row that comes too early its place is
/// kept, and it is read again when it is due; cells end nearly in order, so those are few.
#[derive(Debug)]
pub struct Sorted<'a> {
    path: PathBuf,
    file: BufReader<File>,
    /// Bytes of the file that were read.
    read: u64,
    known: &'a Known,
    /// The next number to look for.
    from: u64,
    /// Rows that came too early: where they begin, and their bytes.
    early: BTreeMap<u64, (u64, usize)>,
    /// For reading those, from the first one on.
    again: Option<File>,
    line: Vec<u8>,
}

impl<'a> Sorted<'a> {
    /// The rows of the file at `path`, of which those that are `known` are whole.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn open(path: &Path, known: &'a Known) -> io::Result<Self> {
        let mut file = BufReader::new(File::open(path)?);
        let head = Head::read(&mut file)?.ok_or_else(|| missing(path, "its head"))?;
        let (read, early, line) = (head.text().len() as u64, BTreeMap::new(), Vec::new());
        let path = path.to_path_buf();
        Ok(Self { path, file, read, known, from: 0, early, again: None, line })
    }

    /// The next row.
    fn next_row(&mut self) -> io::Result<Option<Row>> {
        let Some(due) = self.known.next(self.from) else { return Ok(None) };
        self.from = due + 1;
        if let Some((at, bytes)) = self.early.remove(&due) {
            return self.read_again(due, at, bytes).map(Some);
        }
        loop {
            let (at, bytes) = (self.read, read_line(&mut self.file, &mut self.line)?);
            if bytes == 0 {
                return Err(missing(&self.path, &format!("cell {due}")));
            }
            self.read += bytes as u64;
            let Some(row) = Row::parse(&self.line) else { continue };
            if row.number == due {
                return Ok(Some(row));
            }
            // One that was written already stands here twice.
            if row.number > due {
                self.early.insert(row.number, (at, bytes));
            }
        }
    }

    fn read_again(&mut self, number: u64, at: u64, bytes: usize) -> io::Result<Row> {
        let file = match &mut self.again {
            Some(file) => file,
            none => none.insert(File::open(&self.path)?),
        };
        file.seek(SeekFrom::Start(at))?;
        let mut line = vec![0; bytes];
        file.read_exact(&mut line)?;
        let row = Row::parse(&line).filter(|row| row.number == number);
        row.ok_or_else(|| missing(&self.path, &format!("cell {number}")))
    }
}

/// A file that changes while it is read: somebody else writes it.
fn missing(path: &Path, what: &str) -> io::Error {
    let path = path.display();
    io::Error::other(format!("{path} does not hold {what} any more; was it changed meanwhile?"))
}

impl Iterator for Sorted<'_> {
    type Item = io::Result<Row>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_row().transpose()
    }
}

/// Writes `cells.csv` out of rows in order.
///
/// # Errors
/// Where a row cannot be read, or `out` takes no more.
pub fn write_cells(
    rows: impl IntoIterator<Item = io::Result<Row>>,
    out: &mut dyn Write,
) -> io::Result<()> {
    writeln!(out, "{}", cells_header())?;
    rows.into_iter().try_for_each(|row| writeln!(out, "{}", row?.text))
}
