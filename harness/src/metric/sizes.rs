//! What a file asks for most: the sizes that the metrics probe with where no profile names them.

use std::collections::BTreeMap;

/// Sizes that are told apart; it bounds the memory for a file of many.
const MOST_SIZES: usize = 1 << 16;

/// How often each size is asked for.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(crate) struct Sizes {
    uses: BTreeMap<u64, u64>,
}

impl Sizes {
    /// A request for `count` pages.
    pub(crate) fn note(&mut self, count: u64) {
        if self.uses.len() < MOST_SIZES || self.uses.contains_key(&count) {
            *self.uses.entry(count).or_default() += 1;
        }
    }

    /// The sizes that are asked for most, at most 8, ascending; the smaller of equals.
    pub(crate) fn most_used(self) -> Vec<u64> {
        crate::workload::most_used(self.uses)
    }
}

#[cfg(test)]
mod tests {
    use super::Sizes;

    #[test]
    fn the_most_used_ascend_and_of_equals_the_smaller_are_taken() {
        let mut sizes = Sizes::default();
        for count in (1..=9).rev().chain([9, 9, 5]) {
            sizes.note(count);
        }
        assert_eq!(sizes.most_used(), [1, 2, 3, 4, 5, 6, 7, 9]);
    }
}
