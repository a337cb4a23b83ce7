//! An indexed bitmap: which bits of a range are free, and where the next buffer fits.

use alloc::vec::Vec;
use core::cell::RefCell;
use core::ops::Range;

use super::by_size::BySize;
use super::lane::Lane;
use super::search::Search;
use super::words::Words;
use crate::mutant::mutate;

/// The largest alignment order with a lane of its own. `CONFIG_CMA_ALIGNMENT` goes up to 12.
const MAX_ORDER: u32 = 13;

/// Which bits of a range are free.
///
/// A bitmap, and for each alignment order that is asked for an index of its holes by place, counted
/// from their first aligned bit on (`lane.rs`). A search goes down to the first block with a hole
/// that may be long enough, also where a thousand holes are long enough but begin too late for the
/// alignment; that is what a plain scan, or an index of the longest run alone, cannot do. What it
/// finds not to be there is not looked for again.
///
/// | asks | costs |
/// | --- | --- |
/// | [`set`](Self::set), [`clear`](Self::clear) | O(log bits), and a word for each 64 bits of the run |
/// | [`first_fit`](Self::first_fit), [`highest_fit`](Self::highest_fit), [`longest_run`](Self::longest_run), [`longest_usable`](Self::longest_usable) | O(log bits), and once for each change before it a look at the 512 bits around that change |
/// | [`is_free`](Self::is_free), [`hole_at`](Self::hole_at), [`free_bits`](Self::free_bits) | O(1): three words, and one for each 2^18 bits |
/// | [`best_fit`](Self::best_fit), [`worst_fit`](Self::worst_fit) | O(log holes); every change keeps an ordered set of them |
/// | [`for_each_run`](Self::for_each_run) | O(holes), and a word for each 64 bits |
///
/// The first search of an alignment order walks the holes once, and from then on every change keeps
/// that order's lane (or ordered set) too.
///
/// That holds for orders up to 13 (in bits) whose offset is the map's own, which is every search
/// that [`AreaMap`](super::AreaMap) makes with `CONFIG_CMA_ALIGNMENT` up to 12; other orders and
/// offsets get the same answers more slowly, by jumping from hole to hole.
#[derive(Clone, Debug)]
pub struct FreeMap {
    words: Words,
    lanes: RefCell<Vec<Lane>>,
    by_size: RefCell<Vec<BySize>>,
    bits: u64,
    free: u64,
    origin: u64,
    /// Coordinate of bit 0 in the words, whose coordinate 0 is aligned to `2^order` bits.
    phase: u64,
    /// The largest order with a lane.
    order: u32,
}

impl FreeMap {
    /// A map of `bits` free bits, at least 1, whose bit 0 is `origin` bits past page 0.
    ///
    /// # Panics
    /// If there is no bit, or more than [`Area::MAX_BITS`](crate::Area::MAX_BITS).
    pub fn new(bits: u64, origin: u64) -> Self {
        assert!((1..=crate::Area::MAX_BITS).contains(&bits), "a map of {bits} bits");
        // An area of fewer than 2^order bits has at most two places aligned so: no index needed.
        let order = MAX_ORDER.min(crate::ceil_log2(bits));
        let phase = origin & ((1 << order) - 1);
        let end = phase + bits;
        let mut words = Words::new(end as usize);
        words.clear(&(phase as usize..end as usize));
        let (lanes, by_size) = (RefCell::default(), RefCell::default());
        Self { words, lanes, by_size, bits, free: bits, origin, phase, order }
    }

    /// Bits in all.
    pub const fn bits(&self) -> u64 {
        self.bits
    }

    /// Free bits.
    pub const fn free_bits(&self) -> u64 {
        self.free
    }

    fn coordinate(&self, bit: u64) -> usize {
        (self.phase + bit) as usize
    }

    fn bit(&self, coordinate: usize) -> u64 {
        coordinate as u64 - self.phase
    }

    /// Whether all of `[start, start + count)` is inside the map and free. An empty run is.
    pub fn is_free(&self, start: u64, count: u64) -> bool {
        match start.checked_add(count) {
            Some(end) if end <= self.bits => {
                count == 0
                    || self.words.free_end(self.coordinate(start)) >= self.coordinate(start + count)
            }
            _ => false,
        }
    }

    /// The coordinates of `count` bits from `start` on.
    fn run(&self, start: u64, count: u64) -> Range<usize> {
        let inside = start.checked_add(count).is_some_and(|end| end <= self.bits);
        assert!(inside && count > 0, "{count}@{start} is not in a map of {} bits", self.bits);
        self.coordinate(start)..self.coordinate(start + count)
    }

