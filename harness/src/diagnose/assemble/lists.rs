//! Which list of free runs belongs to which failure.
//!
//! A list does not name its failure. It follows its line at once, but two CPUs may print fail,
//! fail, list, list: then each list could be of each failure, and what is said must hold for both.

mod beside;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use super::reports::Reports;
use super::seen::Kind;
use super::window::{Belief, Id, Open, Parts, Window};
use super::{AlignFrom, Assembler, Incident, Reported, SECOND_US};
use crate::diagnose::By;
use crate::diagnose::era::Shown;
use crate::ingest::log::{FreeRuns, Shape, Task};
use crate::timeline::{Call, Place, Wanted, same_task};
use beside::AskedFor;
pub use beside::Beside;

/// The most failures that wait for a list at a time.
const MOST_WAITING: usize = 32;

/// Lines, of any kind, after which no list follows any more.
const PATIENCE_LINES: u64 = 400;

/// A failure so many lines after another one that waits longer is more likely meant.
const OVERTAKEN_LINES: u64 = 12;

/// Lines within which a neighbour's list shows the state of a failure, too.
const NEIGHBOUR_LINES: u64 = 16;

/// The most lists that are kept for a failure beside its own.
const MOST_OTHERS: usize = 16;

/// The most areas whose pages are remembered.
const MOST_TOTALS: usize = 64;

/// A failure that waits for its list.
#[derive(Clone, Copy, Debug)]
pub(super) struct Await {
    pub(super) id: Id,
    pub(super) at: Place,
    /// It is a word in prose, which hardly has a list.
    pub(super) fragment: bool,
}

/// A list that was read.
#[derive(Clone, Debug)]
struct Last {
    list: Arc<FreeRuns>,
    area: Option<Arc<str>>,
    at: Place,
}

/// Failures that wait for a list, and the lists just read.
#[derive(Debug, Default)]
pub(super) struct Pairing {
    waiting: Vec<Await>,
    /// Failures that waited together: each of their lists could be of each.
    together: Vec<Id>,
    last: Option<Last>,
    asked: AskedFor,
    /// The pages that the first list of each area has in all.
    totals: Vec<(Arc<str>, u64)>,
    /// Behind how many records pages were given back or granted last, by any call.
    released: u64,
    granted: u64,
}

/// The most lists before a line that are looked at.
const MOST_BEFORE: usize = 64;

/// A burst lasts as long as the kernel counts lines (`DEFAULT_RATELIMIT_INTERVAL`, 5 s).
const BURST_US: u64 = 5 * SECOND_US;

impl Pairing {
    /// A failure waits for its list.
    pub(super) fn wait(&mut self, waiting: Await) {
        self.waiting.retain(|other| {
            other.id != waiting.id && other.at.is_near(waiting.at, PATIENCE_LINES, 2 * SECOND_US)
        });
        if self.waiting.is_empty() {
            self.together.clear();
        }
        if self.waiting.len() == MOST_WAITING {
            self.waiting.remove(0);
        }
        self.waiting.push(waiting);
    }

    /// A call gave pages back, as the text shows at `at`: before or after that line.
    pub(super) fn released(&mut self, at: Place) {
        self.released = at.seq;
    }

    /// Pages were granted to a call before `at`.
    pub(super) fn granted(&mut self, at: Place) {
        self.granted = at.seq;
    }

    /// Whether pages may have moved between the end of the search for `open` and its list.
    fn moved_since(&self, open: &Open, at: Place) -> bool {
        let began = open.began.unwrap_or(open.last.seq);
        open.last.source == at.source && (self.released > began || self.granted > open.last.seq)
    }

    /// Whether an earlier list of this area has other pages in all: one of the two is not its own.
    fn is_of_another_area(&mut self, area: Option<&Arc<str>>, total: Option<u64>) -> bool {
        let (Some(area), Some(total)) = (area, total) else { return false };
        if let Some((_, known)) = self.totals.iter().find(|(known, _)| known == area) {
            return *known != total;
        }
        if self.totals.len() < MOST_TOTALS {
            self.totals.push((Arc::clone(area), total));
        }
        false
    }

