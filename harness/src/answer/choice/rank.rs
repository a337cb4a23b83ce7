//! Ranking the candidates for some streams.

use std::collections::BTreeMap;

use super::candidate::Rows;
use super::needs::PATCH;
use super::{Candidate, Choice, Scope, Verdict, doubts, notes, proof};
use crate::answer::sizing::{is_as_large, is_like};
use crate::answer::summary::Summary;
use crate::board::Board;
use crate::sweep::{Configuration, Ready};

/// The choice for a scope; none where it has no row.
pub(in crate::answer) fn choose(ready: &Ready, summary: &Summary, scope: Scope) -> Option<Choice> {
    let mut groups: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for (index, row) in summary.rows.iter().enumerate().filter(|(_, row)| scope.has(&row.at)) {
        groups.entry((row.at.board, row.at.cap, row.policy)).or_default().push(index);
    }
    let pages = |rows: &Vec<usize>| ready.board(&summary.rows[rows[0]].at).pages();
    let smallest = groups.values().map(pages).min()?;
    let judge = |rows: Vec<usize>| Rows { ready, summary, rows }.judge(smallest);
    let mut ranked: Vec<_> = groups.into_values().map(judge).collect();
    match ready.plan.target {
        Some(target) => proof::mark(ready, target, summary, &mut ranked),
        None => mark_larger_failures(ready, &mut ranked),
    }
    // Stable: what is equal in all of it stays in the order of boards, caps and policies.
    ranked.sort_by(|a, b| rank(a).cmp(&rank(b)).then_with(|| nearness(a, b)));
    let doubts = doubts::not_reproduced(ready, summary, scope);
    let verdict = if doubts.is_empty() { verdict(&ranked) } else { Verdict::NotReproduced };
    let chosen = (verdict == Verdict::Met).then_some(0);
    let mut choice = Choice { scope, ranked, verdict, chosen, doubts, notes: Vec::new() };
    choice.doubts.extend(doubts::of_boards(ready, summary, &choice));
    choice.notes = notes::notes(ready, summary, &choice);
    Some(choice)
}

impl Scope {
    /// Whether a configuration is of these streams.
    pub(super) fn has(self, at: &Configuration) -> bool {
        match self {
            Self::Together => at.board.is_some(),
            Self::One { stream, load, environment } => {
                (at.stream, at.load, at.environment) == (stream, load, environment)
            }
        }
    }
}

impl Candidate {
    /// Whether it can be chosen.
    pub const fn is_eligible(&self) -> bool {
        self.meets && !self.larger_fails && !self.unaligned && !self.flagged
    }

    /// Whether every stream of its worst kind fails, of several.
    pub const fn fails_whole(&self) -> bool {
        self.streams > 1 && self.failed == self.streams
    }

    /// Whether no configuration of an unchanged kernel is it.
    pub const fn needs_patch(&self) -> bool {
        self.changes >= PATCH
    }
}

/// What passes on one board and fails on a larger one passes by luck: the smallest area without a
/// failure is not monotone.
fn mark_larger_failures(ready: &Ready, candidates: &mut [Candidate]) {
    let mut failed: BTreeMap<_, Vec<&Board>> = BTreeMap::new();
    let board = |board: Option<usize>| board.map(|board| &ready.plan.boards[board]);
    for one in candidates.iter().filter(|candidate| !candidate.meets) {
        failed.entry((one.cap, one.policy)).or_default().extend(board(one.board));
    }
    for one in candidates.iter_mut().filter(|candidate| candidate.meets) {
        let (Some(own), Some(failed)) = (board(one.board), failed.get(&(one.cap, one.policy)))
        else {
            continue;
        };
        one.larger_fails = failed.iter().any(|other| {
            is_like(other, own) && is_as_large(other, own) && other.pages() > own.pages()
        });
    }
}

/// Eligible ones, then others that meet the target, each by RAM and by change; then the rest. What
/// a board can have as its kernel is comes before what needs a patch, whatever RAM that saves: who
/// can patch finds it in the notes.
fn rank(candidate: &Candidate) -> (u32, bool, u64, u32) {
    if !candidate.meets {
        return (2, false, 0, 0);
    }
    let group = u32::from(!candidate.is_eligible());
    (group, candidate.needs_patch(), candidate.pages, candidate.changes)
}

/// Of those that fail: first what can be compared, then the smaller share of failing streams, the
/// lower bound of it, RAM, change.
fn nearness(a: &Candidate, b: &Candidate) -> std::cmp::Ordering {
    let share = |c: &Candidate| c.failed as f64 / c.streams.max(1) as f64;
    let p = |c: &Candidate| if c.dropped { 2.0 } else { c.p.unwrap_or(0.0) };
    (a.unaligned || a.flagged)
        .cmp(&(b.unaligned || b.flagged))
        .then_with(|| p(a).total_cmp(&p(b)))
        .then_with(|| share(a).total_cmp(&share(b)))
        .then_with(|| (a.pages, a.changes).cmp(&(b.pages, b.changes)))
}

fn verdict(ranked: &[Candidate]) -> Verdict {
    let overloaded = |candidate: &Candidate| candidate.rho.is_some_and(|rho| rho > 1.0);
    let structural = |candidate: &Candidate| candidate.structural > 0;
    if ranked.first().is_some_and(Candidate::is_eligible) {
        Verdict::Met
    } else if ranked.iter().all(overloaded) {
        Verdict::Overloaded
    } else if ranked.iter().all(|candidate| structural(candidate) || overloaded(candidate)) {
        Verdict::Structural
    } else {
        Verdict::NotMet
    }
}
