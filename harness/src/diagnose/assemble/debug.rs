//! Debug lines of calls.

use super::calls::{Call, Wanted};
use super::seen::Kind;
use super::window::Id;
use super::{AlignFrom, Assembler, Reported, SECOND_US};
use crate::ingest::log::{Origin, Page, Record, Task};
use crate::kernel::Sign;

/// Lines within which the last debug line of a call follows its failure.
const END_LINES: u64 = 32;

impl Assembler {
    /// A debug line.
    pub(super) fn debug(&mut self, task: Option<Task>, record: Record) {
        let origin = Origin::Debug;
        match record {
            Record::Start { area, count, align, available, total, vendor, named, .. } => {
                if vendor {
                    self.text.note_vendor();
                } else if named {
                    self.text.note(Sign::DebugNamed);
                }
                self.calls.start(Call {
                    task,
                    area,
                    asked: Some((count, align)),
                    available: available.map(|available| (available, total)),
                    ..Call::begun(origin, self.at)
                });
            }
            Record::Busy { area, pfn, page, count, align, .. } => {
                let (task, area) = (task.as_ref(), area.as_deref());
                let wanted = Wanted { origin: Some(origin), task, area, count, align };
                self.calls.busy(wanted, pfn.or(page), self.at);
            }
            Record::Finish { area, page, .. } => {
                let (task, area) = (task.as_ref(), area.as_deref());
                let wanted = Wanted { origin: Some(origin), task, area, count: None, align: None };
                let call = self.calls.finish(wanted, page == Page::Null);
                if page == Page::Null {
                    self.returned_null(task, call);
                } else {
                    self.pairing.granted(self.at);
                }
            }
            // Their pages are hashes mostly.
            Record::Release { .. } => self.pairing.released(self.at),
            _ => {}
        }
    }

    /// `returned (null)`: the end of a failure that is reported, or the only report of one.
    fn returned_null(&mut self, task: Option<&Task>, call: Option<Call>) {
        let asked = call.as_ref().and_then(|call| call.asked);
        let key = asked.map_or(u64::MAX, |(count, _)| count);
        if let Some(id) = call.as_ref().and_then(|call| call.failure) {
            self.seen.note(Kind::Debug, self.at, key, id);
            self.ended(id);
            return;
        }
        if asked.is_none()
            && let Some(id) = self.unended()
        {
            if let Some(call) = &call {
                self.claims_before(id, call);
            }
            self.ended(id);
            return;
        }
        if let Some(id) = self.seen.find(Kind::Debug, self.at, key) {
            if let Some(open) = self.window.get_mut(id) {
                open.incident.duplicates += 1;
            }
            return;
        }
        let listed = call.as_ref().and_then(|call| self.list_of_call(call));
        let area = call.as_ref().and_then(|call| call.area.as_deref());
        let traced = asked.and_then(|(count, _)| {
            self.clock.trace_of_line(&self.window, self.at, area, count, None)
        });
        let id = match (traced, listed) {
            (Some(id), Some(list)) => {
                self.take_list(id, list);
                id
            }
            (Some(id), None) | (None, Some(id)) => id,
            (None, None) => {
                let open = self.open(Reported::Debug, task.cloned());
                self.window.push(open)
            }
        };
        if let (None, Some((count, _))) = (traced, asked) {
            self.clock.line(id, count);
        }
        self.seen.note(Kind::Debug, self.at, key, id);
        let Some(open) = self.window.get_mut(id) else { return };
        if traced.is_some() || listed.is_some() {
            open.incident.duplicates += 1;
        }
        open.has_end = true;
        let incident = &mut open.incident;
        incident.count = incident.count.or(asked.map(|(count, _)| count));
        let align = asked.map(|(_, align)| (align, AlignFrom::Debug));
        incident.align = incident.align.or(align);
        if let Some(call) = call {
            let tried = (call.busy > 0 && !call.unclear).then_some(true);
            incident.busy_retries = incident.busy_retries.or(call.retries());
            incident.tried = incident.tried.or(tried);
            incident.area = incident.area.take().or(call.area);
        }
    }

    /// The list just before the end of `call`, where several calls could have printed it: all that
    /// it says is that one of them failed.
    fn list_of_call(&mut self, call: &Call) -> Option<Id> {
        call.asked?;
        let at = self.at;
        let near = self.window.latest(8).filter(|(_, open)| {
            open.anyones
                && open.incident.count.is_none()
                && open.last.is_near(at, END_LINES, SECOND_US)
        });
        let oldest = near.last().map(|(id, _)| id)?;
        let open = self.window.get_mut(oldest)?;
        open.anyones = false;
        open.unsure = true;
        Some(oldest)
    }

    /// The list of failure `from` is that of failure `id`: the two are one.
    fn take_list(&mut self, id: Id, from: Id) {
        let Some(other) = self.window.get_mut(from) else { return };
        other.gone = true;
        let (list, list_us, shown) = (other.incident.list.take(), other.list_us, other.shown);
        let Some(open) = self.window.get_mut(id) else { return };
        open.unsure = true;
        open.list_us = open.list_us.or(list_us);
        open.shown = open.shown.and(shown);
        if open.incident.list.is_none() {
            open.incident.list = list;
        }
    }

    /// The claims of a call whose start is not in the text are those of the failure that ends it.
    fn claims_before(&mut self, id: Id, call: &Call) {
        let at = self.at;
        let Some(open) = self.window.get_mut(id) else { return };
        if call.busy > 0 && !call.unclear && open.incident.busy_retries.is_none() {
            open.incident.busy_retries = Some(call.busy);
            open.incident.tried = Some(true);
            open.incident.slept |= call.may_have_slept(at);
        }
    }

