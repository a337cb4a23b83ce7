//! An area out of numbers, whatever they are.

use cma_policies::{Area, Run};

use super::Areas;

/// The largest of each that [`Areas`] may ask for.
pub(super) const MOST_GRANULES: u64 = 1 << 22;
pub(super) const MOST_RANGES: usize = 8;
pub(super) const MOST_ORDER: u32 = 30;

/// A range, as numbers.
#[derive(Clone, Copy, Debug)]
pub(super) struct RangePick {
    /// Its granules, at least 1.
    pub(super) granules: u64,
    /// Pages past the last of them, modulo a granule.
    pub(super) tail: u64,
    /// Pages before it, from the end of the range below on.
    pub(super) gap: u64,
    /// How many of the ranges below it are searched after it, modulo their number and 1.
    pub(super) before: u8,
}

impl Areas {
    /// The area of these ranges, from the lowest on, none of which is before page `base`.
    pub(super) fn of(&self, order_per_bit: u32, base: u64, picks: &[RangePick]) -> Area {
        let order = order_per_bit.min(self.most_order).min(MOST_ORDER);
        let granule = 1_u64 << order;
        let placed = |pfn: u64| if self.off_granule { pfn } else { pfn.next_multiple_of(granule) };
        let most = self.most_granules.clamp(1, MOST_GRANULES);
        let mut ranges: Vec<Run> = Vec::new();
        let mut pfn = placed(base);
        for pick in picks.iter().take(self.most_ranges.clamp(1, MOST_RANGES)) {
            if !ranges.is_empty() {
                pfn = placed(pfn + pick.gap);
            }
            let tail = if self.off_granule { pick.tail % granule } else { 0 };
            let count = (pick.granules.clamp(1, most) << order) + tail;
            let after = usize::from(pick.before) % (ranges.len() + 1);
            ranges.insert(ranges.len() - after, Run::new(pfn, count));
            pfn += count;
        }
        Area::new("cma", order, &ranges).expect("ranges of at least a granule that are apart")
    }
}
