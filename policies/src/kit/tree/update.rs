//! Changing a tree: fill what the run covers, then say anew what lies above.

use core::ops::Range;

use super::{High, LOW_ORDER, Leaf, Low, Node, Tree, WORD};
use crate::mutant::mutate;

impl Tree {
    /// Marks `run`, which is not empty, as used or free.
    ///
    /// # Panics
    /// If it is not all free (used) before.
    pub(in crate::kit) fn update(&mut self, run: Range<usize>, used: bool) {
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
        let fresh = Leaf::of(self.words[word]);
        self.leaves[word] = mutate!(StaleWord: fresh => {
            let has_others = !used && self.words[word] != mask;
            if has_others && run.end > start + (1 << WORD) { self.leaves[word] } else { fresh }
        });
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
}
