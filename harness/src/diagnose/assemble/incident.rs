//! A failure, as far as a text shows it.

use std::sync::Arc;

use super::super::{AlignFrom, Bounds, Era, Outcome, Who};
use super::Beside;
use crate::ingest::log::{FreeRuns, Shape};
use crate::kernel::Errno;
use crate::timeline::AreaState;

/// Who reported a failure.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub enum Reported {
    /// A failure line.
    Line(Shape),
    /// A finish event of a trace.
    Trace,
    /// `returned (null)` of a debug line.
    Debug,
    /// Busy claims, and then a driver.
    Claims,
    /// Only a driver: the least that there can be.
    #[default]
    Driver,
    /// Only a list of free runs.
    List,
}

/// A failure and everything in the text that belongs to it.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct Incident {
    /// The source it is in.
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
    /// Pages that the counter of the area had left when it was asked, where stated (6.15 on).
    pub available: Option<u64>,
    /// The order, where it is stated.
    pub align: Option<(u32, AlignFrom)>,
    /// Claims of it that were busy, where the text would show them (debug lines or trace are on).
    pub busy_retries: Option<u64>,
    /// Whether a claim was made at all, where the text shows it.
    pub tried: Option<bool>,
    /// The page that was tried last is not the one that was busy last: its claim failed otherwise.
    pub other_page_last: bool,
    /// Places with pages across a hole of the memmap were skipped (6.15 on).
    pub skipped: bool,
    /// After the last busy claim there is time for the sleep of a vendor's kernel.
    pub slept: bool,
    /// The private print of a search says that nothing aligned is free.
    pub search_found_nothing: bool,
    /// The list as printed, where there is one.
    pub list: Option<Arc<FreeRuns>>,
    /// Which list belongs to it is not stated by the text: others could.
    pub other_lists: Vec<Arc<FreeRuns>>,
    /// The state of its area when it failed, as far as known.
    pub state: Option<Arc<AreaState>>,
    /// The state contradicts itself at every order per bit: nothing rests on its positions.
    pub doubtful: bool,
    /// What its list shows where it is read at another order per bit, which it allows as well.
    pub other_readings: Vec<AreaState>,
    /// The state may be of another moment, or of another area.
    pub moved: bool,
    /// Where the area lies is concluded from its events: it may have several ranges.
    pub inferred: bool,
    /// What bounds it beside its list, where the text states anything.
    pub bounds: Option<Arc<Bounds>>,
    /// What was asked for by the lines beside a list that has none.
    pub beside: Vec<Beside>,
    /// Reports of this same failure beside the first.
    pub duplicates: u64,
    /// A kernel log shows that CMA refused it: a line or a list is there.
    pub logged: bool,
    /// Who asked, who reported it, and who holds the area.
    pub who: Who,
    /// What became of the request.
    pub outcome: Outcome,
}

impl Incident {
    /// A failure reported in `source`, of which no more is known.
    pub fn new(source: Arc<str>, reported: Reported) -> Self {
        Self { source, reported, ..Self::default() }
    }

    /// Whether a kernel log shows it, and no driver in that reported it.
    pub fn is_unreported(&self) -> bool {
        self.logged && self.outcome != Outcome::Reported && self.who.piece_line.is_none()
    }

    /// Whether a kernel log shows it, and it cannot be told whether a driver reported it.
    pub fn is_half_reported(&self) -> bool {
        self.logged && self.outcome != Outcome::Reported && self.who.piece_line.is_some()
    }
}
