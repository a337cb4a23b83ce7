//! Blocks of a power of two, split in halves and merged with their buddies.

mod blocks;

use alloc::boxed::Box;
use alloc::format;
use alloc::vec::Vec;

use self::blocks::Blocks;
use crate::area::Area;
use crate::catalog::{Entry, Param, Params};
use crate::error::{AllocError, BuildError, ClaimError, FreeError};
use crate::kit::Live;
use crate::mutant::mutate;
use crate::policy::{Attempt, Last, Next, Policy, Promises};
use crate::request::{Request, ceil_log2};
use crate::run::Run;

/// Each range is tiled by the largest blocks of a power of two that are aligned to their size,
/// counted from page 0: a base off such a page and an end that is no power of two get smaller ones.
/// A request takes a block of order `max(ceil_log2 count, align, order_per_bit)`: the lowest of the
/// smallest blocks that are large enough, split if it is larger. A freed block merges with its
/// buddy, as often as both are free.
///
/// `trim`: what the request does not need of its block is given back at once, in whole granules;
/// without it the block is held whole. `max_order` bounds a block. A request above the largest
/// block is refused, or, with `extend`, gets largest blocks that adjoin, as many as it needs, the
/// lowest that are aligned as asked.
///
/// After a busy claim: the next free place for a block of that order upwards, then from the bottom
/// up to the first one that was tried.
///
/// Ranges share one system: a smaller block in a later range comes before a larger one in an
/// earlier range, and of equal blocks the first in the area's order is the lowest. No block crosses
/// from one range into another.
pub(crate) const ENTRY: Entry = Entry {
    name: "buddy",
    about: "blocks of a power of two that split and merge",
    source: "Knowlton 1965; Linux drivers/gpu/drm/drm_buddy.c (contiguous, trimmed), 6.12",
    params: &[
        Param::bool("trim", "true", "whether the rest of a block is given back at once"),
        Param::int("max_order", 0..=63, "63", "the largest block has 2^max_order pages"),
        Param::bool(
            "extend",
            "false",
            "whether a larger request gets several adjoining largest blocks",
        ),
    ],
    build,
};

fn build(area: Area, params: &Params) -> Result<Box<dyn Policy>, BuildError> {
    let max_order = params.int("max_order") as u32;
    let Some(top) = max_order.checked_sub(area.order_per_bit()) else {
        return Err(BuildError::Policy(format!(
            "max_order {max_order} is below the order of one bit, {0}; {0} or more would do",
            area.order_per_bit()
        )));
    };
    let ranges = (0..area.ranges().len()).map(|range| (area.origin(range), area.bits(range)));
    let ranges: Vec<_> = ranges.collect();
    Ok(Box::new(Buddy {
        trim: params.bool("trim"),
        extend: params.bool("extend"),
        blocks: Blocks::new(&ranges, top),
        live: Live::default(),
        area,
    }))
}

#[derive(Debug)]
struct Buddy {
    area: Area,
    trim: bool,
    extend: bool,
    /// The free blocks, in units: the bits of all ranges, numbered in the area's order.
    blocks: Blocks,
    /// The note of a grant is the units that are held for it.
    live: Live,
}

/// An attempt's note: the order of the request's block, and the first unit that the request tried.
#[derive(Clone, Copy)]
struct Cut {
    order: u32,
    first: u64,
}

impl Cut {
    const fn cookie(self) -> u64 {
        self.first << 8 | self.order as u64
    }

    const fn of(cookie: u64) -> Self {
        Self { order: (cookie & 0xff) as u32, first: cookie >> 8 }
    }
}

impl Buddy {
    fn unit(&self, run: Run) -> u64 {
        let range = self.area.range_of(run).expect("a run of this policy is inside a range");
        self.blocks.start_of(range) + self.area.pfn_to_bit(range, run.pfn)
    }

    fn run(&self, unit: u64, count: u64) -> Run {
        let range = self.blocks.span_of(unit);
        let bit = unit - self.blocks.start_of(range);
        Run { pfn: self.area.bit_to_pfn(range, bit), count }
    }

    /// Units that are marked for `count` pages in blocks of `order`.
    fn held(&self, count: u64, order: u32) -> u64 {
        let bits = self.area.pages_to_bits(count);
        // The whole blocks of a row, and the order itself where it is one block.
        let trimmed = mutate!(TrimLive: bits => match bits >> order << order {
            0 => bits,
            whole => whole,
        });
        if self.trim { trimmed } else { bits.next_multiple_of(1 << order) }
    }

