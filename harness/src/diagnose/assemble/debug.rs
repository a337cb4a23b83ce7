//! Debug lines of calls.

use super::reports::Reports;
use super::seen::Kind;
use super::window::{Belief, Id, Parts};
use super::{AlignFrom, Assembler, Reported, SECOND_US};
use crate::timeline::{Call, Heard};

/// Lines within which the last debug line of a call follows its failure.
const END_LINES: u64 = 32;

impl Assembler {
    /// What a debug line says.
    pub(super) fn debug(&mut self, heard: Heard) {
        let at = self.reports.at;
        match heard {
            Heard::Ended(call) if call.failed().is_some() => self.returned_null(*call),
            Heard::Ended(_) => self.reports.lists.granted(at),
            // Their pages are hashes mostly.
            Heard::Released(_) => self.reports.lists.released(at),
            _ => {}
        }
    }

    /// `returned (null)`: the end of a failure that is reported, or the only report of one.
    fn returned_null(&mut self, call: Call) {
        let (at, asked) = (self.reports.at, call.asked());
        let key = call.count.unwrap_or(u64::MAX);
        if let Some(id) = call.report {
            self.reports.seen.note(Kind::Debug, at, key, id);
            self.reports.ended(id);
            return;
        }
        if asked.is_none()
            && let Some(id) = self.reports.unended()
        {
            self.reports.claims_before(id, &call);
            self.reports.ended(id);
            return;
        }
        if self.reports.is_told_again(Kind::Debug, key) {
            return;
        }
        let listed = self.reports.list_of_call(&call);
        let area = call.area.as_deref();
        let traced = call
            .count
            .and_then(|count| self.join.trace_of_line(&self.reports.window, at, area, count, None));
        if let (Some(id), Some(list)) = (traced, listed) {
            self.reports.take_list(id, list);
        }
        let id = traced.or(listed).unwrap_or_else(|| {
            let open = self.reports.begin(Reported::Debug, call.task.clone());
            self.reports.window.push(open)
        });
        if let (None, Some(count)) = (traced, call.count) {
            self.join.line(id, count);
        }
        self.reports.seen.note(Kind::Debug, at, key, id);
        let Some(open) = self.reports.window.get_mut(id) else { return };
        open.incident.duplicates += u64::from(traced.is_some() || listed.is_some());
        open.has.add(Parts::END);
        let incident = &mut open.incident;
        incident.count = incident.count.or(call.count);
        let align = call.align.map(|align| (align, AlignFrom::Debug));
        incident.align = incident.align.or(align);
        let tried = (call.busy > 0 && call.is_sure()).then_some(true);
        incident.busy_retries = incident.busy_retries.or(call.retries());
        incident.tried = incident.tried.or(tried);
        incident.area = incident.area.take().or(call.area);
    }
}

impl Reports {
    /// The list just before the end of `call`, where several calls could have printed it: all that
    /// it says is that one of them failed.
    fn list_of_call(&mut self, call: &Call) -> Option<Id> {
        call.asked()?;
        let at = self.at;
        let near = self.window.latest(8).filter(|(_, open)| {
            open.belief == Belief::Anyones
                && open.incident.count.is_none()
                && open.last.is_near(at, END_LINES, SECOND_US)
        });
        let oldest = near.last().map(|(id, _)| id)?;
        let open = self.window.get_mut(oldest)?;
        open.belief = Belief::Shared;
        Some(oldest)
    }

    /// The list of failure `from` is that of failure `id`: the two are one.
    fn take_list(&mut self, id: Id, from: Id) {
        let Some(other) = self.window.get_mut(from) else { return };
        other.belief = Belief::Gone;
        let (list, shown) = (other.incident.list.take(), other.shown);
        let Some(open) = self.window.get_mut(id) else { return };
        open.belief.share();
        open.shown = open.shown.and(shown);
        if open.incident.list.is_none() {
            open.incident.list = list;
        }
    }

    /// The claims of a call whose start is not in the text are those of the failure that ends it.
    fn claims_before(&mut self, id: Id, call: &Call) {
        let at = self.at;
        let Some(open) = self.window.get_mut(id) else { return };
        if call.busy > 0 && call.is_sure() && open.incident.busy_retries.is_none() {
            open.incident.busy_retries = Some(call.busy);
            open.incident.tried = Some(true);
            open.incident.slept |= call.may_have_slept(at);
        }
    }

    /// The last failure just before whose last debug line is still to come.
    fn unended(&self) -> Option<Id> {
        let mut near = self.window.latest(8).filter(|(_, open)| {
            let reported = open.has.any(Parts::LINE) || open.incident.list.is_some();
            reported
                && !open.has.any(Parts::END)
                && open.last.is_near(self.at, END_LINES, SECOND_US)
        });
        near.next().map(|(id, _)| id)
    }

    fn ended(&mut self, id: Id) {
        let at = self.at;
        if let Some(open) = self.window.get_mut(id) {
            open.has.add(Parts::END);
            open.last = at;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::script::Script;
    use super::*;
    use crate::ingest::log::{Origin, Page, Shape};

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
