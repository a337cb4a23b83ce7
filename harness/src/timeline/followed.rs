//! The pages of an area as its events show them, on top of a picture or from empty on.

use cma_policies::Run;

use super::live::{Free, Live, Released};
use super::state::{AreaState, Hole, Known, Layout, RangeState};

/// The most buffers that are followed in one area.
const MOST_LIVE: usize = 1 << 18;

/// What is in an area.
#[derive(Clone, Debug, Default)]
pub(super) struct Followed {
    live: Live,
    /// Every page of the area is accounted for.
    exact: bool,
    /// The area was empty a moment ago, and the next grant shows where it begins.
    pub(super) begins: bool,
    /// The number of the next buffer.
    next: u64,
    /// A part of a buffer was given back.
    parted: bool,
}

impl Followed {
    /// Nothing is in the area.
    pub(super) fn empty() -> Self {
        Self { exact: true, ..Self::default() }
    }

    /// The area as `state` shows it, where that is placed and whole.
    pub(super) fn of(state: &AreaState) -> Option<Self> {
        if !state.complete || !state.placed {
            return None;
        }
        let mut live = Live::default();
        for range in &state.ranges {
            let (base, pages) = (range.base_pfn?, range.pages?);
            base.checked_add(pages)?;
            let mut at = 0;
            let end = Hole { start: pages, count: 0 };
            for hole in range.holes.iter().chain([&end]) {
                if hole.start > at {
                    live.hold(Live::BEFORE, Run::new(base + at, hole.start - at));
                }
                at = hole.end();
            }
        }
        Some(Self { live, ..Self::empty() })
    }

    /// Whether every page is accounted for.
    pub(super) fn is_exact(&self) -> bool {
        self.exact
    }

    /// Events are missing, or contradict what was known.
    pub(super) fn lose_track(&mut self) {
        self.exact = false;
        self.begins = false;
        self.live.forget();
    }

    /// Steps that a look at the whole of it takes.
    pub(super) fn len(&self) -> usize {
        self.live.len()
    }

    /// `run` was granted. Returns whether that can be: not where it was taken before and nobody
    /// gave it back.
    pub(super) fn grant(&mut self, run: Run) -> bool {
        if self.live.len() >= MOST_LIVE {
            self.lose_track();
            return true;
        }
        let mut possible = true;
        let all_came = self.change(|live, next| {
            live.grant(next, run, &mut |free| possible &= free.id != Live::BEFORE);
        });
        all_came && possible
    }

    /// A claim of `run` was busy: its bits were clear. Returns whether that is news.
    pub(super) fn tried(&mut self, run: Run) -> bool {
        let mut is_news = false;
        self.live.clear(run, &mut |_| is_news = true);
        is_news
    }

    /// The range that begins with `run`, which is in none of those that are stated: the only one
    /// that is as long and in which nothing is. Debugfs was read in another boot.
    pub(super) fn elsewhere(&self, layout: &Layout, run: Run) -> Option<u32> {
        if !self.exact || layout.bases.len() < 2 {
            return None;
        }
        let ranges = layout.ranges().filter(|ranges| !ranges.iter().any(|at| at.contains(run)))?;
        let is_empty = |at: &Run| self.live.gaps(*at).eq([*at]) && run.count <= at.count;
        let mut empty = layout.bases.iter().zip(&ranges).filter(|(_, at)| is_empty(at));
        let ((number, _), own) = empty.next().filter(|_| empty.next().is_none())?;
        let moved = Run::new(run.pfn.0, own.count);
        let overlaps = ranges.iter().any(|at| at != own && at.overlaps(moved));
        (!overlaps).then_some(*number)
    }

    /// The least order of one bit at which a buffer of order 0 goes to `run` by first fit: the free
    /// pages before it are of the last bit of the buffer before them. 0 where any order may be.
    pub(super) fn order_before(&self, run: Run) -> u32 {
        /// More pages than a bit has.
        const FAR: u64 = 1 << 12;
        let from = run.pfn.0.saturating_sub(FAR);
        let last = self.live.gaps(Run::new(from, run.pfn.0 - from)).last();
        let slack = last.filter(|gap| gap.end() == run.pfn && gap.pfn.0 > from);
        slack.filter(|_| self.exact).map_or(0, |gap| u64::BITS - gap.count.leading_zeros())
    }

    /// `run` was given back. Returns whether that can be.
    pub(super) fn release(&mut self, run: Run) -> bool {
        let mut given = Released::Before;
        let all_came = self.change(|live, _| given = live.give_back(run));
        self.parted |= matches!(given, Released::Free(Free { part: Some(_), .. }));
        all_came && matches!(given, Released::Free(_) | Released::Before)
    }

    /// Whether a part of a buffer was given back since the area was empty.
    pub(super) fn is_parted(&self) -> bool {
        self.parted
    }

    /// Makes a change; whether all releases that are due came.
    fn change(&mut self, change: impl FnOnce(&mut Live, u64)) -> bool {
        let missing = self.live.missing();
        change(&mut self.live, self.next);
        self.next += 1;
        self.live.missing() == missing
    }

    /// The buffers that are known, ascending.
    pub(super) fn runs(&self) -> Vec<Run> {
        let known = self.live.pieces().filter(|(_, id)| *id != Live::BEFORE);
        let mut runs = Vec::with_capacity(self.len());
        runs.extend(known.map(|(run, _)| run));
        runs
    }

