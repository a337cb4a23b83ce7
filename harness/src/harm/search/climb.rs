//! One climb.

use super::Found;
use crate::codec::mutate::{Part, change};
use crate::codec::{Act, Case, MAX_ACTS};
use crate::harm::{Goal, evaluate, realised};
use crate::seed::{Draws, Seed};

/// The most acts of a program with fills and combs.
const ACTS: usize = 64;

/// What a step back may cost at first, as a share of the area.
const HEAT: f64 = 0.01;

/// Goals like this one in smaller areas, the smallest first, then itself. First the area shrinks
/// down to eight times n, then n with it.
pub(super) fn ladder(goal: &Goal) -> Vec<Goal> {
    let mut goals = vec![goal.clone()];
    while let Some(last) = goals.last().filter(|last| last.pages >= 128) {
        let pages = last.pages / 2;
        let largest = if pages >= 8 * last.largest { last.largest } else { last.largest / 2 };
        let smaller =
            Goal::new(last.policy.clone(), pages).and_then(|goal| goal.with_largest(largest));
        match smaller {
            Ok(smaller) if largest >= 8 => goals.push(smaller.with_align(last.align)),
            _ => break,
        }
    }
    goals.reverse();
    goals
}

/// A program on its way.
pub(super) struct Climb<'a> {
    goal: &'a Goal,
    folded: bool,
    draws: Draws,
    case: Case,
    score: u64,
    /// The best that is refused within its own LOAD limit, and its M: a score may be of a refusal
    /// that only more LOAD would reach.
    attained: Option<(u64, Case)>,
}

impl<'a> Climb<'a> {
    /// No acts, and a LOAD limit of half the area to nearly all of it.
    pub(super) fn new(goal: &'a Goal, seed: &Seed) -> Self {
        let mut draws = seed.rng();
        let mut case = Case::new(goal.area(), Vec::new());
        case.load_limit = limit(goal.pages * draws.between(8, 15) / 16);
        Self { goal, folded: true, draws, case, score: u64::MAX, attained: None }
    }

    /// The same program for another area, its LOAD limit in proportion.
    pub(super) fn carried(mut self, goal: &'a Goal, folded: bool) -> Self {
        let load_limit = u64::from(self.case.load_limit) * goal.pages / self.goal.pages;
        self.case.load_limit = limit(load_limit);
        self.case.area = goal.area();
        (self.goal, self.folded, self.attained) = (goal, folded, None);
        let case = self.case.clone();
        self.score = self.scored(&case);
        self
    }

    /// How good it is: the less the better.
    pub(super) fn rank(&self) -> (u64, usize) {
        (self.score, self.case.acts.len())
    }

    /// The score of `case`, which is remembered where it is the best attained.
    fn scored(&mut self, case: &Case) -> u64 {
        let limit = case.most_live();
        let outcome = evaluate(self.goal, &case.acts, limit);
        let in_limit = outcome.reach.map(|reach| reach.need).filter(|need| *need <= limit);
        let refused = outcome.refusal.map(|refusal| refusal.need);
        let attained = refused.into_iter().chain(in_limit).min();
        let best = |need: &u64| self.attained.as_ref().is_none_or(|(best, _)| need < best);
        if let Some(need) = attained.filter(best) {
            self.attained = Some((need, case.clone()));
        }
        outcome.least(self.goal)
    }

    /// Leaves out what does nothing.
    fn lean(&self, case: &mut Case) {
        let means_something = |act: &Act| match act {
            Act::Alloc { request, .. } => request.count() <= self.goal.largest,
            Act::Fill { request, .. } => self.folded && request.count() <= self.goal.largest,
            Act::Free { .. } => true,
            Act::FreeEvery { .. } => self.folded,
            _ => false,
        };
        case.acts.retain(means_something);
        case.acts.truncate(if self.folded { ACTS } else { MAX_ACTS });
        // 0 would be no limit at all.
        case.load_limit = case.load_limit.clamp(1, limit(self.goal.pages));
    }

    /// The best of so many changes.
    pub(super) fn tried(mut self, tries: u64) -> Self {
        let mut best = (self.score, self.case.clone());
        for number in 0..tries {
            let mut other = self.case.clone();
            // One in four changes the LOAD limit alone: nearly every program has a better one.
            let part = if self.draws.below(4) == 0 { Part::Load } else { Part::Acts };
            change(&mut other, &mut self.draws, |other| other == part);
            self.lean(&mut other);
            if other == self.case {
                continue;
            }
            let score = self.scored(&other);
            let left = 1.0 - number as f64 / tries as f64;
            if self.takes(score, other.acts.len(), left) {
                (self.score, self.case) = (score, other);
            }
            if self.rank() < (best.0, best.1.acts.len()) {
                best = (self.score, self.case.clone());
            }
        }
        (self.score, self.case) = best;
        self
    }

    /// Whether to go on from a program of this score and so many acts, with a share of the heat
    /// left.
    fn takes(&mut self, score: u64, acts: usize, left: f64) -> bool {
        if score == self.score {
            return acts <= self.case.acts.len() || self.draws.below(4) == 0;
        }
        if score < self.score {
            return true;
        }
        let heat = HEAT * self.goal.pages as f64 * left;
        self.draws.unit() < libm::exp(-((score - self.score) as f64) / heat)
    }

    /// What it has found: what is in reach of it, made.
    pub(super) fn found(self) -> Option<Found> {
        let (_, case) = self.attained?;
        let limit = case.most_live();
        let outcome = evaluate(self.goal, &case.acts, limit);
        let made = realised(self.goal, &case.acts, limit, &outcome);
        let (acts, refusal) = made.or_else(|| Some((case.acts, outcome.refusal?)))?;
        let acts = if self.folded {
            acts
        } else {
            Case::new(self.goal.area(), acts).unfolded(MAX_ACTS).acts
        };
        let load_limit = case.load_limit;
        (refusal.need < self.goal.pages).then_some(Found { acts, load_limit, refusal })
    }
}

fn limit(pages: u64) -> u16 {
    pages.clamp(1, u64::from(u16::MAX)) as u16
}
