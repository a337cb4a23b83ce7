//! The geometry of a CMA area, and the only border between pages and bitmap bits.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::error::BuildError;
use crate::grid::Grid;
use crate::mutant::mutate;
use crate::run::{Pfn, Run};

/// A CMA area: one or more ranges of pages, and how many pages one bitmap bit stands for.
///
/// Ranges ascend and do not overlap; no run spans two (kernels from 6.15 have several, earlier ones
/// one). A base that is no multiple of the granule is accepted, as the kernel does; then
/// [`offset`](Area::offset) truncates and a grant may miss its physical alignment.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Area {
    name: String,
    order_per_bit: u32,
    ranges: Vec<Run>,
}

impl Area {
    /// The most bitmap bits that an area may have over all ranges: 256 GiB of 4 KiB pages at
    /// order_per_bit 0. It bounds the memory that a made-up geometry can ask for: a map of so many
    /// bits takes 8 MB, and 1 MB more for each alignment order that is asked for; where holes are
    /// sought by their size, some 20 bytes for each hole and order.
    pub const MAX_BITS: u64 = 1 << 26;

    /// An area of these ranges.
    ///
    /// # Errors
    /// No range, an empty one, ranges that overlap or do not ascend, pages that are no multiple of
    /// the granule, and more than [`Area::MAX_BITS`] bits.
    pub fn new(name: &str, order_per_bit: u32, ranges: &[Run]) -> Result<Self, BuildError> {
        if order_per_bit >= u64::BITS {
            return Err(BuildError::OrderPerBit(order_per_bit));
        }
        if ranges.is_empty() {
            return Err(BuildError::NoRange);
        }
        let granule = 1u64 << order_per_bit;
        let mut bits = 0u64;
        let mut end = 0;
        for (range, run) in ranges.iter().enumerate() {
            if run.count == 0 {
                return Err(BuildError::Empty);
            }
            let Some(run_end) = run.pfn.0.checked_add(run.count) else {
                return Err(BuildError::PastEnd { range });
            };
            if run.pfn.0 < end {
                return Err(BuildError::Overlap { range });
            }
            if !run.count.is_multiple_of(granule) {
                return Err(BuildError::Granule { range, pages: run.count, granule });
            }
            end = run_end;
            bits = bits.saturating_add(run.count >> order_per_bit);
        }
        if bits > Self::MAX_BITS {
            return Err(BuildError::TooManyBits { bits, most: Self::MAX_BITS });
        }
        Ok(Self { name: name.to_string(), order_per_bit, ranges: ranges.to_vec() })
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

    /// The ranges, ascending.
    pub fn ranges(&self) -> &[Run] {
        &self.ranges
    }

    /// Pages of all ranges.
    pub fn pages(&self) -> u64 {
        self.ranges.iter().map(|range| range.count).sum()
    }

    /// Pages of the largest range: no request above it can ever be granted.
    pub fn largest_range(&self) -> u64 {
        self.ranges.iter().map(|range| range.count).max().unwrap_or(0)
    }

    /// The index of the range that holds all of `run`, if one does.
    pub fn range_of(&self, run: Run) -> Option<usize> {
        if self.ranges.len() == 1 {
            return self.ranges[0].contains(run).then_some(0);
        }
        let after = self.ranges.partition_point(|range| range.pfn <= run.pfn);
        let index = after.checked_sub(1)?;
        self.ranges[index].contains(run).then_some(index)
    }

    /// Bits of range `range` (`cma_bitmap_maxno()`, `mm/cma.c`).
    pub fn bits(&self, range: usize) -> u64 {
        self.ranges[range].count >> self.order_per_bit
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
