//! An indexed bitmap (for now a plain one with the same answers).

use alloc::vec;
use alloc::vec::Vec;

/// What a search asks for, all in bits (`bitmap_find_next_zero_area_off()`, `lib/bitmap.c`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Search {
    /// Bits that must be free in a row, at least 1.
    pub bits: u64,
    /// Which bits of `bit + offset` must be 0: one less than a power of two.
    pub mask: u64,
    /// How far bit 0 stands behind an aligned place.
    pub offset: u64,
    /// 0 at first; after a refused claim one alignment step behind the place that was refused.
    pub from: u64,
}

impl Search {
    /// The place whose refused claim this search goes on from, if it does.
    #[must_use]
    pub const fn refused(&self) -> Option<u64> {
        if self.from == 0 { None } else { Some(self.from - self.mask - 1) }
    }
    /// The first aligned bit at or behind `bit`.
    #[must_use]
    pub const fn align_up(&self, bit: u64) -> u64 {
        ((bit + self.offset + self.mask) & !self.mask) - self.offset
    }
}

/// Which bits of a range are free.
#[derive(Clone, Debug)]
pub struct FreeMap {
    used: Vec<bool>,
    origin: u64,
}

impl FreeMap {
    /// A map of `bits` free bits whose bit 0 stands `origin` bits behind page 0.
    #[must_use]
    pub fn new(bits: u64, origin: u64) -> Self {
        Self { used: vec![false; bits as usize], origin }
    }
    /// Bits in all.
    #[must_use]
    pub fn bits(&self) -> u64 {
        self.used.len() as u64
    }
    /// Free bits.
    #[must_use]
    pub fn free_bits(&self) -> u64 {
        self.used.iter().filter(|used| !**used).count() as u64
    }
    /// Whether all of `[start, start + count)` is inside the map and free.
    #[must_use]
    pub fn is_free(&self, start: u64, count: u64) -> bool {
        start + count <= self.bits() && (start..start + count).all(|bit| !self.used[bit as usize])
    }
    /// Marks free bits as used.
    pub fn set(&mut self, start: u64, count: u64) {
        assert!(self.is_free(start, count));
        self.used[start as usize..(start + count) as usize].fill(true);
    }
    /// Marks used bits as free.
    pub fn clear(&mut self, start: u64, count: u64) {
        assert!(self.used[start as usize..(start + count) as usize].iter().all(|used| *used));
        self.used[start as usize..(start + count) as usize].fill(false);
    }
    /// The lowest aligned fit at or behind `search.from`.
    #[must_use]
    pub fn first_fit(&self, search: Search) -> Option<u64> {
        let mut bit = search.align_up(search.from);
        while bit + search.bits <= self.bits() {
            if self.is_free(bit, search.bits) {
                return Some(bit);
            }
            bit += search.mask + 1;
        }
        None
    }
    /// The highest aligned fit; after a refused claim the highest below that place.
    #[must_use]
    pub fn highest_fit(&self, search: Search) -> Option<u64> {
        let limit = search.refused().unwrap_or(self.bits());
        (0..limit.min((self.bits() + 1).saturating_sub(search.bits)))
            .rev()
            .find(|&b| (b + search.offset) & search.mask == 0 && self.is_free(b, search.bits))
    }
    fn by_usable(&self, search: Search, sign: i64) -> Option<u64> {
        let mut holes = Vec::new();
        self.for_each_run(|start, count| {
            let first = search.align_up(start);
            if first + search.bits <= start + count {
                holes.push((sign * (start + count - first) as i64, first, start + count));
            }
        });
        holes.sort_unstable();
        let mut candidates = holes.iter().flat_map(|&(_, first, end)| {
            (first..=end - search.bits).step_by(search.mask as usize + 1)
        });
        match search.refused() {
            None => candidates.next(),
            Some(refused) => candidates.skip_while(|&bit| bit != refused).nth(1),
        }
    }
    /// The lowest aligned place of the hole whose part from there on is the shortest that is long
    /// enough, the lowest of equals. After a refused claim: the next place in that order.
    #[must_use]
    pub fn best_fit(&self, search: Search) -> Option<u64> {
        self.by_usable(search, 1)
    }
    /// As [`best_fit`](Self::best_fit), but the longest hole first.
    #[must_use]
    pub fn worst_fit(&self, search: Search) -> Option<u64> {
        self.by_usable(search, -1)
    }
    /// Bits of the longest hole, 0 where there is none.
    #[must_use]
    pub fn longest_run(&self) -> u64 {
        self.longest_usable(0)
    }
    /// The longest free run that starts at a bit aligned to `2^order` bits (counted from page 0).
    #[must_use]
    pub fn longest_usable(&self, order: u32) -> u64 {
        let mask = (1u64 << order) - 1;
        let search = Search { bits: 1, mask, offset: self.origin & mask, from: 0 };
        let mut longest = 0;
        self.for_each_run(|start, count| {
            longest = longest.max((start + count).saturating_sub(search.align_up(start)));
        });
        longest
    }
    /// The hole that bit `bit` is in: its first bit and its bits.
    #[must_use]
    pub fn hole_at(&self, bit: u64) -> Option<(u64, u64)> {
        let mut hole = None;
        self.for_each_run(|start, count| {
            if (start..start + count).contains(&bit) {
                hole = Some((start, count));
            }
        });
        hole
    }
    /// Visits the holes, ascending: first bit, bits.
    pub fn for_each_run(&self, mut visit: impl FnMut(u64, u64)) {
        let mut start = None;
        for bit in 0..=self.used.len() {
            match (start, self.used.get(bit).copied().unwrap_or(true)) {
                (None, false) => start = Some(bit),
                (Some(first), true) => {
                    visit(first as u64, (bit - first) as u64);
                    start = None;
                }
                _ => {}
            }
        }
    }
}
