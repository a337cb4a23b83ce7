//! Everything that a report says, worked out in one pass over the results.
//!
//! What is held grows with configurations × policies, and by a few bytes for each cell of
//! the stream that is being read; never with all cells.

use super::choice::{Candidate, Choice, Scope, choose};
use super::sizing::{Ladders, Sizing};
use super::summary::{Streams, Summary, rows_of};
use super::survival::Curve;
use crate::sweep::{Block, Cell, Configuration, Plan, Ready};

/// What a plan's results say.
#[derive(Clone, PartialEq, Debug)]
pub struct Findings {
    /// A row for each configuration and policy.
    pub summary: Summary,
    /// For each row of [`summary`](Self::summary), in its order, how long its streams go well.
    pub survival: Vec<Curve>,
    /// What size the same LOAD takes: for streams whose LOAD does not change with the board.
    pub sizing: Vec<Sizing>,
    /// What to choose for every stream, each alone on its board: the answer of the plan. None where
    /// no stream runs on the boards.
    pub headline: Option<Choice>,
    /// What to choose for each stream, LOAD and environment on its own, in the order of the plan.
    pub choices: Vec<Choice>,
    /// Two cells to look at.
    pub worst: Option<Worst>,
}

/// The stream that fails first where the headline's choice goes well or, where nothing does, under
/// what comes nearest: for a picture of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Worst {
    /// The cell that fails.
    pub cell: Cell,
    /// Number of its first refused request, from 1 on.
    pub requests: u64,
    /// The same stream under the headline's choice, where that is another cell.
    pub beside: Option<Cell>,
}

/// Works out everything from the results, configuration by configuration.
#[must_use]
pub fn findings(ready: &Ready, blocks: impl IntoIterator<Item = Block>) -> Findings {
    let (mut rows, mut survival) = (Vec::new(), Vec::new());
    let mut ladders = Ladders::new(ready);
    for block in blocks {
        let own = rows_of(ready, &block);
        ladders.add(&block, &own);
        survival.extend(block.values.iter().map(|values| Curve::of_streams(Streams(values))));
        rows.extend(own);
    }
    let summary = Summary { rows, baseline: Summary::baseline_of(&ready.plan) };
    let headline = choose(ready, &summary, Scope::Together);
    let choices = scopes(&ready.plan);
    let choices = choices.filter_map(|scope| choose(ready, &summary, scope)).collect();
    let worst = worst(&summary, headline.as_ref());
    Findings { sizing: ladders.end(), survival, choices, headline, worst, summary }
}

/// Each stream, LOAD and environment, in the order of the plan.
fn scopes(plan: &Plan) -> impl Iterator<Item = Scope> {
    plan.streams.iter().enumerate().flat_map(move |(stream, its)| {
        let loads: Vec<_> = match its.loads.len() {
            0 => vec![None],
            loads => (0..loads).map(Some).collect(),
        };
        loads.into_iter().flat_map(move |load| {
            (0..plan.environments.len()).map(move |environment| Scope::One {
                stream,
                load,
                environment,
            })
        })
    })
}

/// The stream to look at: of what is nearest to the choice in its stead.
fn worst(summary: &Summary, headline: Option<&Choice>) -> Option<Worst> {
    let choice = headline?;
    let chosen = choice.best();
    // What fails though it takes as much RAM as the choice; else what fails with less; else any. By
    // a target some do not meet it of which no stream fails, and some meet it of which one does.
    let one_fails = |one: &&Candidate| summary.rows[one.worst_row].earliest.is_some();
    let fails = || choice.ranked.iter().filter(one_fails).filter(|one| !one.meets);
    let baseline = |policy: usize| summary.baseline == Some(policy);
    let by = |pages: u64| {
        let there = || fails().filter(move |one| one.pages == pages);
        there().find(|one| baseline(one.policy)).or_else(|| there().next())
    };
    let one = chosen.and_then(|chosen| by(chosen.pages)).or_else(|| fails().next());
    let one = one.or_else(|| choice.ranked.iter().find(one_fails))?;
    let row = &summary.rows[one.worst_row];
    let earliest = row.earliest?;
    let cell = Cell { at: row.at, policy: row.policy, seed: earliest.seed };
    let beside = chosen.map(|chosen| {
        let at = Configuration { board: chosen.board, cap: chosen.cap, ..row.at };
        Cell { at, policy: chosen.policy, seed: earliest.seed }
    });
    let beside = beside.filter(|beside| *beside != cell);
    Some(Worst { cell, requests: earliest.requests, beside })
}