    /// Marks free bits as used.
    ///
    /// # Panics
    /// If one of them is not in the map, or not free.
    pub fn set(&mut self, start: u64, count: u64) {
        let run = self.run(start, count);
        let end = self.words.set(&run);
        self.free -= count;
        for lane in self.lanes.get_mut() {
            lane.split(&run, end);
        }
        if !self.by_size.get_mut().is_empty() {
            let hole = self.bit(self.words.free_start(run.start))..self.bit(end);
            let run = start..start + count;
            self.by_size.get_mut().iter_mut().for_each(|index| index.split(&hole, &run));
        }
    }

    /// Marks used bits as free.
    ///
    /// # Panics
    /// If one of them is not in the map, or not used.
    pub fn clear(&mut self, start: u64, count: u64) {
        let run = self.run(start, count);
        self.words.clear(&run);
        self.free += count;
        let first = self.words.free_start(run.start);
        let first = mutate!(StaleWord: first => {
            let goes_on = run.end.div_ceil(64) > run.start / 64 + 1;
            if goes_on && first / 64 == run.start / 64 { run.start } else { first }
        });
        let end = self.words.free_end(run.end);
        let end = mutate!(LastBit: end => if end == self.words.end() { end - 1 } else { end });
        if mutate!(StaleIndex: true => false) {
            self.lanes.get_mut().iter_mut().for_each(|lane| lane.join(first, end));
        }
        let hole = self.bit(first)..self.bit(end);
        let run = start..start + count;
        self.by_size.get_mut().iter_mut().for_each(|index| index.join(&hole, &run));
    }

    /// Marks those of `count` bits from `start` on as free that are used, and shows each run of
    /// them: first bit, bits.
    ///
    /// # Panics
    /// If one of them is not in the map.
    pub fn clear_used(&mut self, start: u64, count: u64, mut cleared: impl FnMut(u64, u64)) {
        let run = self.run(start, count);
        let mut at = run.start;
        while at < run.end {
            let end = self.words.next_free(at, run.end);
            if at < end {
                let (first, bits) = (self.bit(at), (end - at) as u64);
                self.clear(first, bits);
                cleared(first, bits);
            }
            at = self.words.free_end(end);
        }
    }

    /// The largest order of `search` that has a lane: its mask and offset agree with the
    /// map's own alignment up to there. All of the search where it is `search.mask + 1`.
    fn lane_order(&self, search: Search) -> u32 {
        let agree = (search.offset ^ self.origin).trailing_zeros();
        agree.min(self.order).min(search.mask.count_ones())
    }

    /// Asks the lane of this order, which is made where it is not yet.
    #[inline]
    fn lane<T>(&self, order: u32, ask: impl FnOnce(&mut Lane) -> T) -> T {
        let mut lanes = self.lanes.borrow_mut();
        let at = lanes.iter().position(|lane| lane.order == order).unwrap_or_else(|| {
            lanes.push(Lane::new(order, &self.words));
            lanes.len() - 1
        });
        ask(&mut lanes[at])
    }

    /// The lowest aligned fit at or after `search.from`: exactly the answer of
    /// `bitmap_find_next_zero_area_off()` (`lib/bitmap.c`, 6.12).
    pub fn first_fit(&self, search: Search) -> Option<u64> {
        self.first_fit_counted(search).0
    }

    /// [`first_fit`](Self::first_fit), and the groups of bounds and the holes that it looked at: its
    /// cost without a clock.
    pub fn first_fit_counted(&self, search: Search) -> (Option<u64>, u64) {
        let order = self.lane_order(search);
        let mut visits = 0;
        let mut from = search.from;
        loop {
            let left = self.bits.saturating_sub(from);
            if left == 0 || mutate!(EndByOne: search.bits > left => search.bits >= left) {
                return (None, visits);
            }
            let at = if from == 0 { 0 } else { self.coordinate(from) };
            let bits = search.bits as usize;
            let fit = self.lane(order, |lane| lane.first_fit(&self.words, bits, at, &mut visits));
            let Some(bit) = fit.map(|fit| self.bit(fit)) else { return (None, visits) };
            // Every answer fits the lane's order, so none of the search lies before this one.
            from = search.align_up(bit);
            if from == bit {
                return (Some(bit), visits);
            }
        }
    }

