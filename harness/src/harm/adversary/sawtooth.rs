//! Sizes that grow by a third, half of everything given back each time.

use super::Adversary;
use crate::harm::goal::Goal;

pub(super) const ADVERSARY: Adversary = Adversary {
    name: "sawtooth",
    about: "fills, gives back every second buffer, goes on with a third more pages each",
    source: "written for this project: sizes that no power of two rounds",
    variants: |goal: &Goal| goal.largest.min(16),
    play: |field, variant| {
        let mut size = 1 + variant;
        while size <= field.goal.largest && !field.is_over() {
            field.fill(size, u64::MAX);
            field.free_every(2, 0, None);
            size += (size / 3).max(1);
        }
        field.fill(field.goal.largest, u64::MAX);
    },
};
