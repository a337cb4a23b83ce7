//! From what a board prints to why it failed.
//!
//! ```text
//! text ─► ingest::log ─► Found ─► Assembler ─► Incident ─► judge ─► Failure ─► report
//!                                     └─► AreaState ─► residents, advice, pictures
//! ```
//! [`diagnose`] is the whole of it. Everything that is said of a failure is said with a confidence:
//! what a log does not show is `undecidable`, with the step that would show it.

mod advice;
mod aside;
mod assemble;
mod bounds;
mod era;
mod outcome;
mod recommended;
mod residents;
mod verdict;

use std::sync::Arc;

pub use crate::timeline::{AreaState, Asked, GUARANTEED_ALIGN, Hole, Known, RangeState};
pub use advice::{Advice, Cap, Follows, Grow, Missing, Pages, SizeBy, Step, Strands, What, advise};
pub use aside::{BusyPlaces, FreeMemory, NotCma};
pub use assemble::{Assembler, Beside, Counter, Incident, Reported};
pub use bounds::{Bounds, By, Held, Holding, Own, Padding, Slots, Stated};
pub use era::{Builder, Era, Kit};
pub use outcome::{Because, Holder, Outcome, Who, would_say_so};
pub use recommended::{AreaBy, AreaHeld, AsRecommended, CallsShow, CapHeld, Holds};
pub use residents::{Pitch, Resident, residents};
pub use verdict::{Fit, Place, Room, Why, judge};

use crate::boot::Story;
use crate::cause::Cause;
use crate::ingest::log::{self, Found, FreeBlocks, Record};
use crate::ingest::{Geometry, IngestError, Source};
use crate::kernel::Errno;
use crate::timeline::CapShown;

/// How sure a statement is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Confidence {
    /// It rests on something that the text does not show.
    Guess,
    /// It holds unless something unusual happened between two lines.
    Likely,
    /// The text shows it.
    Certain,
}

impl Confidence {
    /// The word for it in every format.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Guess => "guess",
            Self::Likely => "likely",
            Self::Certain => "certain",
        }
    }
}

/// Where the order of a request is known from.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum AlignFrom {
    /// A trace event.
    Trace,
    /// A debug line, or that the request came through debugfs (order 0).
    Debug,
    /// The area is of gigantic pages, each of which is asked for at its own order
    /// (`alloc_gigantic_folio()`, `mm/hugetlb.c`).
    Gigantic,
    /// Nowhere: min(ceil_log2(count), cap), what callers of the DMA API ask for.
    Cap,
}

impl AlignFrom {
    /// By whoever printed the call.
    const fn by(origin: log::Origin) -> Self {
        match origin {
            log::Origin::Trace => Self::Trace,
            log::Origin::Debug => Self::Debug,
        }
    }

    /// Whether the text states it.
    const fn is_stated(self) -> bool {
        matches!(self, Self::Trace | Self::Debug)
    }

    /// The word for it in every format.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Gigantic => "gigantic",
            Self::Cap => "cap",
        }
    }
}

/// The free-run list of a failure, in short.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ListSummary {
    /// Runs that are there.
    pub runs: u64,
    /// Free pages: as the tail states, else the sum of the runs.
    pub free: Option<u64>,
    /// Pages of the area, where stated.
    pub total: Option<u64>,
    /// Pages of the longest run that is there.
    pub largest_run: u64,
    /// Usable pages of the best run at the order of the request; `None` where that is not known.
    pub largest_usable: Option<u64>,
    /// Whether nothing is missing.
    pub complete: bool,
}

/// What would have fitted in the state as it was.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct WouldFit {
    /// The largest order at which this many pages fit; `None`: at none.
    pub max_align: Option<u32>,
    /// The first page, from the start of its range on, where they would have gone then (by first
    /// fit).
    pub at: Option<u64>,
    /// The most pages that fit at the order of this request.
    pub largest_count_at_this_align: u64,
}

/// A failure and why.
#[derive(Clone, PartialEq, Debug)]
pub struct Failure {
    /// What was reported, and what belongs to it.
    pub incident: Arc<Incident>,
    /// The order of the request, and where it is known from.
    pub align: Option<(u32, AlignFrom)>,
    /// The list in short, where there is one.
    pub list: Option<ListSummary>,
    /// Why; `None` is `undecidable`.
    pub verdict: Option<Cause>,
    /// How sure.
    pub confidence: Confidence,
    /// Why.
    pub why: Why,
    /// What the state says of the request, where there is one.
    pub room: Option<Room>,
    /// What would have fitted, where the state is known well enough.
    pub would_fit: Option<WouldFit>,
}

impl Failure {
    /// Free pages of its area, as stated or as summed up.
    pub fn free(&self) -> Option<u64> {
        let by_state = || self.incident.state.as_ref()?.stated_free();
        self.list.and_then(|list| list.free).or_else(by_state)
    }

    /// Pages that the counter of its area had left and those that are free in its bitmap, where
    /// both are known and differ.
    pub fn drift(&self) -> Option<(u64, u64)> {
        let room = self.room?;
        let state = self.incident.state.as_ref().filter(|state| state.complete)?;
        let pages = (room.available?, state.known_free());
        (pages.0 != pages.1).then_some(pages)
    }

