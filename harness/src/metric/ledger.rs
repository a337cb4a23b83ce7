//! What a stream asks for and has not given back, whatever is granted: LOAD is made of it.

use std::collections::hash_map::Entry;

use cma_policies::Run;
use cma_policies::kit::RunSet;
use rustc_hash::FxHashMap;

use crate::op::{Op, Part};

/// A buffer that was asked for and not given back.
#[derive(Clone, Debug)]
pub(super) struct Block {
    area: usize,
    pub(super) align: u32,
    count: u64,
    /// What is left of it after a part was given back, in pages from its first one on. Empty where
    /// all of it is.
    pieces: RunSet,
}

impl Block {
    /// Slots of 2^order pages that it has a page in; it begins at one.
    pub(super) fn slots(&self, order: u32) -> u64 {
        if self.pieces.is_empty() {
            return ((self.count - 1) >> order) + 1;
        }
        let (mut slots, mut next) = (0, 0);
        for (piece, ()) in self.pieces.iter() {
            let first = (piece.pfn.0 >> order).max(next);
            next = ((piece.end().0 - 1) >> order) + 1;
            slots += next.saturating_sub(first);
        }
        slots
    }

    /// Pages that are left of it.
    pub(super) fn pages(&self) -> u64 {
        match self.pieces.is_empty() {
            true => self.count,
            false => self.pieces.iter().map(|(piece, ())| piece.count).sum(),
        }
    }

    /// `part` is given back, as far as it is there. Whether anything is left.
    fn give(&mut self, part: Part) -> bool {
        if self.pieces.is_empty() {
            self.pieces.join(Run::new(0, self.count));
        }
        self.pieces.cut(Run::new(part.offset, part.count));
        !self.pieces.is_empty()
    }
}

/// What an op changes.
pub(super) struct Change<'a> {
    /// Index of the area that the buffer was asked of.
    pub(super) area: usize,
    /// The buffer as it was; none where it comes.
    pub(super) before: Option<Block>,
    /// The buffer as it is; none where it goes.
    pub(super) now: Option<&'a Block>,
    /// It was live before the stream began.
    pub(super) is_warm_up: bool,
}

/// The buffers that were asked for and not given back, by id: no more than live at once.
#[derive(Default, Debug)]
pub(super) struct Ledger {
    blocks: FxHashMap<u64, Block>,
}

impl Ledger {
    /// Notes an op that is meant for `area`, which may be none. What it changes, if anything.
    pub(super) fn note(
        &mut self,
        area: Option<usize>,
        op: Op,
        is_warm_up: bool,
    ) -> Option<Change<'_>> {
        match op {
            // An alloc of a live id is not asked: the first is there still.
            Op::Alloc { id, request, .. } => {
                let area = area?;
                let Entry::Vacant(place) = self.blocks.entry(id) else { return None };
                let (align, count) = (request.align(), request.count());
                let now = place.insert(Block { area, align, count, pieces: RunSet::default() });
                Some(Change { area, before: None, now: Some(now), is_warm_up })
            }
            Op::Free { id, part: Some(part) } => {
                let block = self.blocks.get_mut(&id)?;
                let (area, before) = (block.area, Some(block.clone()));
                if !block.give(part) {
                    self.blocks.remove(&id);
                }
                Some(Change { area, before, now: self.blocks.get(&id), is_warm_up })
            }
            Op::Free { id, part: None } => {
                let block = self.blocks.remove(&id)?;
                Some(Change { area: block.area, before: Some(block), now: None, is_warm_up })
            }
            Op::Pin(_) | Op::Unpin(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_of_a_buffer_takes_the_slots_that_it_has_a_page_in() {
        let mut block = Block { area: 0, align: 4, count: 40, pieces: RunSet::default() };
        let slots = |block: &Block| [0, 2, 3, 4].map(|order| block.slots(order));
        assert_eq!(slots(&block), [40, 10, 5, 3]);
        assert!(block.give(Part { offset: 6, count: 20 }), "0 to 5 and 26 to 39 are left");
        assert_eq!(slots(&block), [20, 6, 3, 3]);
        assert!(block.give(Part { offset: 20, count: 12 }), "0 to 5 and 32 to 39 are left");
        assert_eq!(slots(&block), [14, 4, 2, 2]);
        assert!(block.give(Part { offset: 33, count: 7 }), "0 to 5 and 32 are left");
        assert!(block.give(Part { offset: 0, count: 6 }));
        assert_eq!(slots(&block), [1, 1, 1, 1]);
        assert!(!block.give(Part { offset: 0, count: u64::MAX }));
    }
}
