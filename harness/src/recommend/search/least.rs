//! The least size that is enough.

use super::{Least, Search};
use crate::recommend::bench::Verdict;
use crate::recommend::lever::{Lever, changed};
use crate::recommend::work::Failed;

impl Search<'_, '_> {
    /// The least size from `from` to `to` that meets the target, as all larger ones that are tried do.
    pub(super) fn least(
        &mut self,
        (from, to): (u64, u64),
        make: &dyn Fn(u64) -> Vec<Lever>,
    ) -> Result<Least, Failed> {
        let step = self.base.step_pages;
        let (mut missed, mut anomalies) = (self.legal(from) - step, 0);
        'again: loop {
            let Some(mut least) = self.gallop(missed, to, make)? else { return Ok(None) };
            let mut fails = missed.max(least.0);
            while least.1 - fails > step {
                let middle = fails + (least.1 - fails) / step / 2 * step;
                match self.judge(&make(middle))? {
                    Verdict::Meets => least.1 = middle,
                    Verdict::Misses | Verdict::Open => fails = middle,
                }
            }
            for larger in self.larger(least.1, to) {
                let config = changed(&self.plain, &make(larger));
                if self.bench.glance(&config)? == Verdict::Misses {
                    (missed, anomalies) = (larger, anomalies + 1);
                    continue 'again;
                }
            }
            return Ok(Some((least.1, anomalies)));
        }
    }

    /// Sizes above one that passes, which have to pass too.
    fn larger(&self, pages: u64, to: u64) -> Vec<u64> {
        let step = self.base.step_pages;
        let mut sizes: Vec<_> =
            [pages + step, pages + 2 * step, self.legal(pages + pages / 4), 2 * pages]
                .into_iter()
                .filter(|size| *size <= to)
                .collect();
        sizes.sort_unstable();
        sizes.dedup();
        sizes
    }

    /// The first sizes that fail and meet the target, going up from `missed` in longer and longer
    /// steps; none where `to` does not meet it either.
    fn gallop(
        &mut self,
        mut missed: u64,
        to: u64,
        make: &dyn Fn(u64) -> Vec<Lever>,
    ) -> Result<Option<(u64, u64)>, Failed> {
        let mut stride = self.base.step_pages;
        while missed < to {
            let at = (missed + stride).min(to / self.base.step_pages * self.base.step_pages);
            if at <= missed {
                break;
            }
            if self.judge(&make(at))? == Verdict::Meets {
                return Ok(Some((missed, at)));
            }
            if self.bench.is_over() {
                break;
            }
            (missed, stride) = (at, stride * 2);
        }
        Ok(None)
    }
}
