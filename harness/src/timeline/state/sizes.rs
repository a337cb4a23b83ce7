//! How long the ranges of an area are, which no file of debugfs states.
//!
//! A bitmap is printed in words of 32 bits, so the last one of each range may have bits past its
//! end. `count` has the sum, the next range begins past the end of the one below it, and no run is
//! longer than `maxchunk` (`mm/cma_debug.c`, 6.15 on).

use super::{Bitmap, Layout};

/// The fewest and the most bits that a range can have.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    least: u64,
    most: u64,
}

/// The bits of `words` that are there in any case: up to the last one that is set, and all words
/// but the last one.
pub(super) fn least_bits(words: &[u32]) -> u64 {
    let full = words.len().checked_sub(1).map_or(0, |before| before as u64 * 32 + 1);
    to_last_set(words).max(full)
}

/// The bits up to the last one that is set.
fn to_last_set(words: &[u32]) -> u64 {
    let set = words.iter().rposition(|word| *word != 0);
    set.map_or(0, |at| at as u64 * 32 + u64::from(32 - words[at].leading_zeros()))
}

/// The bounds of each range by its files, its neighbours and the sum; empty where these do not
/// state enough.
fn bounds(
    bitmaps: &[Bitmap],
    layout: &Layout,
    alone: impl Fn(u32, &[u32]) -> Bounds,
) -> Vec<Bounds> {
    let is_each_there = bitmaps.iter().map(|(number, _)| *number).eq(0..bitmaps.len() as u32);
    let bits = layout.bits().filter(|_| is_each_there && bitmaps.len() > 1);
    let Some(bits) = bits.filter(|_| layout.bases.len() <= bitmaps.len()) else {
        return Vec::new();
    };
    let mut bounds: Vec<Bounds> =
        bitmaps.iter().map(|(number, words)| alone(*number, words)).collect();
    narrow(&mut bounds, bits);
    bounds
}

/// The pages of each range for which only one number is possible, by number.
pub(crate) fn sizes(
    bitmaps: &[Bitmap],
    layout: &Layout,
    max_chunk: Option<u64>,
) -> Vec<(u32, u64)> {
    let chunk = max_chunk.map(|pages| pages >> layout.order());
    let bounds = bounds(bitmaps, layout, |number, words| alone(number, words, layout, chunk));
    let solved = (0..).zip(bounds).filter(|(_, one)| one.least == one.most);
    solved.map(|(number, one)| (number, one.least << layout.order())).collect()
}

/// The pages of each range by number, where several are possible those that make the first ranges
/// longest. `seen`: the page past the last one below a page that some buffer had.
pub(crate) fn likely_sizes(
    bitmaps: &[Bitmap],
    layout: &Layout,
    seen: impl Fn(u64) -> Option<u64>,
) -> Vec<(u32, u64)> {
    let (order, all) = (layout.order(), layout.bits().unwrap_or(0));
    let mut bounds = bounds(bitmaps, layout, |number, words| {
        let mut one = alone(number, words, layout, None);
        if let Some(base) = layout.base(number) {
            let end = base.saturating_add(one.most << order);
            let used = seen(end).and_then(|seen| seen.checked_sub(base)).unwrap_or(0);
            one.least = one.least.max(used.div_ceil(1 << order).min(one.most));
        }
        one
    });
    for at in 0..bounds.len() {
        bounds[at].least = bounds[at].most;
        narrow(&mut bounds, all);
    }
    let is_sum = bounds.iter().map(|one| one.least).sum::<u64>() == all;
    let sizes = (0..).zip(bounds).map(|(number, one)| (number, one.least << order));
    sizes.filter(|(_, pages)| is_sum && *pages > 0).collect()
}

/// What the files of range `number` alone say, and where the range above it begins.
fn alone(number: u32, words: &[u32], layout: &Layout, chunk: Option<u64>) -> Bounds {
    let order = layout.order();
    let least = least_bits(words);
    let mut most = words.len() as u64 * 32;
    if let Some(base) = layout.base(number) {
        let above = layout.bases.iter().map(|(_, other)| *other).filter(|other| *other > base);
        let gap = above.min().map_or(u64::MAX, |next| (next - base) >> order);
        most = most.min(gap);
    }
    most = most.min(chunk.map_or(u64::MAX, |chunk| to_last_set(words).saturating_add(chunk)));
    Bounds { least, most }
}

/// Narrows `bounds` until their sum can be `all` bits with any choice of the others.
fn narrow(bounds: &mut [Bounds], all: u64) {
    for _ in 0..=bounds.len() {
        for at in 0..bounds.len() {
            let others = || bounds.iter().enumerate().filter(|(other, _)| *other != at);
            let least = others().fold(0u64, |sum, (_, one)| sum.saturating_add(one.least));
            let most = others().fold(0u64, |sum, (_, one)| sum.saturating_add(one.most));
            let one = &mut bounds[at];
            one.least = one.least.max(all.saturating_sub(most));
            one.most = one.most.min(all.saturating_sub(least));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn solved(words: &[&[u32]], bases: &[u64], order: u32, total: u64) -> Vec<(u32, u64)> {
        chunked(words, bases, order, total, None)
    }

    fn chunked(
        words: &[&[u32]],
        bases: &[u64],
        order: u32,
        total: u64,
        chunk: Option<u64>,
    ) -> Vec<(u32, u64)> {
        let bitmaps: Vec<_> = (0..).zip(words.iter().map(|words| Arc::from(*words))).collect();
        let bases = (0..).zip(bases.iter().copied()).collect();
        let layout =
            Layout { order_per_bit: Some(order), total: Some(total), bases, ..Layout::default() };
        sizes(&bitmaps, &layout, chunk)
    }

    #[test]
    fn whole_words_that_make_up_the_count_are_the_ranges() {
        let found = solved(&[&[0; 4], &[0; 2]], &[1 << 20, 1 << 19], 0, 192);
        assert_eq!(found, [(0, 128), (1, 64)]);
        // One page is missing in one of them.
        assert_eq!(solved(&[&[0; 4], &[0; 2]], &[1 << 20, 1 << 19], 0, 191), []);
    }

    #[test]
    fn a_bit_that_is_set_and_the_next_range_narrow_the_last_word() {
        // Bits 0 to 19 and 32 to 51 are there; 40 in all.
        let last = 1u32 << 19;
        assert_eq!(
            solved(&[&[last], &[0, last]], &[], 10, 72 << 10),
            [(0, 20 << 10), (1, 52 << 10)]
        );
        // The second one begins 7 bits past the first one.
        let bases = [0x40000, 0x40000 + (7 << 10)];
        assert_eq!(solved(&[&[0], &[0, 0]], &bases, 10, 71 << 10), [(0, 7 << 10), (1, 64 << 10)]);
        let one = chunked(&[&[0], &[0], &[0]], &[], 10, 30 << 10, Some(10 << 10));
        assert_eq!(one, [(0, 10 << 10), (1, 10 << 10), (2, 10 << 10)]);
    }

    #[test]
    fn files_that_contradict_each_other_or_of_which_one_is_missing_say_nothing() {
        assert_eq!(solved(&[&[0; 4], &[0; 2]], &[], 0, 5000), []);
        assert_eq!(solved(&[&[0; 4]], &[1 << 20, 1 << 19], 0, 192), []);
    }
}
