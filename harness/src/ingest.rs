//! What happened, or is to happen, from files: total, streaming, and located where it is wrong.
//!
//! [`open`] tells the formats apart by their columns. A [`Reader`] yields [`Row`]s one at a time;
//! its memory grows with the buffers that are live, not with the rows.

mod bitmaps;
mod directory;
mod error;
mod header;
mod held;
mod lines;
pub mod log;
mod ops;
mod record;
mod recording;
mod source;
mod stream;

pub use bitmaps::{Bitmaps, sidecar};
pub use directory::directory;
pub use error::{IngestError, quoted};
pub use header::{Geometry, Header};
pub use ops::Ops;
pub use record::RecordingWriter;
pub use recording::{Answered, Recorded};
pub use source::Source;
pub use stream::{StreamWriter, Unwritable};

use crate::op::Op;
use cma_policies::Area;
use lines::Lines;

/// The cap that a recording is taken to be made with where neither it nor the caller says so: the
/// default of `CONFIG_CMA_ALIGNMENT` in every kernel.
pub const DEFAULT_CAP: u32 = 8;

/// A format that can be read or written: one entry each for `cmalab list formats`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Format {
    /// Its name.
    pub name: &'static str,
    /// What it holds, in one line.
    pub about: &'static str,
    /// Its columns, or what its lines look like; what is in brackets may be missing.
    pub columns: &'static str,
    /// The kernels whose form of it is read.
    pub kernels: &'static str,
    /// Whether it can be written as well as read.
    pub written: bool,
}

/// Every format.
pub const FORMATS: &[Format] = &[recording::FORMAT, stream::FORMAT];

/// What the caller knows beside the file.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Options {
    /// The cap that a recording was made with, where its header does not state one.
    pub recorded_cap: Option<u32>,
    /// The geometry, as far as the caller gives it: in place of what the file states.
    pub geometry: Geometry,
}

/// What a row asks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// This.
    Op(Op),
    /// An alloc of no pages: the kernel answers it before there is a request.
    NoPages,
    /// Nothing: it is a look at the state.
    Look,
}

/// A row of a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Row {
    /// The line that it stands on, from 1 on.
    pub line: u64,
    /// When, in microseconds; in a recording, which has no time, the number of the op.
    pub at_us: u64,
    /// What it asks.
    pub event: Event,
    /// What a real kernel answered: nothing, in a stream.
    pub recorded: Recorded,
}

/// What a reader has counted so far.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Tally {
    /// Rows, of known kinds.
    pub rows: u64,
    /// Allocs that ask for at least a page.
    pub allocs: u64,
    /// Those of them whose alignment follows the cap.
    pub dma: u64,
}

/// Reads a recording or a stream, row by row.
pub struct Reader {
    inner: Inner,
    header: Header,
    area: Option<Area>,
    cap: u32,
    tally: Tally,
    failed: bool,
}

enum Inner {
    Recording(recording::Rows),
    Stream(stream::Rows),
}

/// Opens `source` and reads as far as its column names.
///
/// # Errors
/// Where it cannot be read, is of no known format, or states a geometry that no area has.
pub fn open(source: &Source, options: &Options) -> Result<Reader, IngestError> {
    let mut lines = Lines::open(source, lines::LONGEST)?;
    let mut header = Header::default();
    if !lines.advance_past(|lines| header.read(lines))? {
        return Err(lines.error(0, format!("no row of column names; {}", formats())));
    }
    let area = header.area(&options.geometry, &lines)?;
    let names: Vec<String> = lines::fields(&lines, lines.text())?
        .into_iter()
        .map(|field| field.text.trim().to_string())
        .collect();
    let has = |name: &str| names.iter().any(|column| column == name);
    let cap = header.cap.or(options.recorded_cap).unwrap_or(DEFAULT_CAP);
    let inner = if has("kind") {
        Inner::Recording(recording::Rows::new(lines, &names, area.clone(), cap)?)
    } else if has("op") {
        Inner::Stream(stream::Rows::new(lines, &names)?)
    } else {
        let why = format!("columns {} are of no known format; {}", quoted(lines.text()), formats());
        return Err(lines.error(1, why));
    };
    Ok(Reader { inner, header, area, cap, tally: Tally::default(), failed: false })
}

fn formats() -> String {
    let known: Vec<_> =
        FORMATS.iter().map(|format| format!("a {} has {}", format.name, format.columns)).collect();
    known.join("; ")
}

impl Reader {
    /// What stands above the column names.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The area, where the file or the caller states its pages.
    #[must_use]
    pub const fn area(&self) -> Option<&Area> {
        self.area.as_ref()
    }

    /// The cap that it was made with: what it states, else what the caller says, else 8.
    #[must_use]
    pub const fn cap(&self) -> u32 {
        self.cap
    }

    /// Whether it says what a real kernel answered.
    #[must_use]
    pub const fn is_recording(&self) -> bool {
        matches!(self.inner, Inner::Recording(_))
    }

    /// What was counted up to the row that was read last.
    #[must_use]
    pub const fn tally(&self) -> &Tally {
        &self.tally
    }

    /// The clients so far: client `n` of a request is at index `n`. Numbers are given in order of
    /// appearance in allocs; an empty name is a name. A recording has no clients.
    #[must_use]
    pub fn clients(&self) -> Vec<&str> {
        match &self.inner {
            Inner::Recording(_) => Vec::new(),
            Inner::Stream(rows) => rows.clients(),
        }
    }

    /// An error about the file as a whole.
    #[must_use]
    pub fn error(&self, why: impl Into<String>) -> IngestError {
        let source = match &self.inner {
            Inner::Recording(rows) => rows.name(),
            Inner::Stream(rows) => rows.name(),
        };
        IngestError { source: source.to_string(), line: 0, column: 0, why: why.into() }
    }

    /// What was strange but no error, up to the row that was read last.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = self.header.warnings();
        match &self.inner {
            Inner::Recording(rows) => rows.warnings(&mut warnings),
            Inner::Stream(rows) => rows.warnings(&mut warnings),
        }
        warnings
    }
}

impl Iterator for Reader {
    type Item = Result<Row, IngestError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let row = match &mut self.inner {
            Inner::Recording(rows) => rows.next_row(),
            Inner::Stream(rows) => rows.next_row(),
        };
        if let Ok(Some(row)) = &row {
            self.tally.rows += 1;
            if let Event::Op(Op::Alloc { dma, .. }) = row.event {
                self.tally.allocs += 1;
                self.tally.dma += u64::from(dma);
            }
        }
        self.failed = row.is_err();
        row.transpose()
    }
}
