//! The free blocks of a buddy system.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use crate::mutant::mutate;

/// The free blocks by order. A block of order `k` is `2^k` units that begin at a multiple of `2^k`,
/// inside one span.
///
/// Both halves of a block are never free apart: the free blocks are the largest ones that the free
/// units make, whatever the order of calls that led there.
#[derive(Debug)]
pub(super) struct Blocks {
    /// The ranges in units, `[start, end)`, ascending.
    spans: Vec<(u64, u64)>,
    /// The first units of the free blocks of each order, from 0 to the largest.
    free: Vec<BTreeSet<u64>>,
}

/// The first unit of the block of `order` that holds `unit`.
const fn block_of(unit: u64, order: u32) -> u64 {
    unit >> order << order
}

impl Blocks {
    /// All units of `spans` free, in blocks of at most order `max_order`.
    pub(super) fn new(spans: Vec<(u64, u64)>, max_order: u32) -> Self {
        let longest = spans.iter().map(|(start, end)| end - start).max().unwrap_or(1);
        let top = max_order.min(longest.ilog2());
        let free = (0..=top).map(|_| BTreeSet::new()).collect();
        let mut blocks = Self { spans, free };
        for index in 0..blocks.spans.len() {
            let (start, end) = blocks.spans[index];
            blocks.give(start, end);
        }
        blocks
    }

    /// The order of the largest block that there can be.
    pub(super) fn top(&self) -> u32 {
        self.free.len() as u32 - 1
    }

    /// The index of the span that `unit` is in.
    pub(super) fn span_of(&self, unit: u64) -> usize {
        self.spans.partition_point(|&(start, _)| start <= unit) - 1
    }

    /// Whether a span begins at `unit`.
    pub(super) fn is_span_start(&self, unit: u64) -> bool {
        self.spans.binary_search_by_key(&unit, |&(start, _)| start).is_ok()
    }

    /// Makes `[start, end)` of one span, which is not free, free.
    pub(super) fn give(&mut self, start: u64, end: u64) {
        let mut unit = start;
        while unit < end {
            let order = unit.trailing_zeros().min((end - unit).ilog2()).min(self.top());
            self.merge(unit, order);
            unit += 1 << order;
        }
    }

    /// Makes one block free, and merges it with its buddy as often as that is free too.
    fn merge(&mut self, mut unit: u64, mut order: u32) {
        let (start, end) = self.spans[self.span_of(unit)];
        while order < self.top() {
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
        let is_new = self.free[order as usize].insert(unit);
        assert!(is_new, "block {unit} of order {order} is free already");
    }

    /// Takes `[start, end)`, all of which is free; the rest of the blocks it is in stays free.
    pub(super) fn take(&mut self, start: u64, end: u64) {
        let mut unit = start;
        while unit < end {
            let order = (0..=self.top())
                .find(|&order| self.free[order as usize].remove(&block_of(unit, order)))
                .unwrap_or_else(|| panic!("unit {unit} is not free"));
            let block = block_of(unit, order);
            let block_end = block + (1 << order);
            let taken = end.min(block_end);
            self.give(block, unit);
            self.give(taken, block_end);
            unit = taken;
        }
    }

    /// The lowest of the smallest free blocks that hold a place of `order`.
    pub(super) fn smallest(&self, order: u32) -> Option<u64> {
        self.free.get(order as usize..)?.iter().find_map(|blocks| blocks.first().copied())
    }

    /// The lowest unit at or behind `from` where a place of `order` is free.
    pub(super) fn lowest(&self, order: u32, from: u64) -> Option<u64> {
        let from = from.checked_next_multiple_of(1 << order)?;
        let holds = |order: u32| self.free[order as usize].contains(&block_of(from, order));
        if (order..=self.top()).any(holds) {
            return Some(from);
        }
        let next = |blocks: &BTreeSet<u64>| blocks.range(from..).next().copied();
        self.free[order as usize..].iter().filter_map(next).min()
    }

    /// The number of `unit`, counted over all spans from 0 on.
    pub(super) fn number_of(&self, unit: u64) -> u64 {
        let span = self.span_of(unit);
        let before: u64 = self.spans[..span].iter().map(|(start, end)| end - start).sum();
        before + (unit - self.spans[span].0)
    }

    /// The first unit at or behind `from` of `count` free blocks of the largest order that adjoin in
    /// one span, the first of them at a multiple of `2^align` units.
    pub(super) fn row(&self, count: u64, align: u32, from: u64) -> Option<u64> {
        let top = self.top();
        let mut row: Option<(u64, u64)> = None;
        for &unit in self.free[top as usize].range(from..) {
            row = match row {
                Some((first, blocks))
                    if first + (blocks << top) == unit && !self.is_span_start(unit) =>
                {
                    Some((first, blocks + 1))
                }
                _ if block_of(unit, align) == unit => Some((unit, 1)),
                _ => None,
            };
            if let Some((first, blocks)) = row
                && blocks == count
            {
                return Some(first);
            }
        }
        None
    }

    /// The free blocks in the order of their addresses: first unit and units.
    pub(super) fn ascending(&self) -> Vec<(u64, u64)> {
        let mut blocks: Vec<_> = (0u32..)
            .zip(&self.free)
            .flat_map(|(order, units)| units.iter().map(move |&unit| (unit, 1u64 << order)))
            .collect();
        blocks.sort_unstable();
        blocks
    }
}
