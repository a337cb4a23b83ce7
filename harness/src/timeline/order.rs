//! What a trace shows, in the order in which it took effect.

use std::collections::VecDeque;
use std::sync::Arc;

use cma_policies::Run;

use super::Place;
use super::call::Call;
use super::calls::{Calls, Heard};
use crate::ingest::log::{Found, Origin, Record};

/// The most events that wait for a call to end; past so many it is given up.
const MOST_WAITING: usize = 1 << 14;

/// What took effect in an area.
#[derive(Clone, PartialEq, Debug)]
pub struct Effect {
    /// The area, where named.
    pub area: Option<Arc<str>>,
    /// What.
    pub what: What,
}

/// What took effect.
#[derive(Clone, PartialEq, Debug)]
pub enum What {
    /// A call, at its last search, where its `span` ends: granted, refused, or without an end in
    /// the text.
    Call {
        /// The call.
        call: Box<Call>,
        /// Another one ended between its start and its end.
        overlaps: bool,
    },
    /// These pages were given back.
    Released(Place, Run),
    /// These pages, found here, were busy when they were claimed: no buffer was there.
    Tried(Place, Run),
    /// An end or a release without the numbers that are needed.
    Unplaced,
    /// Events were lost here, of any area.
    Lost,
}

#[derive(Debug)]
enum Slot {
    /// The number of a call that has not ended.
    Waiting(u64),
    Ready(Effect),
}

/// A call that has not ended.
#[derive(Clone, Debug)]
struct Waiting {
    number: u64,
    area: Option<Arc<str>>,
    /// Its place in the queue.
    place: u64,
    /// Another one of its area ended since it began.
    overlaps: bool,
}

/// The events of a trace, brought into order.
///
/// A call is where it searched for the last time: at its start, or at its last busy claim, whose
/// event `cma_alloc()` (`mm/cma.c`) emits right before it searches on. What happened on other CPUs
/// until its finish waits for it, so the queue is bounded by what happens within a call.
#[derive(Default, Debug)]
pub struct Order {
    calls: Calls,
    at: Place,
    queue: VecDeque<Slot>,
    /// The number of the place at the front of the queue.
    front: u64,
    /// The calls that have not ended: as few as tasks in `cma_alloc()`.
    waiting: Vec<Waiting>,
}

/// The area that a record is about, where it is an event of a trace; events that were lost are of
/// any.
pub(crate) fn traced(record: &Record) -> Option<&Option<Arc<str>>> {
    match record {
        Record::Start { origin: Origin::Trace, area, .. }
        | Record::Busy { origin: Origin::Trace, area, .. }
        | Record::Finish { origin: Origin::Trace, area, .. }
        | Record::Release { origin: Origin::Trace, area, .. } => Some(area),
        Record::Lost { .. } => Some(&None),
        _ => None,
    }
}

impl Order {
    /// The next record. Debug lines state no pages: they are left out.
    pub fn take(&mut self, found: &Found) {
        let Some(area) = traced(&found.record) else { return };
        self.at = self.at.next(found);
        let at = self.at;
        let heard = self.calls.take(&found.record, found.task.as_ref(), at);
        self.drop_unended();
        let effect = |what| Effect { area: area.clone(), what };
        match heard {
            Heard::Began(number) => self.wait(number, area),
            Heard::Busy { call, found, run } => {
                let tried = run.map(|run| effect(What::Tried(found, run)));
                self.busy(call, area, tried);
            }
            Heard::Ended(call) => self.end(call),
            Heard::Released(Some(run)) => self.push(effect(What::Released(at, run))),
            Heard::Released(None) => self.push(effect(What::Unplaced)),
            Heard::Lost => self.push(effect(What::Lost)),
            Heard::Nothing => {}
        }
        if self.queue.len() > MOST_WAITING
            && let Some(Slot::Waiting(number)) = self.queue.front()
        {
            // All others wait for this one.
            self.calls.give_up(*number);
            self.drop_unended();
        }
    }

    /// The text is at its end: nothing ends any more.
    pub fn end_of_text(&mut self) {
        self.calls.clear();
        self.drop_unended();
    }

    /// The next thing whose turn it is.
    pub fn next_effect(&mut self) -> Option<Effect> {
        let ready = self.queue.pop_front_if(|slot| matches!(slot, Slot::Ready(_)))?;
        self.front += 1;
        if let Slot::Ready(effect) = ready { Some(effect) } else { None }
    }

    fn push(&mut self, effect: Effect) {
        self.queue.push_back(Slot::Ready(effect));
    }

    /// Call `number` takes the next place.
    fn wait(&mut self, number: u64, area: &Option<Arc<str>>) {
        let place = self.front + self.queue.len() as u64;
        self.queue.push_back(Slot::Waiting(number));
        match self.waiting.iter_mut().find(|call| call.number == number) {
            Some(call) => call.place = place,
            None => {
                self.waiting.push(Waiting { number, area: area.clone(), place, overlaps: false });
            }
        }
    }

