//! A failure with what advice rests on.

use cma_policies::dma_align;

use super::super::{AreaState, Failure, Resident};
use super::{Follows, Pages, Step, Strands};

/// A request that failed, and the area that it failed in.
pub(super) struct Case<'a> {
    pub(super) failure: &'a Failure,
    pub(super) residents: &'a [Resident],
    pub(super) cap: u32,
    /// The calls that show that cap, where nothing else has it: how many, and for how many pages.
    pub(super) shown: Option<(u64, (u64, u64))>,
    pub(super) step: Step,
    /// Pages asked for, at least 1.
    pub(super) count: u64,
    pub(super) align: u32,
    /// The state, where its positions can be relied on.
    pub(super) state: Option<&'a AreaState>,
}

impl<'a> Case<'a> {
    /// `None` where it is not known how many pages were asked for.
    pub(super) fn of(
        failure: &'a Failure,
        residents: &'a [Resident],
        cap: Follows,
        step: Step,
    ) -> Option<Self> {
        let incident = &failure.incident;
        let Follows { cap, by: shown } = cap;
        let count = incident.count.filter(|count| *count > 0)?;
        let align = failure.align.map_or_else(|| dma_align(count, cap), |(align, _)| align);
        let state = incident.state.as_deref();
        let state = state.filter(|state| state.placed && !incident.doubtful);
        Some(Self { failure, residents, cap, shown, step, count, align, state })
    }

    /// Whether a smaller cap would have changed the order of this request.
    pub(super) fn follows_cap(&self) -> bool {
        self.align == dma_align(self.count, self.cap) && self.align > 0
    }

    /// The order at another cap.
    pub(super) fn align_at(&self, cap: u32) -> u32 {
        dma_align(self.count, cap)
    }

    /// Where first fit puts it at order `align`: the page from the start of its range on.
    pub(super) fn place(&self, align: u32) -> Option<u64> {
        let state = self.state.filter(|state| state.knows_base(align))?;
        let need = state.whole(self.count);
        let (hole, grid) = state.holes().find(|(hole, grid)| hole.usable(align, *grid) >= need)?;
        grid.first_aligned(hole.start, align)
    }

    /// The most pages that fit at the order of this request; `None` where that is not known.
    pub(super) fn largest(&self) -> Option<u64> {
        let usable = self.state.filter(|state| state.complete && state.knows_base(self.align));
        let usable = usable.map(|state| state.largest_usable(self.align));
        usable.or_else(|| {
            let list = self.failure.list.filter(|list| list.complete)?;
            list.largest_usable
        })
    }

    /// The pages from the start of one such buffer to the start of the next.
    pub(super) fn pitch(&self) -> u64 {
        up(self.count, 1u64.checked_shl(self.align).unwrap_or(u64::MAX))
    }

    /// Pages of all free slots of the alignment of this request, as far as holes are known; `None`
    /// where it is not known where slots begin.
    pub(super) fn free_in_slots(&self) -> Option<u64> {
        let state = self.state.filter(|state| state.knows_base(self.align))?;
        let slot = 1_u64.checked_shl(self.align)?;
        let whole = |usable: u64| usable - usable % slot;
        let pages = state.holes().map(|(hole, grid)| whole(hole.usable(self.align, grid)));
        Some(pages.fold(0, u64::saturating_add))
    }

    /// Whether every hole of the area is known.
    pub(super) fn sees_all(&self) -> bool {
        self.state.is_some_and(|state| state.complete)
    }

    /// Pages that all residents strand.
    pub(super) fn stranded(&self) -> u64 {
        self.residents.iter().fold(0, |sum, found| sum.saturating_add(found.stranded_pages))
    }

    /// Pages that all residents strand less at a smaller cap.
    pub(super) fn recoverable(&self, cap: u32) -> u64 {
        let at = |found: &Resident| {
            let pages = found.recoverable.iter().find(|(smaller, _)| *smaller == cap);
            pages.map_or(0, |(_, pages)| *pages)
        };
        self.residents.iter().fold(0, |sum, found| sum.saturating_add(at(found)))
    }

    /// What they strand now and at `cap`, where they strand anything.
    pub(super) fn strands(&self, cap: u32) -> Option<Strands> {
        let (now, worst) = (self.stranded(), self.worst()?.count);
        let left = now.saturating_sub(self.recoverable(cap));
        Some(Strands { now, left: Pages(left), worst, whole: self.sees_all() })
    }

    /// The residents that strand most.
    pub(super) fn worst(&self) -> Option<&Resident> {
        let worst = self.residents.iter().max_by_key(|found| found.stranded_pages)?;
        (worst.stranded_pages > 0).then_some(worst)
    }
}

/// The next multiple of `unit`, or the most there is.
pub(super) fn up(pages: u64, unit: u64) -> u64 {
    pages.checked_next_multiple_of(unit).unwrap_or(u64::MAX)
}
