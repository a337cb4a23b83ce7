//! A failure to which nothing more can belong.

use std::sync::Arc;

use super::window::{Belief, Open, Parts};
use super::{Assembler, Incident, Reported};
use crate::diagnose::Bounds;
use crate::diagnose::era::Shown;
use crate::diagnose::outcome::{outcome, own_area_only};
use crate::ingest::log::{FreeRuns, Shape};
use crate::timeline::{AreaState, Known};
use Reported::Line;

impl Assembler {
    /// Finishes the failures for which there is no more room, or `all`.
    pub(super) fn settle(&mut self, all: bool) {
        while let Some((id, mut open)) = self.reports.window.pop(all) {
            self.doubt_lists(&mut open);
            self.join.forget(id, open.incident.count);
            self.reports.seen.forget(id + 1);
            if open.belief != Belief::Gone {
                let is_allocators = !matches!(
                    open.incident.reported,
                    Reported::Driver | Reported::Claims | Reported::Line(_)
                );
                if is_allocators {
                    self.scene.hidden.seen(open.incident.time_us);
                }
                let incident = self.finish(open);
                self.reports.ready.push_back(incident);
            }
        }
    }

    /// Where fewer lists than failures that waited for one are in the text, none is surely of its
    /// failure.
    fn doubt_lists(&mut self, open: &mut Open) {
        let listed = |open: &Open| open.incident.list.is_some();
        let lost = !listed(open)
            || open
                .together
                .iter()
                .any(|id| self.reports.window.get(*id).is_some_and(|open| !listed(open)));
        if lost {
            for id in &open.together {
                if let Some(other) = self.reports.window.get_mut(*id) {
                    other.belief.share();
                }
            }
        }
        if (lost && !open.together.is_empty() || open.belief == Belief::Shared)
            && let Some(list) = open.incident.list.take()
        {
            open.incident.other_lists.insert(0, list);
        }
    }

    fn finish(&mut self, mut open: Box<Open>) -> Arc<Incident> {
        self.take_neighbours(&mut open);
        let release = open.release.take();
        let stated = release.or_else(|| self.scene.stated().cloned());
        let own = match open.incident.other_lists.first() {
            Some(list) if open.incident.list.is_none() => open.shown.and(Shown::by_list(list)),
            _ => open.shown,
        };
        open.incident.era = self.scene.era(own, stated.as_ref());
        let may_print_bits = self.scene.text.may_print_bits(own, stated.as_deref());
        self.add_state(&mut open, may_print_bits);
        self.add_bounds(&mut open);
        let printed = open.task.take().filter(|task| task.comm.is_some() || task.pid.is_some());
        let incident = &mut open.incident;
        incident.who.task = incident.who.task.take().or(printed);
        let printed = matches!(incident.reported, Line(_) | Reported::Debug | Reported::List);
        incident.logged = printed || incident.list.is_some() || open.has.any(Parts::LINE);
        incident.outcome = outcome(incident, self.scene.clients, self.scene.boot.machine());
        incident.who.own_area_only = own_area_only(incident, self.scene.boot.machine());
        Arc::new(open.incident)
    }

    /// Where its own list is not in the text, the lists just before and after it show the state,
    /// too. Of what is no line of a kernel that prints lists, none does.
    fn take_neighbours(&self, open: &mut Open) {
        let incident = &mut open.incident;
        let line = matches!(incident.reported, Reported::Line(shape) if shape != Shape::Fragment);
        if incident.list.is_some() {
            return;
        }
        if !line {
            incident.other_lists.clear();
        } else if let Some(before) = open.before.take() {
            incident.other_lists.insert(0, before);
        }
    }

    /// What the text states beside its list.
    fn add_bounds(&mut self, open: &mut Open) {
        let incident = &open.incident;
        let device = incident.who.device.as_ref().filter(|_| incident.area.is_none());
        let own = device.and_then(|device| self.scene.sizes.of_device(device)).cloned();
        let area = own.as_ref().map(|own| Arc::clone(&own.area)).or_else(|| incident.area.clone());
        let known = incident.bounds.clone();
        let bounds = known.or_else(|| self.scene.sizes.shared(area.as_ref()));
        let bounds = bounds.map(|bounds| match incident.count {
            // Up to 6.14 the kernel says nothing of a request that is larger than its area.
            Some(count)
                if incident.reported != Reported::Driver && incident.era.flipped == Some(false) =>
            {
                bounds.of_at_least(count)
            }
            _ => bounds,
        });
        let held = open.held.take().or_else(|| self.reports.dumps.exported.clone());
        open.incident.bounds = match (bounds, own, held) {
            (bounds, None, None) => bounds,
            (bounds, own, held) => {
                let bounds = bounds.map_or_else(
                    || self.scene.sizes.bounds(area.as_ref()),
                    |bounds| Bounds::clone(&bounds),
                );
                let own = own.filter(|_| bounds.area.is_some());
                Some(Arc::new(Bounds { held, own, ..bounds }))
            }
        };
    }

    /// The state when it failed: by its list, by the trace, by a snapshot of debugfs, or no more
    /// than the pages of the area.
    fn add_state(&mut self, open: &mut Open, may_print_bits: bool) {
        let incident = &mut open.incident;
        let list: Option<Arc<FreeRuns>> =
            incident.list.clone().or_else(|| incident.other_lists.first().cloned());
        let total = list.as_ref().and_then(|list| list.total).or(open.total);
        let caller = &self.scene.options.geometry;
        let mut layout = self.areas.layout(incident.area.as_ref(), total, caller);
        layout.total = total.or(layout.total);
        if let Some(list) = list {
            let (state, doubtful) = AreaState::of_list(&list, &layout, may_print_bits);
            incident.doubtful = doubtful;
            incident.other_readings = AreaState::other_readings(&list, &layout, may_print_bits);
            if !doubtful {
                self.areas.listed(incident.area.as_ref(), &state);
            }
            incident.available = state.available.or(incident.available);
            incident.state = Some(Arc::new(state));
            return;
        }
        let traced = open.traced.take();
        incident.moved |= traced.as_ref().is_some_and(|traced| traced.moved);
        incident.inferred = traced.as_ref().is_some_and(|traced| traced.inferred);
        incident.state = traced.map(|traced| traced.state).or_else(|| {
            let snapshot = self.areas.snapshot(incident.area.as_ref(), caller);
            let pages = || {
                layout.total?;
                Some(Arc::new(layout.state(None, Known::List)))
            };
            // A driver alone does not say that it asked this area, or any.
            if incident.reported == Reported::Driver { None } else { snapshot.or_else(pages) }
        });
    }
}