    /// The highest aligned fit; after a refused claim the highest below that place.
    pub fn highest_fit(&self, search: Search) -> Option<u64> {
        let order = self.lane_order(search);
        let mut limit = self.bits.checked_sub(search.bits)?;
        if let Some(refused) = search.refused() {
            let step = search.mask + 1;
            let step = mutate!(ResumeSkipsDown: step => step.saturating_mul(2));
            limit = limit.min(refused.checked_sub(step)?);
        }
        loop {
            let (bits, at) = (search.bits as usize, self.coordinate(limit));
            let fit = self.lane(order, |lane| lane.highest_fit(&self.words, bits, at))?;
            let bit = self.bit(fit);
            limit = search.align_down(bit)?;
            if limit == bit {
                return Some(bit);
            }
        }
    }

    /// Answers by the ordered set of holes of this alignment, which is made where it is not yet.
    fn by_size<T>(&self, search: Search, ask: impl FnOnce(&BySize) -> T) -> T {
        let mut sets = self.by_size.borrow_mut();
        let at = sets.iter().position(|set| set.is_for(search)).unwrap_or_else(|| {
            let mut set = BySize::new(search);
            self.for_each_run(|first, bits| set.insert(&(first..first + bits)));
            sets.push(set);
            sets.len() - 1
        });
        ask(&sets[at])
    }

    /// The lowest aligned place of the hole whose part from there on is the shortest that is long
    /// enough; of equals the lowest. `search.from` is not looked at: holes come and go while a
    /// request is under way, so there is no next one in their order.
    pub fn best_fit(&self, search: Search) -> Option<u64> {
        self.by_size(search, |set| set.shortest(search.bits))
    }

    /// As [`best_fit`](Self::best_fit), but the longest such hole.
    pub fn worst_fit(&self, search: Search) -> Option<u64> {
        self.by_size(search, |set| set.longest(search.bits))
    }

    /// Bits of the longest hole, 0 where there is none.
    pub fn longest_run(&self) -> u64 {
        self.longest_usable(0)
    }

    /// The longest free run that starts at a bit aligned to `2^order` bits, counted from page 0;
    /// 0 where no aligned bit is free.
    pub fn longest_usable(&self, order: u32) -> u64 {
        if order <= self.order {
            return self.lane(order, |lane| lane.longest(&self.words)) as u64;
        }
        let mask = 1u64.checked_shl(order).unwrap_or(0).wrapping_sub(1);
        let mut search = Search { bits: 1, mask, offset: self.origin & mask, from: 0 };
        while let Some(bit) = self.first_fit(search) {
            let (first, bits) = self.hole_at(bit).expect("a fit is in a hole");
            search = Search { bits: first + bits - bit + 1, from: first + bits, ..search };
        }
        search.bits - 1
    }

    /// The hole that bit `bit` is in, its first bit and its bits; `None` where the bit is used.
    pub fn hole_at(&self, bit: u64) -> Option<(u64, u64)> {
        if !self.is_free(bit, 1) {
            return None;
        }
        let at = self.coordinate(bit);
        let (first, end) = (self.words.free_start(at), self.words.free_end(at));
        Some((self.bit(first), (end - first) as u64))
    }

