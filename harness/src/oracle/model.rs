//! The truth: which buffer is where, and what that leaves free.

use std::collections::hash_map::Entry;

use cma_policies::kit::{AreaMap, RunSet};
use cma_policies::{Area, Pfn, Request, Run};
use rustc_hash::FxHashMap;
use smallvec::{SmallVec, smallvec};

/// A live buffer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Buffer {
    /// What was asked for.
    pub request: Request,
    /// The first page that was granted.
    pub pfn: Pfn,
    /// The pieces that are left of it, ascending; more than one only after partial frees.
    pub left: SmallVec<[Run; 1]>,
}

/// Which buffer is where. It is outside every policy and believes only grants and frees.
///
/// Its bitmap is the kernel's: a release clears as many granules as its pages take, from that of
/// its first page on (`cma_clear_bitmap()`, `mm/cma.c`, 7.3). Where a part of a buffer is given
/// back inside a granule, that is free and has live pages, or is used and nobody's.
#[derive(Clone, Debug)]
pub struct Model {
    map: AreaMap,
    live: FxHashMap<u64, Buffer>,
    live_pages: u64,
    /// Pages of all granules.
    granule_pages: u64,
    /// Live pages of granules that were freed under them, or that such pages share: few.
    loose: RunSet,
    /// Live pages of granules that are free.
    adrift_pages: u64,
}

impl Model {
    /// An area with nothing granted.
    pub fn new(area: Area) -> Self {
        let map = AreaMap::new(area);
        Self {
            granule_pages: map.free_pages(),
            map,
            live: FxHashMap::default(),
            live_pages: 0,
            loose: RunSet::default(),
            adrift_pages: 0,
        }
    }

    /// The area.
    pub const fn area(&self) -> &Area {
        self.map.area()
    }

    /// The free granules: the kernel's bitmap.
    pub const fn map(&self) -> &AreaMap {
        &self.map
    }

    /// Pages of free granules, F. Constant time, as the next four.
    pub fn free_pages(&self) -> u64 {
        self.map.free_pages()
    }

    /// Pages granted and not given back.
    pub const fn live_pages(&self) -> u64 {
        self.live_pages
    }

    /// Pages that are not live, those without a granule among them: `available_count` of `mm/cma.c`
    /// from 6.15 on, where nothing is under way. It is less than [`free_pages`](Self::free_pages)
    /// where live pages are in free granules.
    pub fn available_pages(&self) -> u64 {
        self.area().pages() - self.live_pages
    }

    /// Pages of the longest hole, L.
    pub(crate) fn longest_run(&self) -> u64 {
        self.map.longest_run()
    }

    /// Pages of the longest free run from an aligned start on, U(a).
    pub(crate) fn longest_usable(&self, align: u32) -> u64 {
        self.map.longest_usable(align)
    }

    /// Whether an aligned fit for `request` is free.
    pub fn fits(&self, request: Request) -> bool {
        request.count() <= self.longest_usable(request.align())
    }

    /// The live buffer `id`.
    pub fn buffer(&self, id: u64) -> Option<&Buffer> {
        self.live.get(&id)
    }

    /// The live buffers by their names, in no order.
    pub(crate) fn live(&self) -> impl Iterator<Item = (u64, &Buffer)> {
        self.live.iter().map(|(id, buffer)| (*id, buffer))
    }

    /// How many buffers are live.
    pub(crate) fn buffers(&self) -> usize {
        self.live.len()
    }

    /// Whether a page of `run` is granted: exactly the pages, not the granules. Linear in the
    /// number of live buffers; for pins, which are rare.
    pub(crate) fn touches_live(&self, run: Run) -> bool {
        self.live.values().any(|buffer| buffer.left.iter().any(|piece| piece.overlaps(run)))
    }

    /// Whether a page of `run`, whose granules are free, is live: a claim of it is busy.
    pub(crate) fn is_in_use(&self, run: Run) -> bool {
        !self.loose.is_empty() && self.loose.touches(run)
    }

    /// Buffer `id` was granted at `run`, which is free and in one range.
    pub(crate) fn grant(&mut self, id: u64, request: Request, run: Run) {
        self.mark(run);
        self.give(id, request, run);
    }

    /// The granules of `run`, which are free and in one range, are used for an attempt.
    pub(crate) fn mark(&mut self, run: Run) {
        self.recount(run, |model| model.map.set(run));
    }

