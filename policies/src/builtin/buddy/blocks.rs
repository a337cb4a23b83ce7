//! The free blocks of a buddy system.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use crate::kit::{FreeMap, Search};
use crate::mutant::mutate;

/// The free blocks by order. A block of order `k` is `2^k` units that begin at a multiple of `2^k`,
/// inside one span.
///
/// Units are numbered in the order of the spans: each span's first one is past all of those before
/// it, and as far past a multiple of the largest block as it is in memory.
///
/// Both halves of a block are never free apart: the free blocks are the largest ones that the free
/// units make, whatever the order of calls that led there.
#[derive(Debug)]
pub(super) struct Blocks {
    /// The ranges in units, `[start, end)`, in the area's order, which is that of the units.
    spans: Vec<(u64, u64)>,
    /// The largest order.
    top: u32,
    /// The first units of the free blocks of each order below the largest.
    free: Vec<BTreeSet<u64>>,
    /// The blocks of the largest order: a row of them is taken and given back at once.
    largest: Vec<Largest>,
}

/// The blocks of the largest order of one span.
#[derive(Debug)]
struct Largest {
    /// The number of the first: its unit divided by their size.
    first: u64,
    /// The place of the first in memory, in blocks from page 0.
    place: u64,
    map: FreeMap,
}

impl Largest {
    fn has(&self, number: u64) -> bool {
        number.checked_sub(self.first).is_some_and(|bit| self.map.is_free(bit, 1))
    }

    /// The lowest `count` free ones from number `from` on, the place of the first a multiple of
    /// `2^align`.
    fn row(&self, count: u64, align: u32, from: u64) -> Option<u64> {
        let mask = 1u64.checked_shl(align)?.wrapping_sub(1);
        let offset = self.place & mask;
        let from = from.saturating_sub(self.first);
        let search = Search { bits: count, mask, offset, from };
        self.map.first_fit(search).map(|bit| self.first + bit)
    }
}

/// The first unit of the block of `order` that holds `unit`.
const fn block_of(unit: u64, order: u32) -> u64 {
    unit >> order << order
}

impl Blocks {
    /// All units of `ranges` free, in blocks of at most order `max_order`. Of each range its place
    /// in memory, in units from page 0, and its units.
    pub(super) fn new(ranges: &[(u64, u64)], max_order: u32) -> Self {
        let longest = ranges.iter().map(|(_, units)| *units).max().unwrap_or(1);
        let top = max_order.min(longest.ilog2());
        let free = (0..top).map(|_| BTreeSet::new()).collect();
        let (mut spans, mut largest, mut past) = (Vec::new(), Vec::new(), 0_u64);
        for &(place, units) in ranges {
            let start = past.next_multiple_of(1 << top) + (place - block_of(place, top));
            past = start + units;
            spans.push((start, past));
            let (first, end) = (start.div_ceil(1 << top), past >> top);
            if first < end {
                let place = place.div_ceil(1 << top);
                let mut map = FreeMap::new(end - first, place);
                map.set(0, end - first);
                largest.push(Largest { first, place, map });
            }
        }
        let mut blocks = Self { spans, top, free, largest };
        for index in 0..blocks.spans.len() {
            let (start, end) = blocks.spans[index];
            blocks.give(start, end);
        }
        blocks
    }

    /// The order of the largest block that there can be.
    pub(super) const fn top(&self) -> u32 {
        self.top
    }

    /// The largest blocks of the span that the one of this number is in.
    fn largest_at(&mut self, number: u64) -> &mut Largest {
        let at = self.largest.partition_point(|largest| largest.first <= number);
        &mut self.largest[at - 1]
    }

    /// Whether a block of this order that begins at `unit` is free.
    fn has(&self, order: u32, unit: u64) -> bool {
        match self.free.get(order as usize) {
            Some(units) => units.contains(&unit),
            None => self.largest.iter().any(|largest| largest.has(unit >> self.top)),
        }
    }

    /// The index of the span that `unit` is in.
    pub(super) fn span_of(&self, unit: u64) -> usize {
        self.spans.partition_point(|&(start, _)| start <= unit) - 1
    }

    /// The first unit of span `span`.
    pub(super) fn start_of(&self, span: usize) -> u64 {
        self.spans[span].0
    }

