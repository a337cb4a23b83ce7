//! Calls of `cma_alloc()` that have begun, by debug lines and by traces.

use std::sync::Arc;

use super::window::Id;
use super::{Place, same};
use crate::ingest::log::{Origin, Task};

/// The most calls that are open at a time: more than a board has CPUs.
const MOST_CALLS: usize = 256;

/// Records after which a call that nothing was heard of is given up: some calls end without a word.
const STALE: u64 = 512;

/// A call that has begun.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) origin: Origin,
    pub(super) task: Option<Task>,
    pub(super) area: Option<Arc<str>>,
    /// Pages asked for, and the order; `None` where its start is not in the text.
    pub(super) asked: Option<(u64, u32)>,
    /// Claims that were busy.
    pub(super) busy: u64,
    /// Which claims are its own cannot be told, or events were lost.
    pub(super) unclear: bool,
    /// It may have been granted: an end that names no call is of this one or of another.
    pub(super) maybe_granted: bool,
    /// Its start is not in the text: there may have been more claims.
    pub(super) begun_before: bool,
    /// The page of the last busy claim.
    pub(super) last_busy: Option<u64>,
    /// Its failure, where that is known.
    pub(super) failure: Option<Id>,
    /// Free pages and all pages of the area when it began.
    pub(super) available: Option<(u64, Option<u64>)>,
    /// Where it was heard of first and last.
    pub(super) first: Place,
    pub(super) last: Place,
}

/// Android sleeps for 100 ms where a whole search was busy.
const SLEEP_US: u64 = 90_000;

impl Call {
    /// A call that is heard of first at `at`, and of which no more is known.
    pub(super) const fn begun(origin: Origin, at: Place) -> Self {
        Self {
            origin,
            task: None,
            area: None,
            asked: None,
            busy: 0,
            unclear: false,
            maybe_granted: false,
            begun_before: false,
            last_busy: None,
            failure: None,
            available: None,
            first: at,
            last: at,
        }
    }

    /// Whether it may have slept between its last busy claim and its end at `end`.
    pub(super) fn may_have_slept(&self, end: Place) -> bool {
        let stamps = self.last.time_us.zip(end.time_us);
        self.busy > 0 && stamps.is_none_or(|(busy, end)| end.saturating_sub(busy) >= SLEEP_US)
    }

    /// Its busy claims, where the text would show each.
    pub(super) fn retries(&self) -> Option<u64> {
        let known = !self.unclear && (!self.begun_before || self.busy > 0);
        known.then_some(self.busy)
    }
}

/// Which call a record is about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted<'a> {
    pub(super) origin: Option<Origin>,
    pub(super) task: Option<&'a Task>,
    pub(super) area: Option<&'a str>,
    pub(super) count: Option<u64>,
    pub(super) align: Option<u32>,
}

/// The calls that have begun and not ended, oldest first.
#[derive(Debug, Default)]
pub(super) struct Calls {
    open: Vec<Call>,
    /// How many of those that may have been granted were.
    granted: usize,
}

impl Calls {
    /// A call begins.
    pub(super) fn start(&mut self, call: Call) {
        // A task makes one call at a time: one before it ended without a word.
        self.open.retain(|open| {
            let replaced = open.origin == call.origin
                && same_task(open.task.as_ref(), call.task.as_ref()) == Some(true);
            !replaced && call.last.seq.saturating_sub(open.last.seq) <= STALE
        });
        if self.open.len() == MOST_CALLS {
            self.open.remove(0);
        }
        self.open.push(call);
    }

    /// A claim was busy.
    pub(super) fn busy(&mut self, wanted: Wanted<'_>, page: Option<u64>, at: Place) {
        let found = self.matching(wanted);
        if let [only] = found[..] {
            let call = &mut self.open[only];
            call.busy += 1;
            call.last_busy = page;
            call.last = at;
        } else if found.is_empty() {
            self.start(Call {
                task: wanted.task.cloned(),
                area: wanted.area.map(Arc::from),
                asked: wanted.count.zip(wanted.align),
                busy: 1,
                begun_before: true,
                last_busy: page,
                ..Call::begun(wanted.origin.unwrap_or(Origin::Debug), at)
            });
        } else {
            for index in found {
                self.open[index].unclear = true;
                self.open[index].last = at;
            }
        }
    }

