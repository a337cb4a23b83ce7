//! `kit::FreeMap` beside a list of bools, and the other parts of the kit beside plain tables.

mod naive;
mod parts;

use cma_policies::kit::{FreeMap, Search};

use self::naive::{Naive, Wish, fits};
use super::Target;
use crate::codec::{Act, Case};

pub(super) const TARGET: Target = Target::passes("free_map", run);

/// Sizes where words, nodes and levels of the tree end; a case with a LOAD limit takes one of them.
const SIZES: [u64; 24] = [
    1, 2, 31, 32, 33, 63, 64, 65, 127, 128, 129, 511, 513, 1023, 1025, 4031, 4032, 4033, 4095,
    4096, 4097, 4159, 4161, 8191,
];
/// One more level of the tree: dear, so only few inputs have it.
const LARGE: [u64; 4] = [64 * 64 * 64 - 1, 64 * 64 * 64, 64 * 64 * 64 + 1, 64 * 64 * 64 + 4097];

/// Bits that are looked at for one input, about: what bounds its time.
const LOOKS: u64 = 1 << 14;

/// Runs the acts of the case that `bytes` are on a map.
///
/// # Panics
/// Where the map says something else than the list of bools.
pub fn run(bytes: &[u8]) {
    let case = Case::decode(bytes);
    let bits = match u64::from(case.load_limit) {
        0 => case.area.ranges()[0].count / case.area.granule(),
        limit if limit % 256 == 255 => LARGE[(limit / 256 % 4) as usize],
        limit => SIZES[(limit % SIZES.len() as u64) as usize],
    };
    let origin = case.area.ranges()[0].pfn.0 / case.area.granule();
    let most = (LOOKS / bits).clamp(4, 96) as usize;
    let mut pair = Pair::new(bits, origin);
    for act in case.acts.iter().take(most) {
        pair.act(act, case.area.order_per_bit());
        if bits <= 64 {
            pair.naive.check_state(&pair.map);
        }
    }
    pair.naive.check_state(&pair.map);
    parts::run(&case);
}

/// A map and what it must say.
struct Pair {
    map: FreeMap,
    naive: Naive,
}

impl Pair {
    fn new(bits: u64, origin: u64) -> Self {
        let naive = Naive { free: vec![true; bits as usize], origin };
        Self { map: FreeMap::new(bits, origin), naive }
    }

    fn act(&mut self, act: &Act, order_per_bit: u32) {
        let size = self.naive.bits();
        // Pages of the case's own area: on this map most of them are as many bits or fewer.
        let wish = |naive: &Naive, count: u64, align: u32| {
            let bits = if count > size { 1 + count % (size + 2) } else { count };
            naive.wish(bits, align.saturating_sub(order_per_bit))
        };
        match *act {
            Act::Alloc { request, script, linger } => {
                let mut wish = wish(&self.naive, request.count(), request.align());
                if linger > 0 {
                    // An offset that is not the map's own, which no index helps with.
                    wish.offset = wish.offset.wrapping_add(u64::from(linger) << script.busy);
                }
                let fits = fits(&self.naive.holes(), wish).into_iter().take(script.busy.into());
                let refused: Vec<_> = [None].into_iter().chain(fits.map(Some)).collect();
                self.naive.check_search(&self.map, wish, &refused);
                self.take(wish, request.client());
            }
            Act::Fill { request, times } => {
                let wish = wish(&self.naive, request.count(), request.align());
                for _ in 0..times.min(16) {
                    self.take(wish, 0);
                }
            }
            Act::Free { victim } => self.clear(victim, |run| run),
            Act::FreePart { victim, part } => self.clear(victim, |(start, count)| {
                let from = u64::from(part) % count;
                (start + from, 1 + u64::from(part) / count % (count - from))
            }),
            Act::FreeEvery { stride, phase, .. } => {
                let (stride, phase) = (usize::from(stride.max(1)), usize::from(phase));
                let used = self.used();
                for (start, count) in used.into_iter().skip(phase % stride).step_by(stride) {
                    self.write(start, count, false);
                }
            }
            Act::Pin { at, more } => {
                let start = u64::from(at) % size;
                let count = (1 + u64::from(more)).min(size - start);
                let run = start as usize..(start + count) as usize;
                let free = self.naive.free[run.clone()].iter().filter(|free| **free).count();
                if free == 0 || free == run.len() {
                    self.write(start, count, free > 0);
                }
                self.naive.check_place(&self.map, start, count);
            }
            Act::Unpin { victim } => {
                self.map = self.map.clone();
                self.naive.check_state(&self.map);
                self.naive.check_place(&self.map, u64::from(victim) % size, 1);
            }
            Act::FreeBadly { victim, by, .. } => self.absurd(u64::from(victim), u64::from(by)),
        }
    }