    /// The list is of a failure whose line is there: what that asked for.
    fn asked_for(&mut self, incident: &Incident, list: &Arc<FreeRuns>) -> Option<Beside> {
        let &Incident { line, align, ret, .. } = incident;
        let Reported::Line(shape) = incident.reported else { return None };
        let count = incident.count.filter(|_| shape != Shape::Fragment)?;
        let beside = Beside { count, align, ret, line, lines: 1, equal: false };
        self.asked.note(list, beside);
        Some(beside)
    }

    /// Another source begins.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The list just before a failure at `at`.
    pub(super) fn list_before(&self, at: Place, area: Option<&Arc<str>>) -> Option<Arc<FreeRuns>> {
        let last = self.last.as_ref()?;
        let near = last.at.is_near(at, NEIGHBOUR_LINES, SECOND_US);
        (near && last.area.as_ref() == area).then(|| Arc::clone(&last.list))
    }

    /// Those that a list printed by `task` at `at` can be of, oldest first; and whether a task
    /// says so. `can_have`: whether the area of that name has as many pages as the list.
    fn candidates(
        &self,
        window: &Window,
        task: Option<&Task>,
        at: Place,
        can_have: impl Fn(Option<&str>) -> bool,
    ) -> (Vec<Await>, bool) {
        let mut own = Vec::new();
        let mut any = Vec::new();
        for waiting in &self.waiting {
            let Some(open) = window.get(waiting.id) else { continue };
            let printed_before = match (waiting.at.time_us, at.time_us) {
                (Some(failed), Some(listed)) => failed <= listed.saturating_add(1000),
                _ => true,
            };
            if !printed_before || !waiting.at.is_near(at, PATIENCE_LINES, 2 * SECOND_US) {
                continue;
            }
            if !can_have(open.incident.area.as_deref()) {
                continue;
            }
            match same_task(open.task.as_ref(), task) {
                Some(true) => own.push(*waiting),
                Some(false) => {}
                None => any.push(*waiting),
            }
        }
        let is_sure = !own.is_empty();
        let mut found = if is_sure { own } else { any };
        if found.iter().any(|waiting| !waiting.fragment) {
            found.retain(|waiting| !waiting.fragment);
        }
        if is_sure {
            // A task waits for one list at a time: those of the others were lost.
            found.drain(..found.len() - 1);
        } else if let Some(newest) = found.last().map(|waiting| waiting.at) {
            // One that waits since long has lost its list.
            found.retain(|waiting| waiting.at.is_near(newest, OVERTAKEN_LINES, SECOND_US / 10));
        }
        (found, is_sure)
    }
}

impl Assembler {
    /// A list of free runs.
    pub(super) fn list(&mut self, task: Option<&Task>, list: FreeRuns) {
        let list = Arc::new(list);
        let shown = Shown::by_list(&list);
        self.scene.text.note(shown.hard);
        if list.free.is_none() && list.ranges.iter().all(|range| range.runs.is_empty()) {
            self.reports.list_is_lost(task);
            return;
        }
        if self.is_listed_again(task, &list) {
            return;
        }
        let can_have = |area: Option<&str>| self.areas.can_have(area, list.total);
        let (mut candidates, is_sure) =
            self.reports.lists.candidates(&self.reports.window, task, self.reports.at, can_have);
        // How large an area is may itself be known by its lists only: that picks one, and proves
        // nothing.
        if !is_sure && candidates.len() > 1 {
            self.reports.wait_together(&candidates);
        }
        self.keep_as_large(&mut candidates, list.total);
        let id = match candidates.first() {
            Some(first) => {
                self.reports.share(&list, &candidates, is_sure);
                first.id
            }
            None => self.list_without_line(task, &list),
        };
        self.reports.seen.note(Kind::List, self.reports.at, list.sum(), id);
        let area = self.reports.window.get(id).and_then(|open| open.incident.area.clone());
        self.reports.attach(id, &list);
        self.joined_again(id, task, list.total);
        self.reports.lists.last = Some(Last { list, area, at: self.reports.at });
    }

