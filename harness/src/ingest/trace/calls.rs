//! Events put together to calls, in the order in which they took effect.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::ingest::log::{Found, Origin, Page, Record, Task};

/// The most calls that are open at once; the oldest one is given up for a further one.
const MOST_OPEN: usize = 256;

/// The most events that wait for a call to end; behind so many it is given up.
const MOST_WAITING: usize = 4096;

/// How a call ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Ended {
    /// Granted at this pfn.
    Granted(u64),
    /// Refused.
    Failed {
        /// The pfn that was tried last; `None` where none was, or it is not told.
        tried: Option<u64>,
        /// The errno, told or derived.
        errno: i32,
    },
    /// Nothing says how.
    Unfinished,
}

/// A call of `cma_alloc()`, or a release.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Done {
    Call {
        /// The line of its first event.
        line: u64,
        /// When it searched for the last time, in microseconds since boot, where that is told.
        time_us: Option<u64>,
        comm: Option<Arc<str>>,
        count: u64,
        align: u32,
        /// Busy claims; `None` where this kernel does not trace them.
        retries: Option<u64>,
        ended: Ended,
    },
    Release {
        line: u64,
        time_us: Option<u64>,
        pfn: u64,
        count: u64,
    },
    /// Events were lost here.
    Lost,
}

/// What could not be put together.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Strange {
    /// Calls within which another one ended.
    pub(super) overlapping: u64,
    /// Starts without a finish.
    pub(super) unfinished: u64,
    /// Finishes without a start.
    pub(super) unstarted: u64,
    /// Lines that say that events were lost.
    pub(super) lost: u64,
    /// Finishes and releases without the numbers that a replay needs.
    pub(super) unplaced: u64,
}

/// A call that has not ended.
#[derive(Debug)]
struct Open {
    pid: Option<u32>,
    comm: Option<Arc<str>>,
    line: u64,
    time_us: Option<u64>,
    count: u64,
    align: u32,
    busy: u64,
    busy_pfn: Option<u64>,
    /// The number of its place in the queue.
    place: u64,
    /// How many calls had ended when it began.
    ended_before: u64,
}

#[derive(Debug)]
enum Slot {
    /// A call that has not ended.
    Waiting,
    /// A call that has moved on.
    Moved,
    Ready(Done),
}

/// Puts the events of one area together.
///
/// A call stands where it searched for the last time: at its start, or at its last busy claim,
/// whose event `cma_alloc()` (`mm/cma.c`) emits right before it searches on. What happened on other
/// CPUs until its finish waits for it, so the queue is bounded by what happens within a call.
#[derive(Default, Debug)]
pub(super) struct Calls {
    open: Vec<Open>,
    queue: VecDeque<Slot>,
    /// The number of the place at the front of the queue.
    front: u64,
    ended: u64,
    pub(super) strange: Strange,
}

impl Calls {
    /// The next event of the area.
    pub(super) fn take(&mut self, found: &Found) {
        match &found.record {
            Record::Start { origin: Origin::Trace, count, align, .. } => {
                self.start(found, *count, *align);
            }
            Record::Busy { origin: Origin::Trace, pfn, count, align, .. } => {
                let open = self.find(found.task.as_ref(), *count, *align);
                let (count, align) = (count.unwrap_or(0), align.unwrap_or(0));
                let open = open.unwrap_or_else(|| {
                    self.strange.unstarted += 1;
                    self.start(found, count, align)
                });
                self.busy(open, *pfn, found.time_us);
            }
            Record::Finish {
                origin: Origin::Trace, page, pfn, count, align, errno, alone, ..
            } => {
                let (Some(count), Some(align)) = (*count, *align) else {
                    self.strange.unplaced += 1;
                    return;
                };
                let ended = Finish { page: *page, pfn: *pfn, errno: *errno };
                if *alone {
                    self.alone(found, count, align, ended);
                } else {
                    self.finish(found, count, align, ended);
                }
            }
            Record::Release { origin: Origin::Trace, pfn, count, .. } => match (*pfn, *count) {
                (Some(pfn), Some(count)) if count > 0 => {
                    let (line, time_us) = (found.line, found.time_us);
                    let release = Done::Release { line, time_us, pfn, count };
                    self.queue.push_back(Slot::Ready(release));
                }
                _ => self.strange.unplaced += 1,
            },
            Record::Lost { .. } => {
                self.strange.lost += 1;
                self.queue.push_back(Slot::Ready(Done::Lost));
            }
            _ => {}
        }
        if self.queue.len() > MOST_WAITING
            && let Some(at) = self.open.iter().position(|open| open.place == self.front)
        {
            // All others wait for this one.
            self.close(at, Ended::Unfinished);
        }
    }

    /// The text is at its end: nothing ends any more.
    pub(super) fn end(&mut self) {
        while !self.open.is_empty() {
            self.close(0, Ended::Unfinished);
        }
    }

    /// The next thing whose turn it is.
    pub(super) fn next(&mut self) -> Option<Done> {
        loop {
            match self.queue.front()? {
                Slot::Waiting => return None,
                Slot::Moved | Slot::Ready(_) => {}
            }
            self.front += 1;
            if let Some(Slot::Ready(done)) = self.queue.pop_front() {
                return Some(done);
            }
        }
    }

