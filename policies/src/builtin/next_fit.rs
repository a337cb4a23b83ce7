//! First fit that goes on where the last grant ended.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::catalog::Entry;
use crate::kit::{Ask, FreeMap, Place, Placed, Search};
use crate::mutant::mutate;
use crate::policy::{First, Promises};

/// A rover in each range is at the end of the last grant there; a search begins at it, goes up to the
/// end of the range, and comes round from bit 0. After a busy claim it goes on one alignment step
/// further on the same way round, each place at most once, then in the next range of the area's
/// order, at its own rover. Every request begins in the first range.
///
/// Only a grant moves a rover: what was refused or busy leaves it where it was.
pub(crate) const ENTRY: Entry = Entry {
    name: "next-fit",
    about: "first fit from the end of the last grant, and round",
    source: "Knuth, The Art of Computer Programming 1, section 2.5, exercise 6 (roving pointer)",
    params: &[],
    build: |area, _| {
        let rovers = area.ranges().iter().map(|_| 0).collect();
        let promises = Promises { first: First::PastLast, thorough: true, ..Promises::SEARCH };
        Ok(Box::new(Placed::new(area, promises, NextFit { rovers })))
    },
};

struct NextFit {
    /// For each range the first bit past the last grant.
    rovers: Vec<u64>,
}

impl Place for NextFit {
    fn place(&self, map: &FreeMap, search: Search, ask: Ask) -> Option<u64> {
        if ask.first.is_some() {
            return ask.round(map, search);
        }
        let ahead = Search { from: self.rovers[ask.range], ..search };
        let fit = map.first_fit(ahead);
        // What ends where the range ends is taken for the start of the next round.
        let fit = mutate!(RoverWraps: fit => fit.filter(|bit| bit + search.bits < map.bits()));
        fit.or_else(|| map.first_fit(search))
    }

    fn granted(&mut self, range: usize, bit: u64, bits: u64) {
        self.rovers[range] = bit + bits;
    }
}

#[cfg(test)]
mod tests {
    use crate::builtin::testing::{free, free_runs, grant, on, request, walk, with_area};
    use crate::{Area, Run};
    use alloc::vec::Vec;

    #[test]
    fn it_goes_on_behind_the_last_grant_and_comes_round() {
        let mut policy = on("next-fit", 100, 16);
        assert_eq!(grant(&mut *policy, 4, 0), Some(100));
        assert_eq!(grant(&mut *policy, 4, 0), Some(104));
        free(&mut *policy, 100, 4);
        assert_eq!(grant(&mut *policy, 4, 0), Some(108), "not the hole in front");
        assert_eq!(grant(&mut *policy, 5, 0), None);
        assert_eq!(grant(&mut *policy, 4, 0), Some(112), "up to the last page");
        assert_eq!(grant(&mut *policy, 1, 0), Some(100), "round from the end");
    }

    #[test]
    fn busy_places_and_refusals_do_not_move_it() {
        let mut policy = on("next-fit", 0, 16);
        grant(&mut *policy, 6, 0);
        let round: Vec<u64> = (6..16).collect();
        assert_eq!(walk(&mut *policy, request(1, 0)), round);
        assert_eq!(walk(&mut *policy, request(11, 0)), []);
        free(&mut *policy, 0, 6);
        let round: Vec<u64> = (6..16).chain(0..6).collect();
        assert_eq!(walk(&mut *policy, request(1, 0)), round);
        assert_eq!(walk(&mut *policy, request(3, 2)), [8, 12, 0, 4]);
        assert_eq!(grant(&mut *policy, 1, 0), Some(6));
        assert_eq!(free_runs(&*policy), "6@0+9@7");
    }

    #[test]
    fn each_range_has_its_rover() {
        let area = Area::new("two", 0, &[Run::new(0, 4), Run::new(10, 4)]).unwrap();
        let mut policy = with_area("next-fit", area);
        for at in [0, 2, 10] {
            assert_eq!(grant(&mut *policy, 2, 0), Some(at));
        }
        free(&mut *policy, 0, 2);
        free(&mut *policy, 10, 2);
        assert_eq!(walk(&mut *policy, request(2, 0)), [0, 12, 10, 11]);
    }
}
