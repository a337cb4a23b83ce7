//! Holes in the order of their usable length, for one alignment.

use alloc::collections::BTreeSet;
use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

use super::search::Search;
use crate::mutant::mutate;

/// The holes of a map that hold a place aligned to one mask and offset, ordered by how long they
/// are from the first such place on, then by that place.
///
/// In classes of about the same length, so that each is short: a change of the map is a change of up
/// to three of them.
#[derive(Clone, Debug)]
pub(super) struct BySize {
    align: Search,
    holes: Vec<Class>,
    /// Bit `c`: class `c` has a hole.
    some: [u64; CLASSES.div_ceil(64)],
}

/// Lengths below have a class of their own.
const EXACT: u64 = 64;
/// Classes of lengths from `2^k` to `2^(k + 1)`, after those.
const STEPS: u32 = 3;
/// Up to the length of the largest map.
const CLASSES: usize = class(crate::Area::MAX_BITS) + 1;

const fn class(length: u64) -> usize {
    if length < EXACT {
        return length as usize;
    }
    let order = length.ilog2();
    let step = (length >> (order - STEPS)) - (1 << STEPS);
    EXACT as usize + ((order - EXACT.ilog2()) << STEPS) as usize + step as usize
}

/// Length before place, both far below 2^32.
const fn key(length: u64, place: u64) -> u64 {
    length << 32 | place
}

const fn place(key: u64) -> u64 {
    key & u32::MAX as u64
}

/// The holes of a class, as [`key`]s.
#[derive(Clone, Debug)]
enum Class {
    /// In order: where they are few, to move some costs less than a tree.
    Few(Vec<u64>),
    Many(BTreeSet<u64>),
}

/// The most of a class that are few.
const FEW: usize = 64;

impl Default for Class {
    fn default() -> Self {
        Self::Few(Vec::new())
    }
}

impl Class {
    fn insert(&mut self, key: u64) {
        match self {
            Self::Few(keys) if keys.len() < FEW => {
                keys.insert(keys.partition_point(|&other| other < key), key);
            }
            Self::Few(keys) => {
                let all = keys.iter().copied().chain([key]).collect();
                *self = Self::Many(all);
            }
            Self::Many(keys) => {
                keys.insert(key);
            }
        }
    }

    /// Takes `key` out; whether none is left.
    fn remove(&mut self, key: u64) -> bool {
        match self {
            Self::Few(keys) => {
                if let Ok(at) = keys.binary_search(&key) {
                    keys.remove(at);
                }
                keys.is_empty()
            }
            Self::Many(keys) => {
                keys.remove(&key);
                // Not as soon as they would be few: the next one may come at once.
                if keys.len() <= FEW / 2 {
                    *self = Self::Few(keys.iter().copied().collect());
                }
                false
            }
        }
    }

    /// The first from `key` on.
    fn from(&self, key: u64) -> Option<u64> {
        match self {
            Self::Few(keys) => keys.get(keys.partition_point(|&other| other < key)).copied(),
            Self::Many(keys) => keys.range(key..).next().copied(),
        }
    }

    /// The last before `key`.
    fn before(&self, key: u64) -> Option<u64> {
        match self {
            Self::Few(keys) => keys[..keys.partition_point(|&other| other < key)].last().copied(),
            Self::Many(keys) => keys.range(..key).next_back().copied(),
        }
    }
}

impl BySize {
    /// An empty set for the alignment of `search`.
    pub(super) fn new(search: Search) -> Self {
        let align = Search { bits: 1, from: 0, ..search };
        Self { align, holes: vec![Class::default(); CLASSES], some: [0; _] }
    }

    /// Whether it is the set for the alignment of `search`.
    pub(super) fn is_for(&self, search: Search) -> bool {
        self.align.mask == search.mask && self.align.offset == search.offset
    }

    /// Usable length and first aligned place of a hole, where it has one.
    fn usable(&self, hole: &Range<u64>) -> Option<(u64, u64)> {
        let place = self.align.align_up(hole.start);
        (place < hole.end).then(|| (hole.end - place, place))
    }

    /// A hole came into being.
    pub(super) fn insert(&mut self, hole: &Range<u64>) {
        if let Some((length, place)) = self.usable(hole) {
            let class = class(length);
            self.holes[class].insert(key(length, place));
            self.some[class / 64] |= 1 << (class % 64);
        }
    }

    /// A hole went.
    fn remove(&mut self, hole: &Range<u64>) {
        if let Some((length, place)) = self.usable(hole) {
            let class = class(length);
            if self.holes[class].remove(key(length, place)) {
                self.some[class / 64] &= !(1 << (class % 64));
            }
        }
    }

    /// `run` of `hole` is used now.
    pub(super) fn split(&mut self, hole: &Range<u64>, run: &Range<u64>) {
        // Out before in: a hole and a piece of it can have the same key.
        self.remove(hole);
        self.insert(&(hole.start..run.start));
        self.insert(&(run.end..hole.end));
    }

    /// `run` is free now, and `hole` is what it is in.
    pub(super) fn join(&mut self, hole: &Range<u64>, run: &Range<u64>) {
        self.remove(&(hole.start..run.start));
        self.remove(&(run.end..hole.end));
        self.insert(hole);
    }

    /// The first class from `class` on that has a hole.
    fn next(&self, class: usize) -> Option<usize> {
        let mut mask = u64::MAX << (class % 64);
        for word in class / 64..self.some.len() {
            let some = self.some[word] & mask;
            if some != 0 {
                return Some(word * 64 + some.trailing_zeros() as usize);
            }
            mask = u64::MAX;
        }
        None
    }

    /// The place of the shortest hole of at least `bits` usable bits, of equals the lowest.
    pub(super) fn shortest(&self, bits: u64) -> Option<u64> {
        if bits > crate::Area::MAX_BITS {
            return None;
        }
        let own = class(bits);
        let longer = || self.next(own + 1).and_then(|class| self.holes[class].from(0));
        let shortest = self.holes[own].from(key(bits, 0)).or_else(longer)?;
        let highest = || {
            let length = shortest >> 32;
            self.holes[class(length)].before(key(length + 1, 0)).map(place)
        };
        mutate!(TieHigh: Some(place(shortest)) => highest())
    }

    /// The place of the longest hole, of equals the lowest, if it has `bits` usable bits.
    pub(super) fn longest(&self, bits: u64) -> Option<u64> {
        let (word, some) = self.some.iter().enumerate().rfind(|(_, some)| **some != 0)?;
        let class = word * 64 + some.ilog2() as usize;
        let length = self.holes[class].before(u64::MAX)? >> 32;
        let lowest = self.holes[class].from(key(length, 0))?;
        (length >= bits).then(|| place(lowest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_become_many_and_few_again() {
        let (mut class, mut all) = (Class::default(), BTreeSet::new());
        let mut draw = 1_u64;
        let mut most = 0;
        for step in 0..8000 {
            draw = draw.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let key = draw >> 56;
            // It grows for a while, then it shrinks.
            if draw >> 40 & 7 < if step % 2000 < 1000 { 5 } else { 3 } {
                if all.insert(key) {
                    class.insert(key);
                }
            } else {
                all.remove(&key);
                assert!(!class.remove(key) || all.is_empty());
            }
            most = most.max(all.len());
            assert_eq!(class.from(key), all.range(key..).next().copied());
            assert_eq!(class.before(key), all.range(..key).next_back().copied());
            let is_many = matches!(class, Class::Many(_));
            assert!(if is_many { all.len() > FEW / 2 } else { all.len() <= FEW });
        }
        assert!(most > 2 * FEW);
    }
}
