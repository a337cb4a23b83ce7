//! One failure in a kernel log and in a trace.
//!
//! The clocks of the two differ by some milliseconds, which the first pair shows; within that, the
//! failures of so many pages come in one order.

use std::collections::{HashMap, VecDeque};

use super::SECOND_US;
use super::window::{Id, Open, Parts, Window};
use crate::kernel::Errno;
use crate::timeline::{Place, same};

/// Stamps of one failure that differ by more are of two, where the clocks are compared already.
const KNOWN_US: u64 = 20_000;

/// Stamps that differ by no more are of one failure.
const SAME_US: u64 = 1_000;

/// The most that is looked at for one pair.
const MOST_LOOKS: usize = 64;

/// Failures that wait for their other half, by pages asked for. Looked up only, never walked through.
#[derive(Debug, Default)]
pub(super) struct Join {
    lines: HashMap<u64, VecDeque<Id>>,
    traces: HashMap<u64, VecDeque<Id>>,
    /// Lists whose line was hidden, and traced failures that may have one.
    lists: VecDeque<Id>,
    unlisted: VecDeque<Id>,
    /// Clock of the trace less that of the log.
    offset_us: Option<i64>,
}

/// How close two stamps must be, where the clocks are compared already.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Near {
    /// As close as the lines of one failure.
    Same,
    /// As close as they are where a console is slow.
    Anyhow,
}

/// A stamp of a trace and one of a log.
#[derive(Clone, Copy)]
struct Stamps {
    trace_us: Option<u64>,
    log_us: Option<u64>,
}

impl Stamps {
    /// How much later the trace is.
    fn later(self) -> Option<i64> {
        let (trace, log) = (self.trace_us?, self.log_us?);
        i64::try_from(i128::from(trace) - i128::from(log)).ok()
    }
}

impl Join {
    /// A failure line was read whose trace event may follow.
    pub(super) fn line(&mut self, id: Id, count: u64) {
        self.lines.entry(count).or_default().push_back(id);
    }

    /// A trace event was read whose line or list may follow.
    pub(super) fn trace(&mut self, id: Id, count: u64) {
        self.traces.entry(count).or_default().push_back(id);
        self.unlisted.push_back(id);
    }

    /// A list without a line was read.
    pub(super) fn list(&mut self, id: Id) {
        self.lists.push_back(id);
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
        let within = self.within(Near::Anyhow);
        let queue = self.traces.get_mut(&count)?;
        let fits = |open: &Open| {
            let incident = &open.incident;
            !open.has.any(Parts::LINE)
                && same(incident.area.as_deref(), area)
                && same(incident.ret, ret)
        };
        let stamps = |open: &Open| Stamps { trace_us: open.trace_us, log_us: at.time_us };
        take(queue, window, &mut self.offset_us, within, at, stamps, fits)
    }

    /// How far apart the stamps of one failure are at most.
    fn within(&self, near: Near) -> u64 {
        match (self.offset_us, near) {
            (None, _) => SECOND_US,
            (Some(_), Near::Same) => SAME_US,
            (Some(_), Near::Anyhow) => KNOWN_US,
        }
    }

    /// The failure line of a traced failure.
    pub(super) fn line_of_trace(
        &mut self,
        window: &Window,
        at: Place,
        area: Option<&str>,
        asked: (u64, Option<u32>),
        ret: Option<Errno>,
        near: Near,
    ) -> Option<Id> {
        let within = self.within(near);
        let queue = self.lines.get_mut(&asked.0)?;
        let fits = |open: &Open| {
            let incident = &open.incident;
            let align = incident.align.map(|(align, _)| align);
            !open.has.any(Parts::TRACE)
                && same(incident.area.as_deref(), area)
                && same(incident.ret, ret)
                && same(align, asked.1)
        };
        let stamps = |open: &Open| Stamps { trace_us: at.time_us, log_us: open.incident.time_us };
        take(queue, window, &mut self.offset_us, within, at, stamps, fits)
    }

    /// The list of a traced failure, where its line was hidden.
    pub(super) fn list_of_trace(&mut self, window: &Window, at: Place, near: Near) -> Option<Id> {
        self.offset_us?;
        let within = self.within(near);
        let fits = |open: &Open| {
            !open.has.any(Parts::TRACE)
                && !open.has.any(Parts::LINE)
                && open.incident.count.is_none()
        };
        let stamps = |open: &Open| Stamps { trace_us: at.time_us, log_us: open.incident.time_us };
        take(&mut self.lists, window, &mut self.offset_us, within, at, stamps, fits)
    }

    /// The traced failure of a list, where its line was hidden.
    pub(super) fn trace_of_list(&mut self, window: &Window, at: Place) -> Option<Id> {
        self.offset_us?;
        let fits = |open: &Open| open.incident.list.is_none() && !open.has.any(Parts::LINE);
        let stamps = |open: &Open| Stamps { trace_us: open.trace_us, log_us: at.time_us };
        let within = self.within(Near::Anyhow);
        take(&mut self.unlisted, window, &mut self.offset_us, within, at, stamps, fits)
    }

    /// Failure `id` is done.
    pub(super) fn forget(&mut self, id: Id, count: Option<u64>) {
        if let Some(count) = count {
            forget(&mut self.lines, id, count);
            forget(&mut self.traces, id, count);
        }
        for queue in [&mut self.lists, &mut self.unlisted] {
            while queue.front().is_some_and(|front| *front <= id) {
                queue.pop_front();
            }
        }
    }
}

fn forget(queues: &mut HashMap<u64, VecDeque<Id>>, id: Id, count: u64) {
    let Some(queue) = queues.get_mut(&count) else { return };
    while queue.front().is_some_and(|front| *front <= id) {
        queue.pop_front();
    }
    if queue.is_empty() {
        queues.remove(&count);
    }
}

/// Takes the first of `queue` that is of this moment and `fits`.
fn take(
    queue: &mut VecDeque<Id>,
    window: &Window,
    offset_us: &mut Option<i64>,
    within: u64,
    at: Place,
    stamps: impl Fn(&Open) -> Stamps,
    fits: impl Fn(&Open) -> bool,
) -> Option<Id> {
    let mut index = 0;
    for _ in 0..MOST_LOOKS {
        let id = *queue.get(index)?;
        let Some(open) = window.get(id).filter(|open| fits(open)) else {
            // It is done, or has found its other half in another way.
            if index == 0 {
                queue.pop_front();
            } else {
                index += 1;
            }
            continue;
        };
        let later = stamps(open).later();
        let near = match later {
            Some(later) => later.abs_diff(offset_us.unwrap_or(0)) <= within,
            // Without stamps, the order of two texts or a few lines of one decide.
            None => open.last.source != at.source || open.last.is_near(at, 64, SECOND_US),
        };
        if near {
            queue.remove(index);
            *offset_us = later.or(*offset_us);
            return Some(id);
        }
        index += 1;
    }
    None
}