    /// What was tried was found at the search before, and is in its place.
    fn busy(&mut self, call: Option<u64>, area: &Option<Arc<str>>, tried: Option<Effect>) {
        let known = self.waiting.iter().find(|waiting| Some(waiting.number) == call);
        let before = known.map(|waiting| waiting.place);
        match (before, tried) {
            (Some(place), Some(tried)) => self.fill(place, tried),
            // Of a call whose start is missing, or of one of several.
            (None, Some(tried)) => self.push(tried),
            // It stays where it was: nothing says what it tried.
            (Some(_), None) => return,
            (None, None) => {}
        }
        if let Some(number) = call {
            self.wait(number, area);
        }
    }

    fn end(&mut self, call: Box<Call>) {
        let waiting = self.no_more(call.number);
        let others = self.waiting.iter_mut().filter(|other| other.area == call.area);
        others.for_each(|other| other.overlaps = true);
        self.put(waiting, call);
    }

    /// Call `number` waits no more.
    fn no_more(&mut self, number: u64) -> Option<Waiting> {
        let at = self.waiting.iter().position(|call| call.number == number)?;
        Some(self.waiting.swap_remove(at))
    }

    /// Calls of which nothing says how they ended.
    fn drop_unended(&mut self) {
        while let Some(call) = self.calls.next_unended() {
            let waiting = self.no_more(call.number);
            self.put(waiting, call);
        }
    }

    fn put(&mut self, waiting: Option<Waiting>, call: Box<Call>) {
        let area = call.area.clone();
        let overlaps =
            call.ended.is_some() && waiting.as_ref().is_some_and(|waiting| waiting.overlaps);
        let what = match call.asked() {
            Some(_) => What::Call { call, overlaps },
            // Neither its start nor its end says what it asked for.
            None => What::Unplaced,
        };
        match waiting {
            Some(waiting) => self.fill(waiting.place, Effect { area, what }),
            None => self.push(Effect { area, what }),
        }
    }

