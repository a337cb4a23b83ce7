//! The ops of a file on their own: what any placement needs, and what the kernel's first fit does.

use cma_policies::{Area, BASELINE, builtin};

use crate::after_failure::AfterFailure;
use crate::board::Board;
use crate::environment::Quiet;
use crate::op::{Op, Timed};
use crate::optimum::{Bounds, Boxes, bounds};
use crate::oracle::{Checks, Violation, Witness};
use crate::simulate::{Answer, Observer, Rig, Slot, Step, Until, run};

/// Ops that are looked at: of a longer stream its beginning.
pub const YARDSTICK_OPS: usize = 1 << 20;

/// What part of what a stream needs is whose: its own (LOAD), that of aligns, of packing, and of a
/// policy which does not know what will come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Yardstick {
    /// What any placement needs.
    pub bounds: Bounds,
    /// The least area in which the baseline refuses nothing, one range from page 0 on. First fit
    /// places a buffer at the same page however much is above, so it refuses nothing in all larger
    /// ones either and something in every smaller one. [`None`] where no area is as large
    /// ([`Area::MAX_BITS`]).
    pub first_fit_pages: Option<u64>,
    /// The ops that were looked at are all.
    pub is_whole: bool,
}

/// How far a stream is from what it needs, at this cap: its ops on an area that has just room for
/// them, without pins and with nothing busy. What was live before it comes first, as ops. Of a long
/// stream its first [`YARDSTICK_OPS`] ops are looked at, which its need is at least that of.
/// [`None`] as [`bounds`].
///
/// Cost: that of [`bounds`], and a simulation of the ops.
///
/// # Errors
/// The law that the baseline breaks.
pub fn yardstick(
    ops: impl IntoIterator<Item = Timed>,
    cap: u32,
    order_per_bit: u32,
) -> Result<Option<Yardstick>, Violation> {
    let capped = |timed: Timed| Timed { op: timed.op.with_cap(cap), ..timed };
    let buffers = |timed: &Timed| !matches!(timed.op, Op::Pin(_) | Op::Unpin(_));
    let mut ops = ops.into_iter().map(capped).filter(buffers);
    let looked: Vec<_> = ops.by_ref().take(YARDSTICK_OPS).collect();
    let boxes = Boxes::of_ops(looked.iter().copied(), cap, order_per_bit);
    let Some(bounds) = bounds(&boxes) else { return Ok(None) };
    let first_fit_pages = first_fit(&looked, bounds.upper_pages, order_per_bit)?;
    Ok(Some(Yardstick { bounds, first_fit_pages, is_whole: ops.next().is_none() }))
}

/// The least area in which the baseline refuses none of these: where its highest buffer ends in one
/// that is large enough, which a placement in `pages` says about.
fn first_fit(ops: &[Timed], pages: u64, order: u32) -> Result<Option<u64>, Violation> {
    let mut pages = pages.max(1 << order);
    while pages >> order <= Area::MAX_BITS / 2 {
        pages *= 2;
        if let Some(end) = highest(ops, pages, order)? {
            return Ok(Some(end));
        }
    }
    Ok(None)
}

/// Where the highest buffer ends; nothing where one is refused.
fn highest(ops: &[Timed], pages: u64, order: u32) -> Result<Option<u64>, Violation> {
    let area = Area::single(0, pages, order).expect("whole bits from page 0 on");
    let way = Board::single("", area.clone()).way("");
    let kernel = builtin::catalog().parse(BASELINE).expect("the baseline");
    let make = |_, _| Slot {
        witness: Witness::new(&area, kernel.build(area.clone()).expect("any area"), Checks::SWEEP),
        pages: Box::new(Quiet),
    };
    let mut rig = Rig::new(1, vec![way], make);
    let mut watch = Highest { bit: 1 << order, ..Highest::default() };
    let until = Until { time_us: None, first_failure: true };
    run(ops.iter().copied(), AfterFailure::Drop, until, &mut rig, &mut [&mut watch])?;
    Ok((!watch.is_refused).then_some(watch.end))
}

#[derive(Default)]
struct Highest {
    bit: u64,
    end: u64,
    is_refused: bool,
}

impl Observer for Highest {
    fn step(&mut self, step: &Step<'_>) {
        match (step.answer, step.request()) {
            (Answer::Granted(pfn), Some(request)) => {
                let end = (pfn.0 + request.count()).next_multiple_of(self.bit);
                self.end = self.end.max(end);
            }
            (Answer::Refused(_), _) => self.is_refused = true,
            _ => {}
        }
    }
}
