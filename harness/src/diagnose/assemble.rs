//! From records to failures: what belongs together.

mod areas;
mod calls;
mod clock;
mod counters;
mod debug;
mod driver;
mod failed;
mod finish;
mod lists;
mod live;
#[cfg(test)]
pub(in crate::diagnose) mod script;
mod seen;
mod trace;
mod window;

use std::collections::VecDeque;
use std::sync::Arc;

use super::era::{Shown, Text};
use super::state::AreaState;
use super::{AlignFrom, Era, Known, Options};
use crate::ingest::log::{Found, FreeRuns, Origin, Record, Shape, Task};
use crate::kernel::{Errno, Sign};
use areas::Areas;
use calls::Calls;
use clock::Clock;
pub use counters::Counter;
use counters::Counters;
use lists::Pairing;
use seen::Seen;
use window::{Open, Window};

/// Who reported a failure.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Reported {
    /// A failure line.
    Line(Shape),
    /// A finish event of a trace.
    Trace,
    /// `returned (null)` of a debug line.
    Debug,
    /// Busy claims, and then a driver.
    Claims,
    /// Only a driver.
    Driver,
    /// Only a list of free runs.
    List,
}

/// A failure and everything in the text that belongs to it.
#[derive(Clone, PartialEq, Debug)]
pub struct Incident {
    /// The source it stands in.
    pub source: Arc<str>,
    /// Its line there.
    pub line: u64,
    /// When, in microseconds since boot.
    pub time_us: Option<u64>,
    /// Who reported it.
    pub reported: Reported,
    /// The kernel.
    pub era: Era,
    /// The area, where named.
    pub area: Option<Arc<str>>,
    /// Pages asked for.
    pub count: Option<u64>,
    /// The errno printed.
    pub ret: Option<Errno>,
    /// The order, where it is told.
    pub align: Option<(u32, AlignFrom)>,
    /// Claims of it that were busy, where the text would show them (debug lines or trace are on).
    pub busy_retries: Option<u64>,
    /// Whether a claim was made at all, where the text shows it.
    pub tried: Option<bool>,
    /// The page that was tried last is not the one that was busy last: its claim failed otherwise.
    pub other_page_last: bool,
    /// Behind the last busy claim there is time for the sleep of a vendor's kernel.
    pub slept: bool,
    /// The private print of a search says that nothing aligned is free.
    pub search_found_nothing: bool,
    /// The list as printed, where there is one.
    pub list: Option<Arc<FreeRuns>>,
    /// Which list belongs to it is not told by the text: others could.
    pub other_lists: Vec<Arc<FreeRuns>>,
    /// The state of its area when it failed, as far as known.
    pub state: Option<Arc<AreaState>>,
    /// The state contradicts itself at every order per bit: nothing rests on its positions.
    pub doubtful: bool,
    /// What its list shows where it is read at another order per bit, which it allows as well.
    pub other_readings: Vec<AreaState>,
    /// The state may be of another moment, or of another area.
    pub moved: bool,
    /// Reports of this same failure beside the first.
    pub duplicates: u64,
}

impl Incident {
    /// A failure reported in `source`, of which no more is known.
    #[must_use]
    pub fn new(source: Arc<str>, reported: Reported) -> Self {
        Self {
            source,
            line: 0,
            time_us: None,
            reported,
            era: Era::default(),
            area: None,
            count: None,
            ret: None,
            align: None,
            busy_retries: None,
            tried: None,
            other_page_last: false,
            slept: false,
            search_found_nothing: false,
            list: None,
            other_lists: Vec::new(),
            state: None,
            doubtful: false,
            other_readings: Vec::new(),
            moved: false,
            duplicates: 0,
        }
    }
}

/// Where a record stands.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
struct Place {
    /// The number of its source, from 0 on.
    source: u32,
    /// Its line there.
    line: u64,
    /// Records before it, in all sources.
    seq: u64,
    /// Its stamp in microseconds since boot.
    time_us: Option<u64>,
}

impl Place {
    /// Whether `later` stands at most `lines` lines and `us` microseconds behind this, in the same
    /// source.
    fn is_near(self, later: Self, lines: u64, us: u64) -> bool {
        let stamps = self.time_us.zip(later.time_us);
        self.source == later.source
            && later.line.saturating_sub(self.line) <= lines
            && stamps.is_none_or(|(one, other)| one.abs_diff(other) <= us)
    }
}

/// A second, in microseconds.
const SECOND_US: u64 = 1_000_000;

/// Whether two values are the same, or one is not told.
fn same<T: PartialEq>(one: Option<T>, other: Option<T>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => one == other,
        _ => true,
    }
}

/// Puts records together.
///
/// What is kept is bounded: the last failures, for which more may follow, the calls that have begun,
/// and the areas.
#[derive(Debug)]
pub struct Assembler {
    options: Options,
    source: Arc<str>,
    /// Where the record stands that is looked at.
    at: Place,
    text: Text,
    /// What the kernel calls itself: at first, and by now.
    releases: Option<(Arc<str>, Arc<str>)>,
    areas: Areas,
    counters: Counters,
    calls: Calls,
    pairing: Pairing,
    clock: Clock,
    seen: Seen,
    near: driver::Near,
    window: Window,
    ready: VecDeque<Incident>,
    /// Failure lines that the rate limit hid.
    hidden: u64,
    /// Events that a trace lost, and how often it lost some.
    lost: (u64, u64),
    warnings: Vec<String>,
}

