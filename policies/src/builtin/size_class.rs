//! A pool for each class of sizes.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::area::Area;
use crate::catalog::{Entry, Kind, Param, Params};
use crate::error::BuildError;
use crate::kit::{Placed, Split, carve};
use crate::policy::{Policy, Promises};
use crate::request::{Request, ceil_log2};

use super::kernel_first_fit::first_fit;

/// The area is cut once into `classes` pools, the smallest sizes lowest, each `ratio` times as large
/// as the one below it. Pool 0 takes requests of at most `2^low` pages, each further one sizes
/// `step` orders larger, the last one everything above. Within a pool the search is the kernel's.
/// With `spill` a request that its pool cannot serve tries the pools of larger sizes, the next one
/// first, and then those of smaller ones. No buffer crosses from one pool to another.
pub(crate) const ENTRY: Entry = Entry {
    name: "size-class",
    about: "a pool for each class of sizes",
    source: "Wilson and others, Dynamic Storage Allocation: A Survey (1995), segregated fits",
    params: &[
        Param {
            name: "classes",
            kind: Kind::Int { min: 2, max: 8 },
            default: "3",
            about: "how many pools",
        },
        Param {
            name: "low",
            kind: Kind::Int { min: 0, max: 63 },
            default: "4",
            about: "pool 0 takes requests of at most 2^low pages",
        },
        Param {
            name: "step",
            kind: Kind::Int { min: 1, max: 63 },
            default: "4",
            about: "orders from the largest size of a pool to that of the next",
        },
        Param {
            name: "ratio",
            kind: Kind::Float { min: 0.01, max: 100.0 },
            default: "2",
            about: "pages of a pool over pages of the one below it",
        },
        Param {
            name: "spill",
            kind: Kind::Bool,
            default: "true",
            about: "whether a request may go to other pools when its own cannot serve it",
        },
    ],
    build,
};

fn build(area: Area, params: &Params) -> Result<Box<dyn Policy>, BuildError> {
    let classes = params.int("classes") as usize;
    let ratio = params.float("ratio");
    let shares: Vec<f64> =
        core::iter::successors(Some(1.0), |share| Some(share * ratio)).take(classes).collect();
    let parts: Vec<Box<dyn Policy>> = carve(&area, &shares)?
        .into_iter()
        .map(|part| -> Box<dyn Policy> { Box::new(Placed::new(part, Promises::SEARCH, first_fit)) })
        .collect();
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
            at if at < classes => Some(own - 1 - (at - larger)),
            _ => None,
        }
    };
    // What fits only across a border is refused: not complete.
    let promises = Promises { complete: false, ..Promises::SEARCH };
    Ok(Box::new(Split::new(area, promises, parts, route)))
}
