//! What is known about every policy, to hold what was found against.

use cma_policies::{Promises, ceil_log2};

use super::goal::{Align, Goal};

/// M at which Robson's adversary has refused any policy that never moves a buffer, with powers of
/// two up to n and no alignment: (area + n) / (log2 n / 2 + 1), rounded up.
///
/// It forces such a policy to an area of M (log2 n / 2 + 1) - n + 1 pages (J. M. Robson, Bounds for
/// some functions concerning dynamic storage allocation, JACM 21(3), 1974), where what is left over
/// in each step does not matter. In areas that n divides this M was enough wherever it was tried; in
/// others it can take some pages more.
pub const fn adversary(pages: u64, largest: u64) -> u64 {
    (2 * (pages + largest)).div_ceil(largest.ilog2() as u64 + 2)
}

/// M up to which first fit refuses nothing, without alignment: area / (1 + ceil log2 n), rounded
/// down (J. M. Robson, Worst case fragmentation of first fit and best fit storage allocation
/// strategies, Computer Journal 20(3), 1977: M (1 + ceil log2 n) pages are enough).
pub(crate) const fn first_fit(pages: u64, largest: u64) -> u64 {
    pages / (1 + ceil_log2(largest) as u64)
}

/// M up to which the goal's policy has a guarantee, where one is known: a search for the lowest
/// place, without alignment, is first fit.
pub(crate) fn guaranteed(goal: &Goal, promises: Promises) -> Option<u64> {
    let is_first_fit = promises.lowest && promises.complete && promises.tight;
    let known = is_first_fit && goal.align == Align::None;
    known.then(|| first_fit(goal.pages, goal.largest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_by_hand() {
        // (1024 + 128) / 4.5 and 1024 / 8.
        assert_eq!((adversary(1024, 128), first_fit(1024, 128)), (256, 128));
        // (64 + 8) / 2.5 = 28.8 and 64 / 4.
        assert_eq!((adversary(64, 8), first_fit(64, 8)), (29, 16));
        assert_eq!((adversary(16, 2), first_fit(16, 2)), (12, 8));
    }
}