    /// The places that are used, as long as they can be.
    fn used(&self) -> Vec<(u64, u64)> {
        let mut used: Vec<(u64, u64)> = Vec::new();
        for (bit, _) in (0..).zip(&self.naive.free).filter(|(_, free)| !**free) {
            match used.last_mut() {
                Some((start, count)) if *start + *count == bit => *count += 1,
                _ => used.push((bit, 1)),
            }
        }
        used
    }

    fn write(&mut self, start: u64, count: u64, used: bool) {
        if used {
            self.map.set(start, count);
        } else {
            self.map.clear(start, count);
        }
        self.naive.free[start as usize..(start + count) as usize].fill(!used);
    }

    /// Marks a fit for `wish`; which one goes by `how`.
    fn take(&mut self, wish: Wish, how: u16) {
        let search = wish.search(None);
        let fit = match how % 4 {
            0 => self.map.first_fit(search),
            1 => self.map.highest_fit(search),
            2 => self.map.best_fit(search),
            _ => self.map.worst_fit(search),
        };
        let fits = fits(&self.naive.holes(), wish);
        match fit {
            Some(bit) => {
                assert!(fits.contains(&bit), "{search:?} does not fit at {bit}");
                self.write(bit, search.bits, true);
            }
            None => assert!(fits.is_empty(), "{search:?} fits at {fits:?}"),
        }
    }

    fn clear(&mut self, victim: u32, part: impl Fn((u64, u64)) -> (u64, u64)) {
        let used = self.used();
        if let Some(at) = (victim as usize).checked_rem(used.len()) {
            let (start, count) = part(used[at]);
            self.write(start, count, false);
        }
    }

    /// Questions that nobody has a use for: an answer all the same.
    fn absurd(&self, number: u64, by: u64) {
        let size = self.naive.bits();
        let bit = number % (size + 3);
        for count in [0, 1, by, size - bit.min(size), u64::MAX] {
            if count > 0 {
                self.naive.check_place(&self.map, bit, count);
            }
            assert!(count <= size || !self.map.is_free(bit, count), "{count} bits at {bit}");
        }
        for (bits, mask) in [(size, 0), (size + 1, 0), (u64::MAX, 0), (1, u64::MAX >> 1)] {
            let search = Search { bits, mask, offset: number & mask, from: bit + by };
            let fits = [self.map.first_fit(search), self.map.highest_fit(search)];
            for fit in fits.into_iter().flatten() {
                assert!(fit + bits <= size, "{search:?} fits at {fit} of {size} bits");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;

    #[test]
    fn random_cases_pass_on_maps_of_every_size() {
        let mut draws = Seed::new(5).child("free_map", 0).rng();
        for draw in 0..400 {
            let mut case = Case::draw(&mut draws, 40);
            // Every other one on the area of the case itself.
            case.load_limit *= draw % 2;
            run(&case.encode());
        }
        for limit in 1..64 {
            let mut case = Case::draw(&mut draws, 40);
            case.load_limit = limit;
            run(&case.encode());
        }
    }
}
