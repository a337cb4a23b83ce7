//! The tightest hole and the longest, measured from their first aligned page.

use alloc::boxed::Box;

use crate::catalog::Entry;
use crate::kit::{Ask, FreeMap, Placed, Search};
use crate::policy::{First, Promises};

/// Of all holes that hold an aligned fit, the one whose part from its first aligned page to its end
/// is the shortest, the lowest of equals; what is before that page does not count. After a busy
/// claim it goes on from there as first fit does, round the range: an order of holes would change
/// under it when other requests come and go. Holes of several ranges are not compared: ranges are
/// searched in the area's order, and the first that has a fit serves it.
///
/// The vendor's file, as read, keeps first fit's place where a hole fits exactly, because an early
/// return assigns a local pointer; here an exact fit wins, as its text means it to.
pub(crate) const BEST_FIT: Entry = Entry {
    name: "best-fit",
    about: "the shortest hole that holds an aligned fit",
    source: "Qualcomm mem-hooks, hook android_rvh_bitmap_find_best_next_area, DT cma-best-fit (6.6)",
    params: &[],
    build: |area, _| {
        let promises = Promises { first: First::Shortest, thorough: true, ..Promises::SEARCH };
        Ok(Box::new(Placed::new(area, promises, best_fit)))
    },
};

/// As [`BEST_FIT`], but the longest such part: what remains of it stays useful.
pub(crate) const WORST_FIT: Entry = Entry {
    name: "worst-fit",
    about: "the longest hole that holds an aligned fit",
    source: "Wilson and others, Dynamic Storage Allocation: A Survey and Critical Review (1995)",
    params: &[],
    build: |area, _| {
        let promises = Promises { first: First::Longest, thorough: true, ..Promises::SEARCH };
        let place = |map: &FreeMap, search: Search, ask: Ask| {
            ask.first.map_or_else(|| map.worst_fit(search), |_| ask.round(map, search))
        };
        Ok(Box::new(Placed::new(area, promises, place)))
    },
};

/// The tightest hole at first, then round the range.
pub(super) fn best_fit(map: &FreeMap, search: Search, ask: Ask) -> Option<u64> {
    ask.first.map_or_else(|| map.best_fit(search), |_| ask.round(map, search))
}
