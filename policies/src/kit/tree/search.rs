//! Asking a tree: one way down, and perhaps a look at what lies beside it.

use core::ops::Range;

use super::{Node, Tree, WORD};
use crate::kit::summary;
use crate::mutant::mutate;

/// What is looked for: `bits` free bits from a coordinate on that is a multiple of `2^order`.
#[derive(Clone, Copy, Debug)]
pub(in crate::kit) struct Fit {
    pub(in crate::kit) order: u32,
    pub(in crate::kit) bits: usize,
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

impl Tree {
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
    pub(in crate::kit) fn free_end(&self, at: usize) -> usize {
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
        mutate!(LastBit: self.root().end() => self.root().end() - 1)
    }

    /// The start of the free run that `at` is in, which is free.
    pub(in crate::kit) fn free_start(&self, at: usize) -> usize {
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
    pub(in crate::kit) fn first_fit(
        &self,
        fit: Fit,
        from: usize,
        visits: &mut u64,
    ) -> Option<usize> {
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
                open = Some(mutate!(ForgetsStart: start => node.start));
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
    pub(in crate::kit) fn highest_fit(&self, fit: Fit, end: usize) -> Option<usize> {
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
    pub(in crate::kit) fn for_each_run(&self, visit: &mut dyn FnMut(Range<usize>)) {
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
