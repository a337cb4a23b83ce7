//! What happened, or is to happen, from files: total, streaming, and located where it is wrong.
//!
//! [`open`] tells the formats apart by their columns; what has none is a trace. A [`Reader`] yields
//! [`Row`]s one at a time; its memory grows with the buffers that are live, not with the rows.

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
mod trace;

pub use bitmaps::{Bitmaps, sidecar};
pub use directory::directory;
pub use error::{IngestError, quoted};
pub use header::{Geometry, Header};
pub use ops::Ops;
pub use record::RecordingWriter;
pub use recording::{Answered, Recorded};
pub use source::Source;
pub use stream::{Route, StreamWriter, Unwritable};

use std::collections::BTreeSet;

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
pub const FORMATS: &[Format] = &[recording::FORMAT, stream::FORMAT, trace::FORMAT];

/// What the caller knows beside the file.
#[derive(Clone, Default, Debug)]
pub struct Options {
    /// The cap that a recording or a trace was made with, where its header does not state one.
    pub recorded_cap: Option<u32>,
    /// The geometry, as far as the caller gives it: in place of what the file states.
    pub geometry: Geometry,
    /// The area whose events of a trace are read; the one with most of them where none is named.
    pub area: Option<String>,
    /// Debugfs files of the area of a trace, as one text: where it lies and what is live in it.
    pub snapshot: Option<Source>,
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

/// Reads a recording, a stream or a trace, row by row.
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
    Trace(Box<trace::Rows>),
}

/// Opens `source` and reads as far as its column names; a trace is looked through to its end.
///
/// # Errors
/// Where it cannot be read, is of no known format, or states a geometry that no area has.
pub fn open(source: &Source, options: &Options) -> Result<Reader, IngestError> {
    let table = table(source, options);
    // What has the columns of a table is one, with its mistakes.
    let error = match table {
        Ok(reader) => return Ok(reader),
        Err((true, error)) => return Err(error),
        Err((false, error)) => error,
    };
    let cap = options.recorded_cap.unwrap_or(DEFAULT_CAP);
    let trace = trace::open(source, options, cap)?;
    let (rows, header, area) = trace.ok_or_else(|| collected(source).unwrap_or(error))?;
    let inner = Inner::Trace(Box::new(rows));
    Ok(Reader { inner, header, area: Some(area), cap, tally: Tally::default(), failed: false })
}

/// What is wrong with a text of the script of `cmalab collect` in which no event is.
fn collected(source: &Source) -> Option<IngestError> {
    let mut lines = Lines::open(source, lines::LONGEST).ok()?;
    let collected = lines.advance().ok()? && lines.text().starts_with("# cmalab collect");
    let why = "no cma event is in it: `sh collect.sh -t 60` on the board records those of a minute";
    collected.then(|| lines.error(0, why))
}

/// Opens a recording or a stream. An error comes with whether it is one by its columns.
fn table(source: &Source, options: &Options) -> Result<Reader, (bool, IngestError)> {
    let other = |error| (false, error);
    let mut lines = Lines::open(source, lines::LONGEST).map_err(other)?;
    let mut header = Header::default();
    // A mistake above the column names is that of a table only where there are such names.
    let mut mistake = None;
    let found = lines.advance_past(|lines| {
        if mistake.is_none() {
            mistake = header.read(lines).err();
        }
        Ok(())
    });
    if !found.map_err(other)? {
        let none = || lines.error(0, format!("no row of column names; {}", formats()));
        return Err((false, mistake.unwrap_or_else(none)));
    }
    let split = lines::fields(&lines, lines.text()).map_err(other)?;
    let names: Vec<String> = split.into_iter().map(|field| field.text.trim().to_string()).collect();
    let has = |name: &str| names.iter().any(|column| column == name);
    let known = has("kind") || has("op");
    if let Some(mistake) = mistake {
        return Err((known, mistake));
    }
    if !known {
        let why = format!("columns {} are of no known format; {}", quoted(lines.text()), formats());
        return Err((false, lines.error(1, why)));
    }
    let own = |error| (true, error);
    let area = header.area(&options.geometry, &lines).map_err(own)?;
    let cap = header.cap.or(options.recorded_cap).unwrap_or(DEFAULT_CAP);
    let inner = if has("kind") {
        Inner::Recording(recording::Rows::new(lines, &names, area.clone(), cap).map_err(own)?)
    } else {
        Inner::Stream(stream::Rows::new(lines, &names).map_err(own)?)
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

    /// Its format.
    #[must_use]
    pub const fn format(&self) -> &'static Format {
        match self.inner {
            Inner::Recording(_) => &recording::FORMAT,
            Inner::Stream(_) => &stream::FORMAT,
            Inner::Trace(_) => &trace::FORMAT,
        }
    }

    /// Whether it says when its ops happened: a recording counts them in place of time.
    #[must_use]
    pub const fn has_time(&self) -> bool {
        !matches!(self.inner, Inner::Recording(_))
    }

    /// Whether it says what a real kernel answered.
    #[must_use]
    pub const fn is_recording(&self) -> bool {
        !matches!(self.inner, Inner::Stream(_))
    }

    /// Whether it is a trace: its claims end as traced, since it does not tell why.
    #[must_use]
    pub const fn is_trace(&self) -> bool {
        matches!(self.inner, Inner::Trace(_))
    }

    /// What puts the buffers in place that were live before a trace began; empty for other formats.
    /// No metric counts these ops as requests.
    ///
    /// The kernel's first fit puts every one where it was. Another policy puts them where it would:
    /// it is compared on the same buffers, not on the same places.
    #[must_use]
    pub fn warm_up(&self) -> Vec<Op> {
        match &self.inner {
            Inner::Trace(rows) => rows.warm_up(),
            _ => Vec::new(),
        }
    }

    /// The buffers that were live before a trace began, in the order of their pages, without what
    /// only holds their places in [`Reader::warm_up`]: for who does not have that area.
    #[must_use]
    pub fn before(&self) -> Vec<Op> {
        let mut ops = self.warm_up();
        let freed = |op: &Op| if let Op::Free { id, .. } = op { Some(*id) } else { None };
        let freed: BTreeSet<_> = ops.iter().filter_map(freed).collect();
        ops.retain(|op| matches!(op, Op::Alloc { id, .. } if !freed.contains(id)));
        ops
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
            Inner::Trace(rows) => rows.clients(),
        }
    }

    /// The areas that a stream names for its clients so far, by the number of the client.
    #[must_use]
    pub fn routes(&self) -> Vec<Route> {
        match &self.inner {
            Inner::Stream(rows) => rows.routes(),
            Inner::Recording(_) | Inner::Trace(_) => Vec::new(),
        }
    }

    /// An error about the file as a whole.
    #[must_use]
    pub fn error(&self, why: impl Into<String>) -> IngestError {
        let source = match &self.inner {
            Inner::Recording(rows) => rows.name(),
            Inner::Stream(rows) => rows.name(),
            Inner::Trace(rows) => rows.name(),
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
            Inner::Trace(rows) => rows.warnings(&mut warnings),
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
            Inner::Trace(rows) => Ok(rows.next_row()),
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
