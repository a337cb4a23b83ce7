//! A pool for each class of sizes.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::area::Area;
use crate::catalog::{Entry, Param, Params};
use crate::error::BuildError;
use crate::kit::Split;
use crate::mutant::mutate;
use crate::policy::{Policy, Promises};
use crate::request::{Request, ceil_log2};

use super::kernel_first_fit::parts;

/// The area is cut once into `classes` pools, its ranges one after the other in the area's order,
/// the smallest sizes first, each `ratio` times as large as the one below it. Pool 0 takes requests
/// of at most `2^low` pages, each further one sizes `step` orders larger, the last one everything
/// above. Within a pool the search is the kernel's. With `spill` a request that its pool cannot
/// serve tries the pools of larger sizes, the next one first, and then those of smaller ones. No
/// buffer crosses from one pool to another.
pub(crate) const ENTRY: Entry = Entry {
    name: "size-class",
    about: "a pool for each class of sizes",
    source: "Wilson and others, Dynamic Storage Allocation: A Survey (1995), segregated fits",
    params: &[
        Param::int("classes", 2..=8, "3", "how many pools"),
        Param::int("low", 0..=63, "4", "pool 0 takes requests of at most 2^low pages"),
        Param::int(
            "step",
            1..=63,
            "4",
            "orders from the largest size of a pool to that of the next",
        ),
        Param::float("ratio", 0.01..=100.0, "2", "pages of a pool over pages of the one below it"),
        Param::bool(
            "spill",
            "true",
            "whether a request may go to other pools when its own cannot serve it",
        ),
    ],
    build,
};

fn build(area: Area, params: &Params) -> Result<Box<dyn Policy>, BuildError> {
    let classes = params.int("classes") as usize;
    let ratio = params.float("ratio");
    let shares: Vec<f64> =
        core::iter::successors(Some(1.0), |share| Some(share * ratio)).take(classes).collect();
    let parts = parts(&area, &shares)?;
    let (low, step) = (params.int("low") as u32, params.int("step") as u32);
    let spill = params.bool("spill");
    let route = move |request: Request, at: usize| {
        let above = ceil_log2(request.count()).saturating_sub(low);
        let own = (above.div_ceil(step) as usize).min(classes - 1);
        let larger = classes - own;
        match at {
            0 => Some(own),
            _ if !spill => None,
            at if at < larger => Some(own + at),
            at if at < classes => Some(own - mutate!(SpillAgain: 1 => 0) - (at - larger)),
            _ => None,
        }
    };
    // What fits only across a border is refused: not complete.
    let promises = Promises { complete: false, ..Promises::SEARCH };
    Ok(Box::new(Split::new(area, promises, parts, route)))
}

#[cfg(test)]
mod tests {
    use crate::builtin::testing::{free_runs, grant, on, refusal, request, walk};

    #[test]
    fn each_size_has_its_pool() {
        // Up to 2 pages, up to 8, and more: 16, 32 and 64 pages.
        let text = "size-class:low=1,step=2,spill=false";
        assert_eq!(free_runs(&*on(text, 0, 112)), "16@0+32@16+64@48");
        for (count, at) in [(1, 0), (2, 0), (3, 16), (8, 16), (9, 48), (33, 48), (64, 48)] {
            assert_eq!(grant(&mut *on(text, 0, 112), count, 0), Some(at), "{count}");
        }
        assert_eq!(grant(&mut *on(text, 0, 112), 65, 0), None);
        assert_eq!(walk(&mut *on(text, 0, 112), request(2, 3)), [0, 8]);
    }

    #[test]
    fn spilling_goes_to_larger_pools_and_then_to_smaller_ones() {
        let text = "size-class:classes=4,low=0,step=1,ratio=1";
        let walk_of = |count| walk(&mut *on(text, 0, 32), request(count, 3));
        assert_eq!(walk_of(1), [0, 8, 16, 24]);
        assert_eq!(walk_of(2), [8, 16, 24, 0]);
        assert_eq!(walk_of(4), [16, 24, 8, 0]);
        assert_eq!(walk_of(8), [24, 16, 8, 0]);
        assert_eq!(walk_of(9), []);
    }

    #[test]
    fn pools_of_nothing_are_refused_with_a_remedy() {
        assert!(refusal("size-class:classes=8,ratio=100", 1024).contains("would do"));
    }
}