    /// Keeps those of `candidates` whose area has as many pages as the list says.
    fn keep_as_large(&mut self, candidates: &mut Vec<Await>, total: Option<u64>) {
        let Some(total) = total else { return };
        let area = |waiting: &Await| self.reports.window.get(waiting.id)?.incident.area.clone();
        let alone = match &self.reports.lists.waiting[..] {
            [only] if !self.reports.lists.together.contains(&only.id) => area(only),
            _ => None,
        };
        let by_boot = |area: &Arc<str>| {
            let stated = self.scene.sizes.bounds(Some(area)).area;
            stated.filter(|stated| stated.by == By::Boot).map(|stated| stated.pages)
        };
        let pages = |area: Arc<str>| self.areas.pages_of(&area).or_else(|| by_boot(&area));
        let fits =
            |waiting: &Await| area(waiting).and_then(pages).is_none_or(|pages| pages == total);
        if candidates.iter().any(fits) || self.areas.any_of(total) {
            candidates.retain(fits);
        }
        if let Some(area) = alone.filter(|_| candidates.len() == 1) {
            self.areas.learned(&area, total);
        }
    }

    /// Whether another capture showed this very list.
    fn is_listed_again(&mut self, task: Option<&Task>, list: &Arc<FreeRuns>) -> bool {
        let Some(id) = self.reports.seen.find(Kind::List, self.reports.at, list.sum()) else {
            return false;
        };
        let Some(open) = self.reports.window.get_mut(id) else { return false };
        if open.incident.list.as_ref() != Some(list) {
            return false;
        }
        if !open.has.any(Parts::LINE) {
            open.incident.duplicates += 1;
        }
        // Debug lines of the second capture are those of the first.
        if let Some(count) = open.incident.count {
            let (origin, area, align) = (None, None, None);
            let wanted = Wanted { origin, task, area, count: Some(count), align };
            if let Some((call, _)) = self.calls.of_failure(wanted) {
                call.report = Some(id);
            }
        }
        self.reports.lists.waiting.retain(|waiting| waiting.id != id);
        true
    }

    /// The failure of a list before which no failure line is: the line was hidden by the rate
    /// limit, or is in no part of the text.
    fn list_without_line(&mut self, task: Option<&Task>, list: &FreeRuns) -> Id {
        let total = list.total;
        let several = self.calls.several(task);
        let areas = &self.areas;
        let as_large = |area: Option<&str>| {
            area.and_then(|area| areas.pages_of(area)).zip(total).is_none_or(|(all, of)| all == of)
        };
        let (window, at) = (&self.reports.window, self.reports.at);
        if let Some(call) = self.calls.only(task, at, as_large) {
            let area = call.area.as_deref();
            let traced =
                call.count.and_then(|count| self.join.trace_of_line(window, at, area, count, None));
            let id = traced.unwrap_or_else(|| window.next());
            call.report = Some(id);
            if traced.is_none() {
                let mut open = self.reports.begin(Reported::List, task.cloned());
                of_call(&mut open, call);
                if several {
                    open.belief.share();
                }
                if let Some(count) = open.incident.count {
                    self.join.line(id, count);
                }
                self.reports.window.push(open);
            }
            return id;
        }
        if let Some(id) = self.join.trace_of_list(window, at, list) {
            return id;
        }
        let mut open = self.reports.begin(Reported::List, task.cloned());
        open.incident.beside = self.reports.lists.asked.of(list);
        if several {
            open.belief = Belief::Anyones;
        }
        let id = self.reports.window.push(open);
        self.join.list(id);
        id
    }
}

