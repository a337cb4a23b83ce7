//! The buffers of an area as a trace shows them.

use std::collections::BTreeMap;

use cma_policies::Run;

use super::super::state::Layout;
use super::super::{AreaState, Hole, Known};

/// The most buffers that are followed in one area.
const MOST_LIVE: usize = 1 << 18;

/// The most buffers whose release is still to come though their pages are granted again: the event
/// of a release follows the clearing of its bits.
const MOST_LATE: usize = 16;

/// What is in an area.
#[derive(Clone, Debug, Default)]
pub(super) struct Live {
    /// Pages of each buffer that the trace granted, by its first one.
    buffers: BTreeMap<u64, u64>,
    /// Pages of each run that was taken before: whose buffers are not known.
    before: BTreeMap<u64, u64>,
    /// Pages of all of them.
    taken: u64,
    /// Buffers whose release is late.
    late: Vec<(u64, u64)>,
    /// Every page of the area is accounted for.
    exact: bool,
    /// The area was empty a moment ago, and the next grant shows where it begins.
    pub(super) begins: bool,
}

impl Live {
    /// Nothing is in the area.
    pub(super) fn empty() -> Self {
        Self { exact: true, ..Self::default() }
    }

    /// The area as `state` shows it, where that is placed and whole.
    pub(super) fn of(state: &AreaState) -> Option<Self> {
        let [range] = state.ranges.as_slice() else { return None };
        let (base, pages) = (range.base_pfn?, range.pages?);
        if !state.complete || !state.placed {
            return None;
        }
        let mut live = Self::empty();
        let holes = range.holes.iter().fold(0u64, |sum, hole| sum.saturating_add(hole.count));
        live.taken = pages.saturating_sub(holes);
        let mut at = 0;
        for hole in &range.holes {
            if hole.start > at {
                live.before.insert(base.checked_add(at)?, hole.start - at);
            }
            at = hole.end();
        }
        if pages > at {
            live.before.insert(base.checked_add(at)?, pages - at);
        }
        Some(live)
    }

    /// Whether every page is accounted for.
    pub(super) fn is_exact(&self) -> bool {
        self.exact
    }

    /// Events are missing, or contradict what was known.
    pub(super) fn lose_track(&mut self) {
        self.exact = false;
        self.begins = false;
        self.late.clear();
    }

    /// Steps that a look at the whole of it takes.
    pub(super) fn len(&self) -> usize {
        self.buffers.len() + self.before.len()
    }

    /// `count` pages from `pfn` on were granted. Returns whether that can be.
    pub(super) fn grant(&mut self, pfn: u64, count: u64) -> bool {
        if self.buffers.len() >= MOST_LIVE || count == 0 {
            self.lose_track();
            return true;
        }
        let end = pfn.saturating_add(count);
        let mut possible = true;
        while let Some((&start, &pages)) = self.buffers.range(..end).next_back() {
            if start.saturating_add(pages) <= pfn {
                break;
            }
            self.buffers.remove(&start);
            self.taken = self.taken.saturating_sub(pages);
            if self.late.len() < MOST_LATE {
                self.late.push((start, pages));
            } else {
                possible = false;
            }
        }
        if let Some((&start, &pages)) = self.before.range(..end).next_back() {
            possible &= start.saturating_add(pages) <= pfn;
        }
        self.buffers.insert(pfn, count);
        self.taken = self.taken.saturating_add(count);
        possible
    }

    /// `count` pages from `pfn` on were given back. Returns whether that can be.
    pub(super) fn release(&mut self, pfn: u64, count: u64) -> bool {
        if let Some(index) = self.late.iter().position(|late| *late == (pfn, count)) {
            self.late.swap_remove(index);
            return true;
        }
        let taken = take(&mut self.buffers, pfn, count) || take(&mut self.before, pfn, count);
        if taken {
            self.taken = self.taken.saturating_sub(count);
        }
        taken
    }

    /// The buffers that are known, ascending.
    pub(super) fn runs(&self) -> Vec<Run> {
        self.buffers.iter().map(|(pfn, count)| Run::new(*pfn, *count)).collect()
    }

