//! Against those who round: buddy systems, and aligned requests.

use std::collections::{BTreeMap, BTreeSet};

use super::Adversary;
use crate::harm::field::Field;
use crate::harm::goal::Goal;

pub(super) const ADVERSARY: Adversary = Adversary {
    name: "slots",
    about: "keeps the smallest buffer of each aligned slot of 2^k pages, asks for a page more than \
            half a slot",
    source: "written for this project: a slot with one page taken serves no aligned request of its \
             size, and a page more than half takes all of it",
    // With and without the rounding.
    variants: |goal: &Goal| 2 * u64::from(goal.largest.ilog2()),
    play: |field, variant| play(field, variant / 2 + 1, variant % 2 == 1),
};

fn play(field: &mut Field<'_>, orders: u64, rounds: bool) {
    field.fill(1, u64::MAX);
    for slot in (1..=orders).map(|order| 1_u64 << order) {
        let mut smallest: BTreeMap<u64, (u64, u64)> = BTreeMap::new();
        for run in field.live() {
            let kept = smallest.entry(run.pfn.0 / slot).or_insert((run.count, run.pfn.0));
            *kept = (*kept).min((run.count, run.pfn.0));
        }
        // A buffer across a border stays for either side.
        let kept: BTreeSet<u64> = smallest.into_values().map(|(_, pfn)| pfn).collect();
        field.keep(|run| kept.contains(&run.pfn.0));
        field.fill(if rounds { slot / 2 + 1 } else { slot }, u64::MAX);
    }
}
