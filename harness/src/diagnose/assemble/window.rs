//! The failures to which more may belong.

use std::collections::VecDeque;
use std::sync::Arc;

use super::super::Held;
use super::super::era::Shown;
use super::Incident;
use crate::ingest::log::{FreeRuns, Task};
use crate::timeline::{AreaState, Counter, Place};

/// The number of a failure, ascending.
pub(super) type Id = u64;

/// The most failures that are kept open.
const MOST_OPEN: usize = 4096;

/// The most runs that their lists may have in all: it bounds the memory, 16 bytes each.
const MOST_RUNS: u64 = 1 << 19;

/// A failure to which more may belong.
#[derive(Clone, Default, Debug)]
pub(super) struct Open {
    pub(super) incident: Incident,
    /// Where the last line that belongs to it is.
    pub(super) last: Place,
    /// How many records are before the start of its call, where that is in the text.
    pub(super) began: Option<u64>,
    /// Who printed it.
    pub(super) task: Option<Task>,
    /// What its lines show of the kernel.
    pub(super) shown: Shown,
    /// What the kernel had called itself by then.
    pub(super) release: Option<Arc<str>>,
    /// Pages of the area by a developer's print.
    pub(super) total: Option<u64>,
    /// Those that waited for a list together with it.
    pub(super) together: Vec<Id>,
    /// What is believed of it.
    pub(super) belief: Belief,
    /// The list just before it.
    pub(super) before: Option<Arc<FreeRuns>>,
    /// The state by a trace.
    pub(super) traced: Option<Traced>,
    /// The runs that it was charged for.
    pub(super) traced_runs: u64,
    /// When its call began and ended, by the clock of the trace.
    pub(super) trace_us: Option<Span>,
    /// What the counter of the area came to meanwhile, by the trace.
    pub(super) counter: Option<Counter>,
    /// What its driver holds.
    pub(super) held: Option<Arc<Held>>,
    /// What of it was seen.
    pub(super) has: Parts,
}

/// When a call began and ended, in microseconds by the clock of the trace.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Span {
    pub(super) from: u64,
    pub(super) to: u64,
}

/// The state of an area by a trace.
#[derive(Clone, Debug)]
pub(super) struct Traced {
    pub(super) state: Arc<AreaState>,
    /// It may be of another moment, or another call was in flight: what that had claimed is
    /// missing; or the order of its bits is not stated.
    pub(super) moved: bool,
    /// Where the area lies is concluded from its first grant: it may have several ranges.
    pub(super) inferred: bool,
}

/// What is believed of a report.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) enum Belief {
    /// It is a failure, and what belongs to it is its own.
    #[default]
    Own,
    /// Its list may be that of another failure.
    Shared,
    /// It is a list that one of several calls printed.
    Anyones,
    /// It is no failure of its own after all.
    Gone,
}

impl Belief {
    /// Its list may be that of another failure, if nothing worse is believed of it.
    pub(super) fn share(&mut self) {
        if *self == Self::Own {
            *self = Self::Shared;
        }
    }
}

/// The parts of a report: a small set.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Parts(u8);

impl Parts {
    /// A failure line.
    pub(super) const LINE: Self = Self(1);
    /// A finish event of a trace.
    pub(super) const TRACE: Self = Self(2);
    /// The last debug line of its call.
    pub(super) const END: Self = Self(4);

    pub(super) fn add(&mut self, part: Self) {
        self.0 |= part.0;
    }

    pub(super) const fn any(self, part: Self) -> bool {
        self.0 & part.0 != 0
    }
}

/// The open failures, oldest first.
#[derive(Debug, Default)]
pub(super) struct Window {
    first: Id,
    /// Each is large: where it is it stays.
    open: VecDeque<Box<Open>>,
    runs: u64,
    /// The state by a trace that was charged last.
    state: Option<Arc<AreaState>>,
}

impl Window {
    /// Takes a failure in.
    pub(super) fn push(&mut self, open: Open) -> Id {
        self.open.push_back(Box::new(open));
        self.first + self.open.len() as Id - 1
    }

    /// The number that the next one gets.
    pub(super) fn next(&self) -> Id {
        self.first + self.open.len() as Id
    }

    pub(super) fn get(&self, id: Id) -> Option<&Open> {
        let index = usize::try_from(id.checked_sub(self.first)?).ok()?;
        self.open.get(index).map(|open| &**open).filter(|open| open.belief != Belief::Gone)
    }

    pub(super) fn get_mut(&mut self, id: Id) -> Option<&mut Open> {
        let index = usize::try_from(id.checked_sub(self.first)?).ok()?;
        self.open.get_mut(index).map(|open| &mut **open).filter(|open| open.belief != Belief::Gone)
    }

    /// The last `most`, newest first.
    pub(super) fn latest(&self, most: usize) -> impl Iterator<Item = (Id, &Open)> {
        let ids = (self.first..self.next()).rev();
        let open = self.open.iter().rev().map(|open| &**open);
        ids.zip(open).take(most).filter(|(_, open)| open.belief != Belief::Gone)
    }

    /// All of them.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Open> {
        self.open.iter_mut().map(|open| &mut **open)
    }

    /// `list` is kept by one of them.
    pub(super) fn charge(&mut self, list: &FreeRuns) {
        self.runs = self.runs.saturating_add(weight(list));
    }

    /// The runs of `state` that no failure before kept: one state may be that of many.
    pub(super) fn charge_state(&mut self, state: &Arc<AreaState>) -> u64 {
        if self.state.as_ref().is_some_and(|known| Arc::ptr_eq(known, state)) {
            return 0;
        }
        let runs = state.ranges.iter().map(|range| range.holes.len() as u64).sum();
        self.state = Some(Arc::clone(state));
        self.runs = self.runs.saturating_add(runs);
        runs
    }

    /// The oldest, where there are too many, or where `all` are to go.
    pub(super) fn pop(&mut self, all: bool) -> Option<(Id, Box<Open>)> {
        if !all && self.open.len() <= MOST_OPEN && self.runs <= MOST_RUNS {
            return None;
        }
        let open = self.open.pop_front()?;
        self.first += 1;
        self.runs = self.runs.saturating_sub(open.traced_runs);
        if let Some(list) = &open.incident.list {
            self.runs = self.runs.saturating_sub(weight(list));
        }
        Some((self.first - 1, open))
    }
}

fn weight(list: &FreeRuns) -> u64 {
    list.ranges.iter().map(|range| range.runs.len() as u64 + 4).sum()
}
