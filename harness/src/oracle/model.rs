//! The truth: which buffer is where, and what that leaves free.

use std::collections::HashMap;

use cma_policies::kit::AreaMap;
use cma_policies::{Area, Pfn, Request, Run};

/// A live buffer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Buffer {
    /// What was asked for.
    pub request: Request,
    /// The first page that was granted.
    pub pfn: Pfn,
    /// The pieces that are left of it, ascending; more than one only after partial frees.
    pub left: Vec<Run>,
}

/// Which buffer is where. It stands outside every policy and believes only grants and frees.
#[derive(Clone, Debug)]
pub struct Model {
    map: AreaMap,
    live: HashMap<u64, Buffer>,
    live_pages: u64,
    padding_pages: u64,
}

impl Model {
    /// An area with nothing granted.
    #[must_use]
    pub fn new(area: Area) -> Self {
        Self { map: AreaMap::new(area), live: HashMap::new(), live_pages: 0, padding_pages: 0 }
    }

    /// The area.
    #[must_use]
    pub const fn area(&self) -> &Area {
        self.map.area()
    }

    /// The free granules: everything that no live buffer has a page in.
    #[must_use]
    pub const fn map(&self) -> &AreaMap {
        &self.map
    }

    /// Pages that are free, F. Constant time, as the next three.
    #[must_use]
    pub fn free_pages(&self) -> u64 {
        self.map.free_pages()
    }

    /// Pages granted and not given back.
    #[must_use]
    pub const fn live_pages(&self) -> u64 {
        self.live_pages
    }

    /// Pages of the longest hole, L.
    #[must_use]
    pub fn longest_run(&self) -> u64 {
        self.map.longest_run()
    }

    /// Pages of the longest free run from an aligned start on, U(a).
    #[must_use]
    pub fn longest_usable(&self, align: u32) -> u64 {
        self.map.longest_usable(align)
    }

    /// Whether an aligned fit for `request` is free.
    #[must_use]
    pub fn fits(&self, request: Request) -> bool {
        request.count() <= self.longest_usable(request.align())
    }

    /// The live buffer `id`.
    #[must_use]
    pub fn buffer(&self, id: u64) -> Option<&Buffer> {
        self.live.get(&id)
    }

    /// How many buffers are live.
    #[must_use]
    pub fn buffers(&self) -> usize {
        self.live.len()
    }

    /// Whether a page of `run` is granted: exactly the pages, not the granules. Linear in the
    /// number of live buffers; for pins, which are rare.
    #[must_use]
    pub fn touches_live(&self, run: Run) -> bool {
        self.live.values().any(|buffer| buffer.left.iter().any(|piece| piece.overlaps(run)))
    }

    /// Buffer `id` was granted at `run`, which is free and in one range.
    pub(crate) fn grant(&mut self, id: u64, request: Request, run: Run) {
        self.map.set(run);
        self.live_pages += run.count;
        self.padding_pages += self.padding(run.count);
        self.live.insert(id, Buffer { request, pfn: run.pfn, left: vec![run] });
    }

    /// `run`, a piece or a part of a piece of buffer `id`, was given back.
    pub(crate) fn release(&mut self, id: u64, run: Run) {
        let buffer = self.live.get_mut(&id).expect("a live buffer");
        let at = buffer.left.iter().position(|piece| piece.contains(run)).expect("a live piece");
        let piece = buffer.left.remove(at);
        let back = Run { pfn: run.end(), count: piece.end().0 - run.end().0 };
        let front = Run { pfn: piece.pfn, count: run.pfn.0 - piece.pfn.0 };
        for rest in [back, front].into_iter().filter(|rest| rest.count > 0) {
            buffer.left.insert(at, rest);
        }
        if buffer.left.is_empty() {
            self.live.remove(&id);
        }
        self.map.clear(run);
        self.live_pages -= run.count;
        self.padding_pages -= self.padding(run.count);
    }

    /// Pages of the last granule that belong to nobody.
    fn padding(&self, count: u64) -> u64 {
        count.next_multiple_of(self.area().granule()) - count
    }

    /// Pages that are neither live nor free: the rest of last granules.
    #[must_use]
    pub const fn padding_pages(&self) -> u64 {
        self.padding_pages
    }
}
