//! A part of the area is kept for big requests.

mod on_demand;

use alloc::boxed::Box;
use alloc::format;

use self::on_demand::OnDemand;
use super::kernel_first_fit::parts;
use crate::area::Area;
use crate::catalog::{Entry, Param, Params};
use crate::error::BuildError;
use crate::kit::{Placed, Split};
use crate::policy::{Policy, Promises};
use crate::request::Request;

/// Big requests, of at least `2^order` pages with the last granule counted whole, have a zone that
/// small ones stay out of.
///
/// `mode=fixed`: the last `share` of the area, of several ranges in the area's order, cut off once,
/// at an aligned page near by; each part is searched as the kernel does, and no buffer crosses the
/// cut. With `spill` a request that its own
/// part cannot serve goes to the other one.
///
/// `mode=on-demand`: nothing is kept at first. A big grant reserves the `2^order`-page blocks that
/// it touches for further big requests, up to `share` of the area over all ranges, which are
/// searched in the area's order; blocks stay reserved when the buffer goes. Big requests take the
/// first fit inside the reserve, or else anywhere; small ones go around it. With `spill` a small
/// request that finds nothing else takes a place in it, and its grant releases the blocks it
/// touches. After a busy claim a big request goes round the range, a small one on upwards, outside
/// the reserve if it began there. A refused request neither reserves nor releases anything.
pub(crate) const ENTRY: Entry = Entry {
    name: "zoned",
    about: "a share of the area kept for big requests, fixed or reserved on demand",
    source: "Linux mm/page_alloc.c reserve_highatomic_pageblock(), 6.12, for mode=on-demand",
    params: &[
        Param::float(
            "share",
            0.0..=1.0,
            "0.25",
            "part of the area that is kept (at most, on demand) for big requests",
        ),
        Param::int(
            "order",
            0..=63,
            "8",
            "requests of at least 2^order pages are big; on demand also the block's order",
        ),
        Param::bool(
            "spill",
            "true",
            "whether a request may go to the other part when its own cannot serve it",
        ),
        Param::choice(
            "mode",
            &["fixed", "on-demand"],
            "fixed",
            "a zone cut off at the start, or blocks reserved as big grants are made",
        ),
    ],
    build: |area, params| match params.choice("mode") {
        "on-demand" => on_demand(area, params),
        _ => fixed(area, params),
    },
};

fn fixed(area: Area, params: &Params) -> Result<Box<dyn Policy>, BuildError> {
    let share = params.float("share");
    let parts = parts(&area, &[1.0 - share, share])?;
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

#[cfg(test)]
mod tests {
    use crate::builtin::testing::{free, free_runs, grant, on, refusal, request, walk};

    #[test]
    fn a_fixed_zone_is_the_top_of_the_area() {
        let mut policy = on("zoned:order=2,spill=false", 0, 64);
        assert_eq!(free_runs(&*policy), "48@0+16@48");
        assert_eq!(grant(&mut *policy, 4, 0), Some(48));
        assert_eq!(grant(&mut *policy, 3, 0), Some(0));
        assert_eq!(grant(&mut *policy, 13, 0), None, "the zone has 12 left");
        assert_eq!(walk(&mut *policy, request(12, 1)), [52]);
    }

    #[test]
    fn who_may_spill_goes_to_the_other_part() {
        let mut policy = on("zoned:order=2", 0, 64);
        assert_eq!(walk(&mut *policy, request(8, 3)), [48, 56, 0, 8, 16, 24, 32, 40]);
        assert_eq!(grant(&mut *policy, 17, 0), Some(0));
        assert_eq!(grant(&mut *policy, 31, 0), Some(17));
        assert_eq!(grant(&mut *policy, 1, 0), Some(48));
        assert_eq!(grant(&mut *policy, 64, 0), None);
    }

    #[test]
    fn on_demand_big_grants_reserve_and_small_ones_go_around() {
        let mut policy = on("zoned:mode=on-demand,order=3,spill=false", 0, 64);
        assert_eq!(grant(&mut *policy, 1, 0), Some(0));
        assert_eq!(grant(&mut *policy, 8, 3), Some(8));
        assert_eq!(grant(&mut *policy, 2, 3), Some(16), "the first place past the block");
        free(&mut *policy, 8, 8);
        assert_eq!(grant(&mut *policy, 7, 3), Some(24), "the block stays reserved");
        assert_eq!(walk(&mut *policy, request(8, 3)), [8, 32, 40, 48, 56], "big ones use it first");
        assert_eq!(grant(&mut *policy, 16, 3), Some(32), "block 4 is the second and last of them");
        free(&mut *policy, 32, 16);
        assert_eq!(grant(&mut *policy, 7, 3), Some(40), "block 5 was one too many");
    }

    #[test]
    fn on_demand_a_busy_page_is_no_pressure() {
        let mut policy = on("zoned:mode=on-demand,order=3", 0, 40);
        grant(&mut *policy, 1, 0);
        assert_eq!(grant(&mut *policy, 8, 3), Some(8));
        free(&mut *policy, 8, 8);
        assert_eq!(walk(&mut *policy, request(1, 2)), [4, 16, 20, 24, 28, 32, 36]);
        assert_eq!(walk(&mut *policy, request(8, 2)), [8, 12, 16, 20, 24, 28, 32, 4]);
    }

    #[test]
    fn on_demand_pressure_releases_what_is_granted_and_a_refusal_releases_nothing() {
        let fill = || {
            let mut policy = on("zoned:mode=on-demand,order=3", 0, 64);
            grant(&mut *policy, 16, 0);
            free(&mut *policy, 0, 16);
            // Blocks 0 and 1 are reserved, everything else is taken by small ones.
            while grant(&mut *policy, 6, 3).is_some_and(|at| at < 56) {}
            policy
        };
        let mut policy = fill();
        assert_eq!(walk(&mut *policy, request(4, 2)), [0, 4, 8, 12]);
        assert_eq!(grant(&mut *policy, 17, 0), None);
        assert_eq!(grant(&mut *policy, 1, 0), Some(22), "neither of them released a block");

        assert_eq!(walk(&mut *policy, request(1, 0)), [23, 30, 31, 38, 39, 46, 47, 54, 55, 62, 63]);

        let mut policy = fill();
        assert_eq!(grant(&mut *policy, 4, 0), Some(0), "nothing outside: block 0 is released");
        assert_eq!(grant(&mut *policy, 2, 0), Some(4), "and serves small ones now");
        assert_eq!(grant(&mut *policy, 2, 2), Some(8), "after it block 1 is next");
    }

    #[test]
    fn a_zone_of_nothing_is_refused_with_a_remedy() {
        assert!(refusal("zoned:share=0", 64).contains("at least 0.015625 of all would do"));
        assert!(refusal("zoned:share=1", 64).contains("at least 0.015625 of all would do"));
        assert_eq!(
            refusal("zoned:mode=on-demand,order=5", 64),
            "share 0.25 of 64 pages is less than one block of 32 pages (order 5); a share of at \
             least 0.5 would do"
        );
        assert_eq!(
            refusal("zoned:mode=on-demand", 64),
            "share 0.25 of 64 pages is less than one block of 256 pages (order 8); an order of at \
             most 6 and a share of 1 would do"
        );
    }
}
