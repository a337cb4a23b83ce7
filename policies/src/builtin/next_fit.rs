//! First fit that goes on where the last grant ended.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::catalog::Entry;
use crate::kit::{Ask, FreeMap, Place, Placed, Search};
use crate::policy::Promises;

/// A rover in each range stands behind the last grant there; a search begins at it, goes up to the
/// end of the range, and comes round from bit 0 up to it. After a busy claim it goes on one
/// alignment step further on the same way round, each place at most once, then in the next range.
///
/// Only a grant moves a rover: what was refused or busy leaves it where it was.
pub(crate) const ENTRY: Entry = Entry {
    name: "next-fit",
    about: "first fit from behind the last grant, and round",
    source: "Knuth, The Art of Computer Programming 1, section 2.5, exercise 6 (roving pointer)",
    params: &[],
    build: |area, _| {
        let rovers = area.ranges().iter().map(|_| 0).collect();
        Ok(Box::new(Placed::new(area, Promises::SEARCH, NextFit { rovers })))
    },
};

struct NextFit {
    /// For each range the first bit behind the last grant.
    rovers: Vec<u64>,
}

impl Place for NextFit {
    fn begin(&self, range: usize) -> u64 {
        self.rovers[range]
    }

    fn place(&self, map: &FreeMap, search: Search, ask: Ask) -> Option<u64> {
        let rover = ask.note;
        let is_round = search.refused().is_some_and(|bit| bit < rover);
        if !is_round {
            let ahead = Search { from: search.from.max(rover), ..search };
            if let Some(bit) = map.first_fit(ahead) {
                return Some(bit);
            }
        }
        let from = if is_round { search.from } else { 0 };
        map.first_fit(Search { from, ..search }).filter(|&bit| bit < rover)
    }

    fn granted(&mut self, range: usize, bit: u64, bits: u64) {
        self.rovers[range] = bit + bits;
    }
}
