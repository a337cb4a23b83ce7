//! The geometry of a CMA area, and the only border between pages and bitmap bits.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::error::BuildError;
use crate::grid::Grid;
use crate::mutant::mutate;
use crate::run::{Pfn, Run};

/// A CMA area: one or more ranges of pages, and how many pages one bitmap bit stands for.
///
/// Ranges are in the kernel's order, which is that of its search and mostly not ascending
/// (`cma_declare_contiguous_multi()`, `mm/cma.c`, 6.15 on; earlier kernels have one). They share no
/// page, and no run spans two, also where they touch.
///
/// A base that is no multiple of the granule is accepted, as the kernel does; then
/// [`offset`](Area::offset) truncates and a grant may miss its physical alignment. So are pages
/// that are no multiple of it (`cma_init_reserved_mem()`): the rest has no bit, and is never
/// granted.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Area {
    name: String,
    order_per_bit: u32,
    ranges: Vec<Run>,
    /// The indices of the ranges by their first page.
    by_pfn: Vec<usize>,
}

impl Area {
    /// The most bitmap bits that an area may have over all ranges: 256 GiB of 4 KiB pages at
    /// order_per_bit 0. It bounds the memory that a made-up geometry can ask for: a map of so many
    /// bits takes 8 MB, and 1 MB more for each alignment order that is asked for; where holes are
    /// sought by their size, some 20 bytes for each hole and order.
    pub const MAX_BITS: u64 = 1 << 26;

    /// An area of these ranges, in the order in which they are searched.
    ///
    /// # Errors
    /// No range, an empty one or one without a whole granule, ranges that overlap, and more than
    /// [`Area::MAX_BITS`] bits.
    pub fn new(name: &str, order_per_bit: u32, ranges: &[Run]) -> Result<Self, BuildError> {
        if order_per_bit >= u64::BITS {
            return Err(BuildError::OrderPerBit(order_per_bit));
        }
        if ranges.is_empty() {
            return Err(BuildError::NoRange);
        }
        for (range, run) in ranges.iter().enumerate() {
            if run.count == 0 {
                return Err(BuildError::Empty);
            }
            if run.pfn.0.checked_add(run.count).is_none() {
                return Err(BuildError::PastEnd { range });
            }
            if run.count >> order_per_bit == 0 {
                let granule = 1 << order_per_bit;
                return Err(BuildError::NoBit { range, pages: run.count, granule });
            }
        }
        let mut by_pfn: Vec<usize> = (0..ranges.len()).collect();
        by_pfn.sort_by_key(|range| ranges[*range].pfn);
        let overlap = by_pfn.windows(2).find(|two| ranges[two[0]].overlaps(ranges[two[1]]));
        if let Some(&[one, other]) = overlap.and_then(|two| two.first_chunk()) {
            return Err(BuildError::Overlap { range: one.max(other), before: one.min(other) });
        }
        let bits =
            ranges.iter().fold(0, |sum: u64, run| sum.saturating_add(run.count >> order_per_bit));
        if bits > Self::MAX_BITS {
            return Err(BuildError::TooManyBits { bits, most: Self::MAX_BITS });
        }
        Ok(Self { name: name.to_string(), order_per_bit, ranges: ranges.to_vec(), by_pfn })
    }

    /// An area of one range, named `cma`.
    ///
    /// # Errors
    /// As [`Area::new`].
    pub fn single(base_pfn: u64, pages: u64, order_per_bit: u32) -> Result<Self, BuildError> {
        Self::new("cma", order_per_bit, &[Run::new(base_pfn, pages)])
    }

    /// The name, as in debugfs.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The order of one bitmap bit: it stands for `2^order_per_bit` pages.
    pub const fn order_per_bit(&self) -> u32 {
        self.order_per_bit
    }

    /// Pages of one bitmap bit.
    pub const fn granule(&self) -> u64 {
        1 << self.order_per_bit
    }

    /// The ranges, in the order in which they are searched.
    pub fn ranges(&self) -> &[Run] {
        &self.ranges
    }

