//! A board as its debugfs shows it.

use cma_policies::{Area, BASELINE, Request, Run, builtin};

use super::Write;
use crate::cause::Cause;
use crate::environment::Quiet;
use crate::oracle::{Checks, Witness};

/// Writes to the debugfs of an empty area under the baseline: what comes of it and, where a write is
/// refused, its number and why. Nothing where the policy breaks a law or more than the last write
/// fails.
pub(super) fn run(area: &Area, writes: &[Write]) -> Option<(Witness, Option<(usize, Cause)>)> {
    let policy = builtin::catalog().parse(BASELINE).ok()?.build(area.clone()).ok()?;
    let mut witness = Witness::new(area, policy, Checks::SWEEP);
    // Blocks as `alloc` put them there: the id, and what is left of it.
    let mut stack = Vec::new();
    let mut refused = None;
    for (at, write) in writes.iter().enumerate() {
        if refused.is_some() {
            return None;
        }
        match *write {
            Write::Alloc(count) => {
                let request = Request::new(count, 0).ok()?;
                let outcome = *witness.alloc(at as u64, request, &mut Quiet).ok()?;
                match outcome.answer {
                    Ok(pfn) => stack.push((at as u64, Run { pfn, count })),
                    Err(_) => refused = Some((at, Cause::of(witness.model(), request, &outcome))),
                }
            }
            Write::Free(count) => free(&mut witness, &mut stack, count)?,
        }
    }
    Some((witness, refused))
}

/// `cma_free_mem()`: whole blocks from the top, then the front of one.
fn free(witness: &mut Witness, stack: &mut Vec<(u64, Run)>, mut count: u64) -> Option<()> {
    while count > 0 {
        let Some((id, block)) = stack.pop() else { break };
        let whole = block.count <= count;
        if !whole && witness.model().area().order_per_bit() > 0 {
            stack.push((id, block));
            break;
        }
        let front = Run { count: block.count.min(count), ..block };
        witness.free(id, front).ok()?.ok()?;
        count -= front.count;
        if !whole {
            stack.push((id, Run { pfn: front.end(), count: block.count - front.count }));
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use cma_policies::Pfn;

    #[test]
    fn the_stack_gives_back_from_the_top_and_from_the_front() {
        let area = Area::single(0, 64, 0).unwrap();
        let all = [Write::Alloc(8), Write::Alloc(8), Write::Free(10), Write::Free(99)];
        let (board, _) = run(&area, &all[..3]).unwrap();
        assert_eq!(board.model().live_pages(), 6);
        assert_eq!(board.model().buffer(0).unwrap().left[..], [Run { pfn: Pfn(2), count: 6 }]);
        let (board, _) = run(&area, &all).unwrap();
        assert_eq!((board.model().live_pages(), board.model().free_pages()), (0, 64));
        let coarse = Area::single(0, 64, 1).unwrap();
        let (board, _) = run(&coarse, &[Write::Alloc(8), Write::Free(3)]).unwrap();
        assert_eq!(board.model().live_pages(), 8, "no part of a block");
    }
}
