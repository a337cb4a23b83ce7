//! Which candidates are proven to meet the target of a plan, with 95 % for the choice as a whole.

use super::Candidate;
use crate::answer::sizing::is_like;
use crate::answer::summary::{Summary, SummaryRow};
use crate::stats::Trend;
use crate::stats::choice::chains;
use crate::stats::rate::MISS;
use crate::sweep::{Ready, Target};

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

/// First failures that a trend can be seen in.
const ENOUGH: u64 = 3;

/// The part of their board time that streams have to go well on average. What fails in its first
/// minutes fails while the board fills: that says nothing about the hazard of a board that runs.
const LASTING: f64 = 0.25;

/// The trend of first failures over age, where there are enough of them, at ages that matter.
pub(super) fn trend<'a>(ready: &Ready, row: &'a SummaryRow) -> Option<&'a Trend> {
    let (time, length_us) = (row.time.as_ref()?, length_us(ready, row)?);
    let planned = time.evidence.streams as f64 * length_us as f64;
    let lasts = time.evidence.at_risk_us as f64 >= LASTING * planned;
    (lasts && time.evidence.failed >= ENOUGH).then_some(&time.trend)
}

/// Marks those that rest on a constant hazard which they, or the next smaller ones with enough
/// failures, speak against: what was seen says nothing about later.
fn mark_ages(ready: &Ready, target: Target, summary: &Summary, candidates: &mut [Candidate]) {
    for chain in in_chains(ready, candidates) {
        for (place, &index) in chain.iter().enumerate() {
            let row = |index: usize| &summary.rows[candidates[index].worst_row];
            let length_us = length_us(ready, row(index));
            let rests = length_us.is_some_and(|length_us| !target.is_within(length_us));
            let nearby = chain[place..].iter().find_map(|&other| trend(ready, row(other)));
            candidates[index].ages = rests && nearby.is_some_and(Trend::rises);
        }
    }
}

/// Chains of candidates: of one cap, policy and kind of board, from the dearest down. Which chain
/// there is, and its order, follows from the plan alone, not from what was seen.
pub(super) fn in_chains(ready: &Ready, candidates: &[Candidate]) -> Vec<Vec<usize>> {
    let boards = &ready.plan.boards;
    let kind = |candidate: &Candidate| {
        let board = candidate.board?;
        boards.iter().position(|other| is_like(other, &boards[board]))
    };
    let key = |index: usize| {
        let one = &candidates[index];
        (kind(one), one.cap, one.policy)
    };
    let mut chains: Vec<Vec<usize>> = Vec::new();
    for index in 0..candidates.len() {
        match chains.iter_mut().find(|chain| key(chain[0]) == key(index)) {
            Some(chain) => chain.push(index),
            None => chains.push(vec![index]),
        }
    }
    for chain in &mut chains {
        // Stable: boards of one size stay in the order of the plan.
        chain.sort_by_key(|&index| std::cmp::Reverse(candidates[index].pages));
    }
    chains
}

/// Marks what is proven.
pub(super) fn mark(ready: &Ready, target: Target, summary: &Summary, candidates: &mut [Candidate]) {
    mark_ages(ready, target, summary, candidates);
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
