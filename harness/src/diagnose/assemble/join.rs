//! One failure in a kernel log and in a trace.
//!
//! From 6.12 on a call prints between its start and its finish, however slow the console is;
//! before, right after its finish. The clocks of the two may differ, which the first pairs show;
//! within that, the failures of so many pages come in one order.

use std::collections::VecDeque;

use rustc_hash::FxHashMap;

use super::SECOND_US;
use super::window::{Id, Open, Parts, Span, Window};
use crate::ingest::log::FreeRuns;
use crate::kernel::Errno;
use crate::timeline::{Counter, Place, same};

/// Stamps of one failure that differ by more are of two, where the clocks are compared already.
const KNOWN_US: u64 = 20_000;

/// Stamps that differ by no more are of one failure.
const SAME_US: u64 = 1_000;

/// The most that is looked at for one pair.
const MOST_LOOKS: usize = 64;

/// What waits for its other half; a line and a trace event say how many pages were asked for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Half {
    Line(u64),
    Trace(u64),
    /// A list whose line was hidden.
    List,
    /// A trace event that such a list may be of.
    Unlisted,
}

impl Half {
    /// Whether `open` has found its other half, in another way at least.
    fn is_found(self, open: &Open) -> bool {
        let (has, incident) = (|part| open.has.any(part), &open.incident);
        match self {
            Self::Line(_) => has(Parts::TRACE),
            // A list follows its line.
            Self::Trace(_) | Self::Unlisted => has(Parts::LINE) || incident.list.is_some(),
            Self::List => has(Parts::TRACE) || has(Parts::LINE) || incident.count.is_some(),
        }
    }
}

/// Failures that wait for their other half.
#[derive(Debug, Default)]
pub(super) struct Join {
    /// Looked up only, never walked through.
    waiting: FxHashMap<Half, VecDeque<Id>>,
    /// Clock of the trace less that of the log.
    offset_us: Option<i64>,
}

/// When a report was written: a call of a trace from its begin to its end.
#[derive(Clone, Copy, Debug)]
pub(super) struct When {
    pub(super) at: Place,
    pub(super) span: Option<Span>,
}

impl From<Place> for When {
    fn from(at: Place) -> Self {
        Self { at, span: at.time_us.map(|time| Span { from: time, to: time }) }
    }
}

/// How close two stamps must be, where the clocks are compared already.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Near {
    /// As close as the lines of one failure.
    Same,
    /// As close as they are where clocks drift.
    Anyhow,
    /// The same by both clocks, which are not compared.
    AsIs,
}

impl Join {
    fn wait(&mut self, half: Half, id: Id) {
        self.waiting.entry(half).or_default().push_back(id);
    }

    /// A failure line was read whose trace event may follow.
    pub(super) fn line(&mut self, id: Id, count: u64) {
        self.wait(Half::Line(count), id);
    }

    /// A trace event was read whose line or list may follow.
    pub(super) fn trace(&mut self, id: Id, count: u64) {
        self.wait(Half::Trace(count), id);
        self.wait(Half::Unlisted, id);
    }

    /// A list without a line was read.
    pub(super) fn list(&mut self, id: Id) {
        self.wait(Half::List, id);
    }

    /// The traced failure that a failure line reports.
    pub(super) fn trace_of_line(
        &mut self,
        window: &Window,
        at: Place,
        area: Option<&str>,
        count: u64,
        ret: Option<Errno>,
    ) -> Option<Id> {
        [Near::Same, Near::Anyhow].into_iter().find_map(|near| {
            self.take(Half::Trace(count), window, at.into(), near, |open| is_of(open, area, ret))
        })
    }

    /// The failure line of a traced failure.
    pub(super) fn line_of_trace(
        &mut self,
        window: &Window,
        when: When,
        area: Option<&str>,
        asked: (u64, Option<u32>),
        ret: Option<Errno>,
        near: Near,
    ) -> Option<Id> {
        self.take(Half::Line(asked.0), window, when, near, |open| {
            let align = open.incident.align.map(|(align, _)| align);
            is_of(open, area, ret) && same(align, asked.1)
        })
    }

    /// The list of a traced failure, where its line was hidden: one whose tail is what the counter
    /// of the area came to while the call ran. `counter`: that, where known.
    pub(super) fn list_of_trace(
        &mut self,
        window: &Window,
        when: When,
        counter: Option<Counter>,
        near: Near,
    ) -> Option<Id> {
        let near = self.near(near, counter)?;
        self.take(Half::List, window, when, near, |open| {
            is_counted(open.incident.list.as_deref(), counter)
        })
    }