    /// The attempt at `run` has failed.
    pub(crate) fn unmark(&mut self, run: Run) {
        self.recount(run, |model| model.map.release(run, |_, _| {}));
    }

    /// Buffer `id` has `run`, which was marked for it. A release of what was live in its granules
    /// then may have cleared some of them since.
    pub(crate) fn hold(&mut self, id: u64, request: Request, run: Run) {
        self.give(id, request, run);
        if self.area().granule() == 1 {
            return;
        }
        self.recount(run, |model| {
            let mut page = run.pfn.0;
            while page < run.end().0 {
                let granule = model.granule_of(page);
                if model.map.is_free(granule) {
                    model.loose.join(common(run, granule));
                }
                page = granule.end().0;
            }
        });
    }

    fn give(&mut self, id: u64, request: Request, run: Run) {
        self.live_pages += run.count;
        self.live.insert(id, Buffer { request, pfn: run.pfn, left: smallvec![run] });
        if self.loose.is_empty() {
            return;
        }
        // All others are its own.
        let last = self.granule_of(run.end().0 - 1);
        if self.loose.touches(last) {
            self.recount(run, |model| model.loose.join(common(run, last)));
        }
    }

    /// `run`, a piece or a part of a piece of buffer `id`, was given back.
    pub(crate) fn release(&mut self, id: u64, run: Run) {
        self.recount(run, |model| {
            model.map.release(run, |_, _| {});
            model.live_pages -= run.count;
            model.take(id, run);
            if !model.loose.is_empty() {
                model.loose.cut(run);
            }
            model.loosen(id, run);
        });
    }

    /// Takes `run` from what is left of buffer `id`.
    fn take(&mut self, id: u64, run: Run) {
        let Entry::Occupied(mut buffer) = self.live.entry(id) else {
            panic!("buffer {id} is not live")
        };
        if buffer.get().left[..] == [run] {
            buffer.remove();
            return;
        }
        let left = &mut buffer.get_mut().left;
        let at = left.iter().position(|piece| piece.contains(run)).expect("a live piece");
        let piece = left.remove(at);
        let back = Run { pfn: run.end(), count: piece.end().0 - run.end().0 };
        let front = Run { pfn: piece.pfn, count: run.pfn.0 - piece.pfn.0 };
        for rest in [back, front].into_iter().filter(|rest| rest.count > 0) {
            left.insert(at, rest);
        }
    }

    /// What is left of buffer `id` in the granules of `run`, which it has just given back, is loose
    /// where they are free now.
    fn loosen(&mut self, id: u64, run: Run) {
        if self.area().granule() == 1 {
            return;
        }
        let Some(buffer) = self.live.get(&id) else { return };
        // All others are `run`'s own.
        for granule in [run.pfn.0, run.end().0 - 1].map(|page| self.granule_of(page)) {
            if self.map.is_free(granule) {
                let pieces = buffer.left.iter().filter(|piece| piece.overlaps(granule));
                pieces.for_each(|piece| self.loose.join(common(*piece, granule)));
            }
        }
    }

    /// Makes a change in the granules of `run`, and counts what is live and free there again.
    fn recount(&mut self, run: Run, change: impl FnOnce(&mut Self)) {
        if self.area().granule() == 1 {
            return change(self);
        }
        self.adrift_pages -= self.adrift(run);
        change(self);
        self.adrift_pages += self.adrift(run);
    }

    /// The live pages in free granules of `run`.
    fn adrift(&self, run: Run) -> u64 {
        if self.loose.is_empty() {
            return 0;
        }
        let (first, last) = (self.granule_of(run.pfn.0), self.granule_of(run.end().0 - 1));
        let whole = Run { pfn: first.pfn, count: last.end().0 - first.pfn.0 };
        let loose = self.loose.overlapping(whole).map(|(piece, ())| common(piece, whole));
        loose.map(|piece| self.free_of(piece)).sum()
    }

    /// The pages of `piece`, which is in one range, that are in free granules.
    fn free_of(&self, piece: Run) -> u64 {
        let (mut page, mut free) = (piece.pfn.0, 0);
        while page < piece.end().0 {
            let granule = self.granule_of(page);
            let pages = common(piece, granule).count;
            free += if self.map.is_free(granule) { pages } else { 0 };
            page = granule.end().0;
        }
        free
    }

