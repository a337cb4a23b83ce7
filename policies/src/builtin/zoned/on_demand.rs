//! Blocks that big grants reserve for big requests.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use crate::area::Area;
use crate::kit::{Ask, FreeMap, Place, Search};

/// Which blocks are reserved, and who may use them.
pub(super) struct OnDemand {
    /// A request of at least so many bits is big.
    big_bits: u64,
    /// The order of a block in bits.
    order: u32,
    /// The most blocks that may be reserved.
    blocks_max: u64,
    /// Whether small requests may use reserved blocks when all else is full.
    spill: bool,
    ranges: Vec<Range>,
}

struct Range {
    /// The place of bit 0, in bits from page 0: blocks are aligned to that, not to the range.
    origin: u64,
    reserved: BTreeSet<u64>,
}

impl OnDemand {
    /// Nothing reserved. Blocks are of `2^order` pages, at least one granule.
    pub(super) fn new(area: &Area, order: u32, blocks_max: u64, spill: bool) -> Self {
        let ranges = (0..area.ranges().len())
            .map(|range| Range { origin: area.origin(range), reserved: BTreeSet::new() })
            .collect();
        Self {
            big_bits: area.pages_to_bits(1 << order),
            order: order.saturating_sub(area.order_per_bit()),
            blocks_max,
            spill,
            ranges,
        }
    }

    /// The numbers of the blocks that `[bit, bit + bits)` touches.
    fn blocks(&self, range: usize, bit: u64, bits: u64) -> core::ops::RangeInclusive<u64> {
        let first = self.ranges[range].origin + bit;
        first >> self.order..=(first + (bits - 1)) >> self.order
    }

    /// The first stretch of reserved blocks that ends behind `bit`, in bits of the range. It may
    /// reach over the ends of the range, where its blocks do.
    fn stretch(&self, range: usize, bit: u64) -> Option<Stretch> {
        let Range { origin, reserved } = &self.ranges[range];
        let mut blocks = reserved.range((origin + bit) >> self.order..);
        let first = *blocks.next()?;
        let more = blocks.zip(first + 1..).take_while(|&(block, next)| *block == next).count();
        let in_range = |block: u64| block.saturating_mul(1 << self.order).saturating_sub(*origin);
        Some(Stretch { start: in_range(first), end: in_range(first + 1 + more as u64) })
    }

    /// Whether `[bit, bit + bits)` is where such a request goes first: a big one wholly inside the
    /// reserve, a small one wholly outside. If not, the lowest later bit that could be.
    fn preferred(&self, range: usize, bit: u64, bits: u64) -> Result<(), Option<u64>> {
        let stretch = self.stretch(range, bit);
        if bits < self.big_bits {
            return match stretch {
                Some(Stretch { start, end }) if start < bit + bits => Err(Some(end)),
                _ => Ok(()),
            };
        }
        match stretch {
            None => Err(None),
            Some(Stretch { start, end }) if start <= bit && bit + bits <= end => Ok(()),
            Some(Stretch { start, .. }) if bit < start => Err(Some(start)),
            Some(Stretch { end, .. }) => Err(Some(end)),
        }
    }

    /// The lowest bit from `bit` on, itself not preferred or already tried, that is not preferred.
    fn past_preferred(&self, range: usize, bit: u64, bits: u64) -> Option<u64> {
        let stretch = self.stretch(range, bit)?;
        let lowest = if bits < self.big_bits {
            (stretch.start + 1).saturating_sub(bits)
        } else {
            stretch.end + 1 - bits
        };
        Some(lowest.max(bit + 1))
    }

    /// The lowest fit from `from` on that is preferred, or that is not.
    fn scan(&self, map: &FreeMap, search: Search, range: usize, is_preferred: bool) -> Option<u64> {
        let mut from = search.from;
        loop {
            let bit = map.first_fit(Search { from, ..search })?;
            from = match (self.preferred(range, bit, search.bits), is_preferred) {
                (Ok(()), true) | (Err(_), false) => return Some(bit),
                (Err(next), true) => next?,
                (Ok(()), false) => self.past_preferred(range, bit, search.bits)?,
            };
        }
    }
}

/// Adjoining reserved blocks: the bits `[start, end)`.
struct Stretch {
    start: u64,
    end: u64,
}

impl Place for OnDemand {
    fn place(&self, map: &FreeMap, search: Search, ask: Ask) -> Option<u64> {
        let is_big = search.bits >= self.big_bits;
        let refused = search.refused();
        let is_second =
            refused.is_some_and(|bit| self.preferred(ask.range, bit, search.bits).is_err());
        if !is_second {
            if let Some(bit) = self.scan(map, search, ask.range, true) {
                return Some(bit);
            }
            if !is_big && !self.spill {
                return None;
            }
        }
        let from = if is_second { search.from } else { 0 };
        self.scan(map, Search { from, ..search }, ask.range, false)
    }

    fn granted(&mut self, range: usize, bit: u64, bits: u64) {
        for block in self.blocks(range, bit, bits) {
            if bits < self.big_bits {
                self.ranges[range].reserved.remove(&block);
            } else {
                let reserved: usize = self.ranges.iter().map(|range| range.reserved.len()).sum();
                if (reserved as u64) < self.blocks_max {
                    self.ranges[range].reserved.insert(block);
                }
            }
        }
    }
}
