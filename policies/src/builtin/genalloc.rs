//! Two searches of the kernel's general purpose allocator, which carveouts and SRAM pools use.
//!
//! Neither obeys the alignment of a request, so their grants cannot be compared with those of
//! policies that do: they show what alignment costs.

use alloc::boxed::Box;

use crate::catalog::Entry;
use crate::kit::{Ask, FreeMap, Placed, Search};
use crate::policy::Promises;

/// `gen_pool_best_fit()`: the shortest hole that is long enough, the lowest of equals, and its first
/// bit, whatever the request's alignment. It finds a place wherever one is free.
///
/// That pool has no busy claims. Here the next bit of the hole is tried then, and the next hole.
pub(crate) const BEST_FIT: Entry = Entry {
    name: "genalloc-best-fit",
    about: "the shortest hole that is long enough; ignores the alignment asked for",
    source: "Linux lib/genalloc.c gen_pool_best_fit(), 6.12",
    params: &[],
    build: |area, _| {
        let promises = Promises { aligned: false, ..Promises::SEARCH };
        Ok(Box::new(Placed::new(area, promises, best_fit)))
    },
};

/// `gen_pool_first_fit_order_align()`: first fit at a multiple of the request's bits rounded up to
/// a power of two, counted from the start of the range and with no cap, whatever the request's
/// alignment. It is aligned in memory only where the range is, and refuses what a smaller alignment
/// would have let in.
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

/// The same search with a mask of its own: it goes on behind the same refused place.
fn with_mask(search: Search, mask: u64) -> Search {
    let from = search.refused().map_or(0, |bit| bit + mask + 1);
    Search { mask, offset: 0, from, ..search }
}

fn best_fit(map: &FreeMap, search: Search, _: Ask) -> Option<u64> {
    map.best_fit(with_mask(search, 0))
}

fn order_align(map: &FreeMap, search: Search, _: Ask) -> Option<u64> {
    map.first_fit(with_mask(search, search.bits.next_power_of_two() - 1))
}
