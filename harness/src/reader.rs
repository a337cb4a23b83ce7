//! What happened, or is to happen, row by row: recordings, streams and traces alike.
//!
//! [`open`] tells the formats apart by their columns; what has none is a trace. A [`Reader`] yields
//! [`Row`]s one at a time; its memory grows with the buffers that are live, not with the rows.

mod memory;
mod ops;
mod trace;

use std::collections::BTreeSet;

use cma_policies::Area;

pub use crate::timeline::{CapShown, Class};
pub use memory::Memory;
pub use ops::Ops;

use crate::board::Asking;
use crate::ingest::{
    self, DEFAULT_CAP, Event, Format, Geometry, Header, IngestError, Opened, PageBy, Paged, Route,
    Row, Source,
};
use crate::kernel::{Kernel, Kind};
use crate::op::Op;
use crate::page::Page;

/// What the caller knows beside the file.
#[derive(Clone, Default, Debug)]
pub struct Options {
    /// The cap that a recording or a trace was made with, where its header does not state one. What
    /// the requests of a trace show is taken where this is none.
    pub recorded_cap: Option<u32>,
    /// The geometry, as far as the caller gives it: in place of what the file states.
    pub geometry: Geometry,
    /// The size of a page, in place of what the file and its board state.
    pub page: Option<Page>,
    /// The area whose events of a trace are read; the one with most of them where none is named.
    pub area: Option<String>,
    /// Debugfs files of the area, as one text: of a trace, where it lies and what is live in it; of
    /// a table they must state the same area.
    pub snapshot: Option<Source>,
    /// What else the board printed beside a trace: its boot, its kernel, debugfs.
    pub beside: Vec<Source>,
    /// What was found out of traces under these options.
    pub memory: Memory,
}

impl Options {
    /// The same for the events of this area.
    #[must_use]
    pub fn of_area(&self, area: String) -> Self {
        Self { area: Some(area), ..self.clone() }
    }
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
    opened: Opened,
    shown: trace::Shown,
    tally: Tally,
    failed: bool,
}

/// Opens `source` and reads as far as its column names; a trace is looked through to its end.
///
/// # Errors
/// Where it cannot be read, is of no known format, or states a geometry that no area has.
pub fn open(source: &Source, options: &Options) -> Result<Reader, IngestError> {
    let cap = options.recorded_cap.unwrap_or(DEFAULT_CAP);
    let (mut opened, shown) = match ingest::table(source, &options.geometry, cap) {
        Ok(table) => {
            if let (Some(snapshot), Some(area)) = (&options.snapshot, &table.area) {
                trace::agree(snapshot, area)?;
            }
            (table, trace::Shown::default())
        }
        // What has the columns of a table is one, with its mistakes.
        Err((true, error)) => return Err(error),
        Err((false, error)) => trace::open(source, options)?
            .ok_or_else(|| ingest::without_events(source).unwrap_or(error))?,
    };
    if let Some(page) = options.page {
        opened.paged = Paged::of(Some((page, PageBy::Caller)));
    }
    Ok(Reader { opened, shown, tally: Tally::default(), failed: false })
}

/// The areas that have events in the trace `source`, by name; none of what is no trace, and of one up
/// to 5.12, which does not name them.
///
/// # Errors
/// Where it cannot be read.
pub fn areas(source: &Source) -> Result<Vec<String>, IngestError> {
    if is_table(source) { Ok(Vec::new()) } else { trace::areas(source) }
}

/// What kind of kernel `source` says that it is of, without a look at its rows: what nothing states
/// is left open.
///
/// # Errors
/// Where it cannot be read.
pub fn kind(source: &Source, options: &Options) -> Result<Kind, IngestError> {
    match ingest::table(source, &Geometry::default(), DEFAULT_CAP) {
        Ok(table) => Ok(Kind { page: table.paged.stated(), ..Kind::default() }),
        Err((true, error)) => Err(error),
        Err((false, _)) => trace::kind(source, options),
    }
}

/// Which of `sources` have rows, and which are other texts of the board that printed the traces among
/// them: its kernel log, debugfs files. One source alone, or texts without a trace, have rows or are
/// wrong.
///
/// # Errors
/// Where one cannot be read.
pub fn sorted(sources: Vec<Source>) -> Result<(Vec<Source>, Vec<Source>), IngestError> {
    let (mut rows, mut beside, mut traces) = (Vec::new(), Vec::new(), 0);
    let is_alone = sources.len() == 1;
    for source in sources {
        let is_known = is_alone || is_table(&source);
        let is_trace = !is_known && trace::has_events(&source)?;
        traces += usize::from(is_trace);
        if is_known || is_trace { &mut rows } else { &mut beside }.push(source);
    }
    if traces == 0 {
        rows.append(&mut beside);
    }
    Ok((rows, beside))
}