    /// Pages of its area.
    pub fn total(&self) -> Option<u64> {
        self.list.and_then(|list| list.total).or_else(|| self.incident.state.as_ref()?.total)
    }

    /// The word for the verdict in every format.
    pub fn verdict_name(&self) -> &'static str {
        verdict_name(self.verdict)
    }
}

/// The word for a verdict in every format.
pub fn verdict_name(verdict: Option<Cause>) -> &'static str {
    verdict.map_or("undecidable", Cause::name)
}

/// What the caller knows beside the text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Options {
    /// The kernel, by release or `android`, where the text does not say.
    pub kernel: Option<String>,
    /// `CONFIG_CMA_ALIGNMENT`; what the text says comes first.
    pub cap: u32,
    /// The geometry of the area, where the text does not say.
    pub geometry: Geometry,
    /// Bytes of the area, in place of the pages of `geometry`: how many they are, the size of a page
    /// says that the text states.
    pub area_bytes: Option<u64>,
}

impl Default for Options {
    fn default() -> Self {
        let cap = crate::ingest::DEFAULT_CAP;
        Self { kernel: None, cap, geometry: Geometry::default(), area_bytes: None }
    }
}

/// A source that could not be read to its end: what it says further on is not known.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cut {
    /// What it is called.
    pub source: String,
    /// The lines that were read whole.
    pub lines: u64,
    /// Why.
    pub why: String,
}

/// What was found beside the failures, which were visited one by one.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct Diagnosis {
    /// Failures that were visited.
    pub failures: u64,
    /// The state of each area as it was known best and latest, in order of appearance.
    pub areas: Vec<AreaState>,
    /// The buffers that fill the areas: those of area `n` of `areas` at `n`.
    pub residents: Vec<Vec<Resident>>,
    /// The cap that the statements rest on, where calls do not show another.
    pub cap: u32,
    /// What the traced calls of each area show of it.
    pub caps: Vec<(Option<Arc<str>>, CapShown)>,
    /// Failure lines that the rate limit of the kernel hid, in all.
    pub hidden: u64,
    /// Those of them of whose failures nothing is known: neither a list nor a trace shows them.
    pub suppressed: u64,
    /// Failures of a kernel log that no driver reported.
    pub unreported: u64,
    /// Those of which it cannot be told whether a driver did: a line of one is there in part.
    pub half_reported: u64,
    /// The kernel log begins with the boot: what no driver reported in it, none did.
    pub from_boot: bool,
    /// What other allocators than CMA refused, each once.
    pub not_cma: Vec<NotCma>,
    /// Busy places of requests of which no failure is in the text.
    pub busy: Vec<BusyPlaces>,
    /// Lines about busy places that the rate limit of the kernel hid.
    pub busy_hidden: u64,
    /// The counters of the board (meminfo, vmstat, sysfs) as they were seen last, in order of
    /// appearance.
    pub counters: Vec<Counter>,
    /// Free blocks of the page allocator, by zone, as they were seen last.
    pub free_blocks: Vec<FreeBlocks>,
    /// The sources that could not be read to their end.
    pub cut: Vec<Cut>,
    /// What the boot says of areas.
    pub boot: Story,
    /// Whether it is as it was recommended, where the caller asks.
    pub as_recommended: Option<AsRecommended>,
    /// Lines in all.
    pub lines: u64,
    /// Lines that looked like the kernel's and could not be read.
    pub skipped_lines: u64,
    /// What is strange, each once, at most 64.
    pub warnings: Vec<String>,
}

/// Reads `sources` in order as one board's and says why each allocation failed. Memory does not
/// grow with the text: what is kept is the areas, and the last failures for which more may follow.
///
/// # Errors
/// Where a source cannot be read. What cannot be understood is no error: it is counted.
pub fn diagnose(
    sources: &[Source],
    options: &Options,
    visit: &mut dyn FnMut(Failure),
) -> Result<Diagnosis, IngestError> {
    let mut assembler = Assembler::new(options);
    let mut diagnosis = Diagnosis { cap: options.cap, ..Diagnosis::default() };
    let mut failed = Vec::new();
    look_ahead(sources, &mut assembler)?;
    for source in sources {
        assembler.source(source.name());
        let mut records = log::open(source)?;
        for found in records.by_ref() {
            match found {
                Ok(found) => assembler.push(found),
                Err(error) => diagnosis.odd(&error),
            }
            while let Some(incident) = assembler.next_incident() {
                diagnosis.count(&incident);
                note_area(&incident, &mut failed);
                visit(judge(incident, assembler.options()));
            }
        }
        diagnosis.lines += records.lines();
        diagnosis.cut.extend(records.cut().map(|error| Cut {
            source: error.source.clone(),
            lines: records.lines(),
            why: error.why.clone(),
        }));
        if records.is_longer() {
            diagnosis.warn(format!(
                "{}: bytes follow the end of what is packed that are no part of it; they are left out",
                source.name()
            ));
        }
        assembler.source_ends(records.lines());
    }
    assembler.end();
    while let Some(incident) = assembler.next_incident() {
        diagnosis.count(&incident);
        note_area(&incident, &mut failed);
        visit(judge(incident, assembler.options()));
    }
    diagnosis.boot = assembler.boot_story(&failed);
    assembler.beside(&mut diagnosis);
    diagnosis.cap = assembler.options().cap;
    diagnosis.caps = assembler.caps();
    diagnosis.hidden = assembler.hidden();
    diagnosis.suppressed = assembler.suppressed();
    diagnosis.counters = assembler.counters().to_vec();
    diagnosis.free_blocks = assembler.free_blocks().to_vec();
    for warning in assembler.warnings() {
        diagnosis.warn(warning);
    }
    diagnosis.areas = assembler.into_areas();
    diagnosis.note_cut_bitmaps();
    diagnosis.find_residents();
    Ok(diagnosis)
}

