//! How much the clock of a trace is ahead of that of a kernel log.
//!
//! Where the two are in one text, the first records of the second one wait until some failures of
//! it are seen: the offset at which most of them ran while the log says that a request of so many
//! pages failed, or printed a list with so many pages left, is that of the clocks.

use super::SECOND_US;
use super::window::Span;
use crate::ingest::log::{Found, Origin, Page, Record};
use crate::timeline::{Call, Calls, Heard, Place, Start};

/// Failures of the second text that are looked at.
const ENOUGH: usize = 48;

/// The most records that wait.
const MOST_HELD: usize = 1 << 14;

/// The most moments that are remembered of the first one.
const MOST_MARKS: usize = 4096;

/// Stamps that differ by no more are of one moment.
const SLACK_US: u64 = 1_000;

/// Clocks differ by no more.
const MOST_OFFSET_US: u64 = 10 * SECOND_US;

/// Of one failure alone it is not believed that they differ by more.
const MOST_ALONE_US: u64 = 3 * SECOND_US / 2;

/// What is said of a moment: pages asked for, or pages that a list says are left.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Says {
    Count(u64),
    Left(u64),
}

/// A failed call of a trace: the pages that it asked for, those that were left when it began, and
/// when it ran.
#[derive(Clone, Copy, Debug)]
pub(super) struct Traced {
    pub(super) count: u64,
    pub(super) available: Option<u64>,
    pub(super) span: Span,
}

/// Records that wait for the clocks to be compared.
#[derive(Debug, Default)]
pub(super) struct Clocks {
    /// What the log says of its failures, and when.
    log: Vec<(Says, u64)>,
    /// The failed calls of the trace.
    traced: Vec<Traced>,
    /// The first record after which both are there; those after it.
    held: Vec<Found>,
    /// The failures among these.
    failures: usize,
    compared: bool,
}

impl Clocks {
    /// Another source begins: its clock may be another one.
    pub(super) fn source(&mut self) {
        self.compared = false;
    }

    /// Takes `found`, where it has to wait; else it is given back.
    pub(super) fn hold(&mut self, found: Found) -> Option<Found> {
        let waits = !self.held.is_empty() || !self.compared && self.is_other(&found.record);
        if !waits {
            return Some(found);
        }
        self.failures += usize::from(is_failure(&found.record));
        self.held.push(found);
        None
    }

    /// Whether enough of them wait.
    pub(super) fn is_full(&self) -> bool {
        self.failures >= ENOUGH || self.held.len() >= MOST_HELD
    }

    /// The records that waited, and the offset of the clocks where they show one.
    pub(super) fn release(&mut self) -> (Vec<Found>, Option<i64>) {
        let held = std::mem::take(&mut self.held);
        self.failures = 0;
        if held.is_empty() {
            return (held, None);
        }
        self.compared = true;
        held.iter().for_each(|found| self.note_log(found));
        self.traced.extend(failed_calls(&held));
        let offset = best(&self.log, &self.traced);
        (held, offset)
    }

    /// What the log says.
    pub(super) fn note_log(&mut self, found: &Found) {
        let says = match &found.record {
            Record::Failed { count, .. } => Some(Says::Count(*count)),
            Record::FreeRuns(list) => list.free.filter(|_| list.ranged).map(Says::Left),
            _ => None,
        };
        if let Some(mark) = says.zip(found.time_us).filter(|_| self.log.len() < MOST_MARKS) {
            self.log.push(mark);
        }
    }

    /// A traced call failed.
    pub(super) fn note_call(&mut self, call: Traced) {
        if !self.compared && self.traced.len() < MOST_MARKS {
            self.traced.push(call);
        }
    }

    /// Whether `record` is of a trace, where what was before is of a log; or the other way.
    fn is_other(&self, record: &Record) -> bool {
        match record {
            Record::Start { origin: Origin::Trace, .. } => !self.log.is_empty(),
            Record::Failed { .. } | Record::FreeRuns(_) => !self.traced.is_empty(),
            _ => false,
        }
    }
}

fn is_failure(record: &Record) -> bool {
    match record {
        Record::Finish { origin: Origin::Trace, page, errno, .. } => {
            *page == Page::Null || errno.is_some_and(|errno| errno != 0)
        }
        Record::Failed { .. } => true,
        _ => false,
    }
}

