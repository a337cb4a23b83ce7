//! The longest hole of a lane.

use core::ops::Range;

/// The longest hole from its first aligned coordinate on, as long as that is known: it is asked for
/// after every change, and seldom another one than before.
#[derive(Clone, Default, Debug)]
pub(super) struct Longest {
    hole: Range<usize>,
    /// No other is longer. Where it is longer than `hole`, that need not be the longest.
    others: usize,
}

impl Longest {
    pub(super) const fn new(hole: Range<usize>, others: usize) -> Self {
        Self { hole, others }
    }

    pub(super) fn len(&self) -> usize {
        self.hole.len()
    }

    /// `run` of the hole that ends where `after` does is used; `after` is what is left past it,
    /// from its first aligned coordinate on, and may be empty.
    #[inline]
    pub(super) fn split(&mut self, run: &Range<usize>, after: Range<usize>) {
        if self.hole.end != after.end {
            return;
        }
        let before = self.hole.start..run.start;
        let (hole, other) =
            if before.len() >= after.len() { (before, after) } else { (after, before) };
        self.others = self.others.max(other.len());
        self.hole = hole;
    }

    /// There is `hole` now; what it was put together from is gone.
    #[inline]
    pub(super) fn join(&mut self, hole: Range<usize>) {
        if hole.len() <= self.hole.len() {
            self.others = self.others.max(hole.len());
            return;
        }
        if hole.start > self.hole.start || self.hole.end > hole.end {
            self.others = self.others.max(self.hole.len());
        }
        self.hole = hole;
    }

    pub(super) fn known(&self) -> Option<usize> {
        (self.hole.len() >= self.others).then_some(self.hole.len())
    }
}