/// The names of the areas in which requests failed, each once.
fn note_area(incident: &Incident, failed: &mut Vec<Arc<str>>) {
    const MOST: usize = 64;
    if let Some(area) = &incident.area
        && failed.len() < MOST
        && !failed.contains(area)
    {
        failed.push(Arc::clone(area));
    }
}

/// Where areas lie does not change: it holds from the first text on, also where it is said by a later
/// one of debugfs files alone.
fn look_ahead(sources: &[Source], assembler: &mut Assembler) -> Result<(), IngestError> {
    for source in sources.iter().skip(1).filter(|source| source.is_repeatable()) {
        for found in log::open(source)? {
            let Ok(Found { record, .. }) = found else { break };
            match record {
                Record::Debugfs { area, range, file } => {
                    assembler.place(area.as_ref(), range, &file);
                }
                Record::Counter { .. } | Record::Snapshot { .. } => {}
                _ => break,
            }
        }
    }
    assembler.all_placed();
    Ok(())
}

impl Diagnosis {
    fn count(&mut self, incident: &Incident) {
        self.failures += 1;
        self.unreported += u64::from(incident.is_unreported());
        self.half_reported += u64::from(incident.is_half_reported());
    }

    /// The cap of the buffers in an area.
    pub fn cap_in(&self, area: Option<&Arc<str>>) -> u32 {
        self.shown_in(area).and_then(CapShown::exactly).unwrap_or(self.cap)
    }

    /// The cap that the caller of a failure follows.
    pub fn followed(&self, incident: &Incident) -> Follows {
        let client = incident.who.task.as_ref().and_then(|task| task.comm.as_deref());
        let shown = self.shown_in(incident.area.as_ref()).and_then(|shown| shown.of(client));
        let (cap, by) = shown.unzip();
        let by = by.filter(|_| cap < Some(self.cap)).map(|by| (by.calls, by.pages));
        Follows { cap: cap.unwrap_or(self.cap), by }
    }

    fn shown_in(&self, area: Option<&Arc<str>>) -> Option<&CapShown> {
        self.caps.iter().find(|(name, _)| name.as_ref() == area).map(|(_, shown)| shown)
    }

    /// Finds the buffers of all areas, and says where the search for them was cut short.
    fn find_residents(&mut self) {
        for index in 0..self.areas.len() {
            let area = &self.areas[index];
            // Several names may mean one area.
            let alike = self.areas[..index].iter().position(|other| other.is_like(area));
            let (found, is_cut) = match alike {
                Some(other) => (self.residents[other].clone(), false),
                None => residents::search(area, self.cap_in(area.name.as_ref())),
            };
            if is_cut {
                let of = area.name.as_deref().map_or(String::new(), |name| format!(" of {name}"));
                self.warn(format!(
                    "the search for the sizes of the buffers{of} was cut short, since its gaps can \
                     be made up in too many ways: a size that is a guess may be another one"
                ));
            }
            self.residents.push(found);
        }
    }

    /// Says which bitmaps have fewer words than their areas.
    fn note_cut_bitmaps(&mut self) {
        let cut = |area: &AreaState| {
            let name = area.name.as_deref().unwrap_or("an area");
            let (shown, total) = (area.shown?, area.total?);
            Some(format!("the bitmap of {name} is cut: it shows {shown} of its {total} pages"))
        };
        let cut: Vec<_> = self.areas.iter().filter_map(cut).collect();
        cut.into_iter().for_each(|cut| self.warn(cut));
    }

    fn odd(&mut self, error: &IngestError) {
        self.skipped_lines += 1;
        self.warn(error.to_string());
    }

    fn warn(&mut self, warning: String) {
        const MOST: usize = 64;
        if self.warnings.len() < MOST && !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }
}

/// The errno of a line and a kernel's word for it.
pub fn errno_name(errno: Errno) -> &'static str {
    match errno {
        crate::kernel::ENOMEM => "ENOMEM",
        crate::kernel::EBUSY => "EBUSY",
        crate::kernel::EINTR => "EINTR",
        -22 => "EINVAL",
        _ => "",
    }
}
