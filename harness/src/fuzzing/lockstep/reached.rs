//! What happened in a case: whether a generator gets to where allocators go wrong.

use cma_policies::{Area, Run};

use crate::cause::Cause;

/// What happened in a case.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Reached {
    /// Requests that were granted.
    pub grants: u64,
    /// Refusals for each cause, in the order of [`Cause::ALL`].
    pub refused: [u64; Cause::ALL.len()],
    /// Claims that were busy.
    pub busy: u64,
    /// Those of them that were over live pages, whose granule was freed under them.
    pub in_use: u64,
    /// Grants in another range than the first.
    pub later_ranges: u64,
    /// Grants that took all of a hole.
    pub exact_fits: u64,
    /// Grants that cross the border of a 64-bit word of the bitmap.
    pub across_words: u64,
    /// Ops after which at most one granule in sixteen is free, and one is used.
    pub nearly_full: u64,
    /// Parts of buffers that were given back.
    pub parts: u64,
}

impl Reached {
    /// `run` was granted, with these holes before.
    pub(super) fn grant(&mut self, area: &Area, run: Run, holes: &[Run]) {
        let granule = area.granule();
        let pages = run.count.div_ceil(granule) * granule;
        self.grants += 1;
        let exact = holes.iter().any(|hole| hole.pfn == run.pfn && hole.count == pages);
        self.exact_fits += u64::from(exact);
        let range = area.ranges().iter().position(|range| range.contains(run)).unwrap_or(0);
        self.later_ranges += u64::from(range > 0);
        let first = (run.pfn.0 - area.ranges()[range].pfn.0) / granule;
        self.across_words += u64::from(first / 64 != (first + pages / granule - 1) / 64);
    }

    /// So many pages are free after an op.
    pub(super) fn state(&mut self, area_pages: u64, free_pages: u64) {
        let full = free_pages < area_pages && free_pages <= area_pages / 16;
        self.nearly_full += u64::from(full);
    }
}
