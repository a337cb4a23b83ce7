//! What is granted, and the checks on what is given back.

use alloc::collections::BTreeMap;

use crate::area::Area;
use crate::error::FreeError;
use crate::mutant::mutate;
use crate::run::{Pfn, Run};

/// The table of grants: it tells a free of what is live from every other one.
///
/// `note` is the policy's own, for what the run alone does not say (how much was marked for it).
#[derive(Clone, Default, Debug)]
pub struct Live {
    runs: BTreeMap<Pfn, Held>,
}

#[derive(Clone, Copy, Debug)]
struct Held {
    count: u64,
    note: u64,
}

impl Live {
    /// `run` was granted. It must not overlap what is live.
    pub fn grant(&mut self, run: Run, note: u64) {
        self.runs.insert(run.pfn, Held { count: run.count, note });
    }

    /// Takes `run` out of the table and answers its note. Where `parts` holds, a part of a grant
    /// may be taken, and what is left of it stays with the same note.
    ///
    /// # Errors
    /// A run outside every range of `area`, one whose first page is not granted, and one that is
    /// not what was granted there. Then nothing changes.
    pub fn take(&mut self, area: &Area, run: Run, parts: bool) -> Result<u64, FreeError> {
        if area.range_of(run).is_none() {
            return Err(FreeError::OutsideArea);
        }
        let Some((&pfn, &held)) = self.runs.range(..=run.pfn).next_back() else {
            return Err(FreeError::NotAllocated);
        };
        let live = Run { pfn, count: held.count };
        if run.count == 0 || live.end() <= run.pfn {
            return Err(FreeError::NotAllocated);
        }
        if live != run && !(parts && live.contains(run)) {
            return Err(FreeError::Mismatch);
        }
        self.runs.remove(&live.pfn);
        let front = Run { pfn: live.pfn, count: run.pfn.0 - live.pfn.0 };
        let back = Run { pfn: run.end(), count: live.end().0 - run.end().0 };
        let least = mutate!(LostTail: 1 => 2);
        for rest in [front, back].into_iter().filter(|rest| rest.count >= least) {
            self.grant(rest, held.note);
        }
        Ok(held.note)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARTS: bool = true;

    fn live() -> (Area, Live) {
        let mut live = Live::default();
        live.grant(Run::new(110, 10), 1);
        live.grant(Run::new(120, 5), 2);
        (Area::single(100, 100, 0).unwrap(), live)
    }

    #[test]
    fn only_what_was_granted_can_be_taken_and_only_once() {
        let (area, mut live) = live();
        for (run, error) in [
            (Run::new(90, 10), FreeError::OutsideArea),
            (Run::new(195, 6), FreeError::OutsideArea),
            (Run::new(100, 10), FreeError::NotAllocated),
            (Run::new(125, 1), FreeError::NotAllocated),
            (Run::new(110, 0), FreeError::NotAllocated),
            (Run::new(110, 9), FreeError::Mismatch),
            (Run::new(110, 11), FreeError::Mismatch),
            (Run::new(111, 9), FreeError::Mismatch),
            (Run::new(110, 15), FreeError::Mismatch),
        ] {
            assert_eq!(live.take(&area, run, !PARTS), Err(error), "{run}");
        }
        assert_eq!(live.take(&area, Run::new(120, 5), !PARTS), Ok(2));
        assert_eq!(live.take(&area, Run::new(120, 5), !PARTS), Err(FreeError::NotAllocated));
        assert_eq!(live.take(&area, Run::new(110, 10), !PARTS), Ok(1));
    }

    #[test]
    fn a_part_from_the_middle_leaves_both_ends() {
        let (area, mut live) = live();
        assert_eq!(live.take(&area, Run::new(115, 6), PARTS), Err(FreeError::Mismatch));
        assert_eq!(live.take(&area, Run::new(113, 4), PARTS), Ok(1));
        assert_eq!(live.take(&area, Run::new(113, 1), PARTS), Err(FreeError::NotAllocated));
        assert_eq!(live.take(&area, Run::new(112, 2), PARTS), Err(FreeError::Mismatch));
        assert_eq!(live.take(&area, Run::new(110, 3), PARTS), Ok(1));
        assert_eq!(live.take(&area, Run::new(117, 3), PARTS), Ok(1));
        assert_eq!(live.take(&area, Run::new(117, 3), PARTS), Err(FreeError::NotAllocated));
    }
}