    /// The traced failure of `list`, where its line was hidden.
    pub(super) fn trace_of_list(
        &mut self,
        window: &Window,
        at: Place,
        list: &FreeRuns,
    ) -> Option<Id> {
        let counters = self.waiting.get(&Half::Unlisted).into_iter().flatten();
        let counter = counters.filter_map(|id| window.get(*id)?.counter).next();
        [Near::Same, Near::Anyhow].into_iter().find_map(|near| {
            let near = self.near(near, counter)?;
            self.take(Half::Unlisted, window, at.into(), near, |open| {
                is_counted(Some(list), open.counter)
            })
        })
    }

    /// How near the two halves must be, where only a counter says that they are of one call: where
    /// the clocks are not compared yet, at the same moment by both.
    fn near(&self, near: Near, counter: Option<Counter>) -> Option<Near> {
        match self.offset_us {
            Some(_) => Some(near),
            None => counter.map(|_| Near::AsIs),
        }
    }

    /// The clock of the trace is so much ahead of that of the log.
    pub(super) fn compared(&mut self, offset_us: i64) {
        self.offset_us = Some(offset_us);
    }

    /// Failure `id` is done.
    pub(super) fn forget(&mut self, id: Id, count: Option<u64>) {
        let counted = count.map(|count| [Half::Line(count), Half::Trace(count)]);
        for half in counted.into_iter().flatten().chain([Half::List, Half::Unlisted]) {
            let Some(queue) = self.waiting.get_mut(&half) else { continue };
            while queue.front().is_some_and(|front| *front <= id) {
                queue.pop_front();
            }
            if queue.is_empty() {
                self.waiting.remove(&half);
            }
        }
    }

    /// Takes the first `half` that is of the moment `at`, in the other log, and `fits`.
    fn take(
        &mut self,
        half: Half,
        window: &Window,
        when: When,
        near: Near,
        fits: impl Fn(&Open) -> bool,
    ) -> Option<Id> {
        let queue = self.waiting.get_mut(&half)?;
        let at = when.at;
        let within = match (self.offset_us, near) {
            (_, Near::AsIs) => SAME_US,
            (None, _) => SECOND_US,
            (Some(_), Near::Same) => SAME_US,
            (Some(_), Near::Anyhow) => KNOWN_US,
        };
        let mut index = 0;
        for _ in 0..MOST_LOOKS {
            let id = *queue.get(index)?;
            let Some(open) = window.get(id).filter(|open| !half.is_found(open)) else {
                queue.remove(index);
                continue;
            };
            if !fits(open) {
                index += 1;
                continue;
            }
            let (span, log_us) = match half {
                Half::Line(_) | Half::List => (when.span, open.incident.time_us),
                Half::Trace(_) | Half::Unlisted => (open.trace_us, at.time_us),
            };
            let offset = self.offset_us.unwrap_or(0);
            let nearest = span.zip(log_us).and_then(|(span, log)| span.offset(log, offset));
            let is_near = match nearest {
                Some(nearest) => nearest.abs_diff(offset) <= within,
                // Without stamps, the order of two texts or a few lines of one decide.
                None => open.last.source != at.source || open.last.is_near(at, 64, SECOND_US),
            };
            if is_near {
                queue.remove(index);
                self.offset_us = nearest.or(self.offset_us);
                return Some(id);
            }
            index += 1;
        }
        None
    }
}

impl Span {
    /// How much the clock of the trace is ahead of that of the log, where the call ran at `log_us`:
    /// of what is possible, what is closest to `known`.
    pub(super) fn offset(self, log_us: u64, known: i64) -> Option<i64> {
        let ahead = |time: u64| i64::try_from(i128::from(time) - i128::from(log_us)).ok();
        Some(known.clamp(ahead(self.from)?, ahead(self.to)?))
    }
}

/// Whether the tail of `list` is what the counter came to, where both are known.
fn is_counted(list: Option<&FreeRuns>, counter: Option<Counter>) -> bool {
    let tail = list.and_then(|list| list.free.filter(|_| list.ranged));
    tail.zip(counter).is_none_or(|(tail, counter)| counter.was(tail))
}

/// Whether a failure of `area` that returned `ret` can be `open`.
fn is_of(open: &Open, area: Option<&str>, ret: Option<Errno>) -> bool {
    same(open.incident.area.as_deref(), area) && same(open.incident.ret, ret)
}