    /// Visits the holes, ascending: first bit, bits.
    pub fn for_each_run(&self, mut visit: impl FnMut(u64, u64)) {
        let mut end = 0;
        loop {
            let start = self.words.next_free(end, self.words.end());
            if start == self.words.end() {
                return;
            }
            end = self.words.free_end(start);
            visit(self.bit(start), (end - start) as u64);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(map: &FreeMap, bits: u64, order: u32, from: u64) -> Option<u64> {
        let mask = (1 << order) - 1;
        map.first_fit(Search { bits, mask, offset: map.origin & mask, from })
    }

    #[test]
    fn word_and_node_borders() {
        for bits in [1, 2, 63, 64, 65, 127, 128, 129, 4095, 4096, 4097] {
            let mut map = FreeMap::new(bits, 0);
            assert_eq!(first(&map, bits, 0, 0), Some(0), "{bits}");
            assert_eq!(first(&map, bits + 1, 0, 0), None);
            assert_eq!(map.longest_run(), bits);
            map.set(0, bits);
            assert_eq!((map.longest_run(), map.free_bits()), (0, 0));
            map.clear(bits - 1, 1);
            assert_eq!(first(&map, 1, 0, 0), Some(bits - 1));
            assert_eq!(map.hole_at(bits - 1), Some((bits - 1, 1)));
        }
    }

    #[test]
    fn a_base_off_the_alignment_shifts_every_place() {
        let map = FreeMap::new(4096, 0x40200);
        assert_eq!(first(&map, 1, 10, 0), Some(512));
        assert_eq!(map.longest_usable(10), 4096 - 512);
        assert_eq!(map.longest_usable(12), 512, "from 0x41000 on");
        assert_eq!(map.longest_usable(13), 0, "0x40000 and 0x42000 are outside");
    }

    /// The most nodes that a search looks at for 200 bits at order 8 among residents of 257 bits,
    /// of which only the last slot is free: every hole is long enough, none from an aligned bit on.
    fn most_visits(bits: u64) -> u64 {
        let mut map = FreeMap::new(bits, 0);
        let slots = bits / 512;
        (0..slots - 1).for_each(|slot| map.set(slot * 512, 257));
        let counts = (0..slots).map(|slot| {
            let search = Search { bits: 200, mask: 255, offset: 0, from: slot * 512 };
            let (fit, visits) = map.first_fit_counted(search);
            assert_eq!(fit, Some((slots - 1) * 512));
            visits
        });
        counts.max().expect("a slot")
    }

    #[test]
    fn holes_that_begin_too_late_do_not_lead_a_search_astray() {
        let (small, large) = (most_visits(286_720), most_visits(4_194_304));
        assert!(small <= 40, "{small} nodes looked at in a tree of 13 levels");
        assert!(2 * large <= 3 * small, "{small} nodes in 286720 bits, {large} in 4194304");
    }

    /// Asked after every change, so that most answers are known from the one before.
    #[test]
    fn the_longest_run_is_that_of_all_holes_behind_every_change() {
        let (bits, origin) = (3000, 37);
        let mut map = FreeMap::new(bits, origin);
        let mut used = Vec::new();
        let mut draw = 1_u64;
        for step in 0..3000 {
            draw = draw.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let count = 1 + (draw >> 33) % if step % 500 < 250 { 400 } else { 12 };
            let at = (draw >> 13) % bits;
            if (draw >> 60) < 8 && map.is_free(at, count) {
                map.set(at, count);
                used.push((at, count));
            } else if !used.is_empty() {
                let (at, count) = used.swap_remove((draw >> 40) as usize % used.len());
                map.clear(at, count);
            }
            for order in [0, 3, 6] {
                let mut longest = 0;
                map.for_each_run(|first, bits| {
                    let lead = (first + origin).next_multiple_of(1 << order) - (first + origin);
                    longest = longest.max(bits.saturating_sub(lead));
                });
                assert_eq!(map.longest_usable(order), longest, "order {order}, step {step}");
            }
        }
    }

    /// It was lost from the ordered set: out after in, under one key.
    #[test]
    fn a_hole_and_its_piece_may_have_the_same_first_aligned_bit() {
        let mut map = FreeMap::new(28, 5);
        let search = Search { bits: 7, mask: 7, offset: 5, from: 0 };
        assert_eq!(map.best_fit(search), Some(3));
        map.set(0, 1);
        assert_eq!(map.best_fit(search), Some(3));
        map.clear(0, 1);
        assert_eq!((map.best_fit(search), map.worst_fit(search)), (Some(3), Some(3)));
    }

    #[test]
    #[should_panic(expected = "not all free")]
    fn used_bits_cannot_be_set() {
        let mut map = FreeMap::new(300, 5);
        map.set(10, 100);
        map.set(109, 2);
    }

    #[test]
    #[should_panic(expected = "not all used")]
    fn free_bits_cannot_be_cleared() {
        FreeMap::new(300, 5).clear(10, 1);
    }

    #[test]
    fn a_search_ends_where_the_next_aligned_page_has_no_number() {
        // The one page aligned to order 63 is bit 8192, and it is used; the next would be 2^64.
        let mut map = FreeMap::new(1 << 15, (1 << 63) - 8192);
        map.set(0, 8193);
        assert_eq!(first(&map, 1, 63, 0), None);
        assert_eq!(map.longest_usable(63), 0);
        map.clear(8192, 1);
        assert_eq!(first(&map, 1, 63, 0), Some(8192));
        assert_eq!(map.longest_usable(63), (1 << 15) - 8192);
        let search = Search { bits: 1, mask: (1 << 63) - 1, offset: map.origin, from: 0 };
        assert_eq!(map.highest_fit(search), Some(8192));
    }

    #[test]
    fn nothing_overflows_on_absurd_searches() {
        let map = FreeMap::new(100, u64::MAX >> 1);
        for bits in [1, 100, u64::MAX] {
            for mask in [0, (1 << 63) - 1] {
                for from in [0, 99, 100, u64::MAX] {
                    let search = Search { bits, mask, offset: map.origin & mask, from };
                    let fits = [map.first_fit(search), map.highest_fit(search)];
                    assert!(fits.iter().all(|fit| fit.is_none_or(|bit| bit < 100)));
                    let _ = (map.best_fit(search), map.worst_fit(search));
                }
            }
        }
        assert!(!map.is_free(1, u64::MAX));
    }
}