    /// Pages of all ranges, those without a bit included: `cma->count`.
    pub fn pages(&self) -> u64 {
        self.ranges.iter().map(|range| range.count).sum()
    }

    /// Pages of the bits of the largest range: no request above it can ever be granted.
    pub fn largest_range(&self) -> u64 {
        let bits = (0..self.ranges.len()).map(|range| self.bits(range)).max();
        bits.unwrap_or(0) << self.order_per_bit
    }

    /// From the lowest page of all ranges to the highest, with what lies between ranges.
    pub fn span(&self) -> Run {
        let lowest = self.ranges[self.ascending(0)].pfn;
        let end = self.ranges[self.ascending(self.ranges.len() - 1)].end();
        Run { pfn: lowest, count: end.0 - lowest.0 }
    }

    /// The index of the range that comes at `place` where they are ordered by their pages.
    pub(crate) fn ascending(&self, place: usize) -> usize {
        self.by_pfn[place]
    }

    /// The index of the range that holds all of `run`, if one does.
    pub fn range_of(&self, run: Run) -> Option<usize> {
        if self.ranges.len() == 1 {
            return self.ranges[0].contains(run).then_some(0);
        }
        let after = self.by_pfn.partition_point(|range| self.ranges[*range].pfn <= run.pfn);
        let index = self.by_pfn[after.checked_sub(1)?];
        let within = mutate!(BorderCrossed: run => Run { count: run.count.min(1), ..run });
        self.ranges[index].contains(within).then_some(index)
    }

    /// The number of page `pfn`, counted through the ranges in their order from the first page of
    /// range 0 on; none where it is in no range. In an area of one range: how far it is past
    /// base_pfn.
    pub fn page_of(&self, pfn: Pfn) -> Option<u64> {
        let range = self.range_of(Run { pfn, count: 1 })?;
        let before: u64 = self.ranges[..range].iter().map(|range| range.count).sum();
        Some(before + pfn.0 - self.ranges[range].pfn.0)
    }

    /// The run of `count` pages from page number `page` on, counted as by
    /// [`page_of`](Area::page_of), where one range holds it.
    pub fn run_at(&self, page: u64, count: u64) -> Option<Run> {
        let mut page = page;
        for range in &self.ranges {
            if page < range.count {
                return (count <= range.count - page).then(|| Run::new(range.pfn.0 + page, count));
            }
            page -= range.count;
        }
        None
    }

    /// Bits of range `range` (`cma_bitmap_maxno()`, `mm/cma.c`).
    pub fn bits(&self, range: usize) -> u64 {
        let whole = self.ranges[range].count >> self.order_per_bit;
        mutate!(TailGranted: whole => self.ranges[range].count.div_ceil(self.granule()))
    }

    /// Bits that `count` pages take, rounded up (`cma_bitmap_pages_to_bits()`, `mm/cma.c`).
    pub fn pages_to_bits(&self, count: u64) -> u64 {
        mutate!(RoundDown: count.div_ceil(self.granule()) => {
            let down = count >> self.order_per_bit;
            if down == 0 { 1 } else { down }
        })
    }

    /// Which bits must be 0 in an aligned `bit + offset`, for an alignment order in pages below 64
    /// (`cma_bitmap_aligned_mask()`, `mm/cma.c`).
    pub fn mask(&self, align: u32) -> u64 {
        let order = align.saturating_sub(self.order_per_bit);
        mutate!(MaskShort: (1 << order) - 1 => ((1 << order) - 1) >> 1)
    }

    /// How far bit 0 of range `range` is past an aligned page, in bits: aligned are the bits
    /// with `(bit + offset) & mask == 0` (`cma_bitmap_aligned_offset()`, `mm/cma.c`).
    pub fn offset(&self, range: usize, align: u32) -> u64 {
        let base = self.ranges[mutate!(RangeBase: range => 0)].pfn.0;
        let offset = (base & ((1 << align) - 1)) >> self.order_per_bit;
        mutate!(OffsetByOne: offset => if offset == 0 { 0 } else { offset + 1 })
    }

