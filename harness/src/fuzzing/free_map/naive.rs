//! The answers of a free map by looking at each bit. Shares nothing with the kit.

use cma_policies::kit::{FreeMap, Search};

/// Which bits are free.
#[derive(Clone)]
pub(crate) struct Naive {
    pub(crate) free: Vec<bool>,
    pub(crate) origin: u64,
}

impl std::fmt::Debug for Naive {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bits at {}", self.free.len(), self.origin)
    }
}

/// What is asked for, apart from where to go on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wish {
    pub(crate) bits: u64,
    pub(crate) order: u32,
    pub(crate) offset: u64,
}

impl Wish {
    const fn step(self) -> u64 {
        1 << self.order
    }

    /// Without a division, which is most of what a look at each bit costs.
    const fn is_aligned(self, bit: u64) -> bool {
        bit.wrapping_add(self.offset) & (self.step() - 1) == 0
    }

    /// The search for it, past the refused place if there is one.
    pub(crate) fn search(self, refused: Option<u64>) -> Search {
        let from = refused.map_or(0, |refused| refused.saturating_add(self.step()));
        Search { bits: self.bits, mask: self.step() - 1, offset: self.offset, from }
    }
}

/// Where `wish` fits in `holes`.
pub(crate) fn fits(holes: &[(u64, u64)], wish: Wish) -> Vec<u64> {
    let starts = |(first, count): &(u64, u64)| {
        let mut all = *first..first + (count + 1).saturating_sub(wish.bits);
        let lowest = all.find(|bit| wish.is_aligned(*bit));
        lowest.into_iter().chain(all.skip(wish.step() as usize - 1).step_by(wish.step() as usize))
    };
    holes.iter().flat_map(starts).collect()
}

/// Holes with an aligned bit: bits from it on, and it; shortest first, of equals the lowest.
fn ranked(holes: &[(u64, u64)], wish: Wish) -> Vec<(u64, u64)> {
    let usable = |(first, count): &(u64, u64)| {
        let start = (*first..first + count).find(|bit| wish.is_aligned(*bit))?;
        Some((first + count - start, start))
    };
    let mut ranked: Vec<_> = holes.iter().filter_map(usable).collect();
    ranked.sort_unstable();
    ranked
}

impl Naive {
    pub(crate) fn bits(&self) -> u64 {
        self.free.len() as u64
    }

    /// A wish whose offset is the map's own, as every search of an area has it.
    pub(crate) const fn wish(&self, bits: u64, order: u32) -> Wish {
        Wish { bits, order, offset: self.origin % (1 << order) }
    }

    fn is_free(&self, start: u64, count: u64) -> bool {
        let end = start.checked_add(count).filter(|end| *end <= self.bits());
        end.is_some_and(|end| (start..end).all(|bit| self.free[bit as usize]))
    }

    pub(crate) fn holes(&self) -> Vec<(u64, u64)> {
        let mut holes = Vec::new();
        let mut start = 0;
        while start < self.free.len() {
            let end = self.run_end(start);
            if self.free[start] {
                holes.push((start as u64, (end - start) as u64));
            }
            start = end;
        }
        holes
    }

    /// Where the bits end that are like bit `start`: many at once as long as all are.
    fn run_end(&self, start: usize) -> usize {
        const MANY: usize = 64;
        let like = self.free[start];
        let many = self.free[start..].chunks_exact(MANY).take_while(|bits| **bits == [like; MANY]);
        let end = start + many.count() * MANY;
        end + self.free[end..].iter().take_while(|bit| **bit == like).count()
    }

    /// Compares the searches past these refused places; none is the first search.
    pub(crate) fn check_search(&self, map: &FreeMap, wish: Wish, refused: &[Option<u64>]) {
        let holes = self.holes();
        let (fits, mut ranked) = (fits(&holes, wish), ranked(&holes, wish));
        ranked.retain(|(bits, _)| *bits >= wish.bits);
        for &refused in refused {
            Self::check_one(map, wish.search(refused), &fits, &mut ranked, refused);
        }
    }

    /// Compares one search with what fits, and with the holes that have a fit.
    fn check_one(
        map: &FreeMap,
        search: Search,
        fits: &[u64],
        ranked: &mut [(u64, u64)],
        refused: Option<u64>,
    ) {
        let first = fits.iter().copied().find(|bit| *bit >= search.from);
        assert_eq!(map.first_fit(search), first, "first fit, {search:?}");
        let highest =
            fits.iter().copied().rfind(|bit| refused.is_none_or(|refused| *bit < refused));
        assert_eq!(map.highest_fit(search), highest, "highest fit, {search:?}");
        ranked.sort_unstable();
        let best = ranked.first().map(|(_, start)| *start);
        assert_eq!(map.best_fit(search), best, "best fit, {search:?}");
        ranked.sort_by_key(|(bits, start)| (std::cmp::Reverse(*bits), *start));
        let worst = ranked.first().map(|(_, start)| *start);
        assert_eq!(map.worst_fit(search), worst, "worst fit, {search:?}");
    }

    /// Compares everything that asks for no search.
    pub(crate) fn check_state(&self, map: &FreeMap) {
        let holes = self.holes();
        let mut shown = Vec::new();
        map.for_each_run(|first, count| shown.push((first, count)));
        assert_eq!(shown, holes);
        assert_eq!(map.bits(), self.bits());
        assert_eq!(map.free_bits(), holes.iter().map(|(_, count)| count).sum::<u64>());
        assert_eq!(map.longest_run(), holes.iter().map(|(_, count)| *count).max().unwrap_or(0));
        for order in (0..16).chain([31, 62, 63]) {
            let longest = ranked(&holes, self.wish(1, order)).last().map_or(0, |(bits, _)| *bits);
            assert_eq!(map.longest_usable(order), longest, "order {order}");
        }
    }

    /// Compares the questions about single places around `bit`.
    pub(crate) fn check_place(&self, map: &FreeMap, bit: u64, count: u64) {
        assert_eq!(map.is_free(bit, count), self.is_free(bit, count), "{count}@{bit}");
        let holds = |(first, count): &(u64, u64)| (*first..first + count).contains(&bit);
        assert_eq!(map.hole_at(bit), self.holes().into_iter().find(holds), "hole at {bit}");
    }
}
