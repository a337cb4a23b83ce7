//! One in every so many buffers.

use cma_policies::Run;

/// What an [`Act::FreeEvery`](super::Act::FreeEvery) gives back of what is live: in the order of
/// the pages, one in every `stride` of the buffers of the class, from number `phase` on.
pub fn comb(live: impl Iterator<Item = Run>, stride: u8, phase: u8, class: Option<u8>) -> Vec<Run> {
    let of_class = |run: &Run| {
        class.is_none_or(|class| run.count.next_power_of_two().ilog2() == u32::from(class))
    };
    let mut runs: Vec<_> = live.filter(of_class).collect();
    runs.sort_unstable_by_key(|run| run.pfn);
    let stride = usize::from(stride.max(1));
    runs.into_iter().skip(usize::from(phase) % stride).step_by(stride).collect()
}

/// The bit of [`Act::FreePart`](super::Act::FreePart) that makes it a part by pages.
pub const BY_PAGE: u32 = 1 << 24;

/// What an [`Act::FreePart`](super::Act::FreePart) gives back of `run`: whole granules but for its
/// end, or with [`BY_PAGE`] any of its pages.
pub fn part_of(run: Run, granule: u64, part: u32) -> Run {
    let granule = if part & BY_PAGE == 0 { granule } else { 1 };
    let part = part % BY_PAGE;
    let granules = run.count.div_ceil(granule);
    let start = u64::from(part) % granules;
    let length = 1 + u64::from(part) / granules % (granules - start);
    let end = ((start + length) * granule).min(run.count);
    Run::new(run.pfn.0 + start * granule, end - start * granule)
}

/// What is left of `run` once `part` of it is gone, ascending.
pub(crate) fn rest_of(run: Run, part: Run) -> impl DoubleEndedIterator<Item = Run> {
    let front = Run { pfn: run.pfn, count: part.pfn.0 - run.pfn.0 };
    let back = Run { pfn: part.end(), count: run.end().0 - part.end().0 };
    [front, back].into_iter().filter(|rest| rest.count > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_second_in_the_order_of_the_pages_whatever_their_age() {
        let live = [Run::new(9, 1), Run::new(0, 4), Run::new(4, 3), Run::new(7, 2)];
        let starts = |stride, phase, class| {
            comb(live.into_iter(), stride, phase, class).iter().map(|run| run.pfn.0).collect()
        };
        let check = |found: Vec<u64>, right: &[u64]| assert_eq!(found, right);
        check(starts(2, 0, None), &[0, 7]);
        check(starts(2, 3, None), &[4, 9]);
        check(starts(0, 0, None), &[0, 4, 7, 9]);
        // Three pages are of the class of four.
        check(starts(2, 1, Some(2)), &[4]);
        check(starts(1, 0, Some(5)), &[]);
    }
}