    /// The last failure just before whose last debug line is still to come.
    fn unended(&self) -> Option<Id> {
        let mut near = self.window.latest(8).filter(|(_, open)| {
            let reported = open.has_line || open.incident.list.is_some();
            reported && !open.has_end && open.last.is_near(self.at, END_LINES, SECOND_US)
        });
        near.next().map(|(id, _)| id)
    }

    fn ended(&mut self, id: Id) {
        let at = self.at;
        if let Some(open) = self.window.get_mut(id) {
            open.has_end = true;
            open.last = at;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::script::Script;
    use super::*;
    use crate::ingest::log::Shape;

    #[test]
    fn before_4_11_only_the_last_debug_line_tells() {
        let script = Script::new()
            .start(Origin::Debug, 192, 8)
            .busy(Origin::Debug, None)
            .busy(Origin::Debug, None)
            .returned(Page::Null);
        let failure = script.only();
        let incident = &failure.incident;
        assert_eq!((incident.count, incident.reported), (Some(192), Reported::Debug));
        assert_eq!((incident.busy_retries, failure.verdict_name()), (Some(2), "busy"));
    }

    #[test]
    fn what_is_granted_or_has_no_end_is_no_failure() {
        let script = Script::new()
            .start(Origin::Debug, 1, 0)
            .busy(Origin::Debug, None)
            .returned(Page::Some)
            .start(Origin::Debug, 2, 1)
            .busy(Origin::Debug, None);
        assert!(script.failures().is_empty());
    }

    #[test]
    fn the_line_and_the_debug_lines_are_one_failure() {
        let script = Script::new()
            .start(Origin::Debug, 456, 4)
            .busy(Origin::Debug, None)
            .fail(Shape::Named, 456, -16)
            .returned(Page::Null);
        let failure = script.only();
        assert_eq!(failure.align, Some((4, AlignFrom::Debug)));
        assert_eq!(failure.incident.busy_retries, Some(1));
        // The start is not in the text.
        let script = Script::new()
            .busy(Origin::Debug, None)
            .fail(Shape::Unnamed, 456, -16)
            .returned(Page::Null);
        let failure = script.only();
        assert_eq!(failure.align, Some((8, AlignFrom::Cap)));
        assert_eq!(failure.incident.busy_retries, Some(1));
    }

    #[test]
    fn two_calls_at_a_time_keep_their_orders_and_not_their_claims() {
        let script = Script::new()
            .start(Origin::Debug, 16, 4)
            .start(Origin::Debug, 64, 2)
            .busy(Origin::Debug, None)
            .fail(Shape::Named, 64, -16)
            .fail(Shape::Named, 16, -16)
            .returned(Page::Null)
            .returned(Page::Null);
        let failures = script.failures();
        let said: Vec<_> = failures
            .iter()
            .map(|failure| (failure.align.unwrap().0, failure.incident.busy_retries))
            .collect();
        assert_eq!(said, [(2, None), (4, None)]);
    }

    /// The line of one of two calls was hidden, and nothing says whose list it is.
    #[test]
    fn a_list_of_one_of_two_calls_is_of_the_one_that_ends() {
        let script = Script::new()
            .start(Origin::Debug, 16, 4)
            .start(Origin::Debug, 64, 2)
            .list(&[(5, 9)], 512)
            .fail(Shape::Named, 64, -12)
            .list(&[(5, 9)], 512)
            .returned(Page::Null)
            .returned(Page::Null);
        let failures = script.failures();
        let counts: Vec<_> = failures.iter().map(|failure| failure.incident.count).collect();
        assert_eq!(counts, [Some(16), Some(64)]);
        assert_ne!(failures[0].confidence.name(), "certain");
    }

    /// Each of two requests that are alike has a start of its own.
    #[test]
    fn two_calls_that_are_alike_keep_their_orders() {
        let script = Script::new()
            .start(Origin::Debug, 16, 2)
            .start(Origin::Debug, 16, 2)
            .fail(Shape::Named, 16, -16)
            .fail(Shape::Named, 16, -16);
        let failures = script.failures();
        let orders: Vec<_> = failures.iter().map(|failure| failure.align).collect();
        assert_eq!(orders, [Some((2, AlignFrom::Debug)); 2]);
    }

    /// The second capture shows the debug lines of a hidden failure once more.
    #[test]
    fn the_end_of_a_hidden_failure_is_counted_once() {
        let capture = |script: Script| {
            let script = script.at(5_000_123).start(Origin::Debug, 64, 6);
            let script = script.at(5_000_234).list(&[(5, 9)], 512);
            script.at(5_000_345).returned(Page::Null)
        };
        let failure = capture(capture(Script::new())).only();
        assert_eq!(failure.incident.count, Some(64));
    }

    /// `returned` names no call: a line says which of two was not granted.
    #[test]
    fn what_fails_was_not_granted() {
        let script = Script::new()
            .start(Origin::Debug, 476, 6)
            .start(Origin::Debug, 39, 5)
            .returned(Page::Some)
            .fail(Shape::Named, 476, -16)
            .returned(Page::Null);
        assert_eq!(script.only().align, Some((6, AlignFrom::Debug)));
        let both = Script::new()
            .start(Origin::Debug, 476, 6)
            .start(Origin::Debug, 39, 5)
            .returned(Page::Some)
            .returned(Page::Some)
            .start(Origin::Debug, 9, 4)
            .returned(Page::Null);
        assert_eq!(both.only().incident.count, Some(9));
    }

    #[test]
    fn an_end_without_a_beginning_is_a_failure_of_unknown_size() {
        let failure = Script::new().returned(Page::Null).only();
        assert_eq!((failure.incident.count, failure.verdict), (None, None));
        let script = Script::new().busy(Origin::Debug, None).returned(Page::Null);
        assert_eq!(script.words(), ["busy likely"]);
    }
}
