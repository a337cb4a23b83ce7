//! The free pages of an area as far as a board showed them.

mod asked;
mod bitmap;
mod layout;
mod list;
mod sizes;

use std::sync::Arc;

pub use asked::Asked;
pub(crate) use asked::ORDERS;
pub(crate) use bitmap::{Bitmap, Stated, holes};
pub(crate) use layout::Layout;
pub(crate) use sizes::{likely_sizes, sizes};

use cma_policies::{Grid, Pfn, Run};

/// How a state is known.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Known {
    /// From a free-run list.
    List,
    /// From the bitmap of debugfs.
    Bitmap,
    /// From the events of a trace, on top of a bitmap or from the start.
    Trace,
}

/// A maximal run of free pages, counted from the first page of its range.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Hole {
    /// Its first page.
    pub start: u64,
    /// Its pages, at least 1.
    pub count: u64,
}

impl Hole {
    /// The page past its last one.
    pub const fn end(self) -> u64 {
        self.start.saturating_add(self.count)
    }

    /// Pages from its first one on where order `align` may start:
    /// `bitmap_find_next_zero_area_off()` of `lib/bitmap.c` finds no other place in it.
    pub const fn usable(self, align: u32, grid: Grid) -> u64 {
        grid.usable(self.start, self.count, align)
    }
}

/// A range of an area.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct RangeState {
    /// Its number.
    pub number: u32,
    /// Its first page, where known. Where it is not, the base is a multiple of a pageblock,
    /// 512 pages mostly.
    pub base_pfn: Option<u64>,
    /// Its pages, where known.
    pub pages: Option<u64>,
    /// Its holes that are known, ascending, not touching.
    pub holes: Vec<Hole>,
}

/// The order that the base of every area is a multiple of: a pageblock of 2 MiB with 4 KiB pages,
/// the smallest in use (`CMA_MIN_ALIGNMENT_PAGES`, `include/linux/cma.h`, 5.19 on).
pub const GUARANTEED_ALIGN: u32 = 9;

/// The free pages of an area at one moment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AreaState {
    /// Its name, where known.
    pub name: Option<Arc<str>>,
    /// Its ranges: at least one.
    pub ranges: Vec<RangeState>,
    /// The order of one bitmap bit.
    pub order_per_bit: u32,
    /// Pages of all ranges, where known.
    pub total: Option<u64>,
    /// Free pages by the bitmap, where known.
    pub free: Option<u64>,
    /// Pages that the area's own counter has left (`available_count` of `mm/cma.c`, 6.15 on), where
    /// stated: it counts pages where the bitmap has whole bits.
    pub available: Option<u64>,
    /// Pages of the longest run, where that is stated (`maxchunk` of debugfs).
    pub longest: Option<u64>,
    /// Pages that its bitmap shows, where that was cut: of the others nothing is known.
    pub shown: Option<u64>,
    /// Whether every hole is there.
    pub complete: bool,
    /// Whether the positions of the holes are known, or only their sizes.
    pub placed: bool,
    /// How it is known.
    pub known: Known,
    /// The buffers that are live, where each is known (traces): ascending, as pfns.
    pub live: Option<Vec<Run>>,
    /// What was asked of it before.
    pub asked: Asked,
}

impl AreaState {
    /// Whether it is in the same state as `other`, whatever it is called.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        let state = |area: &Self| {
            let counts = (area.total, area.free, area.available);
            (area.order_per_bit, counts, area.complete, area.placed, area.known)
        };
        state(self) == state(other) && self.live == other.live && self.ranges == other.ranges
    }

    /// Where in `range`, which is one of its own, a grant may start; of a base that is not known
    /// as if it were 0 (see [`GUARANTEED_ALIGN`]).
    pub fn grid(&self, range: &RangeState) -> Grid {
        Grid::new(Pfn(range.base_pfn.unwrap_or(0)), self.order_per_bit)
    }

    /// `count` pages as the bitmap has them: up to whole bits.
    pub fn whole(&self, count: u64) -> u64 {
        Grid::new(Pfn(0), self.order_per_bit).whole(count)
    }

    /// Whether it is known where order `align` may start.
    pub fn knows_base(&self, align: u32) -> bool {
        align <= GUARANTEED_ALIGN.max(self.order_per_bit)
            || self.ranges.iter().all(|range| range.base_pfn.is_some())
    }

    /// Its holes with where in them a grant may start.
    pub fn holes(&self) -> impl Iterator<Item = (Hole, Grid)> + '_ {
        self.ranges.iter().flat_map(|range| {
            let grid = self.grid(range);
            range.holes.iter().map(move |hole| (*hole, grid))
        })
    }

    /// Pages of the holes that are known.
    pub fn known_free(&self) -> u64 {
        self.pages().0
    }

    /// Pages of the longest hole, as stated or as known.
    pub fn largest_run(&self) -> u64 {
        self.pages().1.max(self.longest.unwrap_or(0))
    }

    /// Free pages, as stated or as summed up: by the bitmap where it is known, else by the counter.
    pub fn stated_free(&self) -> Option<u64> {
        self.free.or(self.available)
    }

    fn pages(&self) -> (u64, u64) {
        *self.asked.pages.get_or_init(|| {
            self.holes().fold((0, 0), |(sum, longest): (u64, u64), (hole, _)| {
                (sum.saturating_add(hole.count), longest.max(hole.count))
            })
        })
    }

    /// Pages of the longest hole that is known from its first page aligned to 2^align on.
    pub fn largest_usable(&self, align: u32) -> u64 {
        self.holes().map(|(hole, grid)| hole.usable(align, grid)).max().unwrap_or(0)
    }
}
