//! Which candidates are proven to meet the target of a plan, with 95 % for the choice as a whole.

use super::Candidate;
use crate::report::sizing::is_like;
use crate::report::summary::SummaryRow;
use crate::stats::choice::chains;
use crate::stats::rate::MISS;
use crate::sweep::{Ready, Target};

/// Half of first failures in the second half of age is chance; this rarely is.
const AGES: f64 = 0.05;

/// p of "the target is missed" by streams of these kinds: all have to meet it, so the largest
/// counts, and needs no correction (Berger, 1982). None where no stream has time.
pub(super) fn p<'a>(
    ready: &Ready,
    target: Target,
    rows: impl Iterator<Item = &'a SummaryRow>,
) -> Option<f64> {
    let mut largest = None;
    for row in rows {
        let p = match length_us(ready, row) {
            Some(length_us) if !row.dropped => {
                row.time.as_ref().map_or(1.0, |time| time.evidence.p(target, length_us))
            }
            // What was recorded, or is without chance, passes or fails; what was dropped is not
            // proven.
            None if row.lost == 0 && row.streams > 0 => continue,
            _ => 1.0,
        };
        largest = Some(p.max(largest.unwrap_or(0.0)));
    }
    largest
}

/// How long a stream of a row is, where that is stated in board time, and others could be drawn.
pub(super) fn length_us(ready: &Ready, row: &SummaryRow) -> Option<u64> {
    ready.plan.streams[row.at.stream].drawn_us()
}

/// Whether a row rests on a constant hazard that it, or others like it, speak against.
pub(super) fn ages(ready: &Ready, target: Target, row: &SummaryRow) -> bool {
    length_us(ready, row).is_some_and(|length_us| !target.is_within(length_us))
        && row.time.as_ref().is_some_and(|time| time.trend.p_rising <= AGES)
}

/// Chains of candidates: of one cap, policy and kind of board, from the dearest down. Which chain
/// there is, and its order, follows from the plan alone, not from what was seen.
pub(super) fn in_chains(ready: &Ready, candidates: &[Candidate]) -> Vec<Vec<usize>> {
    let boards = &ready.plan.boards;
    let kind = |candidate: &Candidate| {
        let board = candidate.board?;
        boards.iter().position(|other| is_like(other, &boards[board]))
    };
    let mut found: Vec<((Option<usize>, usize, usize), Vec<usize>)> = Vec::new();
    for (index, one) in candidates.iter().enumerate() {
        let key = (kind(one), one.cap, one.policy);
        match found.iter_mut().find(|(other, _)| *other == key) {
            Some((_, chain)) => chain.push(index),
            None => found.push((key, vec![index])),
        }
    }
    let mut chains: Vec<_> = found.into_iter().map(|(_, chain)| chain).collect();
    for chain in &mut chains {
        // Stable: boards of one size stay in the order of the plan.
        chain.sort_by_key(|&index| std::cmp::Reverse(candidates[index].pages));
    }
    chains
}

/// Marks what is proven.
pub(super) fn mark(ready: &Ready, candidates: &mut [Candidate]) {
    let of = in_chains(ready, candidates);
    let p = |&index: &usize| {
        let one = &candidates[index];
        one.p.filter(|_| !one.ages && !one.unaligned && !one.flagged).unwrap_or(1.0)
    };
    let ps: Vec<Vec<f64>> = of.iter().map(|chain| chain.iter().map(p).collect()).collect();
    let proven = chains(&ps, MISS);
    for (chain, proven) in of.into_iter().zip(proven) {
        for (place, index) in chain.into_iter().enumerate() {
            // Where no stream has time there is nothing to prove: it passed or failed.
            if candidates[index].p.is_some() {
                candidates[index].meets = place < proven;
            }
        }
    }
}
