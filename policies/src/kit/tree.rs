//! The tree behind [`FreeMap`](super::FreeMap).
//!
//! Leaves are 64-bit words (a set bit is a *free* bit), the nodes above are in heap order: node 1 is
//! the root, nodes `2n` and `2n + 1` are the halves of node `n`. What a node says of a half that is
//! all free or all used holds for everything below; what is stored below is stale then, until a
//! change pushes it down.

use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

use super::summary::{self, High, LOW_ORDER, Leaf, Low, PREFIX, SUFFIX};
use crate::mutant::mutate;

pub(super) use super::summary::MAX_ORDER;

/// What is looked for: `bits` free bits from a coordinate on that is a multiple of `2^order`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fit {
    pub(super) order: u32,
    pub(super) bits: usize,
}

impl Fit {
    const fn mask(self) -> usize {
        (1 << self.order) - 1
    }

    const fn up(self, at: usize) -> usize {
        (at + self.mask()) & !self.mask()
    }

    /// The lowest place in `[start, end)`, all free.
    fn lowest_in(self, start: usize, end: usize) -> Option<usize> {
        let place = self.up(start);
        (place + self.bits <= end).then_some(place)
    }

    /// The highest place in `[start, end)`, all free.
    fn highest_in(self, start: usize, end: usize) -> Option<usize> {
        let place = end.checked_sub(self.bits)? & !self.mask();
        (place >= start).then_some(place)
    }
}

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

    /// Marks `run`, which is not empty, as used or free.
    ///
    /// # Panics
    /// If it is not all free (used) before.
    pub(super) fn update(&mut self, run: Range<usize>, used: bool) {
        assert!(run.end <= self.root().end(), "{run:?} is not in the tree");
        let (first, last) = (run.start >> WORD, (run.end - 1) >> WORD);
        self.push_down(self.root(), run.start, &run);
        if first != last {
            // Down from where the two ways part.
            let order = WORD + (first ^ last).ilog2() + 1;
            let number = (first + self.words.len()) >> (order - WORD);
            self.push_down(self.node(number, order), run.end - 1, &run);
        }
        // Words that the run cuts, then the largest nodes that it covers, between the two.
        let cuts = |word: usize| word << WORD < run.start || (word + 1) << WORD > run.end;
        let (mut low, mut high) = (first, last + 1);
        if cuts(first) {
            self.update_word(first, &run, used);
            low += 1;
        }
        if last > first && cuts(last) {
            self.update_word(last, &run, used);
            high -= 1;
        }
        let mut order = WORD;
        let (mut left, mut right) = (low + self.words.len(), high + self.words.len());
        while left < right {
            if left & 1 == 1 {
                self.cover(self.node(left, order), &run, used);
                left += 1;
            }
            if right & 1 == 1 {
                right -= 1;
                self.cover(self.node(right, order), &run, used);
            }
            (left, right, order) = (left >> 1, right >> 1, order + 1);
        }
        self.merge_up(first, last, &run, used);
    }

    /// Merges the nodes that the run cuts anew, from below, up to where nothing changes any more.
    fn merge_up(&mut self, first: usize, last: usize, run: &Range<usize>, used: bool) {
        let (mut left, mut right) = (first + self.words.len(), last + self.words.len());
        let (mut left_differs, mut right_differs) = (true, true);
        for order in WORD + 1..=self.order {
            (left, right) = (left >> 1, right >> 1);
            if left_differs {
                left_differs = self.merge(self.node(left, order), run, used);
            }
            if left == right {
                // From here on there is one way up.
                if !left_differs && !right_differs {
                    return;
                }
                if !left_differs {
                    left_differs = self.merge(self.node(left, order), run, used);
                }
                right_differs = false;
            } else if right_differs {
                right_differs = self.merge(self.node(right, order), run, used);
            }
        }
    }

    /// Gives the halves of every node on the way from `node` down to `at` that the run cuts what
    /// the node says of them, where it is all free or all used.
    #[inline]
    fn push_down(&mut self, mut node: Node, at: usize, run: &Range<usize>) {
        while node.order > WORD && (node.start < run.start || run.end < node.end()) {
            if self.speaks_for_all(node) {
                let is_used = !self.is_all_free(node);
                self.fill(node.left(), is_used);
                self.fill(node.right(), is_used);
            }
            node = node.toward(at);
        }
    }

    fn update_word(&mut self, word: usize, run: &Range<usize>, used: bool) {
        let start = word << WORD;
        let low = run.start.saturating_sub(start);
        let high = (run.end - start).min(1 << WORD);
        let mask = (u64::MAX >> (64 - (high - low))) << low;
        let was = self.words[word] & mask == if used { mask } else { 0 };
        assert!(was, "{run:?} is not all {}", if used { "free" } else { "used" });
        self.words[word] ^= mask;
        self.leaves[word] = Leaf::of(self.words[word]);
    }

    fn cover(&mut self, node: Node, run: &Range<usize>, used: bool) {
        let was = if used { self.is_all_free(node) } else { self.is_all_used(node) };
        assert!(was, "{run:?} is not all {}", if used { "free" } else { "used" });
        self.fill(node, used);
    }

    /// Says anew what the halves of a node say, unless the run covers it. Whether it says something
    /// else than before.
    fn merge(&mut self, node: Node, run: &Range<usize>, used: bool) -> bool {
        if run.start <= node.start && node.end() <= run.end {
            return true;
        }
        if mutate!(StaleIndex: false => !used && node.number == 1) {
            return false;
        }
        let (left, right) = (node.left(), node.right());
        if node.order <= LOW_ORDER {
            let merged = Low::merge(&self.low(left), &self.low(right), left.order);
            let differs = merged.differs(&self.low[node.number]);
            self.low[node.number] = merged;
            differs
        } else {
            let merged = High::merge(&self.high(left), &self.high(right), left.order);
            let differs = merged.differs(&self.high[node.number]);
            self.high[node.number] = merged;
            differs
        }
    }

    #[inline]
    fn fill(&mut self, node: Node, used: bool) {
        if node.order == WORD {
            let word = self.leaf(node);
            self.words[word] = if used { 0 } else { u64::MAX };
            self.leaves[word] = if used { Leaf::USED } else { Leaf::FREE };
        } else if node.order <= LOW_ORDER {
            self.low[node.number] =
                if used { Low::USED } else { Low::free(node.start, node.order) };
        } else {
            self.high[node.number] =
                if used { High::USED } else { High::free(node.start, node.order) };
        }
    }

    /// The nodes beside the way down to coordinate `at`, on the side that `right` says, and the
    /// last node of the way: a leaf, or one that is all free or all used.
    fn way_down(&self, at: usize, right: bool) -> (Way, Node) {
        let mut node = self.root();
        let mut beside = Way::new();
        while node.order > WORD && !self.speaks_for_all(node) {
            node = node.toward(at);
            let other = node.sibling();
            if (other.start > node.start) == right {
                beside.push(other);
            }
        }
        (beside, node)
    }

    /// The free bits of a leaf, or of a node that is all free or all used (as its first word).
    fn word(&self, node: Node) -> u64 {
        if self.is_all_free(node) {
            u64::MAX
        } else if node.order == WORD {
            self.words[self.leaf(node)]
        } else {
            0
        }
    }

    /// The end of the free run that `at` is in; `at` itself where it is used.
    pub(super) fn free_end(&self, at: usize) -> usize {
        let (beside, last) = self.way_down(at, true);
        if !self.is_all_free(last) {
            let used = !self.word(last) >> (at % 64);
            if last.order > WORD || used != 0 {
                return at + used.trailing_zeros() as usize;
            }
        }
        for node in beside.nearest_first() {
            if !self.is_all_free(node) {
                return node.start + self.prefix(node);
            }
        }
        self.root().end()
    }

    /// The start of the free run that `at` is in, which is free.
    pub(super) fn free_start(&self, at: usize) -> usize {
        let (beside, last) = self.way_down(at, false);
        if !self.is_all_free(last) {
            let used = !self.word(last) << (63 - at % 64);
            if used != 0 {
                return at + 1 - used.leading_zeros() as usize;
            }
        }
        for node in beside.nearest_first() {
            if !self.is_all_free(node) {
                return node.end() - self.suffix(node);
            }
        }
        0
    }

    /// The lowest fit at or behind `from`. `visits` counts the nodes that were looked at.
    pub(super) fn first_fit(&self, fit: Fit, from: usize, visits: &mut u64) -> Option<usize> {
        if from == 0 {
            *visits += 1;
            let fits = self.usable(self.root(), fit.order) >= fit.bits;
            return fits.then(|| self.lowest_below(self.root(), fit, visits));
        }
        let (beside, last) = self.way_down(from, true);
        *visits += u64::from(self.order - last.order) + 1;
        // Where the free run began that reaches the left edge of the next node, if one does.
        let mut open = None;
        if self.is_all_free(last) {
            if let Some(place) = fit.lowest_in(from, last.end()) {
                return Some(place);
            }
            open = Some(from);
        } else if last.order == WORD {
            let word = self.word(last) & (u64::MAX << (from % 64));
            if let Some(place) = lowest_in_word(word, last.start, fit) {
                return Some(place);
            }
            let suffix = (!word).leading_zeros() as usize;
            open = (suffix > 0).then_some(last.end() - suffix);
        }
        for node in beside.nearest_first() {
            *visits += 1;
            let start = open.unwrap_or(node.start);
            let prefix = self.prefix(node);
            if let Some(place) = fit.lowest_in(start, node.start + prefix) {
                return Some(place);
            }
            if self.usable(node, fit.order) >= fit.bits {
                return Some(self.lowest_below(node, fit, visits));
            }
            let suffix = self.suffix(node);
            if prefix < node.size() {
                open = (suffix > 0).then_some(node.end() - suffix);
            } else {
                open = Some(start);
            }
        }
        None
    }

    /// The lowest fit in a node that has one.
    fn lowest_below(&self, mut node: Node, fit: Fit, visits: &mut u64) -> usize {
        loop {
            *visits += 1;
            if self.is_all_free(node) {
                return fit.up(node.start);
            }
            if node.order == WORD {
                let word = self.words[self.leaf(node)];
                return lowest_in_word(word, node.start, fit).expect("the leaf has a fit");
            }
            let (left, right) = (node.left(), node.right());
            if self.usable(left, fit.order) >= fit.bits {
                node = left;
                continue;
            }
            let start = right.start - self.suffix(left);
            if let Some(place) = fit.lowest_in(start, right.start + self.prefix(right)) {
                return place;
            }
            node = right;
        }
    }

    /// The highest fit that ends at or before `end`.
    pub(super) fn highest_fit(&self, fit: Fit, end: usize) -> Option<usize> {
        let (beside, last) = self.way_down(end - 1, false);
        // Where the free run ends that reaches the right edge of the next node, if one does.
        let mut open = None;
        if self.is_all_free(last) {
            if let Some(place) = fit.highest_in(last.start, end) {
                return Some(place);
            }
            open = Some(end);
        } else if last.order == WORD {
            let word = self.word(last) & (u64::MAX >> (63 - (end - 1) % 64));
            if let Some(place) = highest_in_word(word, last.start, fit) {
                return Some(place);
            }
            let prefix = (!word).trailing_zeros() as usize;
            open = (prefix > 0).then_some(last.start + prefix);
        }
        for node in beside.nearest_first() {
            let end = open.unwrap_or(node.end());
            if let Some(place) = fit.highest_in(node.end() - self.suffix(node), end) {
                return Some(place);
            }
            if self.usable(node, fit.order) >= fit.bits {
                return Some(self.highest_below(node, fit));
            }
            let prefix = self.prefix(node);
            if prefix < node.size() {
                open = (prefix > 0).then_some(node.start + prefix);
            } else {
                open = Some(end);
            }
        }
        None
    }

    /// The highest fit in a node that has one.
    fn highest_below(&self, mut node: Node, fit: Fit) -> usize {
        loop {
            if self.is_all_free(node) {
                return fit.highest_in(node.start, node.end()).expect("the node has a fit");
            }
            if node.order == WORD {
                let word = self.words[self.leaf(node)];
                return highest_in_word(word, node.start, fit).expect("the leaf has a fit");
            }
            let (left, right) = (node.left(), node.right());
            if self.usable(right, fit.order) >= fit.bits {
                node = right;
                continue;
            }
            let start = right.start - self.suffix(left);
            if let Some(place) = fit.highest_in(start, right.start + self.prefix(right)) {
                return place;
            }
            node = left;
        }
    }

    /// Visits the free runs, ascending.
    pub(super) fn for_each_run(&self, visit: &mut dyn FnMut(Range<usize>)) {
        let mut open = 0..0;
        self.runs_below(self.root(), &mut |run: Range<usize>| {
            if open.end == run.start {
                open.end = run.end;
            } else {
                if !open.is_empty() {
                    visit(open.clone());
                }
                open = run;
            }
        });
        if !open.is_empty() {
            visit(open);
        }
    }

    fn runs_below(&self, node: Node, visit: &mut impl FnMut(Range<usize>)) {
        if self.is_all_used(node) {
        } else if self.is_all_free(node) {
            visit(node.start..node.end());
        } else if node.order == WORD {
            let mut word = self.words[self.leaf(node)];
            let mut start = node.start;
            while word != 0 {
                let used = word.trailing_zeros();
                word >>= used;
                let free = (!word).trailing_zeros();
                start += used as usize;
                visit(start..start + free as usize);
                start += free as usize;
                word = word.checked_shr(free).unwrap_or(0);
            }
        } else {
            self.runs_below(node.left(), visit);
            self.runs_below(node.right(), visit);
        }
    }
}

