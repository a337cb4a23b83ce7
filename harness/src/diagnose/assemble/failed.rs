//! Failure lines.

use std::sync::Arc;

use super::lists::Await;
use super::reports::Reports;
use super::seen::Kind;
use super::window::{Belief, Id, Parts};
use super::{AlignFrom, Assembler, Reported, SECOND_US};
use crate::diagnose::era::Shown;
use crate::ingest::log::{Origin, Shape, Task};
use crate::kernel::{EBUSY, ENOMEM, Errno};
use crate::timeline::{Wanted, same};

/// Lines within which a word of prose names a failure again.
const PROSE_LINES: u64 = 32;

impl Assembler {
    /// A failure line.
    pub(super) fn failed(
        &mut self,
        task: Option<&Task>,
        shape: Shape,
        area: Option<Arc<str>>,
        count: u64,
        ret: Option<Errno>,
    ) {
        let shown = Shown::by_line(shape);
        self.scene.text.note(shown.hard);
        if let Some(area) = &area {
            self.areas.met(area);
        }
        if self.is_told_again(task, shape, area.as_ref(), count, ret) {
            return;
        }
        let traced = self.join.trace_of_line(
            &self.reports.window,
            self.reports.at,
            area.as_deref(),
            count,
            ret,
        );
        let id = traced.unwrap_or_else(|| {
            let open = self.reports.begin(Reported::Line(shape), task.cloned());
            self.reports.window.push(open)
        });
        self.reports.seen.note(Kind::Line, self.reports.at, count, id);
        let before = self.reports.lists.list_before(self.reports.at, area.as_ref());
        let (at, source) = (self.reports.at, Arc::clone(&self.reports.source));
        let Some(open) = self.reports.window.get_mut(id) else { return };
        if traced.is_some() {
            // The line is what people look for.
            open.incident.duplicates += 1;
            open.incident.reported = Reported::Line(shape);
            (open.incident.source, open.incident.line) = (source, at.line);
            open.incident.time_us = at.time_us.or(open.incident.time_us);
            open.task = task.cloned();
        }
        open.has.add(Parts::LINE);
        open.last = at;
        open.before = before;
        open.shown = shown.and(open.shown);
        open.incident.area = area.or(open.incident.area.take());
        open.incident.count = Some(count);
        open.incident.ret = ret.or(open.incident.ret);
        self.reports.failed_here(id, task);
        self.join_call(id, task);
        self.reports.join_near(id);
        if traced.is_none() {
            self.join.line(id, count);
        }
        self.reports.lists.wait(Await { id, at, fragment: shape == Shape::Fragment });
    }

    /// Whether this line reports a failure that is open: then it is counted there.
    fn is_told_again(
        &mut self,
        task: Option<&Task>,
        shape: Shape,
        area: Option<&Arc<str>>,
        count: u64,
        ret: Option<Errno>,
    ) -> bool {
        let id = if shape == Shape::Fragment {
            self.reports.named_before(count)
        } else {
            self.reports.seen.find(Kind::Line, self.reports.at, count)
        };
        let Some(id) = id else { return false };
        let at = self.reports.at;
        let Some(open) = self.reports.window.get_mut(id) else { return false };
        let incident = &mut open.incident;
        if !same(incident.area.as_ref(), area) || !same(incident.ret, ret) {
            return false;
        }
        incident.duplicates += 1;
        if shape == Shape::Fragment {
            return true;
        }
        if incident.list.is_none() {
            self.reports.lists.wait(Await { id, at, fragment: false });
        }
        // Debug lines of the second capture are those of the first.
        if let Some((call, _)) = self.calls.of_failure(wanted(task, area, count)) {
            call.report = Some(id);
        }
        true
    }

