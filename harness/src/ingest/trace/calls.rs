//! Events put together to calls, in the order in which they took effect.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::ingest::log::{Found, Origin, Page, Record, Task};

/// The most calls that are open at once; the oldest one is given up for a further one.
const MOST_OPEN: usize = 256;

/// The most events that wait for a call to end; behind so many it is given up.
const MOST_WAITING: usize = 1 << 14;

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
    /// A claim of these pages failed: nobody held them.
    Tried {
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
        match self.queue.pop_front()? {
            Slot::Ready(done) => {
                self.front += 1;
                Some(done)
            }
            Slot::Waiting => {
                self.queue.push_front(Slot::Waiting);
                None
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
        // What was tried was found at the search before, and stands in its place.
        let (line, count, found_us) = (open.line, open.count, open.time_us);
        open.time_us = time_us.or(open.time_us);
        let Some(pfn) = pfn else { return };
        let before = std::mem::replace(&mut open.place, place);
        self.queue.push_back(Slot::Waiting);
        self.fill(before, Slot::Ready(Done::Tried { line, time_us: found_us, pfn, count }));
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

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: u64 = u64::MAX;

    fn found(line: u64, pid: u32, record: Record) -> Found {
        let pid = Some(pid).filter(|pid| *pid > 0);
        let task = Task { comm: Some("vpu".into()), pid, cpu: None };
        Found { line, time_us: Some(line * 10), task: Some(task), record }
    }

    fn start(line: u64, pid: u32, count: u64) -> Found {
        let (available, total, vendor, named) = (None, None, false, false);
        let (origin, area, align) = (Origin::Trace, None, 4);
        let record = Record::Start { origin, area, count, align, available, total, vendor, named };
        found(line, pid, record)
    }

    fn busy(line: u64, pid: u32, count: u64, pfn: u64) -> Found {
        let (origin, area, page) = (Origin::Trace, None, None);
        let (pfn, count, align) = (Some(pfn), Some(count), Some(4));
        found(line, pid, Record::Busy { origin, area, pfn, page, count, align })
    }

    fn finish(line: u64, pid: u32, count: u64, pfn: u64, errno: Option<i32>) -> Found {
        let failed = pfn == NONE || errno.is_some_and(|errno| errno != 0);
        let page = if failed { Page::Null } else { Page::Some };
        let (origin, area, alone) = (Origin::Trace, None, false);
        let (pfn, count, align) = (Some(pfn), Some(count), Some(4));
        found(line, pid, Record::Finish { origin, area, page, pfn, count, align, errno, alone })
    }

    fn release(line: u64, pid: u32, pfn: u64, count: u64) -> Found {
        let (pfn, count) = (Some(pfn), Some(count));
        found(line, pid, Record::Release { origin: Origin::Trace, area: None, pfn, count })
    }

    /// What becomes of events: a call as its line, time, pages, retries and end; a release as its
    /// line and no end.
    type Seen = (u64, u64, u64, Option<u64>, Option<Ended>);

    fn put_together(events: &[Found]) -> (Vec<Seen>, Strange) {
        let mut calls = Calls::default();
        let mut seen = Vec::new();
        let mut note = |done: Done| match done {
            Done::Call { line, time_us, count, retries, ended, .. } => {
                seen.push((line, time_us.unwrap_or(0), count, retries, Some(ended)));
            }
            Done::Release { line, time_us, count, .. } => {
                seen.push((line, time_us.unwrap_or(0), count, None, None));
            }
            Done::Tried { .. } | Done::Lost => {}
        };
        for event in events {
            calls.take(event);
            while let Some(done) = calls.next() {
                note(done);
            }
        }
        calls.end();
        while let Some(done) = calls.next() {
            note(done);
        }
        (seen, calls.strange)
    }

    const GRANTED: Option<Ended> = Some(Ended::Granted(64));

    #[test]
    fn a_call_stands_where_it_began_and_counts_its_busy_claims() {
        let events = [start(1, 7, 9), finish(2, 7, 9, 64, Some(0)), release(3, 7, 64, 9)];
        let (seen, strange) = put_together(&events);
        assert_eq!(seen, [(1, 10, 9, Some(0), GRANTED), (3, 30, 9, None, None)]);
        assert_eq!(strange, Strange::default());
        let events = [start(1, 7, 9), busy(2, 7, 9, 16), busy(3, 7, 9, 32)];
        let events = [&events[..], &[finish(4, 7, 9, 64, None)]].concat();
        assert_eq!(put_together(&events).0, [(1, 30, 9, Some(2), GRANTED)]);
    }

    #[test]
    fn calls_of_two_tasks_stand_in_the_order_of_their_last_search() {
        let ends = |events: &[Found]| {
            let (seen, strange) = put_together(events);
            (seen.iter().map(|seen| seen.2).collect::<Vec<_>>(), strange.overlapping)
        };
        // The one that ends first began last, with a release in between.
        let events = [
            start(1, 7, 9),
            start(2, 8, 5),
            release(3, 9, 900, 3),
            finish(4, 8, 5, 80, Some(0)),
            finish(5, 7, 9, 64, Some(0)),
        ];
        assert_eq!(ends(&events), (vec![9, 5, 3], 1));
        // The one that began first searched again behind the other.
        let events = [
            start(1, 7, 9),
            start(2, 8, 5),
            busy(3, 7, 9, 16),
            finish(4, 8, 5, 80, Some(0)),
            finish(5, 7, 9, 64, Some(0)),
        ];
        assert_eq!(ends(&events), (vec![5, 9], 1));
        // The same without pids: told apart by what they ask for.
        let events = [start(1, 0, 9), start(2, 0, 5), finish(3, 0, 5, 80, None)];
        let events = [&events[..], &[finish(4, 0, 9, 64, None)]].concat();
        assert_eq!(ends(&events), (vec![9, 5], 1));
        // One behind the other is no overlap.
        let events = [start(1, 7, 9), finish(2, 7, 9, 64, None), start(3, 8, 9)];
        let events = [&events[..], &[finish(4, 8, 9, 80, None)]].concat();
        assert_eq!(ends(&events), (vec![9, 9], 0));
    }

    #[test]
    fn what_a_refused_call_met_is_told_by_its_pfn_its_errno_and_its_retries() {
        let ended = |events: &[Found]| put_together(events).0[0].4.unwrap();
        let failed = |tried, errno| Ended::Failed { tried, errno };
        for (events, expected) in [
            (vec![start(1, 7, 9), finish(2, 7, 9, NONE, None)], failed(None, ENOMEM)),
            (vec![start(1, 7, 9), finish(2, 7, 9, u32::MAX.into(), Some(-12))], failed(None, -12)),
            (vec![start(1, 7, 9), finish(2, 7, 9, 0, Some(-16))], failed(None, -16)),
            (vec![start(1, 7, 9), finish(2, 7, 9, 64, Some(-4))], failed(Some(64), -4)),
        ] {
            assert_eq!(ended(&events), expected);
        }
        // Without errno (up to 6.1): the last claim was busy, or it ended with another error.
        let null = |line, pfn| {
            let mut event = finish(line, 7, 9, pfn, None);
            let Record::Finish { page, .. } = &mut event.record else { unreachable!() };
            *page = Page::Null;
            event
        };
        let busy = busy(2, 7, 9, 16);
        assert_eq!(ended(&[start(1, 7, 9), busy.clone(), null(3, 16)]), failed(Some(16), EBUSY));
        assert_eq!(ended(&[start(1, 7, 9), busy, null(3, 32)]), failed(Some(32), ENOMEM));
        assert_eq!(ended(&[start(1, 7, 9), null(3, 32)]), failed(Some(32), ENOMEM));
        // The one event of old kernels says of a place that was tried only that it failed.
        let mut alone = null(1, 32);
        let Record::Finish { alone: one, .. } = &mut alone.record else { unreachable!() };
        *one = true;
        let (seen, _) = put_together(&[alone]);
        assert_eq!(seen, [(1, 10, 9, None, Some(failed(Some(32), EBUSY)))]);
    }

    #[test]
    fn what_has_no_start_or_no_finish_is_counted() {
        let events = [start(1, 7, 0), start(2, 7, 9), start(3, 8, 5), finish(4, 7, 9, 64, None)];
        let (seen, strange) = put_together(&events);
        let left = Some(Ended::Unfinished);
        let expected =
            [(1, 10, 0, Some(0), left), (2, 20, 9, Some(0), GRANTED), (3, 30, 5, Some(0), left)];
        assert_eq!(seen, expected);
        assert_eq!((strange.unfinished, strange.unstarted, strange.overlapping), (2, 0, 0));
        // The trace begins within two calls; a finish of other numbers is another call's.
        let events = [busy(1, 7, 9, 16), finish(2, 7, 9, 64, None), finish(3, 8, 5, 64, None)];
        let (seen, strange) = put_together(&events);
        assert_eq!(seen, [(1, 10, 9, Some(1), GRANTED), (3, 30, 5, Some(0), GRANTED)]);
        assert_eq!(strange.unstarted, 2);
        let events = [start(1, 7, 9), finish(2, 7, 5, 64, None)];
        let (seen, strange) = put_together(&events);
        assert_eq!(seen, [(1, 10, 9, Some(0), left), (2, 20, 5, Some(0), GRANTED)]);
        assert_eq!((strange.unfinished, strange.unstarted), (1, 1));
        let lost = found(1, 7, Record::Lost { cpu: None, events: Some(3) });
        assert_eq!(put_together(&[lost]).1.lost, 1);
    }

    #[test]
    fn a_call_that_never_ends_does_not_hold_up_all_that_follows() {
        let mut calls = Calls::default();
        calls.take(&start(1, 7, 9));
        let mut most = 0;
        for line in 0..3 * MOST_WAITING as u64 {
            calls.take(&release(line, 8, line, 1));
            most = most.max(calls.queue.len());
            while calls.next().is_some() {}
        }
        assert_eq!((most, calls.queue.len()), (MOST_WAITING + 1, 0));
        // Nor do tasks that come and go.
        for pid in 0..3 * MOST_OPEN as u32 {
            calls.take(&start(1, pid + 1, 9));
            while calls.next().is_some() {}
        }
        assert_eq!(calls.open.len(), MOST_OPEN);
    }

    #[test]
    fn what_was_tried_stands_where_it_was_found() {
        let mut calls = Calls::default();
        let events = [start(1, 7, 9), busy(3, 7, 9, 16), release(4, 8, 900, 3), busy(5, 7, 9, 32)];
        events.iter().for_each(|event| calls.take(event));
        calls.end();
        let mut seen = Vec::new();
        while let Some(done) = calls.next() {
            seen.push(match done {
                Done::Tried { time_us, pfn, .. } => (pfn, time_us),
                Done::Release { time_us, .. } => (0, time_us),
                Done::Call { time_us, .. } => (1, time_us),
                Done::Lost => unreachable!(),
            });
        }
        assert_eq!(seen, [(16, Some(10)), (32, Some(30)), (0, Some(40)), (1, Some(50))]);
    }
}