    fn fill(&mut self, place: u64, effect: Effect) {
        let at = place.checked_sub(self.front).and_then(|at| usize::try_from(at).ok());
        if let Some(there) = at.and_then(|at| self.queue.get_mut(at)) {
            *there = Slot::Ready(effect);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::log::{Page, Task};
    use crate::kernel::{EBUSY, ENOMEM};
    use crate::timeline::{Ended, Start};

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

    /// What becomes of a record: a call as its line, time, pages, retries and end; a release as its
    /// line, its time and its pages.
    type Seen = (u64, u64, u64, Option<u64>, Option<End>);

    /// How a call ended: granted at a page, refused after a try with an errno, or in no way.
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    enum End {
        Granted(u64),
        Failed(Option<u64>, i32),
        Unfinished,
    }

    /// How many overlap, are unclear, have no start and no end.
    type Counts = (u64, u64, u64, u64);

    fn end(call: &Call) -> End {
        match call.ended {
            Some(Ended::Granted(pfn)) => End::Granted(pfn.unwrap()),
            Some(Ended::Failed(failed)) => End::Failed(failed.tried.pfn(), call.errno().unwrap()),
            None => End::Unfinished,
        }
    }

    fn effects(order: &mut Order) -> Vec<What> {
        std::iter::from_fn(|| order.next_effect()).map(|effect| effect.what).collect()
    }

    fn put_together(events: &[Found]) -> (Vec<Seen>, Counts) {
        let mut order = Order::default();
        events.iter().for_each(|event| order.take(event));
        order.end_of_text();
        let (mut seen, mut counts) = (Vec::new(), Counts::default());
        for what in effects(&mut order) {
            match what {
                What::Call { call, overlaps } => {
                    counts.0 += u64::from(overlaps);
                    counts.1 += u64::from(!call.is_sure());
                    counts.2 += u64::from(call.start == Start::Missing);
                    counts.3 += u64::from(call.ended.is_none());
                    let (first, last) = call.span;
                    let (time_us, count) = (last.time_us.unwrap(), call.count.unwrap());
                    seen.push((first.line, time_us, count, call.retries(), Some(end(&call))));
                }
                What::Released(at, run) => {
                    seen.push((at.line, at.time_us.unwrap(), run.count, None, None));
                }
                What::Tried(..) | What::Lost | What::Unplaced => {}
            }
        }
        (seen, counts)
    }

    const GRANTED: Option<End> = Some(End::Granted(64));

    #[test]
    fn a_call_is_where_it_began_and_counts_its_busy_claims() {
        let events = [start(1, 7, 9), finish(2, 7, 9, 64, Some(0)), release(3, 7, 64, 9)];
        let (seen, strange) = put_together(&events);
        assert_eq!(seen, [(1, 10, 9, Some(0), GRANTED), (3, 30, 9, None, None)]);
        assert_eq!(strange, Counts::default());
        let events = [start(1, 7, 9), busy(2, 7, 9, 16), busy(3, 7, 9, 32)];
        let events = [&events[..], &[finish(4, 7, 9, 64, None)]].concat();
        assert_eq!(put_together(&events).0, [(1, 30, 9, Some(2), GRANTED)]);
    }

    #[test]
    fn calls_of_two_tasks_are_in_the_order_of_their_last_search() {
        let ends = |events: &[Found]| {
            let (seen, strange) = put_together(events);
            (seen.iter().map(|seen| seen.2).collect::<Vec<_>>(), strange.0)
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
        // The one that began first searched again after the other.
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
        // One after the other is no overlap.
        let events = [start(1, 7, 9), finish(2, 7, 9, 64, None), start(3, 8, 9)];
        let events = [&events[..], &[finish(4, 8, 9, 80, None)]].concat();
        assert_eq!(ends(&events), (vec![9, 9], 0));
    }

    #[test]
    fn what_a_refused_call_met_is_told_by_its_pfn_its_errno_and_its_retries() {
        let ended = |events: &[Found]| put_together(events).0[0].4.unwrap();
        let failed = End::Failed;
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
        let left = Some(End::Unfinished);
        let expected =
            [(1, 10, 0, Some(0), left), (2, 20, 9, Some(0), GRANTED), (3, 30, 5, Some(0), left)];
        assert_eq!(seen, expected);
        assert_eq!(strange, (0, 0, 0, 2));
        // The trace begins within two calls; a finish of other numbers is another call's.
        let events = [busy(1, 7, 9, 16), finish(2, 7, 9, 64, None), finish(3, 8, 5, 64, None)];
        let (seen, strange) = put_together(&events);
        assert_eq!(seen, [(1, 10, 9, Some(1), GRANTED), (3, 30, 5, None, GRANTED)]);
        assert_eq!(strange.2, 2);
        let events = [start(1, 7, 9), finish(2, 7, 5, 64, None)];
        let (seen, strange) = put_together(&events);
        assert_eq!(seen, [(1, 10, 9, Some(0), left), (2, 20, 5, None, GRANTED)]);
        assert_eq!((strange.3, strange.2), (1, 1));
        let lost = found(1, 7, Record::Lost { cpu: None, events: Some(3) });
        let mut order = Order::default();
        order.take(&lost);
        assert_eq!(effects(&mut order), [What::Lost]);
    }

    #[test]
    fn a_call_that_never_ends_does_not_hold_up_all_that_follows() {
        let mut order = Order::default();
        order.take(&start(1, 7, 9));
        let mut most = 0;
        for line in 0..3 * MOST_WAITING as u64 {
            order.take(&release(line, 8, line, 1));
            most = most.max(order.queue.len());
            effects(&mut order);
        }
        assert_eq!((most, order.queue.len()), (MOST_WAITING + 1, 0));
        // Nor do tasks that come and go.
        for pid in 0..3 * MOST_WAITING as u32 {
            order.take(&start(1, pid + 1, 9));
            effects(&mut order);
        }
        assert!(order.waiting.len() < 1000, "{}", order.waiting.len());
    }

    #[test]
    fn what_was_tried_is_where_it_was_found() {
        let mut order = Order::default();
        let events = [start(1, 7, 9), busy(3, 7, 9, 16), release(4, 8, 900, 3), busy(5, 7, 9, 32)];
        events.iter().for_each(|event| order.take(event));
        order.end_of_text();
        let seen: Vec<_> = effects(&mut order)
            .into_iter()
            .map(|what| match what {
                What::Tried(at, run) => (run.pfn.0, at.time_us),
                What::Released(at, _) => (0, at.time_us),
                What::Call { call, .. } => (1, call.span.1.time_us),
                What::Lost | What::Unplaced => unreachable!(),
            })
            .collect();
        assert_eq!(seen, [(16, Some(10)), (32, Some(30)), (0, Some(40)), (1, Some(50))]);
    }

    /// Two tasks ask for the same, and nothing says whose claim was busy.
    #[test]
    fn a_claim_of_one_of_two_calls_is_an_effect_and_nobodys_retry() {
        let events = [
            start(1, 0, 9),
            start(2, 0, 9),
            busy(3, 0, 9, 16),
            finish(4, 0, 9, 64, Some(0)),
            finish(5, 0, 9, 80, Some(0)),
        ];
        let (seen, counts) = put_together(&events);
        let retries: Vec<_> = seen.iter().map(|seen| (seen.3, seen.4)).collect();
        assert_eq!(retries, [(None, GRANTED), (None, Some(End::Granted(80)))]);
        assert_eq!(counts.1, 2);
        let mut order = Order::default();
        events.iter().for_each(|event| order.take(event));
        let tried = |what: &What| matches!(what, What::Tried(_, run) if run.pfn.0 == 16);
        assert_eq!(effects(&mut order).iter().filter(|what| tried(what)).count(), 1);
    }
}
