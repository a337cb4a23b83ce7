//! Which pages were emptied, and when.

use cma_policies::Run;
use cma_policies::kit::RunMap;

/// Runs that were emptied and may fill again, each with the microsecond since when it is empty.
#[derive(Clone, Default, Debug)]
pub(super) struct Vacated {
    runs: RunMap<u64>,
    noted: u32,
}

/// Runs are looked through for those that are full again at every so many notes.
const TIDY_EVERY: u32 = 4096;

impl Vacated {
    /// Forgets what was known of `run`.
    pub(super) fn forget(&mut self, run: Run) {
        self.runs.cut(run);
    }

    /// `run` is empty since `at_us`. Runs older than `full_us` by then are full again.
    pub(super) fn note(&mut self, run: Run, at_us: u64, full_us: u64) {
        self.runs.cut(run);
        self.runs.insert(run, at_us);
        self.noted += 1;
        if self.noted.is_multiple_of(TIDY_EVERY) {
            let full = |since_us: &u64| at_us.saturating_sub(*since_us) >= full_us;
            let full: Vec<_> = self.runs.iter().filter(|(_, since_us)| full(since_us)).collect();
            let full: Vec<_> = full.into_iter().map(|(run, _)| run).collect();
            full.into_iter().for_each(|run| self.runs.cut(run));
        }
    }

    /// Visits `run` piece by piece in order, each with the moment since when it is empty; none for
    /// pages that never were, or so long ago that they are full again.
    pub(super) fn pieces(&self, run: Run, mut visit: impl FnMut(Run, Option<u64>)) {
        let (mut at, end) = (run.pfn.0, run.end().0);
        for (piece, &since_us) in self.runs.overlapping(run) {
            let (start, until) = (piece.pfn.0.max(at), piece.end().0.min(end));
            if start > at {
                visit(Run::new(at, start - at), None);
            }
            visit(Run::new(start, until - start), Some(since_us));
            at = until;
        }
        if at < end {
            visit(Run::new(at, end - at), None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(vacated: &Vacated, start: u64, count: u64) -> Vec<(u64, u64, Option<u64>)> {
        let mut found = Vec::new();
        let visit = |run: Run, since| found.push((run.pfn.0, run.count, since));
        vacated.pieces(Run::new(start, count), visit);
        found
    }

    #[test]
    fn later_runs_cut_earlier_ones() {
        let mut vacated = Vacated::default();
        vacated.note(Run::new(10, 10), 1, 100);
        vacated.note(Run::new(14, 2), 2, 100);
        vacated.forget(Run::new(18, 5));
        let want =
            [(5, 5, None), (10, 4, Some(1)), (14, 2, Some(2)), (16, 2, Some(1)), (18, 7, None)];
        assert_eq!(pieces(&vacated, 5, 20), want);
        assert_eq!(pieces(&vacated, 15, 2), [(15, 1, Some(2)), (16, 1, Some(1))]);
        vacated.note(Run::new(0, 100), 3, 100);
        assert_eq!(pieces(&vacated, 5, 20), [(5, 20, Some(3))]);
    }

    #[test]
    fn it_is_what_a_table_by_page_would_say() {
        let mut draws = crate::seed::Seed::new(1).rng();
        let (mut vacated, mut table) = (Vacated::default(), vec![None; 64]);
        for at_us in 0..2000 {
            let start = draws.below(60);
            let run = Run::new(1000 + start, 1 + draws.below(64 - start));
            let since = (draws.below(3) > 0).then_some(at_us);
            match since {
                Some(_) => vacated.note(run, at_us, u64::MAX),
                None => vacated.forget(run),
            }
            table[start as usize..][..run.count as usize].fill(since);
            let mut seen = Vec::new();
            let visit = |run: Run, since| seen.extend(vec![since; run.count as usize]);
            vacated.pieces(Run::new(1000, 64), visit);
            assert_eq!(seen, table);
        }
    }

    #[test]
    fn what_is_full_again_is_forgotten_in_the_end() {
        let mut vacated = Vacated::default();
        for n in 0..u64::from(TIDY_EVERY) * 3 {
            vacated.note(Run::new(n * 2, 1), n, 100);
        }
        assert_eq!(vacated.runs.len(), 100);
    }
}