    /// A call ended; `failed` where it got nothing.
    pub(super) fn finish(&mut self, wanted: Wanted<'_>, failed: bool) -> Option<Call> {
        let found = self.matching(wanted);
        let first = *found.first()?;
        if !failed && wanted.task.is_none() && self.one_is_granted(&found) {
            return None;
        }
        // Of several, those whose failure was reported are the failed ones.
        let fits = |index: &&usize| self.open[**index].failure.is_some() == failed;
        let not_granted = |index: &&usize| !self.open[**index].maybe_granted;
        let index = found.iter().find(fits).or_else(|| found.iter().find(not_granted));
        let mut call = self.open.remove(index.copied().unwrap_or(first));
        self.settle_granted();
        if found.len() > 1 && wanted.task.is_none() {
            call.unclear = true;
            for open in &mut self.open {
                open.unclear |= open.origin == call.origin;
            }
        }
        Some(call)
    }

    /// One of `found`, of which none is known to have failed, was granted; whether they differ, so
    /// that it matters which.
    fn one_is_granted(&mut self, found: &[usize]) -> bool {
        let may: Vec<usize> =
            found.iter().copied().filter(|index| self.open[*index].failure.is_none()).collect();
        let asked = may.first().map(|first| self.open[*first].asked);
        if may.iter().all(|index| Some(self.open[*index].asked) == asked) {
            return false;
        }
        for index in may {
            self.open[index].maybe_granted = true;
            self.open[index].unclear = true;
        }
        self.granted += 1;
        self.settle_granted();
        true
    }

    /// Where no more calls are left that may have been granted than were, these were.
    fn settle_granted(&mut self) {
        let may = self.open.iter().filter(|call| call.maybe_granted).count();
        if may <= self.granted {
            self.open.retain(|call| !call.maybe_granted);
            self.granted = 0;
        }
    }

    /// The call of a failure line, which is then taken; and whether its order is certain.
    pub(super) fn of_failure(&mut self, wanted: Wanted<'_>) -> Option<(&mut Call, bool)> {
        let mut found = self.matching(wanted);
        found.retain(|index| self.open[*index].failure.is_none());
        let first = *found.first()?;
        let asked = self.open[first].asked;
        let same = found.iter().all(|index| self.open[*index].asked == asked);
        // What fails was not granted.
        let before = self.open[..first].iter().filter(|call| call.maybe_granted).count();
        let open = self.open.len();
        if std::mem::take(&mut self.open[first].maybe_granted) {
            self.settle_granted();
        }
        let gone = if self.open.len() < open { before } else { 0 };
        Some((self.open.get_mut(first - gone)?, same))
    }

    /// The only call that can have printed a list which no failure line names, of those whose area
    /// is `as_large` as the list says.
    pub(super) fn only(
        &mut self,
        task: Option<&Task>,
        at: Place,
        as_large: impl Fn(Option<&str>) -> bool,
    ) -> Option<&mut Call> {
        const NEAR: u64 = 8;
        let mut found = self.unreported(task);
        found.retain(|index| as_large(self.open[*index].area.as_deref()));
        let [only] = found[..] else { return None };
        let call = self.open.get_mut(only)?;
        (at.seq.saturating_sub(call.last.seq) <= NEAR).then_some(call)
    }

    /// Whether several calls can have printed it.
    pub(super) fn several(&self, task: Option<&Task>) -> bool {
        self.unreported(task).len() > 1
    }

    /// The calls that no failure line has named.
    fn unreported(&self, task: Option<&Task>) -> Vec<usize> {
        let wanted = Wanted { origin: None, task, area: None, count: None, align: None };
        let mut found = self.matching(wanted);
        found.retain(|index| {
            let call = &self.open[*index];
            call.failure.is_none() && call.asked.is_some()
        });
        found
    }

    /// Whether a traced call is in flight.
    pub(super) fn any(&self) -> bool {
        self.open.iter().any(|call| call.origin == Origin::Trace)
    }

