//! What happened, or is to happen, from files: total, streaming, and located where it is wrong.
//!
//! Recordings and streams are tables, known by their columns, with a [`Row`] in each line; [`log`]
//! reads any other text into records.

mod bitmaps;
mod clients;
mod directory;
mod error;
mod geometry;
mod header;
mod held;
mod lines;
pub mod log;
mod paged;
mod record;
mod recording;
mod source;
mod stream;

pub use bitmaps::{Bitmaps, sidecar};
pub(crate) use clients::Clients;
pub use directory::directory;
pub use error::{IngestError, quoted};
pub use geometry::{Geometry, Ranges};
#[cfg(feature = "cli")]
pub(crate) use geometry::{placed, tail};
pub(crate) use geometry::{stated, strange};
pub use header::Header;
pub use paged::{PageBy, Paged};
pub use record::RecordingWriter;
pub use recording::{Answered, Recorded};
pub use source::Source;
pub use stream::{Route, StreamWriter};

use crate::op::Op;
use crate::program::named;
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

/// Every format that has rows.
pub const FORMATS: &[Format] = &[recording::FORMAT, stream::FORMAT, TRACE];

/// The name of the format that states no answers.
pub(crate) const STREAM: &str = stream::FORMAT.name;

/// A text without the columns of the other two.
pub const TRACE: Format = Format {
    name: "trace",
    about: "what a real kernel traced: calls and releases as they happened; ftrace, trace-cmd, perf",
    columns: "lines with cma_alloc_start, cma_alloc_busy_retry, cma_alloc_finish, cma_release; or \
              cma_alloc and cma_release",
    kernels: "4.1 on",
    written: false,
};

/// What a row asks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// This.
    Op(Op),
    /// An alloc of no pages: the kernel answers it before there is a request.
    NoPages,
    /// A release of these pages that the kernel must refuse, and that changes nothing: so many from
    /// this one on, counted as by [`Area::page_of`].
    BadFree {
        /// The first page.
        page: u64,
        /// How many.
        count: u64,
    },
    /// Nothing: it is a look at the state.
    Look,
}

/// A row of a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Row {
    /// Its line, from 1 on.
    pub line: u64,
    /// When, in microseconds; in a recording, which has no time, the number of the op.
    pub at_us: u64,
    /// What it asks.
    pub event: Event,
    /// What a real kernel answered: nothing, in a stream.
    pub recorded: Recorded,
}

/// Where rows come from.
pub(crate) trait Rows {
    /// The name of the source.
    fn name(&self) -> &str;

    /// The next row.
    fn next_row(&mut self) -> Result<Option<Row>, IngestError>;

    /// What was strange but no error, up to the row that was read last.
    fn warnings(&self) -> Vec<String>;

    /// The names of clients so far, by number.
    fn clients(&self) -> Vec<&str> {
        Vec::new()
    }

    /// The areas that are named for clients so far, by the number of the client.
    fn routes(&self) -> Vec<Route> {
        Vec::new()
    }

    /// Microseconds on the clock of the board at time 0 of the rows, once the first one was read;
    /// none where there is no such clock.
    fn clock_us(&self) -> Option<u64> {
        None
    }

    /// What puts the buffers in place that were live before the first row.
    fn warm_up(&self) -> Vec<Op> {
        Vec::new()
    }
}

/// Rows, and what is known before the first one.
pub(crate) struct Opened {
    pub(crate) format: &'static Format,
    pub(crate) header: Header,
    /// Where the file or the caller states its pages.
    pub(crate) area: Option<Area>,
    /// The cap that it was made with.
    pub(crate) cap: u32,
    /// How large its pages are.
    pub(crate) paged: Paged,
    pub(crate) rows: Box<dyn Rows>,
}

/// What is wrong with what a board printed in which no event is.
pub(crate) fn without_events(source: &Source) -> Option<IngestError> {
    let mut lines = Lines::open(source, lines::LONGEST).ok()?;
    let why = if lines.advance().ok()? && lines.text().starts_with("# cmalab collect") {
        "no cma event is in it: `sh collect.sh -t 60` on the board records those of a minute"
    } else {
        log::open(source).ok()?.flatten().next()?;
        "no cma event is in it, so it says something only beside a trace of its board; the script of \
         `cmalab collect` records one with -t 60"
    };
    Some(lines.error(0, named(why)))
}

/// Opens a recording or a stream and reads as far as its column names. `given` is taken in place of
/// what the file states, `cap` where it states none. An error comes with whether it is one by its
/// columns.
pub(crate) fn table(
    source: &Source,
    given: &Geometry,
    cap: u32,
) -> Result<Opened, (bool, IngestError)> {
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
    let area = header.area(given, &lines).map_err(own)?;
    let cap = header.cap.unwrap_or(cap);
    let (format, rows): (_, Box<dyn Rows>) = if has("kind") {
        let rows = recording::Rows::new(lines, &names, area.clone(), cap).map_err(own)?;
        (&recording::FORMAT, Box::new(rows))
    } else {
        (&stream::FORMAT, Box::new(stream::Rows::new(lines, &names).map_err(own)?))
    };
    let paged = Paged::of(header.page.map(|page| (page, PageBy::Header)));
    Ok(Opened { format, header, area, cap, paged, rows })
}

fn formats() -> String {
    let known: Vec<_> =
        FORMATS.iter().map(|format| format!("a {} has {}", format.name, format.columns)).collect();
    known.join("; ")
}
