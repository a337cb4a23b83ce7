//! The kernel's own: aligned first fit from bit 0 on every call.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::area::Area;
use crate::catalog::{Entry, Param};
use crate::error::BuildError;
use crate::kit::{Ask, FreeMap, Placed, Retry, Search, carve};
use crate::policy::{Policy, Promises};

/// `cma_alloc()` of `mm/cma.c` over `bitmap_find_next_zero_area_off()` of `lib/bitmap.c`: the
/// lowest aligned fit; after a busy claim it goes on one alignment step further
/// (`start = bitmap_no + mask + 1`), through each range in the area's order, which is that of the
/// kernel, each from its bit 0 with its own mask and offset; a range with fewer bits than are asked
/// for is passed over, and any other error ends it.
///
/// `row` is the row of the kernel table it follows. Mainline rows differ in what they print, which
/// is not a policy's business, and from 6.15 on they count the pages that nobody has. That shows
/// only after a part of a buffer was given back where a bit is several pages: then the bitmap can
/// have a place for more pages than there are. `android` (Android common kernels) sleeps `pause_us`
/// after a pass that was busy everywhere and searches again from the start, `pauses` times.
pub(crate) const ENTRY: Entry = Entry {
    name: crate::catalog::BASELINE,
    about: "the kernel's first fit with mask and offset, and its resume rule after busy",
    source: "Linux mm/cma.c cma_alloc(), lib/bitmap.c bitmap_find_next_zero_area_off(), 4.11 to 7.3",
    params: &[
        Param::choice(
            "row",
            &[
                "6.12", "4.11", "5.10", "5.13", "6.1", "6.3", "6.9", "6.15", "6.18", "7.0",
                "android",
            ],
            "6.12",
            "row of the kernel table; android sleeps and searches again after busy",
        ),
        Param::int("pauses", 0..=1000, "5", "row android: how often it sleeps before it gives up"),
        Param::int("pause_us", 0..=10_000_000, "100000", "row android: microseconds of one sleep"),
    ],
    build: |area: Area, params| {
        let promises = Promises { lowest: true, ..Promises::SEARCH };
        let policy = Placed::new(area, promises, first_fit);
        let (pauses, pause_us) = (params.int("pauses"), params.int("pause_us"));
        Ok(Box::new(match params.choice("row") {
            "android" => policy.with_retry(Retry { pauses, pause_us }),
            "6.15" | "6.18" | "7.0" => policy.counted(),
            _ => policy,
        }))
    },
};

/// One part of `area` for each share, in each of which the search is this.
pub(super) fn parts(area: &Area, shares: &[f64]) -> Result<Vec<Box<dyn Policy>>, BuildError> {
    let part =
        |part| -> Box<dyn Policy> { Box::new(Placed::new(part, Promises::SEARCH, first_fit)) };
    Ok(carve(area, shares)?.into_iter().map(part).collect())
}

pub(super) fn first_fit(map: &FreeMap, search: Search, _: Ask) -> Option<u64> {
    map.first_fit(search)
}
