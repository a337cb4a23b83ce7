//! Two searches of the kernel's general purpose allocator, which carveouts and SRAM pools use.
//!
//! Neither obeys the alignment of a request, so their grants cannot be compared with those of
//! policies that do: they show what alignment costs.

use alloc::boxed::Box;

use super::by_hole::best_fit;
use crate::catalog::Entry;
use crate::kit::{Ask, FreeMap, Placed, Search};
use crate::policy::{First, Promises};

/// `gen_pool_best_fit()`: the shortest hole that is long enough, the lowest of equals, and its first
/// bit, whatever the request's alignment. It finds a place wherever one is free.
///
/// That pool has no busy claims. Here the next bits are tried then, round the range. A pool of
/// several chunks takes the first that has a place; so do ranges here, in the area's order.
pub(crate) const BEST_FIT: Entry = Entry {
    name: "genalloc-best-fit",
    about: "the shortest hole that is long enough; ignores the alignment asked for",
    source: "Linux lib/genalloc.c gen_pool_best_fit(), 6.12",
    params: &[],
    build: |area, _| {
        let first = First::Shortest;
        let promises = Promises { aligned: false, first, thorough: true, ..Promises::SEARCH };
        let place = |map: &FreeMap, search, ask| best_fit(map, with_mask(search, 0), ask);
        Ok(Box::new(Placed::new(area, promises, place)))
    },
};

/// `gen_pool_first_fit_order_align()`: first fit at a multiple of the request's bits rounded up to
/// a power of two, counted from the start of the range and with no cap, whatever the request's
/// alignment. It is aligned in memory only where the range is, and refuses what a smaller alignment
/// would have let in. Ranges are searched in the area's order.
pub(crate) const ORDER_ALIGN: Entry = Entry {
    name: "genalloc-order-align",
    about: "first fit at a multiple of the size, from the start of the range; no cap",
    source: "Linux lib/genalloc.c gen_pool_first_fit_order_align(), 6.12",
    params: &[],
    build: |area, _| {
        let promises = Promises { aligned: false, complete: false, ..Promises::SEARCH };
        Ok(Box::new(Placed::new(area, promises, order_align)))
    },
};

/// The same search with a mask of its own: it goes on past the same refused place.
fn with_mask(search: Search, mask: u64) -> Search {
    let from = search.refused().map_or(0, |bit| bit + mask + 1);
    Search { mask, offset: 0, from, ..search }
}

fn order_align(map: &FreeMap, search: Search, _: Ask) -> Option<u64> {
    map.first_fit(with_mask(search, search.bits.next_power_of_two() - 1))
}

#[cfg(test)]
mod tests {
    use crate::builtin::testing::{free, grant, on, request, walk};

    /// Holes `2@101 4@104 2@109` in 16 pages at 100, and page 115.
    fn holes(name: &str) -> alloc::boxed::Box<dyn crate::Policy> {
        let mut policy = on(name, 100, 16);
        grant(&mut *policy, 16, 0);
        for (pfn, count) in [(101, 2), (104, 4), (109, 2), (115, 1)] {
            free(&mut *policy, pfn, count);
        }
        policy
    }

    #[test]
    fn best_fit_takes_the_shortest_hole_where_it_begins() {
        for align in [0, 1, 5, 63] {
            let mut policy = holes("genalloc-best-fit");
            assert_eq!(walk(&mut *policy, request(2, align)), [101, 104, 105, 106, 109]);
            assert_eq!(grant(&mut *policy, 1, align), Some(115));
            assert_eq!(grant(&mut *policy, 3, align), Some(104));
            assert_eq!(grant(&mut *policy, 2, align), Some(101));
        }
    }

    #[test]
    fn order_align_counts_from_the_start_of_the_range() {
        for align in [0, 1, 5, 63] {
            let mut policy = on("genalloc-order-align", 101, 15);
            assert_eq!(walk(&mut *policy, request(3, align)), [101, 105, 109, 113]);
            assert_eq!(grant(&mut *policy, 5, align), Some(101));
            assert_eq!(grant(&mut *policy, 5, align), Some(109));
            assert_eq!(grant(&mut *policy, 4, align), None, "106 to 108 and 114 to 115 are left");
            assert_eq!(grant(&mut *policy, 2, align), Some(107));
        }
    }
}
