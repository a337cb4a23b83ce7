//! Single pages, of which every so many stay.

use super::Adversary;
use crate::harm::goal::Goal;

pub(super) const ADVERSARY: Adversary = Adversary {
    name: "comb",
    about: "fills with single pages, keeps one in 2^k, asks for 2^k",
    source: "folklore; Robson's first step, taken at once",
    variants: |goal: &Goal| u64::from(goal.largest.ilog2()),
    play: |field, variant| {
        let size = 2 << variant;
        field.fill(1, u64::MAX);
        field.keep(|run| run.pfn.0 % size == size - 1);
        field.fill(size, u64::MAX);
    },
};
