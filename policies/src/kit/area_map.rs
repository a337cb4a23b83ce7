//! A [`FreeMap`] for each range of an area, spoken to in pages.

use alloc::vec::Vec;

use super::free_map::FreeMap;
use super::search::Search;
use crate::area::Area;
use crate::mutant::mutate;
use crate::request::Request;
use crate::run::Run;

/// Which granules of an area are free: one [`FreeMap`] a range, pages outside and bits inside.
#[derive(Clone, Debug)]
pub struct AreaMap {
    area: Area,
    maps: Vec<FreeMap>,
}

impl AreaMap {
    /// A map of `area` with everything free.
    pub fn new(area: Area) -> Self {
        let maps = (0..area.ranges().len())
            .map(|range| FreeMap::new(area.bits(range), area.origin(range)))
            .collect();
        Self { area, maps }
    }

    /// The area.
    pub const fn area(&self) -> &Area {
        &self.area
    }

    /// The map of range `range`.
    pub fn map(&self, range: usize) -> &FreeMap {
        &self.maps[range]
    }

    /// The search for `request` in range `range`, from bit `from` on.
    pub fn search(&self, request: Request, range: usize, from: u64) -> Search {
        Search {
            bits: self.area.pages_to_bits(request.count()),
            mask: self.area.mask(request.align()),
            offset: self.area.offset(range, request.align()),
            from,
        }
    }

    /// Range, first bit and bits of `run`, whose last granule counts whole.
    pub(super) fn bits_of(&self, run: Run) -> (usize, u64, u64) {
        let range = self.area.range_of(run).unwrap_or_else(|| panic!("{run} is in no range"));
        let start = self.area.pfn_to_bit(range, run.pfn);
        (range, start, self.area.pages_to_bits(run.count))
    }

    /// Marks the granules of `run` as used. `run` starts at a granule.
    ///
    /// # Panics
    /// If they are not all in one range and free.
    pub fn set(&mut self, run: Run) {
        let (range, start, bits) = self.bits_of(run);
        self.maps[range].set(start, bits);
    }

    /// Marks the granules of `run` as free. `run` starts at a granule.
    ///
    /// # Panics
    /// If they are not all in one range and used.
    pub fn clear(&mut self, run: Run) {
        let (range, start, bits) = self.bits_of(run);
        self.maps[range].clear(start, bits);
    }

    /// Marks as many granules as the pages of `run` take as free, from that of its first page on:
    /// what `cma_clear_bitmap()` (`mm/cma.c`, 7.3) clears. Shows the bits of its range that were
    /// used until then: first bit, bits.
    ///
    /// A piece of a grant can begin inside a granule. Then that granule is free while the pages
    /// before it live on, and may be free already; one at the end of the piece can stay used.
    ///
    /// # Panics
    /// If they are not all in one range.
    pub fn release(&mut self, run: Run, mut cleared: impl FnMut(u64, u64)) {
        let (range, start, bits) = self.bits_of(run);
        if self.area.order_per_bit() > 0 {
            return self.maps[range].clear_used(start, bits, cleared);
        }
        self.maps[range].clear(start, bits);
        cleared(start, bits);
    }

    /// Whether the granules of `run` are in one range and free.
    pub fn is_free(&self, run: Run) -> bool {
        self.area.range_of(run).is_some_and(|_| {
            let (range, start, bits) = self.bits_of(run);
            self.maps[range].is_free(start, bits)
        })
    }

    /// Free pages.
    pub fn free_pages(&self) -> u64 {
        self.maps.iter().map(FreeMap::free_bits).sum::<u64>() << self.area.order_per_bit()
    }

    /// Pages of the longest hole.
    pub fn longest_run(&self) -> u64 {
        self.longest(FreeMap::longest_run)
    }

    /// Pages of the longest free run that starts at a place aligned as a request of this order is
    /// placed. A request fits exactly where its granules are no more than that.
    pub fn longest_usable(&self, align: u32) -> u64 {
        let order = align.saturating_sub(self.area.order_per_bit());
        self.longest(|map| map.longest_usable(order))
    }

    fn longest(&self, bits: impl Fn(&FreeMap) -> u64) -> u64 {
        self.maps.iter().map(bits).max().unwrap_or(0) << self.area.order_per_bit()
    }

    /// Visits the holes in pages, range by range and ascending in each.
    pub fn for_each_run(&self, mut visit: impl FnMut(Run)) {
        let order = self.area.order_per_bit();
        for (range, map) in self.maps.iter().enumerate() {
            map.for_each_run(|start, bits| {
                let hole = Run { pfn: self.area.bit_to_pfn(range, start), count: bits << order };
                visit(mutate!(BorderJoined: hole => self.across_border(hole)));
            });
        }
    }

    /// A planted defect: `hole` with a granule of the range that its own one touches.
    fn across_border(&self, hole: Run) -> Run {
        let (own, after) = (self.area.range_of(hole), Run { pfn: hole.end(), count: 1 });
        let touches = self.area.range_of(after).is_some_and(|other| Some(other) != own);
        Run { count: hole.count + if touches { self.area.granule() } else { 0 }, ..hole }
    }
}