/// The only one of `rows`, which are those of [`sorted`].
///
/// # Errors
/// Where there is none, one of them has no rows after all, or there are several.
pub fn only(mut rows: Vec<Source>) -> Result<Source, IngestError> {
    let [first, second, ..] = &rows[..] else {
        return rows.pop().ok_or_else(|| IngestError::of("a trace", "no file is named"));
    };
    for source in &rows {
        if !is_table(source) && !trace::has_events(source)? {
            open(source, &Options::default())?;
        }
    }
    let why = format!(
        "it is a run of its own, as {} is; name one of them, and beside a trace only texts of its \
         board without cma events",
        first.name()
    );
    Err(IngestError::of(second.name(), why))
}

/// Whether `source` says what was asked for, row by row or event by event: it is a table or a trace.
///
/// # Errors
/// Where it cannot be read.
pub fn has_rows(source: &Source) -> Result<bool, IngestError> {
    Ok(is_table(source) || trace::has_events(source)?)
}

/// The events of CMA areas in `source`, as far as there are not more than `most`.
///
/// # Errors
/// Where it cannot be read.
pub fn events(source: &Source, most: u64) -> Result<u64, IngestError> {
    trace::events(source, most)
}

/// Whether a line of `source` is of those that a board prints.
pub fn is_log(source: &Source) -> bool {
    ingest::log::open(source).is_ok_and(|found| found.flatten().next().is_some())
}

/// Whether `source` has the columns of a recording or a stream: it is no text of a board.
fn is_table(source: &Source) -> bool {
    let table = ingest::table(source, &Geometry::default(), DEFAULT_CAP);
    table.map_or_else(|(is_table, _)| is_table, |_| true)
}

impl Reader {
    /// What is above the column names.
    pub const fn header(&self) -> &Header {
        &self.opened.header
    }

    /// The kernel that it is of, where it states one that is known.
    pub fn kernel(&self) -> Option<&'static Kernel> {
        Kernel::find(self.header().get("kernel")?)
    }

    /// The area, where the file or the caller states its pages.
    pub fn area(&self) -> Option<&Area> {
        self.opened.area.as_ref()
    }

    /// The cap that it was made with: what it states, else what the caller says, else what its
    /// requests show, else 8.
    pub const fn cap(&self) -> u32 {
        self.opened.cap
    }

    /// What the requests of a trace show of its cap, where the caller does not state it.
    pub const fn cap_shown(&self) -> Option<&CapShown> {
        self.shown.cap.as_ref()
    }

    /// How the clients of a trace ask, as far as it and the texts beside it show it.
    pub const fn asking(&self) -> &Asking {
        &self.shown.asking
    }

    /// How large its pages are, and what says so.
    pub const fn paged(&self) -> Paged {
        self.opened.paged
    }

    /// Its format.
    pub const fn format(&self) -> &'static Format {
        self.opened.format
    }

    /// Whether it says when its ops happened: a recording counts them in place of time.
    pub fn has_time(&self) -> bool {
        self.is_trace() || self.format().name == ingest::STREAM
    }

    /// Whether it says what a real kernel answered.
    pub fn is_recording(&self) -> bool {
        self.format().name != ingest::STREAM
    }

    /// Whether it is a trace: its claims end as traced, since it does not say why.
    pub fn is_trace(&self) -> bool {
        self.format().name == ingest::TRACE.name
    }

    /// Microseconds since the boot of the board at time 0 of the rows of a trace, once the first one
    /// was read.
    pub fn clock_us(&self) -> Option<u64> {
        self.opened.rows.clock_us()
    }

    /// What puts the buffers in place that were live before a trace began; empty for other formats.
    /// No metric counts these ops as requests.
    ///
    /// The kernel's first fit puts every one where it was. Another policy puts them where it would:
    /// it is compared on the same buffers, not on the same places.
    pub fn warm_up(&self) -> Vec<Op> {
        self.opened.rows.warm_up()
    }

    /// The buffers that were live before a trace began, in the order of their pages, without what
    /// only holds their places in [`Reader::warm_up`]: for who does not have that area.
    pub fn before(&self) -> Vec<Op> {
        let mut ops = self.warm_up();
        let freed = |op: &Op| if let Op::Free { id, .. } = op { Some(*id) } else { None };
        let freed: BTreeSet<_> = ops.iter().filter_map(freed).collect();
        ops.retain(|op| matches!(op, Op::Alloc { id, .. } if !freed.contains(id)));
        ops
    }

    /// What was counted up to the row that was read last.
    pub const fn tally(&self) -> &Tally {
        &self.tally
    }

    /// The clients so far: client `n` of a request is at index `n`. Numbers are given in order of
    /// appearance in allocs; an empty name is a name. A recording has no clients.
    pub fn clients(&self) -> Vec<&str> {
        self.opened.rows.clients()
    }

    /// The areas that a stream names for its clients so far, by the number of the client.
    pub fn routes(&self) -> Vec<Route> {
        self.opened.rows.routes()
    }

    /// An error about the file as a whole.
    pub fn error(&self, why: impl std::fmt::Display) -> IngestError {
        IngestError::of(self.opened.rows.name(), why)
    }

    /// What was strange but no error, up to the row that was read last.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = self.header().warnings();
        warnings.extend(self.area().and_then(ingest::strange));
        warnings.extend(self.opened.rows.warnings());
        warnings
    }
}

impl Iterator for Reader {
    type Item = Result<Row, IngestError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let row = self.opened.rows.next_row();
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