    /// The next place for `request` after `refused`.
    fn find(&self, request: Request, refused: Option<Attempt>) -> Option<(u64, Cut)> {
        let bits = self.area.pages_to_bits(request.count());
        let align = request.align().saturating_sub(self.area.order_per_bit());
        let order = ceil_log2(bits).max(align);
        let top = self.blocks.top();
        if order > top {
            if !self.extend {
                return None;
            }
            let from = refused.map_or(0, |refused| self.unit(refused.run) + 1);
            let unit = self.blocks.row(bits.div_ceil(1 << top), align, from)?;
            return Some((unit, Cut { order: top, first: 0 }));
        }
        let Some(refused) = refused else {
            let unit = self.blocks.smallest(order)?;
            return Some((unit, Cut { order, first: unit }));
        };
        let unit = self.unit(refused.run);
        let past = unit.saturating_add(1 << order);
        let Cut { first, .. } = Cut::of(refused.cookie);
        let is_before = |unit: &u64| *unit < first;
        let next = if is_before(&unit) {
            self.blocks.lowest(order, past).filter(is_before)
        } else {
            self.blocks
                .lowest(order, past)
                .or_else(|| self.blocks.lowest(order, 0).filter(is_before))
        };
        next.map(|unit| (unit, Cut { order, first }))
    }
}

impl Policy for Buddy {
    fn area(&self) -> &Area {
        &self.area
    }

    fn promises(&self) -> Promises {
        Promises { aligned: true, tight: self.trim, ..Promises::NONE }
    }

    fn propose(&mut self, request: Request, last: Option<Last>) -> Next {
        let refused = match last {
            None | Some(Last::Paused { .. }) => None,
            Some(Last::Failed(_, ClaimError::NoMemory)) => {
                return Next::Refuse(AllocError::NoMemory);
            }
            Some(Last::Failed(_, ClaimError::Interrupted)) => {
                return Next::Refuse(AllocError::Interrupted);
            }
            Some(Last::Failed(attempt, ClaimError::Busy)) => Some(attempt),
        };
        let Some((unit, cut)) = self.find(request, refused) else {
            let is_busy = refused.is_some();
            return Next::Refuse(if is_busy { AllocError::Busy } else { AllocError::NoMemory });
        };
        self.blocks.take(unit, unit + self.held(request.count(), cut.order));
        Next::Try(Attempt { run: self.run(unit, request.count()), cookie: cut.cookie() })
    }

    fn settle(&mut self, attempt: Attempt, granted: bool) {
        let held = self.held(attempt.run.count, Cut::of(attempt.cookie).order);
        if granted {
            self.live.grant(attempt.run, held);
        } else {
            let unit = self.unit(attempt.run);
            self.blocks.give(unit, unit + held);
        }
    }

    fn free(&mut self, run: Run) -> Result<(), FreeError> {
        let held = self.live.take(&self.area, run, false)?;
        let unit = self.unit(run);
        self.blocks.give(unit, unit + held);
        Ok(())
    }