/// The failed calls of a trace.
fn failed_calls(held: &[Found]) -> Vec<Traced> {
    let (mut calls, mut at) = (Calls::default(), Place::default());
    let failed = held.iter().filter_map(|found| {
        at = at.next(found);
        let heard = calls.take(&found.record, found.task.as_ref(), at);
        calls.forget_unended();
        let Heard::Ended(call) = heard else { return None };
        let failed = call.origin == Origin::Trace && call.failed().is_some();
        Traced::of(&call, at).filter(|_| failed && call.start == Start::Seen)
    });
    failed.collect()
}

/// The offset at which most of the failed calls ran while the log says something of the like: of
/// several, the smallest. One call is enough within [`MOST_ALONE_US`], and at more only several
/// are.
fn best(log: &[(Says, u64)], traced: &[Traced]) -> Option<i64> {
    let mut log: Vec<(Says, u64)> = log.to_vec();
    log.sort_unstable_by_key(|(_, time)| *time);
    let pairs = traced.iter().take(ENOUGH).flat_map(|call| {
        let alike = log.iter().filter(|(says, _)| call.may_say(*says));
        alike.filter_map(|(_, time)| call.span.offset(*time, 0))
    });
    let mut offsets: Vec<i64> =
        pairs.filter(|offset| offset.unsigned_abs() <= MOST_OFFSET_US).collect();
    offsets.sort_unstable_by_key(|offset| offset.unsigned_abs());
    offsets.dedup();
    offsets.truncate(MOST_MARKS);
    let mut found: Option<(usize, i64)> = None;
    for offset in offsets {
        let score = traced.iter().take(ENOUGH).filter(|call| call.is_said(&log, offset)).count();
        let enough = score > usize::from(offset.unsigned_abs() > MOST_ALONE_US);
        if enough && found.is_none_or(|(most, _)| score > most) {
            found = Some((score, offset));
        }
    }
    found.map(|(_, offset)| offset)
}

impl Span {
    /// When a call that ended at `at` ran: at that moment, where its start is not in the text.
    pub(super) fn of(call: &Call, at: Place) -> Option<Self> {
        let to = at.time_us?;
        let began = call.span.0.time_us.filter(|_| call.start == Start::Seen);
        Some(Self { from: began.unwrap_or(to).min(to), to })
    }
}

impl Traced {
    /// A call that ended at `at`, where its pages and its time are stated.
    pub(super) fn of(call: &Call, at: Place) -> Option<Self> {
        let available = call.available.map(|(available, _)| available);
        Some(Self { count: call.count?, available, span: Span::of(call, at)? })
    }

    /// Whether the log may say this of it.
    fn may_say(&self, says: Says) -> bool {
        match says {
            Says::Count(count) => count == self.count,
            Says::Left(left) => Some(left) == self.available,
        }
    }

    /// Whether `log`, by time, says something of it while it ran, where its clock is so much ahead.
    fn is_said(&self, log: &[(Says, u64)], offset: i64) -> bool {
        let at = |time: u64| time.saturating_add_signed(offset);
        let from = self.span.from.saturating_sub(SLACK_US);
        let to = self.span.to.saturating_add(SLACK_US);
        let first = log.partition_point(|(_, time)| at(*time) < from);
        let mut within = log[first..].iter().take_while(|(_, time)| at(*time) <= to);
        within.any(|(says, _)| self.may_say(*says))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(count: u64, from: u64, to: u64) -> Traced {
        Traced { count, available: Some(7), span: Span { from, to } }
    }

    #[test]
    fn the_offset_at_which_most_agree() {
        let second = SECOND_US;
        let log: Vec<_> = (1..=4).map(|at| (Says::Count(64), at * second)).collect();
        let ahead: Vec<_> =
            (2..=5).map(|at| call(64, at * second - 40, at * second + 40)).collect();
        assert_eq!(best(&log, &ahead), Some(second as i64 - 40));
        // Three of four agree as they are; the first was lost.
        assert_eq!(best(&log, &ahead[..3]), Some(0));
        assert_eq!(best(&log, &[call(65, second, second)]), None);
    }

    #[test]
    fn one_pair_far_apart_is_none() {
        let log = [(Says::Left(7), 1_000_000)];
        assert_eq!(best(&log, &[call(9, 1_400_000, 1_500_000)]), Some(400_000));
        assert_eq!(best(&log, &[call(9, 2_900_000, 2_950_000)]), None);
    }
}