impl Assembler {
    /// Nothing yet.
    #[must_use]
    pub fn new(options: &Options) -> Self {
        Self {
            options: options.clone(),
            source: Arc::from(""),
            at: Place::default(),
            text: Text::default(),
            releases: None,
            areas: Areas::default(),
            counters: Counters::default(),
            calls: Calls::default(),
            pairing: Pairing::default(),
            clock: Clock::default(),
            seen: Seen::default(),
            near: driver::Near::default(),
            window: Window::default(),
            ready: VecDeque::new(),
            hidden: 0,
            lost: (0, 0),
            warnings: Vec::new(),
        }
    }

    /// What follows stands in this source.
    pub fn source(&mut self, name: &str) {
        self.source = Arc::from(name);
        self.at.source = self.at.source.saturating_add(1);
        self.areas.source();
        self.calls.clear();
        self.pairing.clear();
        self.near = driver::Near::default();
    }

    /// Takes the next record.
    pub fn push(&mut self, found: Found) {
        let Found { line, time_us, task, record } = found;
        self.at = Place { line, time_us, seq: self.at.seq + 1, ..self.at };
        self.areas.tick();
        match record {
            Record::Failed { shape, area, count, ret } => {
                self.failed(task.as_ref(), shape, area, count, ret);
            }
            Record::FreeRuns(list) => self.list(task.as_ref(), list),
            Record::Driver { bytes, cma } => self.driver(bytes, cma),
            Record::PfnsBusy { start, end } => self.near.claimed(start, end, self.at),
            Record::Search { size, nr, mask, end, .. } => {
                self.searched(driver::Search { size, nr, mask, nothing: end > size });
            }
            Record::Mask { mask, maxno, bits, .. } => self.masked(mask, maxno, bits),
            Record::DebugfsAlloc { count, .. } => self.near.wrote(count, self.at),
            Record::Suppressed { function, lines } if function.contains("cma_alloc") => {
                self.hidden = self.hidden.saturating_add(lines);
            }
            Record::Suppressed { .. } | Record::CommandLine(_) => {}
            Record::Lost { events, .. } => {
                self.lost.0 = self.lost.0.saturating_add(events.unwrap_or(0));
                self.lost.1 += 1;
                self.calls.lost();
                self.areas.lost();
            }
            Record::Kernel(name) => {
                let first = self.releases.take().map_or_else(|| Arc::clone(&name), |all| all.0);
                self.releases = Some((first, name));
            }
            Record::Reserved { area, base, bytes } => self.areas.reserved(area, base, bytes),
            Record::Debugfs { area, range, file } => {
                if range.is_some() {
                    self.text.note(Sign::RangesInDebugfs);
                }
                self.areas.debugfs(area.as_ref(), range, &file);
            }
            Record::Counter { area, name, value } => self.counter(area, name, value),
            Record::Cap(cap) => self.options.cap = cap.min(63),
            call => self.call(task, call),
        }
        self.settle(false);
    }

    /// A line of a call: by whoever printed it.
    fn call(&mut self, task: Option<Task>, record: Record) {
        let origin = match &record {
            Record::Start { origin, .. }
            | Record::Busy { origin, .. }
            | Record::Finish { origin, .. }
            | Record::Release { origin, .. } => *origin,
            _ => return,
        };
        match origin {
            Origin::Debug => self.debug(task, record),
            Origin::Trace => self.event(task, record),
        }
    }

    fn counter(&mut self, area: Option<Arc<str>>, name: Arc<str>, value: u64) {
        match &*name {
            "total_pages" | "available_pages" => self.text.note(Sign::CountersOfPages),
            "release_pages_success" => self.text.note(Sign::CounterOfReleases),
            _ => {}
        }
        if &*name == "total_pages" && area.is_some() {
            self.areas.pages(area.as_ref(), value);
        }
        self.counters.note(area, name, value);
    }

    /// No record follows.
    pub fn end(&mut self) {
        self.settle(true);
    }

    /// The next failure to which nothing more can belong.
    pub fn next_incident(&mut self) -> Option<Incident> {
        self.ready.pop_front()
    }

    /// What the caller said, and what the text says in its place.
    #[must_use]
    pub const fn options(&self) -> &Options {
        &self.options
    }

    /// Failure lines that the rate limit of the kernel hid: of those failures nothing is known.
    #[must_use]
    pub const fn suppressed(&self) -> u64 {
        self.hidden
    }

    /// The counters of the board, in order of appearance.
    #[must_use]
    pub fn counters(&self) -> &[Counter] {
        self.counters.all()
    }

    /// What is strange.
    pub fn warnings(&mut self) -> Vec<String> {
        let mut warnings = std::mem::take(&mut self.warnings);
        match self.lost {
            (_, 0) => {}
            (0, times) => warnings.push(format!("a trace lost events {times} times")),
            (events, _) => warnings.push(format!(
                "a trace lost {events} events: what it shows of its areas is not whole"
            )),
        }
        warnings
    }

    fn warn(&mut self, warning: String) {
        const MOST: usize = 64;
        if self.warnings.len() < MOST && !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }

    /// The areas as they were known best and latest.
    #[must_use]
    pub fn into_areas(self) -> Vec<AreaState> {
        self.areas.into_states(&self.options.geometry)
    }

    /// A new failure, of which no more is known than where it stands.
    fn open(&self, reported: Reported, task: Option<Task>) -> Open {
        Open {
            incident: Incident {
                line: self.at.line,
                time_us: self.at.time_us,
                ..Incident::new(Arc::clone(&self.source), reported)
            },
            last: self.at,
            began: None,
            task,
            shown: Shown::NOTHING,
            release: self.releases.as_ref().map(|(_, now)| Arc::clone(now)),
            total: None,
            together: Vec::new(),
            unsure: false,
            anyones: false,
            before: None,
            traced: None,
            traced_runs: 0,
            traced_moved: false,
            trace_us: None,
            list_us: None,
            has_line: false,
            has_trace: false,
            has_end: false,
            gone: false,
        }
    }
}
