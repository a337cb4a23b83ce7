//! Which buffers fill an area.
//!
//! No log prints them, but first fit gives them away. A buffer of p pages starts on a multiple of
//! 2^min(ceil_log2(p), cap) and the page after its last one begins the next hole, unless a
//! neighbour follows without a hole. So each used gap between two holes is a row of aligned
//! buffers, and few sizes have to explain all gaps: see [`sizes`] for how they are found.
//!
//! What no gap can show: two buffers of 2048 pages beside each other look as one of 4096, and in
//! an area without a hole everything looks alike.

mod change;
mod gaps;
mod live;
mod model;
mod parts;
mod pitch;
mod refine;
mod row;
mod sizes;
#[cfg(test)]
mod tests;

use cma_policies::dma_align;

use super::{AreaState, Confidence};
use gaps::Gaps;

pub use pitch::Pitch;

/// The buffers of one size in an area.
#[derive(Clone, PartialEq, Debug)]
pub struct Resident {
    /// Pages of each. Where one bit of the map is several pages, the last ones may be
    /// padding.
    pub count: u64,
    /// The order of their alignment at the cap.
    pub align: u32,
    /// How many there are, as far as gaps show.
    pub blocks: Option<u64>,
    /// Pages that they strand at this cap: free, and no use to a request of the same order.
    pub stranded_pages: u64,
    /// How sure their size is.
    pub confidence: Confidence,
    /// Pages that a smaller cap gives back, by cap: 7 to 0.
    pub recoverable: Vec<(u32, u64)>,
}

impl Resident {
    /// Pages that they hold, as far as gaps show.
    pub fn pages(&self) -> u64 {
        self.blocks.unwrap_or(0).saturating_mul(self.count)
    }
}

/// The sizes of the buffers in `area`, by pages held, most first: from traces exactly, else from
/// the gaps between free runs.
pub fn residents(area: &AreaState, cap: u32) -> Vec<Resident> {
    search(area, cap).0
}

/// The same, and whether the search for them was cut short: it takes a bounded number of steps, and
/// looks at a bounded number of pages.
pub(super) fn search(area: &AreaState, cap: u32) -> (Vec<Resident>, bool) {
    let (tallies, is_cut) = match &area.live {
        Some(live) => (live::tally(area, live), false),
        None if area.placed => inferred(area, cap),
        None => (Vec::new(), false),
    };
    let known = tallies.into_iter().filter(|tally| tally.blocks > 0);
    let mut residents: Vec<_> =
        known.map(|tally| tally.resident(area.order_per_bit, cap)).collect();
    residents.sort_by_key(|resident| (std::cmp::Reverse(resident.pages()), resident.count));
    (residents, is_cut)
}

fn inferred(area: &AreaState, cap: u32) -> (Vec<Tally>, bool) {
    // Beyond this no kernel goes, and phases would be sparse.
    const LARGEST_CAP: u32 = 20;
    let cap_bits = cap.min(LARGEST_CAP).saturating_sub(area.order_per_bit);
    let gaps = Gaps::of(area, cap_bits);
    let found = sizes::find(&gaps, area.complete);
    let pages = |bits: u64| bits.saturating_mul(1u64 << area.order_per_bit.min(63));
    let tally = |size: &Size| Tally::new(Size { count: pages(size.count), ..*size });
    let mut tallies: Vec<_> = found.sizes.iter().map(tally).collect();
    // A gap that is there once and fills much of the area is hardly one buffer.
    let most = area.total.map_or(u64::MAX, |total| total / 4);
    for tally in tallies.iter_mut().filter(|tally| tally.blocks == 1 && tally.count > most) {
        tally.blocks = 0;
    }
    for gap in &gaps.gaps {
        if let Some(last) = found.last_of_class[gap.class] {
            tallies[last].strand(gap.end, gap.hole_after);
        }
    }
    (tallies, found.is_cut)
}

/// A size, and what its buffers are followed by.
#[derive(Clone, Debug)]
struct Tally {
    /// Pages.
    count: u64,
    blocks: u64,
    confidence: Confidence,
    /// Bits lost before the first aligned bit of the holes after its buffers, by order.
    lost: [u64; 64],
}

/// A size in pages or bits, how often it is there, and how sure that is.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Size {
    count: u64,
    blocks: u64,
    confidence: Confidence,
}

impl Tally {
    const fn new(size: Size) -> Self {
        let Size { count, blocks, confidence } = size;
        Self { count, blocks, confidence, lost: [0; 64] }
    }

    /// A buffer ends before bit `end`, and a hole of `hole` bits follows.
    fn strand(&mut self, end: u64, hole: u64) {
        for (order, lost) in self.lost.iter_mut().enumerate() {
            let past = end & ((1 << order) - 1);
            let front = if past == 0 { 0 } else { (1 << order) - past };
            *lost = lost.saturating_add(front.min(hole));
        }
    }

    fn resident(&self, order_per_bit: u32, cap: u32) -> Resident {
        let pages = |bits: u64| bits.saturating_mul(1u64 << order_per_bit.min(63));
        let count = self.count;
        let stranded = |cap: u32| {
            let order = dma_align(count, cap).saturating_sub(order_per_bit);
            pages(self.lost[order.min(63) as usize])
        };
        let now = stranded(cap);
        let recoverable = (0..cap.min(8)).rev().map(|cap| (cap, now.saturating_sub(stranded(cap))));
        Resident {
            count,
            align: dma_align(count, cap),
            blocks: Some(self.blocks),
            stranded_pages: now,
            confidence: self.confidence,
            recoverable: recoverable.collect(),
        }
    }
}