    /// Makes `[start, end)` of one span, which is not free, free.
    pub(super) fn give(&mut self, start: u64, end: u64) {
        let mut unit = start;
        while unit < end {
            let order = unit.trailing_zeros().min((end - unit).ilog2()).min(self.top);
            let blocks = if order == self.top { (end - unit) >> order } else { 1 };
            self.merge(unit, order, blocks);
            unit += blocks << order;
        }
    }

    /// Makes a block free, or a row of largest ones, and merges it with its buddy as often as that
    /// is free too.
    fn merge(&mut self, mut unit: u64, mut order: u32, blocks: u64) {
        let (start, end) = self.spans[self.span_of(unit)];
        while order < self.top {
            let parent = block_of(unit, order + 1);
            let is_inside = start <= parent && end - parent >= 1 << (order + 1);
            // The units of another span can adjoin, but nothing crosses into it.
            let merges =
                mutate!(MissedBuddy: is_inside => is_inside && (order < 6 || parent == unit));
            if !merges || !self.free[order as usize].remove(&(unit ^ (1 << order))) {
                break;
            }
            unit = parent;
            order += 1;
        }
        let Some(units) = self.free.get_mut(order as usize) else {
            let largest = self.largest_at(unit >> order);
            largest.map.clear((unit >> order) - largest.first, blocks);
            return;
        };
        let is_new = units.insert(unit);
        assert!(is_new, "block {unit} of order {order} is free already");
    }

    /// Takes `[start, end)`, all of which is free; the rest of the blocks it is in stays free.
    pub(super) fn take(&mut self, start: u64, end: u64) {
        let mut unit = start;
        while unit < end {
            let order = (0..=self.top)
                .find(|&order| self.has(order, block_of(unit, order)))
                .unwrap_or_else(|| panic!("unit {unit} is not free"));
            let block = block_of(unit, order);
            let blocks = if order == self.top { ((end - block) >> order).max(1) } else { 1 };
            let block_end = block + (blocks << order);
            match self.free.get_mut(order as usize) {
                Some(units) => {
                    units.remove(&block);
                }
                None => {
                    let largest = self.largest_at(block >> order);
                    largest.map.set((block >> order) - largest.first, blocks);
                }
            }
            let taken = end.min(block_end);
            self.give(block, unit);
            self.give(taken, block_end);
            unit = taken;
        }
    }

    /// The lowest of the smallest free blocks that hold a place of `order`.
    pub(super) fn smallest(&self, order: u32) -> Option<u64> {
        let smaller = self.free.iter().skip(order as usize);
        smaller.filter_map(|units| units.first().copied()).next().or_else(|| self.row(1, 0, 0))
    }

    /// The lowest unit at or after `from` where a place of `order` is free.
    pub(super) fn lowest(&self, order: u32, from: u64) -> Option<u64> {
        let from = from.checked_next_multiple_of(1 << order)?;
        if (order..=self.top).any(|order| self.has(order, block_of(from, order))) {
            return Some(from);
        }
        let next = |units: &BTreeSet<u64>| units.range(from..).next().copied();
        let smaller = self.free.iter().skip(order as usize).filter_map(next);
        smaller.chain(self.row(1, 0, from)).min()
    }

    /// The first unit at or after `from` of `count` free blocks of the largest order that adjoin in
    /// one span, the first of them at a multiple of `2^align` units in memory.
    pub(super) fn row(&self, count: u64, align: u32, from: u64) -> Option<u64> {
        let (align, from) = (align.saturating_sub(self.top), from.div_ceil(1 << self.top));
        let number = self.largest.iter().find_map(|largest| largest.row(count, align, from))?;
        Some(number << self.top)
    }

    /// The free blocks in the order of their units: first unit and units. Largest ones that
    /// adjoin in one span are one where `rows` holds.
    pub(super) fn ascending(&self, rows: bool) -> Vec<(u64, u64)> {
        let top = self.top;
        let smaller = (0u32..).zip(&self.free);
        let mut blocks: Vec<_> = smaller
            .flat_map(|(order, units)| units.iter().map(move |&unit| (unit, 1u64 << order)))
            .collect();
        for Largest { first, map, .. } in &self.largest {
            map.for_each_run(|bit, count| {
                let start = first + bit;
                if rows {
                    blocks.push((start << top, count << top));
                } else {
                    blocks.extend((start..start + count).map(|number| (number << top, 1 << top)));
                }
            });
        }
        // Stable: it merges rows that are in order, which is what there is.
        blocks.sort();
        blocks
    }
}
