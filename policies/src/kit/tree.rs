//! The tree behind [`FreeMap`](super::FreeMap).
//!
//! Leaves are 64-bit words (a set bit is a *free* bit), the nodes above are in heap order: node 1 is
//! the root, nodes `2n` and `2n + 1` are the halves of node `n`. What a node says of a half that is
//! all free or all used holds for everything below; what is stored below is stale then, until a
//! change pushes it down.

mod search;
mod update;

use alloc::vec;
use alloc::vec::Vec;

use super::summary::{High, LOW_ORDER, Leaf, Low, PREFIX, SUFFIX};

pub(super) use super::summary::MAX_ORDER;
pub(super) use search::Fit;

/// A node: its number, and the coordinates that it covers.
#[derive(Clone, Copy)]
struct Node {
    number: usize,
    /// It covers `2^order` coordinates.
    order: u32,
    start: usize,
}

impl Node {
    const fn size(self) -> usize {
        1 << self.order
    }

    const fn end(self) -> usize {
        self.start + self.size()
    }

    const fn left(self) -> Self {
        Self { number: self.number * 2, order: self.order - 1, start: self.start }
    }

    const fn right(self) -> Self {
        let order = self.order - 1;
        Self { number: self.number * 2 + 1, order, start: self.start + (1 << order) }
    }

    /// The half that coordinate `at` is in.
    const fn toward(self, at: usize) -> Self {
        let order = self.order - 1;
        let side = (at >> order) & 1;
        Self { number: self.number * 2 + side, order, start: self.start + (side << order) }
    }

    /// The other half of the node that this one is a half of.
    const fn sibling(self) -> Self {
        Self { number: self.number ^ 1, start: self.start ^ (1 << self.order), ..self }
    }
}

/// Order of a leaf.
const WORD: u32 = u64::BITS.trailing_zeros();

#[derive(Clone, Debug)]
pub(super) struct Tree {
    /// Order of the root.
    order: u32,
    /// Summaries of the nodes above the leaves up to [`LOW_ORDER`], by number.
    low: Vec<Low>,
    /// Summaries of the nodes above those, by number.
    high: Vec<High>,
    /// Free bits of the leaves.
    words: Vec<u64>,
    /// Summaries of the leaves.
    leaves: Vec<Leaf>,
}

impl Tree {
    /// A tree that covers at least `[0, end)`, all used.
    pub(super) fn new(end: usize) -> Self {
        // At least two leaves, so that the root is always a node above leaves.
        let leaves = end.div_ceil(1 << WORD).next_power_of_two().max(2);
        Self {
            order: leaves.trailing_zeros() + WORD,
            low: vec![Low::USED; leaves],
            high: vec![High::USED; leaves >> (LOW_ORDER - WORD)],
            words: vec![0; leaves],
            leaves: vec![Leaf::USED; leaves],
        }
    }

    const fn root(&self) -> Node {
        Node { number: 1, order: self.order, start: 0 }
    }

    /// The node of this number, which is one of `2^order` coordinates.
    const fn node(&self, number: usize, order: u32) -> Node {
        Node { number, order, start: (number << order) - (1 << self.order) }
    }

    fn leaf(&self, node: Node) -> usize {
        node.number - self.words.len()
    }

    /// A node of order [`LOW_ORDER`] or less.
    #[inline(always)]
    fn low(&self, node: Node) -> Low {
        if node.order == WORD {
            self.leaves[self.leaf(node)].expand(node.start)
        } else {
            self.low[node.number]
        }
    }

    #[inline(always)]
    fn high(&self, node: Node) -> High {
        if node.order <= LOW_ORDER { self.low(node).into() } else { self.high[node.number] }
    }

    /// A lane of a node above the leaves.
    #[inline(always)]
    fn lane(&self, node: Node, lane: usize) -> usize {
        if node.order <= LOW_ORDER {
            self.low[node.number].0[lane] as usize
        } else {
            self.high[node.number].0[lane] as usize
        }
    }

    /// The longest run in a node from a multiple of `2^order` on.
    #[inline(always)]
    fn usable(&self, node: Node, order: u32) -> usize {
        if node.order == WORD {
            self.leaves[self.leaf(node)].usable(node.start, order)
        } else {
            self.lane(node, order as usize)
        }
    }

    #[inline(always)]
    fn prefix(&self, node: Node) -> usize {
        if node.order == WORD {
            self.leaves[self.leaf(node)].prefix()
        } else {
            self.lane(node, PREFIX)
        }
    }

    #[inline(always)]
    fn suffix(&self, node: Node) -> usize {
        if node.order == WORD {
            self.leaves[self.leaf(node)].suffix()
        } else {
            self.lane(node, SUFFIX)
        }
    }

    #[inline(always)]
    fn is_all_free(&self, node: Node) -> bool {
        self.usable(node, 0) == node.size()
    }

    #[inline(always)]
    fn is_all_used(&self, node: Node) -> bool {
        self.usable(node, 0) == 0
    }

    /// Whether what is stored below a node above the leaves is stale: it is all free or all used.
    #[inline(always)]
    fn speaks_for_all(&self, node: Node) -> bool {
        let longest = self.lane(node, 0);
        longest == 0 || longest == node.size()
    }

    /// The longest free run from a multiple of `2^order` on.
    pub(super) fn longest(&self, order: u32) -> usize {
        self.usable(self.root(), order)
    }
}
