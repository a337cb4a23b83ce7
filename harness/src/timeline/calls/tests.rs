//! Calls put together from few lines.

use super::super::call::Attribution;
use super::*;
use crate::ingest::log::Page;

/// Debug lines, one after the other.
#[derive(Default)]
struct Lines {
    calls: Calls,
    at: Place,
}

impl Lines {
    fn say(&mut self, pid: Option<u32>, record: &Record) -> Heard {
        self.at.seq += 1;
        let task = pid.map(|pid| Task { comm: None, pid: Some(pid), cpu: None });
        self.calls.take(record, task.as_ref(), self.at)
    }

    fn start(&mut self, pid: Option<u32>, count: u64) {
        let (origin, area, align) = (Origin::Debug, None, 0);
        let (available, total, vendor, named) = (None, None, false, false);
        let start = Record::Start { origin, area, count, align, available, total, vendor, named };
        self.say(pid, &start);
    }

    fn busy(&mut self, pid: Option<u32>) -> Heard {
        let (origin, area, pfn, page) = (Origin::Debug, None, None, None);
        self.say(pid, &Record::Busy { origin, area, pfn, page, count: None, align: None })
    }

    fn end(&mut self, pid: Option<u32>, page: Page) -> Box<Call> {
        let (origin, area, pfn, count, align) = (Origin::Debug, None, None, None, None);
        let (errno, alone) = (None, false);
        let end = Record::Finish { origin, area, page, pfn, count, align, errno, alone };
        let Heard::Ended(call) = self.say(pid, &end) else { panic!("no end") };
        call
    }
}

#[test]
fn a_busy_claim_belongs_to_the_only_call_or_to_its_task() {
    let mut lines = Lines::default();
    lines.start(Some(1), 4);
    lines.start(Some(2), 4);
    lines.busy(Some(2));
    assert_eq!(lines.end(Some(2), Page::Null).retries(), Some(1));
    assert_eq!(lines.end(Some(1), Page::Null).retries(), Some(0));
}

#[test]
fn of_two_calls_without_a_task_none_knows_its_claims() {
    let mut lines = Lines::default();
    lines.start(None, 4);
    lines.start(None, 9);
    assert!(matches!(lines.busy(None), Heard::Busy { call: None, .. }));
    for _ in 0..2 {
        let call = lines.end(None, Page::Null);
        assert_eq!((call.retries(), call.attribution), (None, Attribution::OneOf(2)));
    }
    assert_eq!(lines.end(None, Page::Null).number, 0);
}

#[test]
fn claims_before_the_text_begins_count_as_far_as_seen() {
    let mut lines = Lines::default();
    lines.busy(None);
    lines.busy(None);
    let call = lines.end(None, Page::Null);
    assert_eq!((call.retries(), call.asked(), call.start), (Some(2), None, Start::Missing));
    assert_eq!(lines.end(None, Page::Null).retries(), None, "nothing is known of this one");
}

#[test]
fn a_task_that_begins_again_has_ended_its_call() {
    let mut lines = Lines::default();
    lines.start(Some(1), 4);
    lines.start(Some(1), 5);
    assert_eq!(lines.end(Some(1), Page::Some).count, Some(5));
    let given_up = lines.calls.next_unended().map(|call| (call.count, call.ended));
    assert_eq!(given_up, Some((Some(4), None)));
    assert_eq!(lines.end(Some(1), Page::Some).number, 0);
}

#[test]
fn what_has_no_task_is_given_up_in_the_end_and_what_has_one_is_not() {
    let mut lines = Lines::default();
    lines.start(None, 4);
    lines.start(Some(1), 5);
    lines.at.seq += STALE;
    lines.start(Some(2), 6);
    let left: Vec<_> = lines.calls.open.iter().map(|call| call.count).collect();
    assert_eq!(left, [Some(5), Some(6)]);
}

#[test]
fn a_grant_that_may_be_of_two_calls_is_of_one_of_them() {
    let mut lines = Lines::default();
    lines.start(None, 4);
    lines.start(None, 9);
    let call = lines.end(None, Page::Some);
    assert_eq!((call.number, call.attribution), (0, Attribution::OneOf(2)));
    assert_eq!(lines.calls.open.len(), 2);
    lines.end(None, Page::Some);
    assert_eq!(lines.calls.open.len(), 0, "both were granted");
}

#[test]
fn lost_events_make_traced_calls_doubtful() {
    let mut lines = Lines::default();
    lines.start(Some(1), 4);
    lines.calls.open[0].origin = Origin::Trace;
    lines.say(None, &Record::Lost { cpu: None, events: None });
    assert_eq!(lines.calls.open[0].attribution, Attribution::OneOf(0));
}
