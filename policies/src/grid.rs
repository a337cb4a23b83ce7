//! Where in a range a grant may start.

use crate::run::Pfn;

/// The pages of a range at which a grant of some alignment order may start, as the search of
/// `cma_alloc()` (`mm/cma.c`) finds them.
///
/// The search goes by bits of `2^order_per_bit` pages and stops at those with
/// `(bit + offset) & mask == 0`. `cma_bitmap_aligned_offset()` counts the base in whole bits: where
/// it is no multiple of them, an aligned page is no multiple of `2^align`.
///
/// Pages are counted from the first one of the range. Any number is taken, since a log may state
/// any; an [`Area`](crate::Area) has those that can be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Grid {
    /// The base, down to the first page of its bit.
    base: u64,
    order_per_bit: u32,
}

impl Grid {
    /// That of a range that begins at page `base`.
    pub const fn new(base: Pfn, order_per_bit: u32) -> Self {
        let order_per_bit = if order_per_bit < 63 { order_per_bit } else { 63 };
        Self { base: base.0 >> order_per_bit << order_per_bit, order_per_bit }
    }

    /// The page that alignment is counted from page 0 on by: the base, down to whole bits.
    pub const fn base(self) -> u64 {
        self.base
    }

    /// `count` pages up to whole bits, or all pages there are.
    pub const fn whole(self, count: u64) -> u64 {
        match count.checked_next_multiple_of(1 << self.order_per_bit) {
            Some(whole) => whole,
            None => u64::MAX,
        }
    }

    /// Pages from `start` to the first page at or past it where order `align` may start; `None`
    /// where that is more than there are.
    pub const fn lost(self, start: u64, align: u32) -> Option<u64> {
        let order = if align > self.order_per_bit { align } else { self.order_per_bit };
        if order < u64::BITS {
            return Some(start.wrapping_add(self.base).wrapping_neg() & ((1 << order) - 1));
        }
        let mask = if order < 127 { (1u128 << order) - 1 } else { u128::MAX >> 1 };
        let lost = (start as u128 + self.base as u128).wrapping_neg() & mask;
        if lost > u64::MAX as u128 { None } else { Some(lost as u64) }
    }

    /// That first page.
    pub const fn first_aligned(self, start: u64, align: u32) -> Option<u64> {
        match self.lost(start, align) {
            Some(lost) => start.checked_add(lost),
            None => None,
        }
    }

    /// Of `count` pages from `start` on, those from the first one on where order `align` may start.
    pub const fn usable(self, start: u64, count: u64, align: u32) -> u64 {
        match self.lost(start, align) {
            Some(lost) => count.saturating_sub(lost),
            None => 0,
        }
    }

    /// The largest order that may start at one of the `room` + 1 pages from `start` on; 64 where
    /// every one may, `None` where no bit begins there.
    pub const fn most_align(self, start: u64, room: u64) -> Option<u32> {
        let first = start as u128 + self.base as u128;
        let last = first + room as u128;
        // The highest bit in which the page before the first one and the last one differ.
        let Some(before) = first.checked_sub(1) else { return Some(u64::BITS) };
        match (before ^ last).checked_ilog2() {
            Some(order) if order >= u64::BITS => Some(u64::BITS),
            Some(order) if order >= self.order_per_bit => Some(order),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_lost_is_what_division_says() {
        let starts = [0, 1, 5, 255, 256, 1 << 40, u64::MAX - 1];
        for (start, base) in starts.into_iter().flat_map(|start| starts.map(|base| (start, base))) {
            for order in [0, 1, 9, 62, 63, 64, 99] {
                let grid = Grid::new(Pfn(base), order);
                let granule = 1u128 << order.min(63);
                for align in [0, 1, 2, 8, 10, 62, 63, 64, 100, 200] {
                    let unit = granule.max(1 << align.min(120));
                    let first = u128::from(start) + u128::from(base) / granule * granule;
                    let right = u64::try_from((unit - first % unit) % unit).ok();
                    assert_eq!(grid.lost(start, align), right, "{start} {base} {order} {align}");
                    let usable = right.map_or(0, |lost| 700_u64.saturating_sub(lost));
                    assert_eq!(grid.usable(start, 700, align), usable);
                }
                let most = grid.most_align(start, 700);
                let fits = |align: &u32| grid.lost(start, *align).is_some_and(|lost| lost <= 700);
                let last = (order.min(63)..=u64::BITS).rev().find(fits);
                assert_eq!(most, last, "{start} {base} {order}");
            }
        }
    }

    #[test]
    fn a_base_off_its_bits_counts_in_whole_ones() {
        let grid = Grid::new(Pfn(0x40200), 10);
        assert_eq!(grid.lost(0x400, 10), Some(0));
        assert_eq!((grid.base(), grid.whole(1), grid.whole(u64::MAX)), (0x40000, 1024, u64::MAX));
        assert_eq!(Grid::new(Pfn(0x40200), 9).lost(0x400, 10), Some(512));
    }
}