    /// The area as it is, where every page is accounted for and the geometry is known.
    pub(super) fn state(&self, layout: &Layout) -> Option<AreaState> {
        let order = layout.order_per_bit.unwrap_or(0).min(32);
        // A bit of which a page was given back is clear, though others of it may live.
        if !self.exact || self.parted && order > 0 {
            return None;
        }
        let ranges = layout.ranges()?;
        let numbers = layout.bases.iter().map(|(number, _)| *number);
        let mut state = layout.state(None, Known::Trace);
        state.ranges =
            numbers.zip(&ranges).map(|(number, run)| self.range(number, *run, order)).collect();
        if !self.is_all_in(&ranges) {
            return None;
        }
        state.free = Some(state.known_free());
        state.complete = true;
        state.placed = true;
        state.live = Some(self.runs()).filter(|runs| runs.len() == self.len());
        Some(state)
    }

    /// Range `number`, which has the pages of `run`.
    fn range(&self, number: u32, run: Run, order: u32) -> RangeState {
        // A buffer takes whole bits; pages after the last one have none.
        let granule = 1 << order;
        let mapped = run.count >> order << order;
        let hole = |gap: Run| {
            let (start, end) = (gap.pfn.0 - run.pfn.0, gap.end().0 - run.pfn.0);
            let (start, end) = (start.checked_next_multiple_of(granule)?, end.min(mapped));
            (start < end).then(|| Hole { start, count: end - start })
        };
        let mut holes = Vec::with_capacity(self.len() + 1);
        holes.extend(self.live.gaps(run).filter_map(hole));
        RangeState { number, base_pfn: Some(run.pfn.0), pages: Some(run.count), holes }
    }

    /// Whether all that is held is in `ranges`.
    fn is_all_in(&self, ranges: &[Run]) -> bool {
        if let [range] = ranges {
            let mut pieces = self.live.pieces();
            let ends = [pieces.next(), pieces.next_back()];
            return ends.iter().flatten().all(|(run, _)| range.contains(*run));
        }
        let free = |run: &Run| self.live.gaps(*run).map(|gap| gap.count).sum::<u64>();
        ranges.iter().map(|run| run.count - free(run)).sum::<u64>() == self.live.taken()
    }

    /// Whether the area has this many free pages, for all that is known.
    pub(super) fn agrees(&self, available: u64, layout: &Layout) -> bool {
        let order = layout.order_per_bit.unwrap_or(0);
        let free = layout.total.map(|total| total.saturating_sub(self.live.taken()));
        order > 0 || self.live.any_due() || free.is_none_or(|free| free == available)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(total: u64) -> Layout {
        let bases = vec![(0, 1024)];
        Layout { total: Some(total), bases, ..Layout::default() }
    }

    fn holes(area: &Followed) -> Vec<(u64, u64)> {
        let state = area.state(&layout(512)).unwrap();
        state.holes().map(|(hole, _)| (hole.count, hole.start)).collect()
    }

    fn grant(area: &mut Followed, pfn: u64, count: u64) -> bool {
        area.grant(Run::new(pfn, count))
    }

    fn release(area: &mut Followed, pfn: u64, count: u64) -> bool {
        area.release(Run::new(pfn, count))
    }

    #[test]
    fn grants_and_releases_leave_the_holes_that_they_should() {
        let mut area = Followed::empty();
        assert_eq!(holes(&area), [(512, 0)]);
        assert!(grant(&mut area, 1024, 100) && grant(&mut area, 1280, 100));
        assert_eq!(holes(&area), [(156, 100), (156, 356)]);
        assert!(release(&mut area, 1034, 20));
        assert_eq!(holes(&area), [(20, 10), (156, 100), (156, 356)]);
        assert_eq!(area.runs().len(), 3);
        assert!(!release(&mut area, 1034, 20));
        assert!(area.agrees(332, &layout(512)) && !area.agrees(331, &layout(512)));
    }

    #[test]
    fn a_release_may_come_after_the_next_grant_of_its_pages() {
        let mut area = Followed::empty();
        assert!(grant(&mut area, 1024, 100) && grant(&mut area, 1024, 50));
        assert!(release(&mut area, 1024, 100));
        assert_eq!(holes(&area), [(462, 50)]);
    }

    #[test]
    fn a_release_that_never_comes_is_found_impossible() {
        let mut area = Followed::empty();
        assert!(grant(&mut area, 1024, 100) && grant(&mut area, 1024, 50));
        let possible = (0..80).map(|at| grant(&mut area, 1200 + at, 1));
        assert_eq!(possible.filter(|possible| !possible).count(), 1);
    }

    #[test]
    fn what_was_busy_was_not_held() {
        let mut area = Followed::empty();
        grant(&mut area, 1024, 100);
        assert!(area.tried(Run::new(1100, 50)) && !area.tried(Run::new(1100, 50)));
        assert_eq!(holes(&area), [(512, 0)]);
        assert!(release(&mut area, 1024, 100), "its release comes late");
    }

    #[test]
    fn what_was_there_before_is_taken_and_can_be_given_back() {
        let mut area = Followed::empty();
        grant(&mut area, 1024, 100);
        let area = Followed::of(&area.state(&layout(512)).unwrap()).unwrap();
        assert_eq!(holes(&area), [(412, 100)]);
        assert!(area.state(&layout(512)).unwrap().live.is_none());
        assert!(!grant(&mut area.clone(), 1100, 100), "over pages that are taken");
        let mut area = area;
        assert!(release(&mut area, 1024, 60) && release(&mut area, 1084, 40));
        assert_eq!(holes(&area), [(512, 0)]);
    }

    #[test]
    fn a_buffer_outside_the_area_is_no_state() {
        for pfn in [100, u64::MAX - 9] {
            let mut area = Followed::empty();
            grant(&mut area, pfn, 9);
            assert_eq!(area.state(&layout(512)), None);
        }
    }
}