/// A few nodes, without the heap: a way down has at most one for each level.
struct Way {
    nodes: [Node; 32],
    count: usize,
}

impl Way {
    const fn new() -> Self {
        Self { nodes: [Node { number: 0, order: 0, start: 0 }; 32], count: 0 }
    }
    fn push(&mut self, node: Node) {
        self.nodes[self.count] = node;
        self.count += 1;
    }
    /// The nodes, the last one pushed first: it lies nearest.
    fn nearest_first(&self) -> impl Iterator<Item = Node> + '_ {
        self.nodes[..self.count].iter().rev().copied()
    }
}

/// The bits of `word` from which on `count` free bits follow inside the word, at multiples of
/// `2^order` of `start`, which is a multiple of 64.
fn places_in_word(mut word: u64, start: usize, fit: Fit) -> u64 {
    if fit.bits > 64 || start & fit.mask() & !63 != 0 {
        return 0;
    }
    // After each turn a set bit stands for `have` free bits from there on.
    let mut have = 1;
    while have < fit.bits {
        let more = have.min(fit.bits - have);
        word &= word >> more;
        have += more;
    }
    word & summary::aligned(fit.order)
}

fn lowest_in_word(word: u64, start: usize, fit: Fit) -> Option<usize> {
    let places = places_in_word(word, start, fit);
    (places != 0).then(|| start + places.trailing_zeros() as usize)
}

fn highest_in_word(word: u64, start: usize, fit: Fit) -> Option<usize> {
    let places = places_in_word(word, start, fit);
    (places != 0).then(|| start + 63 - places.leading_zeros() as usize)
}
