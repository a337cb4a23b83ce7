//! The truth: which buffer is where, and what that leaves free.

use std::collections::hash_map::Entry;

use cma_policies::kit::AreaMap;
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
#[derive(Clone, Debug)]
pub struct Model {
    map: AreaMap,
    live: FxHashMap<u64, Buffer>,
    live_pages: u64,
    padding_pages: u64,
}

impl Model {
    /// An area with nothing granted.
    pub fn new(area: Area) -> Self {
        Self {
            map: AreaMap::new(area),
            live: FxHashMap::default(),
            live_pages: 0,
            padding_pages: 0,
        }
    }

    /// The area.
    pub const fn area(&self) -> &Area {
        self.map.area()
    }

    /// The free granules: everything that no live buffer has a page in.
    pub const fn map(&self) -> &AreaMap {
        &self.map
    }

    /// Pages that are free, F. Constant time, as the next three.
    pub fn free_pages(&self) -> u64 {
        self.map.free_pages()
    }

    /// Pages granted and not given back.
    pub const fn live_pages(&self) -> u64 {
        self.live_pages
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

    /// How many buffers are live.
    pub(crate) fn buffers(&self) -> usize {
        self.live.len()
    }

    /// Whether a page of `run` is granted: exactly the pages, not the granules. Linear in the
    /// number of live buffers; for pins, which are rare.
    pub(crate) fn touches_live(&self, run: Run) -> bool {
        self.live.values().any(|buffer| buffer.left.iter().any(|piece| piece.overlaps(run)))
    }

    /// Buffer `id` was granted at `run`, which is free and in one range.
    pub(crate) fn grant(&mut self, id: u64, request: Request, run: Run) {
        self.map.set(run);
        self.live_pages += run.count;
        self.padding_pages += self.padding(run.count);
        self.live.insert(id, Buffer { request, pfn: run.pfn, left: smallvec![run] });
    }

    /// `run`, a piece or a part of a piece of buffer `id`, was given back.
    pub(crate) fn release(&mut self, id: u64, run: Run) {
        let Entry::Occupied(mut buffer) = self.live.entry(id) else {
            panic!("buffer {id} is not live")
        };
        if buffer.get().left[..] == [run] {
            buffer.remove();
        } else {
            let left = &mut buffer.get_mut().left;
            let at = left.iter().position(|piece| piece.contains(run)).expect("a live piece");
            let piece = left.remove(at);
            let back = Run { pfn: run.end(), count: piece.end().0 - run.end().0 };
            let front = Run { pfn: piece.pfn, count: run.pfn.0 - piece.pfn.0 };
            for rest in [back, front].into_iter().filter(|rest| rest.count > 0) {
                left.insert(at, rest);
            }
            if left.is_empty() {
                buffer.remove();
            }
        }
        let freed = self.freed_granules(id, run);
        if freed.count > 0 {
            self.map.clear(freed);
        }
        self.live_pages -= run.count;
        self.padding_pages = self.padding_pages + run.count - freed.count;
    }

    /// The granules of `run`, which buffer `id` has just given back, that it has no page in any
    /// more; perhaps none. No other buffer has one in them.
    fn freed_granules(&self, id: u64, run: Run) -> Run {
        let granule = self.area().granule();
        if granule == 1 {
            return run;
        }
        let whole = run_out(self.area(), run);
        let Some(buffer) = self.live.get(&id) else { return whole };
        let (mut start, mut end) = (whole.pfn.0, whole.end().0);
        let is_live =
            |first| buffer.left.iter().any(|left| left.overlaps(Run::new(first, granule)));
        if is_live(start) {
            start += granule;
        }
        if start < end && is_live(end - granule) {
            end -= granule;
        }
        Run::new(start, end - start)
    }

    /// Pages of the last granule that belong to nobody.
    fn padding(&self, count: u64) -> u64 {
        count.next_multiple_of(self.area().granule()) - count
    }

    /// Pages that are neither live nor free: the rest of last granules.
    pub(crate) const fn padding_pages(&self) -> u64 {
        self.padding_pages
    }
}

/// The whole granules that `run`, which is in one range, has a page in.
fn run_out(area: &Area, run: Run) -> Run {
    let range = area.range_of(run).expect("a run in one range");
    let base = area.ranges()[range].pfn.0;
    let skip = (run.pfn.0 - base) % area.granule();
    let count = (skip + run.count).next_multiple_of(area.granule());
    Run::new(run.pfn.0 - skip, count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_granule_is_free_when_the_last_page_in_it_is_given_back() {
        // Granules at 6, 10, 14 and 18; the buffer has pages 6 to 16.
        let mut model = Model::new(Area::single(6, 16, 2).unwrap());
        model.grant(1, Request::new(10, 0).unwrap(), Run::new(6, 10));
        let mut state = Vec::new();
        for part in [Run::new(8, 1), Run::new(9, 4), Run::new(6, 2), Run::new(15, 1)] {
            model.release(1, part);
            state.push((model.free_pages(), model.live_pages(), model.padding_pages()));
        }
        assert_eq!(state, [(4, 9, 3), (4, 5, 7), (8, 3, 5), (8, 2, 6)]);
        model.release(1, Run::new(13, 2));
        assert_eq!((model.free_pages(), model.padding_pages(), model.buffers()), (16, 0, 0));
    }
}
