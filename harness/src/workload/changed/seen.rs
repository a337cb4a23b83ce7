//! What a stream asks for, and what it would with a change, in one pass.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::Change;
use super::early::Early;
use super::keep::Keep;
use super::live::{Class, Live, class};
use crate::op::{Op, Timed};

/// Pages that are live.
#[derive(Default)]
pub(super) struct Pages {
    live: Live,
    now: BTreeMap<u16, u64>,
    /// The most so far, of each client.
    pub(super) most: BTreeMap<u16, u64>,
    /// Requests, of each client.
    pub(super) requests: BTreeMap<u16, u64>,
    all: u64,
    /// The most so far, of all.
    pub(super) load: u64,
}

/// What clients of these numbers have in all.
pub(super) fn sum(of: &BTreeMap<u16, u64>, numbers: &BTreeSet<u16>) -> u64 {
    numbers.iter().filter_map(|number| of.get(number)).fold(0, |sum, n| sum.saturating_add(*n))
}

impl Pages {
    fn take(&mut self, timed: Timed) {
        match timed.op {
            Op::Alloc { id, request, dma } if self.live.get(id).is_none() => {
                self.live.put(id, class(request, dma));
                let now = self.now.entry(request.client()).or_default();
                *now = now.saturating_add(request.count());
                let most = self.most.entry(request.client()).or_default();
                *most = (*most).max(*now);
                *self.requests.entry(request.client()).or_default() += 1;
                self.all = self.all.saturating_add(request.count());
                self.load = self.load.max(self.all);
            }
            Op::Free { id, part } => {
                let Some(before) = self.live.get(id) else { return };
                let left = self.live.give(id, part).map_or(0, |after| after.left);
                let now = self.now.entry(before.class.0).or_default();
                *now = now.saturating_sub(before.left - left);
                self.all = self.all.saturating_sub(before.left - left);
            }
            Op::Alloc { .. } | Op::Pin(_) | Op::Unpin(_) => {}
        }
    }
}

/// Requests of one class.
#[derive(Clone, Copy, Default)]
pub(super) struct Tally {
    live: u64,
    /// The most that were live.
    pub(super) most: u64,
    /// The largest set.
    pub(super) set: u64,
}

/// A set that a client asks for.
#[derive(Default)]
struct Set {
    since_us: u64,
    of: BTreeMap<u64, u64>,
}

/// What was asked for.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) within_us: u64,
    classes: BTreeMap<Class, Tally>,
    sets: BTreeMap<u16, Set>,
    pub(super) now: Pages,
    /// The same with all that goes back in a moment before what is asked for in it.
    pub(super) apart: Pages,
    /// The same with all that was asked for kept.
    pub(super) kept: Pages,
}

impl Seen {
    /// What a stream asks for; what is within this time of each other is one moment.
    pub(super) fn of(ops: impl Iterator<Item = Timed>, within_us: u64) -> Self {
        let mut seen = Self { within_us, ..Self::default() };
        let (mut early, mut keep) = (Early::new(None, within_us), Keep::new(None));
        let mut out = VecDeque::new();
        for timed in ops {
            seen.take(timed);
            early.take(timed, &mut out);
            out.drain(..).for_each(|timed| seen.apart.take(timed));
            keep.take(timed, &mut out);
            out.drain(..).for_each(|timed| seen.kept.take(timed));
        }
        early.end(&mut out);
        out.drain(..).for_each(|timed| seen.apart.take(timed));
        seen
    }

    fn take(&mut self, timed: Timed) {
        let before = match timed.op {
            Op::Alloc { id, .. } | Op::Free { id, .. } => self.now.live.get(id),
            _ => None,
        };
        self.now.take(timed);
        match (timed.op, before) {
            (Op::Alloc { request, dma, .. }, None) => self.ask(timed.at_us, class(request, dma)),
            (Op::Free { id, .. }, Some(before)) => {
                self.sets.remove(&before.class.0);
                if self.now.live.get(id).is_none()
                    && let Some(tally) = self.classes.get_mut(&before.class)
                {
                    tally.live -= 1;
                }
            }
            _ => {}
        }
    }

    fn ask(&mut self, at_us: u64, class: Class) {
        let set = self.sets.entry(class.0).or_default();
        if at_us > set.since_us.saturating_add(self.within_us) {
            *set = Set { since_us: at_us, of: BTreeMap::new() };
        }
        let of_set = set.of.entry(class.1).or_default();
        *of_set += 1;
        let tally = self.classes.entry(class).or_default();
        tally.live += 1;
        tally.most = tally.most.max(tally.live);
        tally.set = tally.set.max(*of_set);
    }

    /// The classes of these clients, and the pages of each.
    pub(super) fn clients<'a>(
        &'a self,
        numbers: &'a BTreeSet<u16>,
    ) -> impl Iterator<Item = (&'a Class, &'a Tally)> {
        self.classes.iter().filter(|(class, _)| numbers.contains(&class.0))
    }
}
