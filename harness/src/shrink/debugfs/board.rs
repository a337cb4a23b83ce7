//! A board as its debugfs shows it.

use cma_policies::{Area, BASELINE, Request, Run, builtin};

use super::Write;
use crate::cause::Cause;
use crate::environment::Quiet;
use crate::oracle::{Checks, Model, Witness};

/// A board: the baseline and the stack of its debugfs.
pub(super) struct Board {
    witness: Witness,
    /// Blocks as `alloc` put them there: the id, and what is left of it.
    stack: Vec<(u64, Run)>,
}

impl Board {
    /// Writes; where one is refused, its number and why. Nothing where the policy breaks a law or
    /// more than the last write fails.
    pub(super) fn run(area: &Area, writes: &[Write]) -> Option<(Self, Option<(usize, Cause)>)> {
        let policy = builtin::catalog().parse(BASELINE).ok()?.build(area.clone()).ok()?;
        let witness = Witness::new(area, policy, Checks::SWEEP);
        let mut board = Self { witness, stack: Vec::new() };
        let mut refused = None;
        for (at, write) in writes.iter().enumerate() {
            if refused.is_some() {
                return None;
            }
            match *write {
                Write::Alloc(count) => {
                    refused = board.alloc(at as u64, count)?.map(|cause| (at, cause));
                }
                Write::Free(count) => board.free(count)?,
            }
        }
        Some((board, refused))
    }

    /// The state of its area.
    pub(super) const fn model(&self) -> &Model {
        self.witness.model()
    }

    fn alloc(&mut self, id: u64, count: u64) -> Option<Option<Cause>> {
        let request = Request::new(count, 0).ok()?;
        let outcome = *self.witness.alloc(id, request, &mut Quiet).ok()?;
        Some(match outcome.answer {
            Ok(pfn) => {
                self.stack.push((id, Run { pfn, count }));
                None
            }
            Err(_) => Some(Cause::of(self.witness.model(), request, &outcome)),
        })
    }

    /// `cma_free_mem()`: whole blocks from the top, then the front of one.
    fn free(&mut self, count: u64) -> Option<()> {
        let mut count = count;
        while count > 0 {
            let Some((id, block)) = self.stack.pop() else { break };
            let whole = block.count <= count;
            if !whole && self.witness.model().area().order_per_bit() > 0 {
                self.stack.push((id, block));
                break;
            }
            let front = Run { count: block.count.min(count), ..block };
            self.witness.free(id, front).ok()?.ok()?;
            count -= front.count;
            if !whole {
                self.stack.push((id, Run { pfn: front.end(), count: block.count - front.count }));
            }
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cma_policies::Pfn;

    #[test]
    fn the_stack_gives_back_from_the_top_and_from_the_front() {
        let area = Area::single(0, 64, 0).unwrap();
        let all = [Write::Alloc(8), Write::Alloc(8), Write::Free(10), Write::Free(99)];
        let (board, _) = Board::run(&area, &all[..3]).unwrap();
        assert_eq!(board.stack, [(0, Run { pfn: Pfn(2), count: 6 })]);
        let (board, _) = Board::run(&area, &all).unwrap();
        assert_eq!((board.stack.len(), board.witness.model().free_pages()), (0, 64));
        let coarse = Area::single(0, 64, 1).unwrap();
        let (board, _) = Board::run(&coarse, &[Write::Alloc(8), Write::Free(3)]).unwrap();
        assert_eq!(board.stack.len(), 1, "no part of a block");
    }
}
