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

    /// Makes the area smaller while the goal is shown: without one of its ranges, each with half of
    /// its pages, less than half, and with page 0 as its base.
    pub(super) fn area(&mut self) {
        let mut at = self.subject.area.ranges().len();
        while at > 0 {
            at -= 1;
            let mut ranges = self.subject.area.ranges().to_vec();
            ranges.remove(at);
            self.place(&ranges);
        }
        for at in 0..self.subject.area.ranges().len() {
            let pages = |cutter: &Self| cutter.subject.area.ranges()[at].count;
            // Halves first; then by powers of two, since what strands pages are slots of such.
            while self.shorten(at, pages(self) / 2) {}
            let mut step = 1 << pages(self).ilog2();
            while step > 0 && !self.is_out() {
                if !self.shorten(at, step) {
                    step /= 2;
                }
            }
        }
        let has_pins = |item: &Item| matches!(item.timed.op, Op::Pin(_));
        let [range] = self.subject.area.ranges() else { return };
        if range.pfn.0 > 0 && !self.subject.items.iter().any(has_pins) {
            let count = range.count;
            self.place(&[Run::new(0, count)]);
        }
    }

    /// Takes so many pages from the end of range number `at`, and what is left of the last granule.
    fn shorten(&mut self, at: usize, by: u64) -> bool {
        let (mut ranges, granule) =
            (self.subject.area.ranges().to_vec(), self.subject.area.granule());
        let (pages, range) = (ranges[at].count, &mut ranges[at]);
        range.count = pages.saturating_sub(by) / granule * granule;
        range.count > 0 && range.count < pages && self.place(&ranges)
    }

    fn place(&mut self, ranges: &[Run]) -> bool {
        let area = &self.subject.area;
        let smaller = Area::new(area.name(), area.order_per_bit(), ranges);
        smaller.is_ok_and(|area| self.accept(&area, self.subject.items.clone().into_iter()))
    }
}