    /// The place of bit 0 of range `range` counted in bits from page 0, rounded down. For every
    /// align at or above order_per_bit, [`offset`](Area::offset) is this modulo `mask + 1`.
    pub fn origin(&self, range: usize) -> u64 {
        self.ranges[range].pfn.0 >> self.order_per_bit
    }

    /// Where in range `range` a grant may start.
    pub fn grid(&self, range: usize) -> Grid {
        Grid::new(self.ranges[range].pfn, self.order_per_bit)
    }

    /// The first page at or past `from`, which is in a range, where a grant of order `align` may
    /// start; it may be past the end of that range.
    pub fn first_aligned(&self, from: Pfn, align: u32) -> Option<Pfn> {
        let range = self.range_of(Run { pfn: from, count: 1 })?;
        let base = self.ranges[range].pfn.0;
        let page = self.grid(range).first_aligned(from.0 - base, align)?;
        base.checked_add(page).map(Pfn)
    }

    /// Pages of `hole`, which is in one range, from its first one on where a grant of order `align`
    /// may start.
    pub fn usable(&self, hole: Run, align: u32) -> u64 {
        let first = self.first_aligned(hole.pfn, align);
        first.map_or(0, |first| hole.end().0.saturating_sub(first.0))
    }

    /// The first page of bit `bit` of range `range`.
    pub fn bit_to_pfn(&self, range: usize, bit: u64) -> Pfn {
        Pfn(self.ranges[range].pfn.0 + (bit << self.order_per_bit))
    }

    /// The bit of range `range` that stands for page `pfn`, which must be in it.
    pub fn pfn_to_bit(&self, range: usize, pfn: Pfn) -> u64 {
        (pfn.0 - self.ranges[range].pfn.0) >> self.order_per_bit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_keep_their_order_and_are_found_by_their_pages() {
        let ranges = [Run::new(100, 10), Run::new(110, 4), Run::new(20, 7), Run::new(60, 40)];
        let area = Area::new("x", 1, &ranges).unwrap();
        assert_eq!((area.ranges(), area.pages(), area.largest_range()), (&ranges[..], 61, 40));
        let range_of = |pfn, count| area.range_of(Run::new(pfn, count));
        assert_eq!(
            [range_of(100, 10), range_of(110, 1), range_of(26, 1)],
            [Some(0), Some(1), Some(2)]
        );
        assert_eq!([range_of(109, 2), range_of(27, 1), range_of(5, 1)], [None; 3]);
        assert_eq!((area.bits(2), area.offset(2, 3)), (3, 2), "the last page has no bit");
        let page_of = |pfn| area.page_of(Pfn(pfn));
        assert_eq!([page_of(100), page_of(113), page_of(20)], [Some(0), Some(13), Some(14)]);
        assert_eq!([page_of(27), page_of(99)], [None, Some(60)]);
        assert_eq!(area.run_at(9, 1), Some(Run::new(109, 1)));
        assert_eq!(area.run_at(14, 7), Some(Run::new(20, 7)));
        assert_eq!([area.run_at(9, 2), area.run_at(61, 1)], [None; 2], "across a border, past all");
        assert_eq!(area.span(), Run::new(20, 94));
    }

    #[test]
    fn what_no_kernel_has_is_refused_and_both_ranges_are_named() {
        let area = |order, ranges: &[Run]| Area::new("x", order, ranges).unwrap_err();
        let three = [Run::new(50, 10), Run::new(0, 4), Run::new(40, 11)];
        assert_eq!(area(0, &three), BuildError::Overlap { range: 2, before: 0 });
        let small = BuildError::NoBit { range: 1, pages: 3, granule: 4 };
        assert_eq!(area(2, &[Run::new(50, 10), Run::new(0, 3)]), small);
        assert_eq!(area(0, &[Run::new(u64::MAX, 2)]), BuildError::PastEnd { range: 0 });
    }
}