    /// The area as it is, where every page is accounted for and the geometry is known.
    pub(super) fn state(&self, layout: &Layout) -> Option<AreaState> {
        let (base, pages) = (layout.base(0)?, layout.total?);
        if !self.exact || layout.bases.len() > 1 {
            return None;
        }
        let mut runs: Vec<(u64, u64)> =
            self.buffers.iter().chain(&self.before).map(|(pfn, count)| (*pfn, *count)).collect();
        runs.sort_unstable();
        let order = layout.order_per_bit.unwrap_or(0).min(32);
        let mut holes: Vec<Hole> = Vec::new();
        let mut at = 0u64;
        for (pfn, count) in runs {
            let start = pfn.checked_sub(base)?;
            // A buffer takes whole bits.
            let end = start.checked_add(count)?.checked_next_multiple_of(1 << order)?;
            if start > at {
                holes.push(Hole { start: at, count: start - at });
            }
            at = at.max(end);
        }
        if at > pages {
            return None;
        }
        if at < pages {
            holes.push(Hole { start: at, count: pages - at });
        }
        let mut state = layout.state(None, Known::Trace);
        state.ranges[0].holes = holes;
        state.free = Some(state.known_free());
        state.complete = true;
        state.placed = true;
        state.live = self.before.is_empty().then(|| self.runs());
        Some(state)
    }

    /// Whether the area has this many free pages, for all that is known.
    pub(super) fn agrees(&self, available: u64, layout: &Layout) -> bool {
        let order = layout.order_per_bit.unwrap_or(0);
        let free = layout.total.map(|total| total.saturating_sub(self.taken));
        order > 0 || !self.late.is_empty() || free.is_none_or(|free| free == available)
    }
}

/// Takes `[pfn, pfn + count)` out of the run in `runs` that holds it, if one does.
fn take(runs: &mut BTreeMap<u64, u64>, pfn: u64, count: u64) -> bool {
    let Some((&start, &pages)) = runs.range(..=pfn).next_back() else { return false };
    let Some(end) = pfn.checked_add(count) else { return false };
    let run_end = start.saturating_add(pages);
    if end > run_end || count == 0 {
        return false;
    }
    runs.remove(&start);
    if start < pfn {
        runs.insert(start, pfn - start);
    }
    if end < run_end {
        runs.insert(end, run_end - end);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(total: u64) -> Layout {
        let bases = vec![(0, 1024)];
        Layout { total: Some(total), bases, ..Layout::default() }
    }

    fn holes(live: &Live) -> Vec<(u64, u64)> {
        let state = live.state(&layout(512)).unwrap();
        state.holes().map(|(hole, _)| (hole.count, hole.start)).collect()
    }

    #[test]
    fn the_pages_taken_are_the_sum_of_what_is_there() {
        let mut live = Live::empty();
        live.before.insert(100, 50);
        live.taken = 50;
        let sum = |live: &Live| live.buffers.values().chain(live.before.values()).sum::<u64>();
        for step in 0..400u64 {
            let (pfn, count) = (step * 37 % 230, step % 9);
            if step % 3 == 0 {
                live.release(pfn, count);
            } else {
                live.grant(pfn, count);
            }
            assert_eq!(live.taken, sum(&live), "step {step}");
        }
    }

    #[test]
    fn grants_and_releases_leave_the_holes_that_they_should() {
        let mut live = Live::empty();
        assert_eq!(holes(&live), [(512, 0)]);
        assert!(live.grant(1024, 100) && live.grant(1280, 100));
        assert_eq!(holes(&live), [(156, 100), (156, 356)]);
        assert!(live.release(1034, 20));
        assert_eq!(holes(&live), [(20, 10), (156, 100), (156, 356)]);
        assert_eq!(live.runs().len(), 3);
        assert!(!live.release(1034, 20));
        assert!(live.agrees(332, &layout(512)) && !live.agrees(331, &layout(512)));
    }

    #[test]
    fn a_release_may_come_behind_the_next_grant_of_its_pages() {
        let mut live = Live::empty();
        assert!(live.grant(1024, 100) && live.grant(1024, 50) && live.release(1024, 100));
        assert_eq!(holes(&live), [(462, 50)]);
    }

    #[test]
    fn what_was_there_before_is_taken_and_can_be_given_back() {
        let mut live = Live::empty();
        live.grant(1024, 100);
        let mut live = Live::of(&live.state(&layout(512)).unwrap()).unwrap();
        assert_eq!(holes(&live), [(412, 100)]);
        assert!(live.state(&layout(512)).unwrap().live.is_none());
        assert!(!live.grant(1100, 100), "over pages that are taken");
        let mut live = Live { buffers: BTreeMap::new(), ..live };
        assert!(live.release(1024, 60) && live.release(1084, 40));
        assert_eq!(holes(&live), [(512, 0)]);
    }

    #[test]
    fn a_buffer_outside_the_area_is_no_state() {
        let mut live = Live::empty();
        live.grant(100, 10);
        assert_eq!(live.state(&layout(512)), None);
        let mut live = Live::empty();
        live.grant(u64::MAX, u64::MAX);
        assert_eq!(live.state(&layout(512)), None);
    }
}
