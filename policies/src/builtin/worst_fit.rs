//! The longest hole, measured from its first aligned page.

use alloc::boxed::Box;

use crate::catalog::Entry;
use crate::kit::{Ask, FreeMap, Placed, Search};
use crate::policy::{First, Promises};

/// Of all holes that hold an aligned fit, the one whose part from its first aligned page to its end
/// is the longest, the lowest of equals: what remains of it stays useful. After a busy claim it goes
/// on from there as first fit does, round the range. Ranges are searched in order, the first that
/// has a fit serves it.
pub(crate) const ENTRY: Entry = Entry {
    name: "worst-fit",
    about: "the longest hole that holds an aligned fit",
    source: "Wilson and others, Dynamic Storage Allocation: A Survey and Critical Review (1995)",
    params: &[],
    build: |area, _| {
        let promises = Promises { first: First::Longest, thorough: true, ..Promises::SEARCH };
        Ok(Box::new(Placed::new(area, promises, worst_fit)))
    },
};

fn worst_fit(map: &FreeMap, search: Search, ask: Ask) -> Option<u64> {
    ask.first.map_or_else(|| map.worst_fit(search), |_| ask.round(map, search))
}
