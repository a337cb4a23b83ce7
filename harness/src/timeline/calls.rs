//! Records put together to calls, by debug lines and by traces alike.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use cma_policies::Run;
use smallvec::SmallVec;

use super::call::{Call, Counter, Ended, Start};
use super::{Place, run, same};
use crate::ingest::log::{Origin, Record, Task};

/// The most calls that are open at a time: more than a board has CPUs.
const MOST_CALLS: usize = 256;

/// Records after which a call without a task is given up: some calls end without a word, and
/// nothing says that their task has gone on.
const STALE: u64 = 512;

/// Places among the open calls: seldom more than one.
type Found = SmallVec<[usize; 4]>;

/// What a record says.
#[derive(Clone, PartialEq, Debug)]
pub enum Heard {
    /// A call begins: its number.
    Began(u64),
    /// A claim was busy, of these pages where that is stated.
    Busy {
        /// The number of its call, where that is sure.
        call: Option<u64>,
        /// When and where it was found: at the start of its call, or at the busy claim before.
        found: Place,
        /// The pages.
        run: Option<Run>,
    },
    /// A call ended. Of an end that may be of several calls that differ, all that is known is that
    /// it is one of them ([`Attribution::OneOf`](super::Attribution::OneOf)): its number is 0.
    Ended(Box<Call>),
    /// Pages were given back, these where that is stated.
    Released(Option<Run>),
    /// Events were lost.
    Lost,
    /// Nothing about a call.
    Nothing,
}

/// Which call a record is about, as far as it says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted<'a> {
    /// Who printed it.
    pub(crate) origin: Option<Origin>,
    /// Who made the call.
    pub(crate) task: Option<&'a Task>,
    /// The area.
    pub(crate) area: Option<&'a str>,
    /// Pages asked for.
    pub(crate) count: Option<u64>,
    /// The order.
    pub(crate) align: Option<u32>,
}

/// The calls that have begun and not ended, oldest first.
///
/// A record costs a look at the open calls, of which there are as many as tasks in `cma_alloc()`.
#[derive(Clone, Debug, Default)]
pub struct Calls {
    #[expect(clippy::vec_box, reason = "a call that ends is handed on as it is, not copied")]
    open: Vec<Box<Call>>,
    /// Calls so far.
    number: u64,
    /// How many of those that may have been granted were.
    granted: usize,
    /// Calls that were given up: nothing says how they ended.
    #[expect(clippy::vec_box, reason = "as above")]
    unended: Vec<Box<Call>>,
}

impl Calls {
    /// What `record`, which is at `at`, says.
    pub fn take(&mut self, record: &Record, task: Option<&Task>, at: Place) -> Heard {
        match record {
            Record::Start { origin, area, count, align, available, total, .. } => {
                let available = available.map(|available| (available, *total));
                Heard::Began(self.start(Call {
                    task: task.cloned(),
                    area: area.clone(),
                    count: Some(*count),
                    align: Some(*align),
                    available,
                    counter: available.map(|(available, _)| Counter::begun(available)),
                    start: Start::Seen,
                    ..Call::begun(*origin, at)
                }))
            }
            Record::Busy { origin, area, pfn, page, count, align } => {
                let (count, align, area) = (*count, *align, area.as_deref());
                let wanted = Wanted { origin: Some(*origin), task, area, count, align };
                self.busy(wanted, *pfn, *page, at)
            }
            Record::Finish { origin, area, page, pfn, count, align, errno, alone } => {
                let (count, align, area) = (*count, *align, area.as_deref());
                let wanted = Wanted { origin: Some(*origin), task, area, count, align };
                let call = self.end(wanted, Ended::of(*page, *pfn, *errno), *alone, at);
                if let Some(Ended::Granted(_)) = call.ended {
                    let count = call.count.unwrap_or(0);
                    self.count(*origin, call.area.as_deref(), |counter| counter.granted(count));
                }
                Heard::Ended(call)
            }
            Record::Release { origin, area, pfn, count } => {
                let pages = count.unwrap_or(0);
                self.count(*origin, area.as_deref(), |counter| counter.released(pages));
                Heard::Released(pfn.zip(*count).and_then(|(pfn, count)| run(pfn, count)))
            }
            Record::Lost { .. } => {
                let traced = |call: &&mut Box<Call>| call.origin == Origin::Trace;
                self.open.iter_mut().filter(traced).for_each(|call| call.doubt(0));
                Heard::Lost
            }
            _ => Heard::Nothing,
        }
    }

