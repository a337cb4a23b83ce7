//! The state that the bitmap of debugfs shows.

use std::sync::Arc;

use super::sizes::least_bits;
use super::{AreaState, Hole, Known, Layout, RangeState};

/// The most holes that are kept of one bitmap: 16 MB.
const MOST_HOLES: usize = 1 << 20;

/// The bitmap of a range, by the number of that.
pub(crate) type Bitmap = (u32, Arc<[u32]>);

impl AreaState {
    /// What the bitmaps of the ranges of an area show: words of 32 bits, the least significant one
    /// first, 1 is allocated (`cma_debugfs_add_one()`, `mm/cma_debug.c`).
    pub(crate) fn of_bitmaps(bitmaps: &[Bitmap], layout: &Layout, stated: &Stated) -> Self {
        let order = layout.order_per_bit.unwrap_or(0).min(63);
        let mut complete = bitmaps.len() == layout.bases.len().max(1);
        let (mut left, mut shown) = (MOST_HOLES, 0);
        let mut is_cut = false;
        let ranges: Vec<RangeState> = bitmaps
            .iter()
            .map(|(number, words)| {
                let pages = layout.pages(*number);
                // Bits past the last one of a range read 0.
                let all = words.len() as u64 * 32;
                let bits = match pages {
                    Some(pages) => all.min(pages >> order),
                    None if bitmaps.len() > 1 => least_bits(words),
                    None => all,
                };
                let (holes, all) = holes(words, bits, order, left);
                left -= holes.len();
                shown += bits << order;
                // The first range of several may be all that was gathered.
                complete &= all && pages.is_some_and(|pages| pages >> order == bits);
                is_cut |= pages.is_some_and(|pages| bits < pages >> order);
                RangeState { number: *number, base_pfn: layout.base(*number), pages, holes }
            })
            .collect();
        let mut state = layout.state(None, Known::Bitmap);
        if !ranges.is_empty() {
            state.ranges = ranges;
        }
        state.shown = layout.total.and(Some(shown)).filter(|_| is_cut);
        state.placed = true;
        state.complete = complete;
        state.free = complete.then(|| state.known_free());
        state.longest = stated.max_chunk.filter(|_| !complete);
        state.available = stated.available(layout.total);
        state
    }
}

/// What debugfs states of an area beside its bitmaps, in pages.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Stated {
    /// `used`.
    pub(crate) used: Option<u64>,
    /// `maxchunk`.
    pub(crate) max_chunk: Option<u64>,
    /// It has `ranges/N`: `used` is by the counter of the area, not by the bitmap (6.15 on).
    pub(crate) is_ranged: bool,
}

impl Stated {
    /// The pages that the counter has left.
    pub(crate) fn available(&self, total: Option<u64>) -> Option<u64> {
        let (used, total) = self.used.filter(|_| self.is_ranged).zip(total)?;
        Some(total.saturating_sub(used))
    }
}

/// The runs of clear bits among the first `bits`, at most `most` of them, and whether that is all.
pub(crate) fn holes(words: &[u32], bits: u64, order: u32, most: usize) -> (Vec<Hole>, bool) {
    let mut holes = Vec::new();
    let mut open: Option<u64> = None;
    let close = |holes: &mut Vec<Hole>, from: u64, to: u64| {
        let room = holes.len() < most;
        if room {
            let (start, count) = (from << order, (to - from) << order);
            holes.push(Hole { start, count });
        }
        room
    };
    for (index, word) in words.iter().enumerate() {
        let first = index as u64 * 32;
        if first >= bits {
            break;
        }
        let mut at = 0;
        while at < 32 {
            let rest = word >> at;
            let same = if open.is_some() { rest.trailing_zeros() } else { rest.trailing_ones() };
            at += same.min(32 - at);
            let bit = first + u64::from(at);
            if at == 32 || bit >= bits {
                break;
            }
            match open.take() {
                Some(from) if !close(&mut holes, from, bit) => return (holes, false),
                Some(_) => {}
                None => open = Some(bit),
            }
        }
    }
    let all = open.is_none_or(|from| from >= bits || close(&mut holes, from, bits));
    (holes, all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(words: &[u32], bits: u64) -> Vec<(u64, u64)> {
        let (holes, all) = holes(words, bits, 0, 100);
        assert!(all);
        holes.iter().map(|hole| (hole.count, hole.start)).collect()
    }

    #[test]
    fn the_lowest_bit_comes_first_and_1_is_allocated() {
        // Bits 0 to 4 and 40 are set: `debugfs_create_u32_array()` prints words, the low bit first.
        assert_eq!(runs(&[31, 256], 64), [(35, 5), (23, 41)]);
        assert_eq!(runs(&[0, 0], 64), [(64, 0)]);
        assert_eq!(runs(&[u32::MAX, u32::MAX], 64), []);
        assert_eq!(runs(&[0x7fff_ffff, u32::MAX - 1], 64), [(2, 31)]);
        assert_eq!(runs(&[], 0), []);
    }

    #[test]
    fn bits_past_the_end_do_not_count() {
        assert_eq!(runs(&[1], 20), [(19, 1)]);
        assert_eq!(runs(&[0xf_ffff], 20), []);
        assert_eq!(runs(&[0, 0], 32), [(32, 0)]);
        assert_eq!(runs(&[0, 0], 33), [(33, 0)]);
    }

    #[test]
    fn every_map_of_8_bits_agrees_with_a_look_at_each_bit() {
        for map in 0..256u32 {
            let mut seen = [false; 8];
            for (count, start) in runs(&[map | !0xff], 32) {
                for bit in start..start + count {
                    seen[bit as usize] = true;
                }
            }
            for (bit, free) in seen.iter().enumerate() {
                assert_eq!(*free, map >> bit & 1 == 0, "{map:b} bit {bit}");
            }
        }
    }

    #[test]
    fn more_holes_than_are_kept_are_no_whole_state() {
        let (kept, all) = holes(&[0x5555_5555; 4], 128, 0, 10);
        assert_eq!((kept.len(), all), (10, false));
    }

    #[test]
    fn pages_are_bits_times_the_granule() {
        let layout = Layout { order_per_bit: Some(2), total: Some(32), ..Layout::default() };
        let state =
            AreaState::of_bitmaps(&[(0, Arc::from([0b1111u32]))], &layout, &Stated::default());
        assert_eq!(state.ranges[0].holes, [Hole { start: 16, count: 16 }]);
        assert_eq!((state.free, state.complete), (Some(16), true));
    }
}