    /// A call begins; where it stands among the open ones.
    fn start(&mut self, found: &Found, count: u64, align: u32) -> usize {
        let pid = found.task.as_ref().and_then(|task| task.pid);
        // A task is in one call at a time: from 6.12 on a call that asks for nothing or for more
        // than there is ends without a finish.
        if let Some(before) = pid.and_then(|_| self.open.iter().position(|open| open.pid == pid)) {
            self.close(before, Ended::Unfinished);
        }
        if self.open.len() == MOST_OPEN {
            self.close(0, Ended::Unfinished);
        }
        self.open.push(Open {
            pid,
            comm: found.task.as_ref().and_then(|task| task.comm.clone()),
            line: found.line,
            time_us: found.time_us,
            count,
            align,
            busy: 0,
            busy_pfn: None,
            place: self.front + self.queue.len() as u64,
            ended_before: self.ended,
        });
        self.queue.push_back(Slot::Waiting);
        self.open.len() - 1
    }

    /// The open call that an event belongs to: of the same task, else of the same shape.
    fn find(&self, task: Option<&Task>, count: Option<u64>, align: Option<u32>) -> Option<usize> {
        let pid = task.and_then(|task| task.pid);
        self.open.iter().position(|open| {
            let same = count.is_none_or(|count| count == open.count)
                && align.is_none_or(|align| align == open.align);
            same && (pid.is_none() || open.pid.is_none() || open.pid == pid)
        })
    }

    fn busy(&mut self, at: usize, pfn: Option<u64>, time_us: Option<u64>) {
        let place = self.front + self.queue.len() as u64;
        let open = &mut self.open[at];
        open.busy = open.busy.saturating_add(1);
        open.busy_pfn = pfn;
        open.time_us = time_us.or(open.time_us);
        let before = std::mem::replace(&mut open.place, place);
        self.queue.push_back(Slot::Waiting);
        self.fill(before, Slot::Moved);
        // What moved away at the end of the queue must not make it longer.
        let last = self.queue.len().saturating_sub(2);
        if before + 1 == place && matches!(self.queue.get(last), Some(Slot::Moved)) {
            self.queue.remove(last);
            self.open[at].place = before;
        }
    }

    fn finish(&mut self, found: &Found, count: u64, align: u32, finish: Finish) {
        let at = self.find(found.task.as_ref(), Some(count), Some(align)).unwrap_or_else(|| {
            self.strange.unstarted += 1;
            self.start(found, count, align)
        });
        let open = &self.open[at];
        let ended = finish.ended(Some((open.busy, open.busy_pfn)));
        self.strange.overlapping += u64::from(open.ended_before != self.ended);
        self.ended += 1;
        self.close(at, ended);
    }

    /// The one event of a call, which old kernels emit behind it.
    fn alone(&mut self, found: &Found, count: u64, align: u32, finish: Finish) {
        let comm = found.task.as_ref().and_then(|task| task.comm.clone());
        let (line, time_us, ended) = (found.line, found.time_us, finish.ended(None));
        let call = Done::Call { line, time_us, comm, count, align, retries: None, ended };
        self.queue.push_back(Slot::Ready(call));
    }

    fn close(&mut self, at: usize, ended: Ended) {
        // In order: the one that is given up first is the oldest.
        let open = self.open.remove(at);
        let Open { line, time_us, comm, count, align, busy, place, .. } = open;
        self.strange.unfinished += u64::from(ended == Ended::Unfinished);
        let retries = Some(busy);
        let call = Done::Call { line, time_us, comm, count, align, retries, ended };
        self.fill(place, Slot::Ready(call));
    }

    fn fill(&mut self, place: u64, slot: Slot) {
        let at = place.checked_sub(self.front).and_then(|at| usize::try_from(at).ok());
        if let Some(there) = at.and_then(|at| self.queue.get_mut(at)) {
            *there = slot;
        }
    }
}

/// What a finish says.
#[derive(Clone, Copy, Debug)]
struct Finish {
    page: Page,
    pfn: Option<u64>,
    errno: Option<i32>,
}

impl Finish {
    /// How the call ended. `busy`: its busy claims and the pfn of the last one, where this kernel
    /// traces them.
    fn ended(self, busy: Option<(u64, Option<u64>)>) -> Ended {
        let failed = self.page == Page::Null || self.errno.is_some_and(|errno| errno != 0);
        match self.pfn {
            Some(pfn) if !failed => return Ended::Granted(pfn),
            // A grant of nobody knows what.
            None if !failed => return Ended::Unfinished,
            _ => {}
        }
        // All ones: no place was tried (up to 6.14). From 6.15 on it is always 0.
        let tried = self.pfn.filter(|pfn| *pfn != 0 && !is_none(*pfn));
        let errno = self.errno.filter(|errno| *errno < 0).unwrap_or(match busy {
            // The last claim failed at once, and not because it was busy.
            Some((_, last)) if tried.is_some() && last != tried => ENOMEM,
            Some((0, _)) => ENOMEM,
            Some(_) => EBUSY,
            None if tried.is_some() => EBUSY,
            None => ENOMEM,
        });
        Ended::Failed { tried, errno }
    }
}

/// -1 as a 64-bit or a 32-bit kernel prints it.
const fn is_none(pfn: u64) -> bool {
    pfn == u64::MAX || pfn == u32::MAX as u64
}

const ENOMEM: i32 = crate::kernel::ENOMEM;
const EBUSY: i32 = crate::kernel::EBUSY;
