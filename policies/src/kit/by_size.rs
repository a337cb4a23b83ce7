//! Holes in the order of their usable length, for one alignment.

use alloc::collections::BTreeSet;

use super::search::Search;
use crate::mutant::mutate;

/// The holes of a map that hold a place aligned to one mask and offset, ordered by how long they
/// are from the first such place on, then by that place.
#[derive(Clone, Debug)]
pub(super) struct BySize {
    align: Search,
    /// (usable bits, first aligned bit)
    holes: BTreeSet<(u64, u64)>,
}

impl BySize {
    /// An empty set for the alignment of `search`.
    pub(super) fn new(search: Search) -> Self {
        Self { align: Search { bits: 1, from: 0, ..search }, holes: BTreeSet::new() }
    }

    /// Whether it is the set for the alignment of `search`.
    pub(super) fn is_for(&self, search: Search) -> bool {
        self.align.mask == search.mask && self.align.offset == search.offset
    }

    fn key(&self, (first, bits): (u64, u64)) -> (u64, u64) {
        let place = self.align.align_up(first);
        ((first + bits).saturating_sub(place), place)
    }

    /// A hole came into being: its first bit and its bits.
    pub(super) fn insert(&mut self, hole: (u64, u64)) {
        let key = self.key(hole);
        if key.0 > 0 {
            self.holes.insert(key);
        }
    }

    /// A hole went.
    pub(super) fn remove(&mut self, hole: (u64, u64)) {
        self.holes.remove(&self.key(hole));
    }

    /// The place of the shortest hole of at least `bits` usable bits, of equals the lowest.
    pub(super) fn shortest(&self, bits: u64) -> Option<u64> {
        let &(usable, place) = self.holes.range((bits, 0)..).next()?;
        let highest = || self.holes.range(..(usable + 1, 0)).next_back().map(|hole| hole.1);
        mutate!(TieHigh: Some(place) => highest())
    }

    /// The place of the longest hole, of equals the lowest, if it has `bits` usable bits.
    pub(super) fn longest(&self, bits: u64) -> Option<u64> {
        let &(usable, _) = self.holes.last().filter(|hole| hole.0 >= bits)?;
        self.holes.range((usable, 0)..).next().map(|&(_, place)| place)
    }
}
