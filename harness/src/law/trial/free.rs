//! Frees, right and wrong ones: what is given back, and what the answer must be.

use cma_policies::{FreeError, Run};

use super::{Answer, Live, Moment, Trial};
use crate::codec::{Act, BadFree, part_of};
use crate::oracle::Violation;

impl Trial {
    /// The run that a free act names now; nothing where there is nothing of the kind.
    pub(super) fn named(&self, act: &Act) -> Option<Run> {
        match *act {
            Act::Free { victim } => self.victim(victim),
            Act::FreePart { victim, part } => {
                let granule = self.model.area().granule();
                self.victim(victim).map(|run| part_of(run, granule, part))
            }
            Act::FreeBadly { how, victim, by } => self.bad(how, victim, u64::from(by)),
            _ => None,
        }
    }

    fn victim(&self, victim: u32) -> Option<Run> {
        let index = (victim as usize).checked_rem(self.live.len())?;
        Some(self.live[index].run)
    }

    fn bad(&self, how: BadFree, victim: u32, by: u64) -> Option<Run> {
        let (ranges, span) = (self.model.area().ranges(), self.model.area().span());
        let range = ranges[victim as usize % ranges.len()];
        Some(match how {
            BadFree::Before => {
                // Nothing lies before page 0.
                let count = by.max(1);
                Run::new(span.pfn.0.checked_sub(count)?, count)
            }
            BadFree::After => Run::new(span.end().0.saturating_add(by), 1 + by),
            BadFree::AcrossEnd => {
                let inside = 1 + by % range.count;
                Run::new(range.end().0 - inside, inside + 1)
            }
            BadFree::Free => {
                let free = self.reference.free_runs();
                let hole = free.get((victim as usize).checked_rem(free.len())?)?;
                let start = by % hole.count;
                Run::new(hole.pfn.0 + start, 1 + u64::from(victim) % (hole.count - start))
            }
            BadFree::Again => self.last_freed?,
            BadFree::Middle => {
                let run = self.victim(victim)?;
                let skip = by.clamp(1, (run.count - 1).max(1));
                Run::new(run.pfn.0 + skip, run.count.saturating_sub(skip).max(1))
            }
            BadFree::TooLong => {
                let run = self.victim(victim)?;
                Run { count: run.count + 1 + by, ..run }
            }
            BadFree::Empty => Run { count: 0, ..self.victim(victim)? },
        })
    }

    /// What a free of `run` must be answered, and the buffer that it takes from.
    fn right(&self, run: Run) -> Result<usize, FreeError> {
        let holds = |live: &Live| run.count > 0 && live.run.contains(run);
        if let Some(index) = self.live.iter().position(holds) {
            let taken = self.live[index].run == run || self.promises.partial_free;
            return if taken { Ok(index) } else { Err(FreeError::Mismatch) };
        }
        if run.count > 0 && !self.reference.is_inside(run) {
            return Err(FreeError::OutsideArea);
        }
        let first = Run { count: 1, ..run };
        let granted = self.live.iter().any(|live| live.run.contains(first));
        Err(if granted { FreeError::Mismatch } else { FreeError::NotAllocated })
    }

    /// Gives back `run` and judges the answer.
    pub(super) fn free(&mut self, run: Run) -> Result<Answer, Violation> {
        let right = self.right(run);
        let before = self.shown.clone();
        let answer = self.policy.free(run);
        self.note(|| match answer {
            Ok(()) => format!("free {run}"),
            Err(error) => format!("free {run}: refused, {error}"),
        });
        let mut part = false;
        if let Ok(index) = right {
            part = self.live[index].run != run;
            self.release(index, run);
        }
        self.look();
        self.changes += u64::from(right.is_ok());
        let right = right.map(drop);
        let moment = Moment::Freed { run, right, answer, part, before: &before };
        self.show(moment)?;
        Ok(Answer::Freed { answer })
    }

    fn release(&mut self, index: usize, run: Run) {
        let Live { id, run: old } = self.live.remove(index);
        let back = Run { pfn: run.end(), count: old.end().0 - run.end().0 };
        let front = Run { pfn: old.pfn, count: run.pfn.0 - old.pfn.0 };
        for run in [back, front].into_iter().filter(|rest| rest.count > 0) {
            self.live.insert(index, Live { id, run });
        }
        self.last_freed = Some(run);
        self.reference.clear(run);
        self.model.release(id, run);
    }
}