    /// Pages went or came in `area`: so for the calls that run there.
    fn count(&mut self, origin: Origin, area: Option<&str>, change: impl Fn(&mut Counter)) {
        let there = |call: &&mut Box<Call>| call.origin == origin && call.area.as_deref() == area;
        let open = self.open.iter_mut().filter(there);
        open.filter_map(|call| call.counter.as_mut()).for_each(change);
    }

    /// The next call that was given up since this was asked last.
    pub(super) fn next_unended(&mut self) -> Option<Box<Call>> {
        (!self.unended.is_empty()).then(|| self.unended.remove(0))
    }

    /// Whoever wants no calls without an end has no use for those that were given up.
    pub(crate) fn forget_unended(&mut self) {
        self.unended.clear();
    }

    /// Another text begins, or none follows: nothing ends any more.
    pub fn clear(&mut self) {
        self.unended.append(&mut self.open);
        self.granted = 0;
    }

    /// Gives call `number` up.
    pub(super) fn give_up(&mut self, number: u64) {
        self.unended.extend(self.open.extract_if(.., |call| call.number == number));
    }

    /// A call begins: its number.
    fn start(&mut self, call: Call) -> u64 {
        let seq = call.span.1.seq;
        // A task makes one call at a time. From 6.12 on one that asks for nothing or for more than
        // there is ends without a word.
        let pid = |call: &Call| call.task.as_ref().and_then(|task| task.pid);
        let own = pid(&call);
        let is_over = |open: &mut Box<Call>| match own.filter(|_| open.origin == call.origin) {
            Some(pid_of_call) if pid(open) == Some(pid_of_call) => true,
            _ => pid(open).is_none() && seq.saturating_sub(open.span.1.seq) > STALE,
        };
        if !self.open.is_empty() {
            self.unended.extend(self.open.extract_if(.., is_over));
        }
        if self.open.len() == MOST_CALLS {
            self.unended.push(self.open.remove(0));
        }
        self.number += 1;
        self.open.push(Box::new(Call { number: self.number, ..call }));
        self.number
    }

    fn busy(
        &mut self,
        wanted: Wanted<'_>,
        pfn: Option<u64>,
        page: Option<u64>,
        at: Place,
    ) -> Heard {
        let mut found = self.matching(wanted);
        if found.is_empty() {
            self.start(Call::wanted(wanted, at));
            found.push(self.open.len() - 1);
        }
        let mut heard = (None, at, wanted.count);
        if let [only] = found[..] {
            let call = &mut self.open[only];
            call.busy += 1;
            call.last_busy = pfn.or(page);
            let asked = wanted.count.or(call.count);
            heard = (Some(call.number), call.span.1, asked);
        }
        for index in &found {
            let call = &mut self.open[*index];
            if found.len() > 1 {
                call.doubt(found.len());
            }
            call.span.1 = Place { time_us: at.time_us.or(call.span.1.time_us), ..at };
        }
        let (call, before, count) = heard;
        let run = pfn.zip(count).and_then(|(pfn, count)| run(pfn, count));
        Heard::Busy { call, found: before, run }
    }

    /// A call ended. `alone`: it is the one event of a call.
    fn end(&mut self, wanted: Wanted<'_>, ended: Ended, alone: bool, at: Place) -> Box<Call> {
        let start = if alone { Start::Unprinted } else { Start::Missing };
        let known =
            if alone { None } else { self.ended(wanted, matches!(ended, Ended::Failed(_)), at) };
        let mut call =
            known.unwrap_or_else(|| Box::new(Call { start, ..Call::wanted(wanted, at) }));
        call.area = call.area.or_else(|| wanted.area.map(Arc::from));
        call.count = wanted.count.or(call.count);
        call.align = wanted.align.or(call.align);
        call.task = call.task.or_else(|| wanted.task.cloned());
        call.ended = Some(ended);
        call
    }

    /// The call of an end; `failed` where it got nothing.
    fn ended(&mut self, wanted: Wanted<'_>, failed: bool, at: Place) -> Option<Box<Call>> {
        let found = self.matching(wanted);
        let first = *found.first()?;
        if !failed && wanted.task.is_none() && self.one_is_granted(&found) {
            let mut call = Call::wanted(wanted, at);
            call.doubt(found.len());
            return Some(Box::new(call));
        }
        // Of several, those whose failure was reported are the failed ones.
        let fits = |index: &&usize| self.open[**index].report.is_some() == failed;
        let not_granted = |index: &&usize| !self.open[**index].maybe_granted;
        let index = found.iter().find(fits).or_else(|| found.iter().find(not_granted));
        let mut call = self.open.remove(index.copied().unwrap_or(first));
        self.settle_granted();
        if found.len() > 1 && wanted.task.is_none() {
            call.doubt(found.len());
            let alike = |open: &&mut Box<Call>| open.origin == call.origin;
            self.open.iter_mut().filter(alike).for_each(|open| open.doubt(found.len()));
        }
        Some(call)
    }

