//! Trace events of calls.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use super::calls::{Call, Wanted};
use super::clock::Near;
use super::seen::Kind;
use super::{AlignFrom, Assembler, Known, Reported};
use crate::ingest::log::{Origin, Page, Record, Task};
use crate::kernel::{Errno, Sign};

/// What a finish event says.
#[derive(Clone, Debug)]
struct Finish {
    area: Option<Arc<str>>,
    pfn: Option<u64>,
    count: Option<u64>,
    align: Option<u32>,
    errno: Option<Errno>,
    alone: bool,
}

/// -1, as kernels of 64 and of 32 bits print it: no page was ever tried.
const fn is_no_pfn(pfn: u64) -> bool {
    pfn == u64::MAX || pfn == u32::MAX as u64
}

impl Assembler {
    /// A trace event.
    pub(super) fn event(&mut self, task: Option<Task>, record: Record) {
        let origin = Origin::Trace;
        match record {
            Record::Start { area, count, align, available, total, .. } => {
                if available.is_some() {
                    self.text.note(Sign::StartTotals);
                }
                let possible = self.areas.begun(area.as_ref(), available, total, !self.calls.any());
                self.check(possible, area.as_ref());
                self.calls.start(Call {
                    task,
                    area,
                    asked: Some((count, align)),
                    available: available.map(|available| (available, total)),
                    ..Call::begun(origin, self.at)
                });
            }
            Record::Busy { area, pfn, count, align, .. } => {
                let (task, area) = (task.as_ref(), area.as_deref());
                let wanted = Wanted { origin: Some(origin), task, area, count, align };
                self.calls.busy(wanted, pfn, self.at);
            }
            Record::Finish { area, page, pfn, count, align, errno, alone, .. } => {
                let finish = Finish { area, pfn, count, align, errno, alone };
                self.finished(task.as_ref(), page, &finish);
            }
            Record::Release { area, pfn: Some(pfn), count: Some(count), .. } => {
                let possible = self.areas.released(area.as_ref(), pfn, count);
                self.check(possible, area.as_ref());
            }
            _ => {}
        }
    }

    /// What a trace shows is found impossible: what rested on its state is not known.
    fn check(&mut self, possible: bool, area: Option<&Arc<str>>) {
        if possible {
            return;
        }
        let name = area.map_or("an area", |area| &**area);
        self.warn(format!(
            "the trace of {name} does not fit what was there before it: its state is not known"
        ));
        for open in self.window.iter_mut() {
            let whole = |state: &Arc<_>| {
                let state: &crate::diagnose::AreaState = state;
                state.known == Known::Trace && state.complete
            };
            if open.incident.area.as_ref() == area && open.traced.as_ref().is_some_and(whole) {
                open.traced = None;
            }
        }
    }

    fn finished(&mut self, task: Option<&Task>, page: Page, finish: &Finish) {
        let failed = page == Page::Null || finish.errno.is_some_and(|errno| errno != 0);
        self.text.note(match (finish.alone, finish.errno) {
            (true, _) => Sign::EventAlone,
            (false, Some(_)) => Sign::FinishErrno,
            (false, None) => Sign::FinishPlain,
        });
        let wanted = Wanted {
            origin: Some(Origin::Trace),
            task,
            area: finish.area.as_deref(),
            count: finish.count,
            align: finish.align,
        };
        let call = if finish.alone { None } else { self.calls.finish(wanted, failed) };
        if failed {
            self.trace_failed(task, finish, call.as_ref());
        } else if let (Some(pfn), Some(count)) = (finish.pfn, finish.count) {
            // The first place of an empty area, unless that was busy or another call took it.
            let first =
                call.as_ref().is_some_and(|call| call.retries() == Some(0)) && !self.calls.any();
            let align = finish.align.filter(|_| first);
            let possible = self.areas.granted(finish.area.as_ref(), pfn, count, align);
            self.check(possible, finish.area.as_ref());
        }
    }

