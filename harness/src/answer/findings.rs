//! Everything that a report says, worked out in one pass over the results.
//!
//! What is held grows with configurations × policies, and by a few bytes for each cell of
//! the stream that is being read; never with all cells.

use std::collections::BTreeSet;

use super::choice::{Candidate, Choice, Scope, choose};
use super::sizing::{Ladders, Sizing};
use super::summary::{Streams, Summary, rows_of};
use super::survival::Curve;
use crate::metric::Occupancy;
use crate::sweep::{Block, Cell, Configuration, Failed, Ready, run_cell};

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
    let scope = |at: Configuration| (at.stream, at.load, at.environment);
    let scopes: BTreeSet<_> = ready.plan.configurations().map(scope).collect();
    let choices = scopes.into_iter().filter_map(|(stream, load, environment)| {
        choose(ready, &summary, Scope::One { stream, load, environment })
    });
    let choices = choices.collect();
    let worst = worst(&summary, headline.as_ref());
    Findings { sizing: ladders.end(), survival, choices, headline, worst, summary }
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

/// A cell that was run again, and its areas over the time.
#[derive(Debug)]
pub struct Picture {
    /// The cell.
    pub cell: Cell,
    /// Its areas, in the order of its board.
    pub(crate) seen: Occupancy,
}

/// Runs the cells of [`Findings::worst`] again: that of the choice, where there is one, then the
/// one that fails. None where no stream fails.
///
/// # Errors
/// As the sweep.
pub fn pictures(ready: &Ready, findings: &Findings) -> Result<Vec<Picture>, Failed> {
    let Some(Worst { cell, beside, .. }) = findings.worst else { return Ok(Vec::new()) };
    let cells = beside.into_iter().chain([cell]).map(|cell| {
        let board = ready.board(&cell.at);
        let pages: Vec<u64> = board.areas.iter().map(|area| area.area.pages()).collect();
        let mut seen = Occupancy::new(&pages);
        run_cell(ready, &cell, &mut [&mut seen])?;
        Ok(Picture { cell, seen })
    });
    cells.collect()
}
