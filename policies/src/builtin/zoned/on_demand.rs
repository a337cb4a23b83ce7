//! Blocks that big grants reserve for big requests.

use alloc::vec::Vec;
use core::ops::Range;

use crate::area::Area;
use crate::kit::{Ask, FreeMap, Place, RunSet, Search};
use crate::mutant::mutate;
use crate::run::Run;

/// Which blocks are reserved, and who may use them.
pub(super) struct OnDemand {
    /// A request of at least so many bits is big.
    big_bits: u64,
    /// The most blocks that may be reserved.
    blocks_max: u64,
    /// Blocks that are reserved, in all ranges.
    blocks: u64,
    /// Whether small requests may use reserved blocks when all else is full.
    spill: bool,
    ranges: Vec<Zones>,
}

impl OnDemand {
    /// Nothing reserved. Blocks are of `2^order` pages, at least one granule.
    pub(super) fn new(area: &Area, order: u32, blocks_max: u64, spill: bool) -> Self {
        let block_order = order.saturating_sub(area.order_per_bit());
        let zones = |range| Zones::new(area.bits(range), area.origin(range), block_order);
        Self {
            big_bits: area.pages_to_bits(1 << order),
            blocks_max,
            blocks: 0,
            spill,
            ranges: (0..area.ranges().len()).map(zones).collect(),
        }
    }
}

impl Place for OnDemand {
    fn place(&self, map: &FreeMap, search: Search, ask: Ask) -> Option<u64> {
        let zones = &self.ranges[ask.range];
        let is_big = search.bits >= self.big_bits;
        if ask.first.is_none() {
            let own = if is_big { &zones.inside } else { &zones.outside };
            return own.first_fit(search).or_else(|| {
                let may_leave = is_big || self.spill;
                if may_leave { map.first_fit(search) } else { None }
            });
        }
        if is_big {
            return ask.round(map, search);
        }
        // A busy page is no pressure: a small request that began outside the reserve stays there.
        let refused = search.refused()?;
        if zones.is_outside(refused, search.bits) {
            zones.outside.first_fit(search)
        } else {
            map.first_fit(search)
        }
    }

    fn marked(&mut self, range: usize, bit: u64, bits: u64) {
        self.ranges[range].change(bit..bit + bits, FreeMap::set);
    }

    fn unmarked(&mut self, range: usize, bit: u64, bits: u64) {
        self.ranges[range].change(bit..bit + bits, FreeMap::clear);
    }

    fn granted(&mut self, range: usize, bit: u64, bits: u64) {
        let zones = &mut self.ranges[range];
        for block in zones.blocks_of(bit, bits) {
            if bits < self.big_bits {
                self.blocks -= u64::from(zones.release(block));
            } else if self.blocks < self.blocks_max {
                self.blocks += u64::from(zones.reserve(block));
            }
        }
    }
}

/// The two zones of a range: what is reserved, and what is not.
struct Zones {
    bits: u64,
    /// The place of bit 0, in bits from page 0: blocks are aligned to that, not to the range.
    origin: u64,
    /// The order of a block in bits.
    block_order: u32,
    /// The numbers of the reserved blocks, as if they were pages.
    reserve: RunSet,
    /// The free bits of reserved blocks; all others count as used.
    inside: FreeMap,
    /// The free bits of all other blocks.
    outside: FreeMap,
}

impl Zones {
    fn new(bits: u64, origin: u64, block_order: u32) -> Self {
        let outside = FreeMap::new(bits, origin);
        let mut inside = outside.clone();
        inside.set(0, bits);
        Self { bits, origin, block_order, reserve: RunSet::default(), inside, outside }
    }

    /// The numbers of the blocks that `bits` bits at `bit` touch.
    fn blocks_of(&self, bit: u64, bits: u64) -> core::ops::RangeInclusive<u64> {
        let first = self.origin + bit;
        first >> self.block_order..=(first + (bits - 1)) >> self.block_order
    }

    /// The bits of `blocks` that are in the range.
    fn bits_of(&self, blocks: Range<u64>) -> Range<u64> {
        let bit = |block: u64| {
            block.saturating_mul(1 << self.block_order).saturating_sub(self.origin).min(self.bits)
        };
        bit(blocks.start)..bit(blocks.end)
    }

    /// The first stretch of reserved bits that ends past `bit`.
    fn stretch(&self, bit: u64) -> Option<Range<u64>> {
        let from = Run::new((self.origin + bit) >> self.block_order, u64::MAX);
        let (blocks, ()) = self.reserve.overlapping(from).next()?;
        Some(self.bits_of(blocks.pfn.0..blocks.end().0))
    }

    /// Whether none of `bits` bits at `bit` is reserved.
    fn is_outside(&self, bit: u64, bits: u64) -> bool {
        self.stretch(bit).is_none_or(|stretch| bit + bits <= stretch.start)
    }

    /// Marks or unmarks `run`, each piece of it in the zone that it is in.
    fn change(&mut self, run: Range<u64>, mark: impl Fn(&mut FreeMap, u64, u64)) {
        let mut bit = run.start;
        while bit < run.end {
            let stretch = self.stretch(bit).unwrap_or(self.bits..self.bits);
            let (map, end) = if stretch.start <= bit {
                (&mut self.inside, stretch.end)
            } else {
                (&mut self.outside, stretch.start)
            };
            let end = end.min(run.end);
            mark(map, bit, end - bit);
            bit = end;
        }
    }

    /// Reserves `block`; says whether it was not.
    fn reserve(&mut self, block: u64) -> bool {
        let is_new = !self.reserve.touches(Run::new(block, 1));
        if is_new {
            self.reserve.join(Run::new(block, 1));
            let bits = self.bits_of(block..block + 1);
            hand_over(&mut self.outside, &mut self.inside, bits);
        }
        is_new
    }

    /// Releases `block`; says whether it was reserved.
    fn release(&mut self, block: u64) -> bool {
        let was_in = self.reserve.take(Run::new(block, 1)).is_some();
        if was_in {
            let bits = self.bits_of(block..block + 1);
            hand_over(&mut self.inside, &mut self.outside, bits);
        }
        was_in
    }
}

/// What is free in `bits` of `giver` becomes free in `taker`.
fn hand_over(giver: &mut FreeMap, taker: &mut FreeMap, bits: Range<u64>) {
    let mut from = bits.start;
    while let Some(bit) = giver.first_fit(Search { bits: 1, mask: 0, offset: 0, from })
        && bit < bits.end
    {
        let (first, count) = giver.hole_at(bit).expect("a free bit is in a hole");
        from = mutate!(ZoneBorder: bits.end => bits.end + 1).min(first + count);
        giver.set(bit, from - bit);
        taker.clear(bit, from - bit);
    }
}