/// What a report that is just a list has from its call.
fn of_call(open: &mut Open, call: &Call) {
    let incident = &mut open.incident;
    incident.area.clone_from(&call.area);
    incident.count = call.count;
    incident.align = call.align.map(|align| (align, AlignFrom::by(call.origin)));
    incident.busy_retries = call.retries();
    incident.tried = call.retries().filter(|retries| *retries > 0).map(|_| true);
    open.began = Some(call.span.0.seq);
}

impl Reports {
    /// Of a list there is only the head: its failure does not wait any more.
    fn list_is_lost(&mut self, task: Option<&Task>) {
        let (candidates, is_sure) = self.lists.candidates(&self.window, task, self.at, |_| true);
        if !is_sure && candidates.len() > 1 {
            self.wait_together(&candidates);
        }
        if let Some(first) = candidates.first() {
            self.lists.waiting.retain(|waiting| waiting.id != first.id);
        }
    }

    /// Each of the lists to come may be of each of `candidates`.
    fn wait_together(&mut self, candidates: &[Await]) {
        let pairing = &mut self.lists;
        for candidate in candidates {
            let new = !pairing.together.contains(&candidate.id);
            if new && pairing.together.len() < MOST_WAITING {
                pairing.together.push(candidate.id);
            }
        }
        for id in &pairing.together {
            if let Some(open) = self.window.get_mut(*id) {
                open.together.clone_from(&pairing.together);
            }
        }
    }

    /// The list belongs to failure `id`.
    fn attach(&mut self, id: Id, list: &Arc<FreeRuns>) {
        let at = self.at;
        self.window.charge(list);
        if let Some(open) = self.window.get_mut(id) {
            let area = open.incident.area.as_ref();
            let other = self.lists.is_of_another_area(area, list.total);
            open.incident.moved |= other || self.lists.moved_since(open, at);
            open.shown = open.shown.and(Shown::by_list(list));
            open.incident.list = Some(Arc::clone(list));
            open.last = at;
            if let Some(asked) = self.lists.asked_for(&open.incident, list) {
                self.tell_those_before(id, list, Beside { equal: true, ..asked });
            }
        }
    }

    /// The lists just before that of `id` that are equal to it and whose line is not in the text:
    /// theirs may have been hidden or lost as well.
    fn tell_those_before(&mut self, id: Id, list: &Arc<FreeRuns>, asked: Beside) {
        let at = self.at;
        let before = self.window.latest(MOST_BEFORE).filter(|(other, _)| *other != id);
        let equal = before.take_while(|(_, open)| {
            let incident = &open.incident;
            incident.reported == Reported::List
                && incident.count.is_none()
                && open.last.is_near(at, u64::MAX, BURST_US)
                && incident.list.as_ref() == Some(list)
        });
        let equal: Vec<Id> = equal.map(|(other, _)| other).collect();
        for other in equal {
            if let Some(open) = self.window.get_mut(other) {
                beside::add(&mut open.incident.beside, asked);
            }
        }
    }

    /// The first of `candidates` takes the list; the others might as well.
    fn share(&mut self, list: &Arc<FreeRuns>, candidates: &[Await], is_sure: bool) {
        let Some(chosen) = candidates.first().map(|first| first.id) else { return };
        if !is_sure && candidates.len() > 1 {
            self.wait_together(candidates);
        }
        let pairing = &mut self.lists;
        if pairing.together.contains(&chosen) && !is_sure {
            for id in pairing.together.iter().filter(|id| **id != chosen) {
                let Some(open) = self.window.get_mut(*id) else { continue };
                if open.incident.other_lists.len() < MOST_OTHERS {
                    open.incident.other_lists.push(Arc::clone(list));
                }
            }
        }
        pairing.waiting.retain(|waiting| waiting.id != chosen);
        if pairing.waiting.is_empty() {
            pairing.together.clear();
        }
    }
}