    /// One of `found`, of which none is known to have failed, was granted; whether they differ, so
    /// that it matters which.
    fn one_is_granted(&mut self, found: &[usize]) -> bool {
        let may: Vec<usize> =
            found.iter().copied().filter(|index| self.open[*index].report.is_none()).collect();
        let asked = may.first().map(|first| self.open[*first].asked());
        if may.iter().all(|index| Some(self.open[*index].asked()) == asked) {
            return false;
        }
        for index in may {
            self.open[index].maybe_granted = true;
            self.open[index].doubt(found.len());
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

    /// Debug lines of calls in `area` for more than `total` pages, all that it has, have no end:
    /// what was granted was so to others. Returns whether there were any.
    pub(crate) fn drop_larger(&mut self, area: Option<&str>, total: u64) -> bool {
        let is_larger = |call: &Call| {
            call.origin == Origin::Debug
                && same(call.area.as_deref(), area)
                && call.count.is_some_and(|count| count > total)
        };
        let before = self.open.len();
        self.open.retain(|call| !is_larger(call));
        self.settle_granted();
        if let [only] = &mut self.open[..] {
            only.attribution = super::Attribution::Sure;
        }
        self.open.len() < before
    }

    /// The call of a failure line, which is then taken; and whether its order is certain.
    pub(crate) fn of_failure(&mut self, wanted: Wanted<'_>) -> Option<(&mut Call, bool)> {
        let mut found = self.matching(wanted);
        found.retain(|index| self.open[*index].report.is_none());
        let first = *found.first()?;
        let asked = self.open[first].asked();
        let same = found.iter().all(|index| self.open[*index].asked() == asked);
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
    pub(crate) fn only(
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
        (at.seq.saturating_sub(call.span.1.seq) <= NEAR).then_some(call)
    }

    /// Whether several calls can have printed it.
    pub(crate) fn several(&self, task: Option<&Task>) -> bool {
        self.unreported(task).len() > 1
    }

    /// The calls that no failure line has named.
    fn unreported(&self, task: Option<&Task>) -> Found {
        let wanted = Wanted { origin: None, task, area: None, count: None, align: None };
        let mut found = self.matching(wanted);
        found.retain(|index| {
            let call = &self.open[*index];
            call.report.is_none() && call.asked().is_some()
        });
        found
    }

    /// Whether several calls are open.
    pub(crate) fn are_several(&self) -> bool {
        self.open.len() > 1
    }

    /// How many traced calls are in flight.
    pub(crate) fn in_flight(&self) -> usize {
        self.open.iter().filter(|call| call.origin == Origin::Trace).count()
    }

    /// Whether a traced call is in flight in `area`.
    pub(crate) fn any_in(&self, area: Option<&str>) -> bool {
        let is_in = |call: &Call| same(call.area.as_deref(), area);
        self.open.iter().any(|call| call.origin == Origin::Trace && is_in(call))
    }

    /// The calls that a record can be about: those of its task, else those that no task rules out.
    fn matching(&self, wanted: Wanted<'_>) -> Found {
        let fits = |call: &Call| {
            wanted.origin.is_none_or(|origin| origin == call.origin)
                && same(call.area.as_deref(), wanted.area)
                && same(call.count, wanted.count)
                && same(call.align, wanted.align)
        };
        let (mut own, mut any) = (Found::new(), Found::new());
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

/// Whether two lines are of one task; `None` where they do not say.
pub(crate) fn same_task(one: Option<&Task>, other: Option<&Task>) -> Option<bool> {
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

impl Call {
    /// A call of which nothing is known before a record at `at`.
    fn wanted(wanted: Wanted<'_>, at: Place) -> Self {
        Self {
            task: wanted.task.cloned(),
            area: wanted.area.map(Arc::from),
            count: wanted.count,
            align: wanted.align,
            ..Self::begun(wanted.origin.unwrap_or(Origin::Debug), at)
        }
    }
}