    /// Whether a traced call is in flight in `area`.
    pub(super) fn any_in(&self, area: Option<&str>) -> bool {
        let traced = |call: &&Call| call.origin == Origin::Trace;
        self.open.iter().filter(traced).any(|call| same(call.area.as_deref(), area))
    }

    /// Events of a CPU (of any, where that is not told) were lost.
    pub(super) fn lost(&mut self) {
        for call in &mut self.open {
            call.unclear |= call.origin == Origin::Trace;
        }
    }

    /// Another text begins.
    pub(super) fn clear(&mut self) {
        self.open.clear();
    }

    /// The calls that a record can be about: those of its task, else those that no task rules out.
    fn matching(&self, wanted: Wanted<'_>) -> Vec<usize> {
        let fits = |call: &Call| {
            wanted.origin.is_none_or(|origin| origin == call.origin)
                && same(call.area.as_deref(), wanted.area)
                && same(call.asked.map(|asked| asked.0), wanted.count)
                && same(call.asked.map(|asked| asked.1), wanted.align)
        };
        let mut own = Vec::new();
        let mut any = Vec::new();
        for (index, call) in self.open.iter().enumerate().filter(|(_, call)| fits(call)) {
            match same_task(call.task.as_ref(), wanted.task) {
                Some(true) => own.push(index),
                Some(false) => {}
                None => any.push(index),
            }
        }
        if own.is_empty() { any } else { own }
    }
}

/// Whether two lines are of one task; `None` where they do not tell.
pub(super) fn same_task(one: Option<&Task>, other: Option<&Task>) -> Option<bool> {
    let (one, other) = (one?, other?);
    if let (Some(one), Some(other)) = (one.pid, other.pid) {
        return Some(one == other);
    }
    if let (Some(one), Some(other)) = (&one.comm, &other.comm) {
        return Some(one == other);
    }
    // A call may move from one CPU to another, but hardly within two lines.
    Some(one.cpu? == other.cpu?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(pid: u32) -> Task {
        Task { comm: None, pid: Some(pid), cpu: None }
    }

    fn wanted(task: Option<&Task>) -> Wanted<'_> {
        Wanted { origin: Some(Origin::Debug), task, area: None, count: None, align: None }
    }

    fn call(pid: Option<u32>, count: u64) -> Call {
        Call {
            task: pid.map(task),
            asked: Some((count, 0)),
            ..Call::begun(Origin::Debug, Place::default())
        }
    }

    #[test]
    fn a_busy_claim_belongs_to_the_only_call_or_to_its_task() {
        let mut calls = Calls::default();
        calls.start(call(Some(1), 4));
        calls.start(call(Some(2), 4));
        calls.busy(wanted(Some(&task(2))), None, Place::default());
        assert_eq!(calls.finish(wanted(Some(&task(2))), true).unwrap().retries(), Some(1));
        assert_eq!(calls.finish(wanted(Some(&task(1))), true).unwrap().retries(), Some(0));
    }

    #[test]
    fn of_two_calls_without_a_task_none_knows_its_claims() {
        let mut calls = Calls::default();
        calls.start(call(None, 4));
        calls.start(call(None, 9));
        calls.busy(wanted(None), None, Place::default());
        assert_eq!(calls.finish(wanted(None), true).unwrap().retries(), None);
        assert_eq!(calls.finish(wanted(None), true).unwrap().retries(), None);
        assert!(calls.finish(wanted(None), true).is_none());
    }

    #[test]
    fn claims_before_the_text_begins_count_as_far_as_seen() {
        let mut calls = Calls::default();
        calls.busy(wanted(None), None, Place::default());
        calls.busy(wanted(None), None, Place::default());
        let call = calls.finish(wanted(None), true).unwrap();
        assert_eq!((call.retries(), call.asked), (Some(2), None));
    }

    #[test]
    fn a_task_that_begins_again_has_ended_its_call() {
        let mut calls = Calls::default();
        calls.start(call(Some(1), 4));
        calls.start(call(Some(1), 5));
        let ended = calls.finish(wanted(Some(&task(1))), false).unwrap();
        assert_eq!(ended.asked, Some((5, 0)));
        assert!(calls.finish(wanted(Some(&task(1))), false).is_none());
    }
}