    fn trace_failed(&mut self, task: Option<&Task>, finish: &Finish, call: Option<&Call>) {
        let asked = call.and_then(|call| call.asked);
        let count = finish.count.or(asked.map(|(count, _)| count));
        let align = finish.align.or(asked.map(|(_, align)| align));
        let key = count.unwrap_or(u64::MAX);
        if let Some(id) = self.seen.find(Kind::Trace, self.at, key) {
            if let Some(open) = self.window.get_mut(id) {
                open.incident.duplicates += 1;
            }
            return;
        }
        match finish.pfn {
            Some(0) => self.text.note(Sign::PfnZero),
            // From 6.15 on a failure has pfn 0, whatever was tried.
            Some(_) => self.text.note(Sign::PfnTried),
            None => {}
        }
        let (area, at) = (finish.area.as_deref(), self.at);
        let known = call.and_then(|call| call.failure);
        let told = known.or_else(|| {
            let asked = (count?, align);
            let (clock, window) = (&mut self.clock, &self.window);
            [Near::Same, Near::Anyhow].into_iter().find_map(|near| {
                clock
                    .line_of_trace(window, at, area, asked, finish.errno, near)
                    .or_else(|| clock.list_of_trace(window, at, near))
            })
        });
        let again = |call: &Call| !call.unclear && call.last_busy.is_some_and(|pfn| pfn != 0);
        if finish.errno == Some(crate::kernel::ENOMEM)
            && call.is_some_and(|call| again(call) && call.last_busy == finish.pfn)
        {
            // What was tried last was busy, and still -12: ret was set back for a second search.
            self.text.note_vendor();
        }
        let id = told.unwrap_or_else(|| {
            let open = self.open(Reported::Trace, task.cloned());
            self.window.push(open)
        });
        if told.is_none()
            && let Some(count) = count
        {
            self.clock.trace(id, count);
        }
        self.seen.note(Kind::Trace, self.at, key, id);
        let (traced, apart) = self.state_now(finish, call).unzip();
        // What another call claims is not seen before it ends.
        let moved = apart == Some(true) || self.calls.any_in(area);
        let runs = traced.as_ref().map_or(0, |state| self.window.charge_state(state));
        let Some(open) = self.window.get_mut(id) else { return };
        open.traced_runs += runs;
        if told.is_some() {
            open.incident.duplicates += 1;
        }
        if !open.has_line {
            open.incident.reported = Reported::Trace;
        }
        open.has_trace = true;
        open.trace_us = at.time_us;
        open.traced_moved = traced.is_some() && moved;
        open.traced = traced;
        let incident = &mut open.incident;
        incident.area = incident.area.take().or_else(|| finish.area.clone());
        incident.count = incident.count.or(count);
        incident.ret = incident.ret.or(finish.errno.filter(|errno| *errno != 0));
        incident.align = align.map(|align| (align, AlignFrom::Trace)).or(incident.align);
        let retries = call.and_then(Call::retries);
        incident.busy_retries = retries.or(incident.busy_retries);
        let busy = incident.busy_retries.is_some_and(|retries| retries > 0);
        incident.tried = match finish.pfn {
            Some(pfn) if is_no_pfn(pfn) => Some(false),
            Some(0) | None => busy.then_some(true).or(incident.tried),
            Some(_) => Some(true),
        };
        // What was busy last was not what was tried last.
        let last_busy = call.and_then(|call| call.last_busy);
        let other = last_busy.is_some() && finish.pfn.is_some_and(|pfn| pfn != 0);
        let whole = call.is_some_and(|call| !call.unclear);
        incident.other_page_last =
            other && whole && finish.pfn != last_busy && incident.tried == Some(true);
        incident.slept |= call.is_some_and(|call| call.may_have_slept(at));
    }

    /// The state at the moment of a failed call, and whether it may be of another moment.
    fn state_now(
        &mut self,
        finish: &Finish,
        call: Option<&Call>,
    ) -> Option<(Arc<crate::diagnose::AreaState>, bool)> {
        let area = finish.area.as_ref();
        if let Some(state) = self.areas.traced(area) {
            return Some(state);
        }
        let (available, total) = call?.available?;
        let mut layout = self.areas.layout(area, total, &self.options.geometry);
        layout.total = total.or(layout.total);
        Some((Arc::new(layout.state(Some(available), Known::Trace)), false))
    }
}
