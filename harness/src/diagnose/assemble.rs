//! From records to failures: what belongs together.

use std::sync::Arc;

use super::state::AreaState;
use super::{AlignFrom, Era, Options};
use crate::ingest::log::{Found, FreeRuns, Shape};
use crate::kernel::Errno;

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
    /// Reports of this same failure beside the first.
    pub duplicates: u64,
}

/// Puts records together.
#[derive(Debug)]
pub struct Assembler {
    options: Options,
}

impl Assembler {
    /// Nothing yet.
    #[must_use]
    pub fn new(options: &Options) -> Self {
        Self { options: options.clone() }
    }

    /// What follows stands in this source.
    pub fn source(&mut self, name: &str) {
        let _ = name;
    }

    /// Takes the next record.
    pub fn push(&mut self, found: Found) {
        let _ = found;
    }

    /// No record follows.
    pub fn end(&mut self) {}

    /// The next failure to which nothing more can belong.
    pub fn next_incident(&mut self) -> Option<Incident> {
        None
    }

    /// What the caller said, and what the text says in its place.
    #[must_use]
    pub const fn options(&self) -> &Options {
        &self.options
    }

    /// What is strange.
    pub fn warnings(&mut self) -> Vec<String> {
        Vec::new()
    }

    /// The areas as they were known best and latest.
    #[must_use]
    pub fn into_areas(self) -> Vec<AreaState> {
        Vec::new()
    }
}