    /// Joins a failure with the call that it ends, where the start of that is in the text.
    fn join_call(&mut self, id: Id, task: Option<&Task>) {
        let at = self.reports.at;
        let Some(open) = self.reports.window.get_mut(id) else { return };
        let Some(count) = open.incident.count else { return };
        let area = open.incident.area.clone();
        let ret = open.incident.ret;
        // A start and a trace event of one call may both be in the text.
        for origin in [Origin::Debug, Origin::Trace] {
            let wanted = Wanted { origin: Some(origin), ..wanted(task, area.as_ref(), count) };
            let before =
                (origin == Origin::Debug && self.calls.are_several()).then(|| self.calls.clone());
            let Some((call, certain)) = self.calls.of_failure(wanted) else { continue };
            self.unsure = before.filter(|_| !certain || !call.is_sure()).map(|calls| (id, calls));
            call.report = Some(id);
            if !certain {
                call.doubt(0);
            }
            let first = open.began.map_or(call.span.0.seq, |began| began.min(call.span.0.seq));
            open.began = Some(first);
            let from = AlignFrom::by(call.origin);
            let align = call.asked().filter(|_| certain).map(|(_, align)| (align, from));
            open.incident.align = open.incident.align.or(align);
            // A claim of another call may be before a line that says -12.
            let sure = call.asked().is_some() || ret == Some(EBUSY);
            let retries = call.retries().filter(|_| sure);
            open.incident.busy_retries = open.incident.busy_retries.or(retries);
            if retries.is_some_and(|retries| retries > 0) {
                open.incident.tried = Some(true);
                open.incident.slept |= call.may_have_slept(at);
            }
        }
    }

    /// The area of failure `id` has `total` pages, as its list says: a call that asked for more,
    /// and that may have been its own or another's, is none of these.
    pub(super) fn joined_again(&mut self, id: Id, task: Option<&Task>, total: Option<u64>) {
        let Some((_, mut calls)) = self.unsure.take_if(|(unsure, _)| *unsure == id) else { return };
        let (Some(open), Some(total)) = (self.reports.window.get_mut(id), total) else { return };
        let area = open.incident.area.clone();
        if calls.drop_larger(area.as_deref(), total) {
            self.calls = calls;
            (open.incident.busy_retries, open.incident.tried) = (None, None);
            self.join_call(id, task);
        }
    }
}

impl Reports {
    /// The failure that a word of prose means.
    fn named_before(&self, count: u64) -> Option<Id> {
        let mut near = self.window.latest(8).filter(|(_, open)| {
            open.has.any(Parts::LINE) && open.last.is_near(self.at, PROSE_LINES, SECOND_US)
        });
        near.find(|(_, open)| open.incident.count == Some(count)).map(|(id, _)| id)
    }

    /// Joins a failure with the lines just before it that name no call.
    fn join_near(&mut self, id: Id) {
        let at = self.at;
        let Some(open) = self.window.get(id) else { return };
        let (Some(count), ret) = (open.incident.count, open.incident.ret) else { return };
        let drivers: Vec<Id> = self.drivers_before(at, count);
        for driver in drivers {
            self.reported_as(id, driver);
            if let Some(driver) = self.window.get_mut(driver) {
                driver.belief = Belief::Gone;
            }
        }
        let wrote = self.near.take_written(count, at);
        let claims = self.take_claims(Some(count));
        let search = self.near.take_search(count, at);
        let mask = self.near.take_mask(count, at);
        let area = self.window.get(id).and_then(|open| open.incident.area.clone());
        let skipped = self.near.take_skipped(area.as_ref(), at);
        let Some(open) = self.window.get_mut(id) else { return };
        let incident = &mut open.incident;
        incident.skipped |= skipped;
        if wrote {
            // cma_alloc_mem() of mm/cma_debug.c asks for order 0.
            incident.align = incident.align.or(Some((0, AlignFrom::Debug)));
        }
        if let Some(claims) = claims.filter(|_| ret == Some(EBUSY)) {
            let align = claims.align.map(|align| (align, AlignFrom::Debug));
            incident.align = incident.align.or(align);
            incident.busy_retries = incident.busy_retries.or(Some(claims.count));
            incident.tried = Some(true);
        }
        for (align, size) in
            [search.map(|search| (search.align(), search.size)), mask].into_iter().flatten()
        {
            let align = align.map(|align| (align, AlignFrom::Debug));
            incident.align = incident.align.or(align);
            open.total = open.total.or(Some(size));
        }
        if ret == Some(ENOMEM) || ret.is_none() {
            incident.search_found_nothing |= search.is_some_and(|search| search.nothing);
        }
    }
}

fn wanted<'a>(task: Option<&'a Task>, area: Option<&'a Arc<str>>, count: u64) -> Wanted<'a> {
    let area = area.map(|area| &**area);
    Wanted { origin: None, task, area, count: Some(count), align: None }
}