    /// The granule that `page`, which is in a range, is in.
    fn granule_of(&self, page: u64) -> Run {
        let range = self.area().range_of(Run::new(page, 1)).expect("a page in a range");
        let bit = self.area().pfn_to_bit(range, Pfn(page));
        Run { pfn: self.area().bit_to_pfn(range, bit), count: self.area().granule() }
    }

    /// Pages of used granules that are not live: the rest of last granules, and what parts that
    /// were given back left used.
    pub(crate) fn padding_pages(&self) -> u64 {
        self.granule_pages - self.free_pages() - (self.live_pages - self.adrift_pages)
    }
}

/// The pages that are in both, which overlap.
fn common(a: Run, b: Run) -> Run {
    let start = a.pfn.0.max(b.pfn.0);
    Run::new(start, a.end().0.min(b.end().0) - start)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Free, available, live and padding pages.
    fn counts(model: &Model) -> [u64; 4] {
        [model.free_pages(), model.available_pages(), model.live_pages(), model.padding_pages()]
    }

    fn model(base: u64, pages: u64, order_per_bit: u32) -> Model {
        Model::new(Area::single(base, pages, order_per_bit).unwrap())
    }

    #[test]
    fn a_part_frees_the_granules_that_its_pages_take() {
        // Granules at 6, 10, 14 and 18, and a page without one; the buffer has pages 6 to 16.
        let mut model = model(6, 17, 2);
        model.grant(1, Request::new(10, 0).unwrap(), Run::new(6, 10));
        assert_eq!(counts(&model), [4, 7, 10, 2]);
        let mut state = Vec::new();
        for part in [Run::new(8, 1), Run::new(9, 4), Run::new(6, 2), Run::new(15, 1)] {
            model.release(1, part);
            state.push(counts(&model));
        }
        // 8: granule 6 is free, 3 live pages in it. 9 to 13: once more, and 10 stays used. 15: the
        // granule at 14 is free, page 14 is live.
        assert_eq!(state, [[8, 8, 9, 2], [8, 12, 5, 5], [8, 14, 3, 5], [12, 15, 2, 3]]);
        assert!(model.is_in_use(Run::new(14, 4)) && !model.is_in_use(Run::new(6, 4)));
        model.release(1, Run::new(13, 2));
        assert_eq!((counts(&model), model.buffers()), ([16, 17, 0, 0], 0));
    }

    /// `text/multi-drift` of the recordings of 7.3.4: a bit of 16 pages, 15 asked for, 5 given
    /// back.
    #[test]
    fn a_bit_that_was_cleared_under_live_pages_is_cleared_again_whoever_has_it() {
        let mut model = model(0, 16384, 4);
        let ask = |count| Request::new(count, 0).unwrap();
        model.grant(1, ask(15), Run::new(0, 15));
        model.release(1, Run::new(0, 5));
        assert_eq!(counts(&model), [16384, 16374, 10, 0]);
        assert!(model.is_in_use(Run::new(0, 16374)) && !model.is_in_use(Run::new(0, 5)));
        model.grant(2, ask(5), Run::new(0, 5));
        assert_eq!(counts(&model), [16368, 16369, 15, 1], "two buffers in one bit");
        model.release(1, Run::new(5, 10));
        assert_eq!(counts(&model), [16384, 16379, 5, 0], "the bit is buffer 2's by now");
        assert!(model.is_in_use(Run::new(0, 16)));
        model.release(2, Run::new(0, 5));
        assert_eq!(counts(&model), [16384, 16384, 0, 0]);
    }

    /// `corpora/seeds/laws/a-bit-cleared-under-a-claim`: a granule is freed again between the mark
    /// of a claim and its end.
    #[test]
    fn a_grant_can_have_a_granule_that_was_cleared_under_its_claim() {
        let mut model = model(0, 64, 4);
        let ask = |count| Request::new(count, 0).unwrap();
        model.grant(1, ask(8), Run::new(0, 8));
        model.release(1, Run::new(7, 1));
        model.mark(Run::new(0, 19));
        assert_eq!(counts(&model), [32, 57, 7, 25]);
        model.release(1, Run::new(0, 7));
        model.hold(2, ask(19), Run::new(0, 19));
        assert_eq!(counts(&model), [48, 45, 19, 13], "16 of its pages are in a free granule");
        assert!(model.is_in_use(Run::new(0, 1)));
        model.release(2, Run::new(0, 19));
        assert_eq!(counts(&model), [64, 64, 0, 0]);
    }
}