    /// Each free block is a run of its own, because no grant crosses from one to the next; with
    /// `extend`, largest blocks that adjoin are one run.
    fn free_runs(&self, visit: &mut dyn FnMut(Run)) {
        for (unit, units) in self.blocks.ascending(self.extend) {
            visit(self.run(unit, units << self.area.order_per_bit()));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::builtin::testing::{free, free_runs, grant, on, request, walk, with_area};
    use crate::{Area, BuildError, Run};

    #[test]
    fn a_misaligned_area_is_tiled_by_the_largest_aligned_blocks() {
        assert_eq!(free_runs(&*on("buddy", 3, 20)), "1@3+4@4+8@8+4@16+2@20+1@22");
        assert_eq!(free_runs(&*on("buddy:max_order=2", 3, 20)), "1@3+4@4+4@8+4@12+4@16+2@20+1@22");
        // Granules of 4 pages on a base of 6: bit 0 counts as bit 1 from page 0.
        let area = Area::single(6, 32, 2).unwrap();
        assert_eq!(free_runs(&*with_area("buddy", area)), "4@6+8@10+16@18+4@34");
        // Ranges that adjoin: nothing crosses from one into the other.
        let area = Area::new("two", 0, &[Run::new(8, 4), Run::new(12, 4)]).unwrap();
        assert_eq!(free_runs(&*with_area("buddy", area)), "4@8+4@12");
    }

    #[test]
    fn the_block_s_order_is_that_of_count_or_align_whichever_is_larger() {
        let mut policy = on("buddy:trim=false", 0, 32);
        assert_eq!(grant(&mut *policy, 5, 0), Some(0));
        assert_eq!(free_runs(&*policy), "8@8+16@16");
        assert_eq!(grant(&mut *policy, 1, 2), Some(8));
        assert_eq!(free_runs(&*policy), "4@12+16@16");
        assert_eq!(grant(&mut *policy, 9, 0), Some(16));
        assert_eq!(grant(&mut *policy, 5, 0), None, "a block of 4 is left");
        assert_eq!(grant(&mut *policy, 1, 0), Some(12));
        assert_eq!(free_runs(&*policy), "1@13+2@14");
        for (pfn, count) in [(8, 1), (16, 9), (12, 1), (0, 5)] {
            free(&mut *policy, pfn, count);
        }
        assert_eq!(free_runs(&*policy), "32@0");
    }

    #[test]
    fn a_trimmed_block_gives_its_rest_back_in_granules() {
        let mut policy = on("buddy", 0, 32);
        assert_eq!(grant(&mut *policy, 5, 0), Some(0));
        assert_eq!(free_runs(&*policy), "1@5+2@6+8@8+16@16");
        assert_eq!(grant(&mut *policy, 1, 0), Some(5), "the smallest block");
        free(&mut *policy, 0, 5);
        assert_eq!(free_runs(&*policy), "4@0+1@4+2@6+8@8+16@16");
        free(&mut *policy, 5, 1);
        assert_eq!(free_runs(&*policy), "32@0");

        let mut policy = with_area("buddy", Area::single(0, 64, 2).unwrap());
        assert_eq!(grant(&mut *policy, 9, 0), Some(0));
        assert_eq!(free_runs(&*policy), "4@12+16@16+32@32");
    }

    #[test]
    fn a_busy_request_goes_on_upwards_and_comes_round() {
        let mut policy = on("buddy", 0, 32);
        grant(&mut *policy, 1, 0);
        grant(&mut *policy, 4, 3);
        // Free: 1 2 4 in the first 8 pages, 4 at 12, 16 at 16.
        assert_eq!(walk(&mut *policy, request(2, 0))[..5], [2, 4, 6, 12, 14]);
        assert_eq!(walk(&mut *policy, request(3, 2)), [4, 12, 16, 20, 24, 28]);
        assert_eq!(walk(&mut *policy, request(9, 0)), [16]);
        assert_eq!(walk(&mut *policy, request(17, 0)), []);

        // The smallest block is in the last range; the way round comes to all of both.
        let area = Area::new("two", 0, &[Run::new(8, 8), Run::new(20, 2)]).unwrap();
        let tried = walk(&mut *with_area("buddy", area), request(2, 0));
        assert_eq!(tried, [20, 8, 10, 12, 14]);
        let tried = walk(&mut *on("buddy", 3, 20), request(2, 0));
        assert_eq!(tried, [20, 4, 6, 8, 10, 12, 14, 16, 18]);
    }

    #[test]
    fn more_than_the_largest_block_is_refused_or_extends() {
        let mut plain = on("buddy:max_order=3", 0, 64);
        assert_eq!(walk(&mut *plain, request(9, 0)), []);
        assert_eq!(walk(&mut *plain, request(1, 4)), []);

        let mut policy = on("buddy:max_order=3,extend=true", 0, 64);
        assert_eq!(free_runs(&*policy), "64@0");
        assert_eq!(walk(&mut *policy, request(41, 0)), [0, 8, 16]);
        assert_eq!(walk(&mut *policy, request(1, 4)), [0, 16, 32, 48]);
        assert_eq!(grant(&mut *policy, 1, 0), Some(0));
        assert_eq!(grant(&mut *policy, 17, 4), Some(16), "page 8 is not aligned");
        assert_eq!(free_runs(&*policy), "1@1+2@2+4@4+8@8+1@33+2@34+4@36+24@40");
        assert_eq!(grant(&mut *policy, 25, 0), None);
        free(&mut *policy, 16, 17);
        assert_eq!(free_runs(&*policy), "1@1+2@2+4@4+56@8");

        let mut single = on("buddy:max_order=0,extend=true", 0, 5);
        assert_eq!(walk(&mut *single, request(2, 0)), [0, 1, 2, 3]);
        assert_eq!(walk(&mut *single, request(2, 1)), [0, 2]);

        let mut whole = on("buddy:max_order=3,extend=true,trim=false", 0, 64);
        assert_eq!(grant(&mut *whole, 17, 0), Some(0));
        assert_eq!(free_runs(&*whole), "40@24");
    }

    #[test]
    fn a_block_below_one_bit_cannot_be() {
        let spec = crate::builtin::catalog().parse("buddy:max_order=8").unwrap();
        let error = spec.build(Area::single(0, 1024, 9).unwrap()).unwrap_err();
        let why = "max_order 8 is below the order of one bit, 9; 9 or more would do";
        assert_eq!(error, BuildError::Policy(why.into()));
    }
}
