//! What can be smaller: requests, their orders, the area.

use cma_policies::{Area, Request, Run, dma_align};

use super::cut::Cutter;
use super::subject::Item;
use crate::op::Op;

impl Cutter<'_> {
    /// Makes each request smaller while the goal is shown: a page at once, else the next power of
    /// two below. Then its order: 0 at once, else half of it, else one less. A request that follows
    /// the cap goes on doing so with fewer pages, and no more once its order is lowered.
    pub(super) fn sizes(&mut self) {
        for counts in [true, false] {
            let mut at = 0;
            while at < self.subject.items.len() && !self.is_out() {
                let smaller = self.smaller(at, counts);
                // The stream may have become shorter: then the op is another one, and as good.
                if !smaller.into_iter().any(|op| self.exchange(at, op)) {
                    at += 1;
                }
            }
        }
    }

    fn exchange(&mut self, at: usize, op: Op) -> bool {
        let area = self.subject.area.clone();
        let mut items = self.subject.items.clone();
        items[at].timed.op = op;
        self.accept(&area, items.into_iter())
    }

    /// Ops to try in place of number `at`, the smallest first.
    fn smaller(&self, at: usize, counts: bool) -> Vec<Op> {
        let Op::Alloc { id, request, dma } = self.subject.items[at].timed.op else {
            return Vec::new();
        };
        let (count, align) = (request.count(), request.align());
        let changed = |count, align, dma| {
            let request = Request::new(count, align).ok()?.with_client(request.client());
            Some(Op::Alloc { id, request, dma }.with_cap(self.under.cap))
        };
        if !counts {
            let lower = [0, align / 2, align.saturating_sub(1)];
            let mut lower: Vec<_> = lower.into_iter().filter(|lower| *lower < align).collect();
            lower.dedup();
            let natural = |align| dma && align == dma_align(count, self.under.cap);
            return lower.into_iter().filter_map(|a| changed(count, a, natural(a))).collect();
        }
        // Parts are counted in pages of the buffer as it was.
        let has_parts = |item: &Item| {
            matches!(item.timed.op, Op::Free { part: Some(_), .. }) && item.id() == Some(id)
        };
        if count == 1 || self.subject.items[at..].iter().any(has_parts) {
            return Vec::new();
        }
        let below = 1 << (count - 1).ilog2();
        let fewer = if below > 1 { vec![1, below] } else { vec![1] };
        fewer.into_iter().filter_map(|fewer| changed(fewer, align, dma)).collect()
    }

    /// Makes the area smaller while the goal is shown: one of its ranges, half of its pages, less
    /// than half, and page 0 as its base.
    pub(super) fn area(&mut self) {
        let area = self.subject.area.clone();
        if area.ranges().len() > 1 {
            area.ranges().iter().any(|range| self.place(&area, *range));
        }
        let [range] = self.subject.area.ranges() else { return };
        let pfn = range.pfn.0;
        // Halves first; then by powers of two, since what strands pages are slots of such.
        while self.shorten(pfn, self.subject.area.pages() / 2) {}
        let mut step = 1 << self.subject.area.pages().ilog2();
        while step > 0 && !self.is_out() {
            if !self.shorten(pfn, step) {
                step /= 2;
            }
        }
        let has_pins = |item: &Item| matches!(item.timed.op, Op::Pin(_));
        if pfn > 0 && !self.subject.items.iter().any(has_pins) {
            self.place(&area, Run::new(0, self.subject.area.pages()));
        }
    }

    /// Takes so many pages from the end of the area, and what is left of the last granule.
    fn shorten(&mut self, pfn: u64, by: u64) -> bool {
        let area = self.subject.area.clone();
        let (pages, granule) = (area.pages(), area.granule());
        let less = pages.saturating_sub(by) / granule * granule;
        less > 0 && less < pages && self.place(&area, Run::new(pfn, less))
    }

    fn place(&mut self, area: &Area, range: Run) -> bool {
        let smaller = Area::new(area.name(), area.order_per_bit(), &[range]);
        smaller.is_ok_and(|area| self.accept(&area, self.subject.items.clone().into_iter()))
    }
}
