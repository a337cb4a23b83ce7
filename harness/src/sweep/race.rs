//! Which configurations can still be the answer.

use std::collections::BTreeSet;

use super::cells::Configuration;
use super::plan::{Plan, Stream};
use super::target::{Evidence, Target};
use crate::stats::rate::MISS;

/// What is chosen as a whole: a board (or a stream that brings its area) and a cap. All streams of
/// the plan have to go well on it, so what misses the target with one is not run with the others.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Candidate {
    board: Option<usize>,
    /// The stream, where it brings its area.
    stream: Option<usize>,
    cap: usize,
}

impl Candidate {
    pub(super) fn of(at: &Configuration) -> Self {
        let stream = at.board.is_none().then_some(at.stream);
        Self { board: at.board, stream, cap: at.cap }
    }

    /// Its number: what is shared out between shards of a plan with a target.
    pub(super) fn number(&self, plan: &Plan) -> u64 {
        let place = match (self.board, self.stream) {
            (Some(board), _) => board,
            (None, stream) => plan.boards.len() + stream.unwrap_or(0),
        };
        (place * plan.caps.len() + self.cap) as u64
    }
}

/// Candidates under each policy that are out of the race.
#[derive(Default, Debug)]
pub(super) struct Race {
    dropped: BTreeSet<(Candidate, usize)>,
}

impl Race {
    /// Streams between two looks. Small, so that what misses the target costs little; several, so
    /// that they show at which age first failures come.
    pub(super) const ROUND: u64 = 8;

    /// Whether a candidate is out under this policy.
    pub(super) fn has_dropped(&self, candidate: Candidate, policy: usize) -> bool {
        self.dropped.contains(&(candidate, policy))
    }

    /// Takes a candidate out of the race.
    pub(super) fn drop_out(&mut self, candidate: Candidate, policy: usize) {
        self.dropped.insert((candidate, policy));
    }
}

/// Whether streams of one kind that showed this are out: they miss the target, whenever one looks
/// (5 %), or not even all that are left without a failure would prove it. `seeds` are all that the
/// plan has.
///
/// Nobody who is not looked at as often is misled: what is dropped is never proven, so the proof of
/// the others, which comes at the end, is no less strict for it.
pub(super) fn is_out(seen: &Evidence, stream: &Stream, seeds: u64, target: Target) -> bool {
    let Some(length_us) = stream.drawn_us() else {
        // What was recorded, or is without chance, is one stream: it passes or fails.
        return seen.failed > 0;
    };
    let left = seeds.saturating_sub(seen.streams);
    // Where not even all of the plan could prove it, that is no reason to know less.
    let provable = Evidence::default().can_prove(target, length_us, seeds);
    seen.p_missed(target, length_us) <= MISS || provable && !seen.can_prove(target, length_us, left)
}
