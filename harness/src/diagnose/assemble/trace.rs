//! Trace events of calls.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use super::clocks;
use super::join::{Near, When};
use super::seen::Kind;
use super::window::{Open, Parts, Span, Traced};
use super::{AlignFrom, Assembler, MOST_ORDERS, Reported};
use crate::kernel::ENOMEM;
use crate::timeline::{AreaState, Call, Ended, Failed, Heard, Known, Start, Tried};

impl Assembler {
    /// What a trace event of `area` says.
    pub(super) fn event(&mut self, heard: Heard, area: Option<&Arc<str>>, counts: Counts) {
        let possible = match heard {
            Heard::Began(_) => {
                // Its own call is one of those in flight.
                let alone = self.calls.in_flight() <= 1;
                self.areas.begun(area, counts.available, counts.total, alone)
            }
            Heard::Busy { run, .. } => {
                if let Some(run) = run {
                    self.areas.tried(area, run);
                }
                true
            }
            Heard::Ended(call) => {
                self.note_order(&call, area);
                match call.ended {
                    Some(Ended::Failed(failed)) => {
                        self.trace_failed(&call, failed);
                        true
                    }
                    _ => self.granted(&call),
                }
            }
            Heard::Released(Some(run)) => {
                self.holders.released(area, run);
                self.areas.released(area, run)
            }
            Heard::Released(None) | Heard::Lost | Heard::Nothing => true,
        };
        if !possible {
            self.contradicted(area);
        }
    }

    fn note_order(&mut self, call: &Call, area: Option<&Arc<str>>) {
        let area = area.cloned();
        if self.orders.len() < MOST_ORDERS || self.orders.contains_key(&area) {
            self.orders.entry(area).or_default().note(call);
        }
    }

    /// What a trace shows is found impossible: what rested on its state is not known.
    fn contradicted(&mut self, area: Option<&Arc<str>>) {
        let name = area.map_or("an area", |area| &**area);
        self.scene.warn(format!(
            "the trace of {name} does not fit what was there before it: its state is not known"
        ));
        let whole = |state: &AreaState| state.known == Known::Trace && state.complete;
        for open in self.reports.window.iter_mut() {
            if open.incident.area.as_ref() == area {
                open.traced.take_if(|traced| whole(&traced.state));
            }
        }
    }

    /// Returns whether a call can have been granted what it was.
    fn granted(&mut self, call: &Call) -> bool {
        let Some(run) = call.granted() else { return true };
        self.holders.granted(call.area.as_ref(), call.task.as_ref(), run);
        // The first place of an empty area, unless that was busy or another call took it.
        let first = call.retries() == Some(0) && self.calls.in_flight() == 0;
        self.areas.granted(call.area.as_ref(), run, call.align, first)
    }

    fn trace_failed(&mut self, call: &Call, failed: Failed) {
        let key = call.count.unwrap_or(u64::MAX);
        if self.reports.is_told_again(Kind::Trace, key) {
            return;
        }
        if failed.errno == Some(ENOMEM)
            && call.is_sure()
            && call.last_busy.is_some_and(|pfn| pfn != 0 && failed.tried == Tried::At(pfn))
        {
            // What was tried last was busy, and still -12: ret was set back for a second search.
            self.scene.text.note_vendor();
        }
        if let Some(traced) = clocks::Traced::of(call, self.reports.at) {
            self.clocks.note_call(traced);
        }
        let known = call.report.or_else(|| self.report_of(call, failed));
        let id = known.unwrap_or_else(|| {
            let open = self.reports.begin(Reported::Trace, call.task.clone());
            self.reports.window.push(open)
        });
        if let (None, Some(count)) = (known, call.count) {
            self.join.trace(id, count);
        }
        self.reports.seen.note(Kind::Trace, self.reports.at, key, id);
        self.reports.failed_here(id, call.task.as_ref());
        let traced = self.state_now(call);
        let holders = self.holders.of(call.area.as_ref());
        let runs = traced.as_ref().map(|traced| self.reports.window.charge_state(&traced.state));
        let at = self.reports.at;
        let Some(open) = self.reports.window.get_mut(id) else { return };
        open.traced_runs += runs.unwrap_or(0);
        open.incident.duplicates += u64::from(known.is_some());
        if !open.has.any(Parts::LINE) {
            open.incident.reported = Reported::Trace;
        }
        open.has.add(Parts::TRACE);
        open.incident.who.holders = holders;
        open.trace_us = Span::of(call, at);
        open.counter = call.counter.or(open.counter);
        open.traced = traced;
        of_call(open, call, failed);
        open.incident.slept |= call.may_have_slept(at);
    }

    /// The report of this failure in another log.
    fn report_of(&mut self, call: &Call, failed: Failed) -> Option<super::window::Id> {
        let (asked, area) = ((call.count?, call.align), call.area.as_deref());
        let (join, window, at) = (&mut self.join, &self.reports.window, self.reports.at);
        let when = When { at, span: Span::of(call, at) };
        [Near::Same, Near::Anyhow].into_iter().find_map(|near| {
            let line = join.line_of_trace(window, when, area, asked, failed.errno, near);
            line.or_else(|| join.list_of_trace(window, when, call.counter, near))
        })
    }

    /// The state at the moment of a failed call.
    fn state_now(&mut self, call: &Call) -> Option<Traced> {
        let area = call.area.as_ref();
        // What another call claims is not seen before it ends.
        let others = self.calls.any_in(call.area.as_deref());
        if let Some((state, basis)) = self.areas.traced(area) {
            let moved = basis.apart || others || basis.is_order_inferred;
            let inferred = basis.inferred;
            return Some(Traced { state, moved, inferred });
        }
        let (available, total) = call.available?;
        let mut layout = self.areas.layout(area, total, &self.scene.options.geometry);
        layout.total = total.or(layout.total);
        let none = (available == 0).then_some(0);
        let state = AreaState { available: Some(available), ..layout.state(none, Known::Trace) };
        Some(Traced { state: Arc::new(state), moved: others, inferred: false })
    }
}

/// Free pages and all pages of the area, as a start states them.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Counts {
    pub(super) available: Option<u64>,
    pub(super) total: Option<u64>,
}

/// What a report has from the call that its trace shows.
fn of_call(open: &mut Open, call: &Call, failed: Failed) {
    let incident = &mut open.incident;
    incident.area = incident.area.take().or_else(|| call.area.clone());
    incident.count = incident.count.or(call.count);
    incident.available = call.available.map(|(available, _)| available);
    incident.ret = incident.ret.or(failed.errno);
    incident.align = call.align.map(|align| (align, AlignFrom::Trace)).or(incident.align);
    incident.busy_retries = call.retries().or(incident.busy_retries);
    let busy = incident.busy_retries.is_some_and(|retries| retries > 0);
    incident.tried = match failed.tried {
        Tried::Nothing => Some(false),
        Tried::Unknown => busy.then_some(true).or(incident.tried),
        Tried::At(_) => Some(true),
    };
    // What was busy last was not what was tried last.
    let pfn = failed.tried.pfn();
    incident.other_page_last = call.is_sure()
        && call.start != Start::Unprinted
        && pfn.is_some()
        && call.last_busy.is_some()
        && call.last_busy != pfn;
}
