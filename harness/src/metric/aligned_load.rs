//! Aligned LOAD: what an area needs at least, whatever policy places the buffers.
//!
//! Buffers aligned to 2^a pages never share a slot of 2^a pages. So at every moment, and for every
//! order a, an area needs 2^a * (slots) - (2^a - 1) pages, where a buffer of p pages and an align of
//! at least a takes ceil(p / 2^a) slots. Where that is more than the area has, no policy that
//! aligns can help: the size of the area, the cap or another pool can.

use super::per_area::PerArea;
use super::{Column, Entry, Metric, Of, Value};
use crate::op::{Op, Part, Timed};
use crate::oracle::Model;
use crate::simulate::{Observer, Step};
use rustc_hash::FxHashMap;

pub(super) const ENTRY: Entry = Entry {
    name: "aligned-load",
    columns: &[
        Column {
            name: "aligned_load_max_pages",
            unit: "pages",
            about: "aligned LOAD: pages that an area needs at least, under this cap and any policy \
                    that aligns; each area at its own worst moment, sum over areas",
        },
        Column {
            name: "structural",
            unit: "flag",
            about: "1 where an area has less than its aligned LOAD: no placement policy can help",
        },
    ],
    of: Of::Stream,
    build: |_| Box::new(AlignedLoad::default()),
};

/// A buffer that was asked for and not given back.
struct Block {
    area: usize,
    align: u32,
    count: u64,
    /// What is left of it after a part was given back: first page and pages of each piece,
    /// ascending. Empty where all of it is.
    pieces: Vec<(u64, u64)>,
}

impl Block {
    /// Slots of 2^order pages that it has a page in; it begins at one.
    fn slots(&self, order: u32) -> u64 {
        if self.pieces.is_empty() {
            return ((self.count - 1) >> order) + 1;
        }
        let (mut slots, mut next) = (0, 0);
        for &(start, count) in &self.pieces {
            let first = (start >> order).max(next);
            next = ((start + count - 1) >> order) + 1;
            slots += next.saturating_sub(first);
        }
        slots
    }

    /// `part` is given back, as far as it is there. Whether anything is left.
    fn give(&mut self, part: Part) -> bool {
        if self.pieces.is_empty() {
            self.pieces.push((0, self.count));
        }
        let (start, end) = (part.offset, part.offset.saturating_add(part.count));
        let rest = self.pieces.iter().flat_map(|&(first, count)| {
            let behind = first + count;
            let (front_end, back_start) = (behind.min(start), first.max(end));
            [
                (first, front_end.saturating_sub(first)),
                (back_start, behind.saturating_sub(back_start)),
            ]
        });
        self.pieces = rest.filter(|(_, count)| *count > 0).collect();
        !self.pieces.is_empty()
    }
}

/// What is asked of one area.
#[derive(Default)]
struct Need {
    pages: u64,
    ranges: u64,
    order_per_bit: u32,
    /// For each order the slots of all buffers with at least that align.
    slots: Vec<u128>,
    most: u128,
}

impl Need {
    /// The orders that a buffer of this align counts at. Below a granule nothing is placed.
    fn orders(&self, align: u32) -> std::ops::RangeInclusive<u32> {
        self.order_per_bit..=align.max(self.order_per_bit)
    }

    fn add(&mut self, block: &Block) {
        for order in self.orders(block.align) {
            let index = order as usize;
            if index >= self.slots.len() {
                self.slots.resize(index + 1, 0);
            }
            self.slots[index] += u128::from(block.slots(order));
        }
    }

    fn remove(&mut self, block: &Block) {
        for order in self.orders(block.align) {
            self.slots[order as usize] -= u128::from(block.slots(order));
        }
    }

    /// The need now is taken into the most, for buffers of this align and below.
    fn note(&mut self, align: u32) {
        for order in self.orders(align) {
            let slots = self.slots.get(order as usize).copied().unwrap_or(0);
            // The last slot of a range may end with its first granule.
            let cut = (1_u128 << order) - (1_u128 << self.order_per_bit);
            let need = (slots << order).saturating_sub(cut * u128::from(self.ranges));
            self.most = self.most.max(need);
        }
    }
}

#[derive(Default)]
struct AlignedLoad {
    blocks: FxHashMap<u64, Block>,
    areas: PerArea<Need>,
    /// What was live before is still to be counted.
    is_warm: bool,
}

impl AlignedLoad {
    fn learn(&mut self, area: usize, model: &Model) {
        let need = self.areas.at(area);
        need.pages = model.area().pages();
        need.ranges = model.area().ranges().len() as u64;
        need.order_per_bit = model.area().order_per_bit();
    }

    /// The area and align of a buffer that came.
    fn take(&mut self, area: Option<usize>, op: Op) -> Option<(usize, u32)> {
        match op {
            Op::Alloc { id, request, .. } if !self.blocks.contains_key(&id) => {
                let (align, count) = (request.align(), request.count());
                let block = Block { area: area?, align, count, pieces: Vec::new() };
                self.areas.at(block.area).add(&block);
                let came = (block.area, align);
                self.blocks.insert(id, block);
                Some(came)
            }
            Op::Free { id, part } => {
                let block = self.blocks.get_mut(&id)?;
                let need = self.areas.at(block.area);
                need.remove(block);
                if part.is_some_and(|part| block.give(part)) {
                    need.add(block);
                } else {
                    self.blocks.remove(&id);
                }
                None
            }
            _ => None,
        }
    }
}

impl Observer for AlignedLoad {
    fn boot(&mut self, _: u64, area: usize, model: &Model) {
        self.learn(area, model);
        if self.is_warm {
            self.areas.at(area).note(63);
        }
    }

    fn warm_up(&mut self, step: &Step<'_>) {
        self.learn(step.area, step.model);
        self.take(Some(step.area), step.op);
        self.is_warm = true;
    }

    fn asked(&mut self, area: Option<usize>, timed: &Timed) {
        if let Some((area, align)) = self.take(area, timed.op) {
            self.areas.at(area).note(align);
        }
    }
}

impl Metric for AlignedLoad {
    fn values(&self) -> Vec<Value> {
        let most: u128 = self.areas.iter().map(|need| need.most).sum();
        let is_short = |need: &Need| need.most > u128::from(need.pages);
        vec![
            Value::Count(most.try_into().unwrap_or(u64::MAX)),
            Value::Count(self.areas.iter().any(is_short).into()),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_of_a_buffer_takes_the_slots_that_it_has_a_page_in() {
        let mut block = Block { area: 0, align: 4, count: 40, pieces: Vec::new() };
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
