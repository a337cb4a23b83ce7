//! A part of the area is kept for big requests.

mod on_demand;

use alloc::boxed::Box;
use alloc::format;
use alloc::vec::Vec;

use self::on_demand::OnDemand;
use super::kernel_first_fit::first_fit;
use crate::area::Area;
use crate::catalog::{Entry, Kind, Param, Params};
use crate::error::BuildError;
use crate::kit::{Placed, Split, carve};
use crate::policy::{Policy, Promises};
use crate::request::Request;

/// Big requests, of at least `2^order` pages with the last granule counted whole, have a zone that
/// small ones stay out of.
///
/// `mode=fixed`: the top `share` of the area, cut off once, at an aligned page near by; each part is
/// searched as the kernel does, and no buffer crosses the cut. With `spill` a request that its own
/// part cannot serve goes to the other one.
///
/// `mode=on-demand`: nothing is kept at first. A big grant reserves the `2^order`-page blocks that
/// it touches for further big requests, up to `share` of the area; blocks stay reserved when the
/// buffer goes. Big requests try the reserved blocks first, then everywhere; small ones go around
/// them. With `spill` a small request that finds nothing else takes a place in them, and its grant
/// releases the blocks it touches. A refused request neither reserves nor releases anything.
pub(crate) const ENTRY: Entry = Entry {
    name: "zoned",
    about: "a share of the area kept for big requests, fixed or reserved on demand",
    source: "Linux mm/page_alloc.c reserve_highatomic_pageblock(), 6.12, for mode=on-demand",
    params: &[
        Param {
            name: "share",
            kind: Kind::Float { min: 0.0, max: 1.0 },
            default: "0.25",
            about: "part of the area that is kept (at most, on demand) for big requests",
        },
        Param {
            name: "order",
            kind: Kind::Int { min: 0, max: 63 },
            default: "8",
            about: "requests of at least 2^order pages are big; on demand also the block's order",
        },
        Param {
            name: "spill",
            kind: Kind::Bool,
            default: "true",
            about: "whether a request may go to the other part when its own cannot serve it",
        },
        Param {
            name: "mode",
            kind: Kind::Choice(&["fixed", "on-demand"]),
            default: "fixed",
            about: "a zone cut off at the start, or blocks reserved as big grants are made",
        },
    ],
    build: |area, params| match params.choice("mode") {
        "on-demand" => on_demand(area, params),
        _ => fixed(area, params),
    },
};

fn fixed(area: Area, params: &Params) -> Result<Box<dyn Policy>, BuildError> {
    let share = params.float("share");
    let parts: Vec<Box<dyn Policy>> = carve(&area, &[1.0 - share, share])?
        .into_iter()
        .map(|part| -> Box<dyn Policy> { Box::new(Placed::new(part, Promises::SEARCH, first_fit)) })
        .collect();
    let big_bits = area.pages_to_bits(1 << params.int("order"));
    let spill = params.bool("spill");
    // What fits only across the cut is refused: not complete.
    let promises = Promises { complete: false, ..Promises::SEARCH };
    let geometry = area.clone();
    let route = move |request: Request, step: usize| {
        let own = usize::from(geometry.pages_to_bits(request.count()) >= big_bits);
        match step {
            0 => Some(own),
            1 if spill => Some(1 - own),
            _ => None,
        }
    };
    Ok(Box::new(Split::new(area, promises, parts, route)))
}

fn on_demand(area: Area, params: &Params) -> Result<Box<dyn Policy>, BuildError> {
    let (share, order) = (params.float("share"), params.int("order") as u32);
    let reserve = (area.pages() as f64 * share) as u64;
    let block_pages = area.pages_to_bits(1 << order).saturating_mul(area.granule());
    let blocks = reserve / block_pages;
    if blocks == 0 {
        let would_do = if block_pages <= area.pages() {
            format!("a share of at least {}", block_pages as f64 / area.pages() as f64)
        } else {
            format!("an order of at most {} and a share of 1", area.pages().ilog2())
        };
        return Err(BuildError::Policy(format!(
            "share {share} of {} pages is less than one block of {block_pages} pages (order \
             {order}); {would_do} would do",
            area.pages(),
        )));
    }
    let spill = params.bool("spill");
    let promises = Promises { complete: spill, ..Promises::SEARCH };
    let place = OnDemand::new(&area, order, blocks, spill);
    Ok(Box::new(Placed::new(area, promises, place)))
}
