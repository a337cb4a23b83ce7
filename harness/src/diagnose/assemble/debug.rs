//! Debug lines of calls.

use super::calls::{Call, Wanted};
use super::seen::Kind;
use super::window::Id;
use super::{AlignFrom, Assembler, Reported, SECOND_US};
use crate::diagnose::era::Span;
use crate::ingest::log::{Origin, Page, Record, Task};

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
                    self.text.note(Span::since(6, 2));
                }
                self.calls.start(Call {
                    origin,
                    task,
                    area,
                    asked: Some((count, align)),
                    busy: 0,
                    unclear: false,
                    begun_before: false,
                    last_busy: None,
                    failure: None,
                    available: available.map(|available| (available, total)),
                    last: self.at,
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
                }
            }
            // Their pages are hashes mostly.
            _ => {}
        }
    }

    /// `returned (null)`: the end of a failure that is reported, or the only report of one.
    fn returned_null(&mut self, task: Option<&Task>, call: Option<Call>) {
        if let Some(id) = call.as_ref().and_then(|call| call.failure) {
            self.ended(id);
            return;
        }
        let asked = call.as_ref().and_then(|call| call.asked);
        if asked.is_none()
            && let Some(id) = self.unended()
        {
            if let Some(call) = &call {
                self.claims_before(id, call);
            }
            self.ended(id);
            return;
        }
        let key = asked.map_or(u64::MAX, |(count, _)| count);
        if let Some(id) = self.seen.find(Kind::Debug, self.at, key) {
            if let Some(open) = self.window.get_mut(id) {
                open.incident.duplicates += 1;
            }
            return;
        }
        let mut open = self.open(Reported::Debug, task.cloned());
        open.has_end = true;
        let incident = &mut open.incident;
        incident.count = asked.map(|(count, _)| count);
        incident.align = asked.map(|(_, align)| (align, AlignFrom::Debug));
        if let Some(call) = call {
            incident.busy_retries = call.retries();
            incident.tried = (call.busy > 0 && !call.unclear).then_some(true);
            incident.area = call.area;
        }
        let id = self.window.push(open);
        self.seen.note(Kind::Debug, self.at, key, id);
    }

    /// The claims of a call whose start is not in the text are those of the failure that ends it.
    fn claims_before(&mut self, id: Id, call: &Call) {
        let Some(open) = self.window.get_mut(id) else { return };
        if call.busy > 0 && !call.unclear && open.incident.busy_retries.is_none() {
            open.incident.busy_retries = Some(call.busy);
            open.incident.tried = Some(true);
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
