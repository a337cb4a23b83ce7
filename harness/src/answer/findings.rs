//! Everything that a report says, worked out in one pass over the results.
//!
//! What is held grows with configurations × policies, and by a few bytes for each cell of
//! the stream that is being read; never with all cells.

use std::collections::BTreeSet;

use super::choice::{Choice, Scope, choose};
use super::pictures::{Inside, Worst, inside, worst};
use super::sizing::{Ladders, Sizing};
use super::summary::{Streams, Summary, rows_of};
use super::survival::Curve;
use crate::sweep::{Block, Configuration, Ready};

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
    /// A stream that fails, to look at.
    pub worst: Option<Worst>,
    /// One that just does not, to look at.
    pub inside: Option<Inside>,
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
    let choices: Vec<_> = choices.collect();
    // Where no stream runs on the boards, each has its own answer.
    let asked = || headline.as_ref().map_or(choices.as_slice(), std::slice::from_ref).iter();
    let worst = asked().find_map(|choice| worst(&summary, choice));
    let inside = asked().find_map(|choice| inside(&summary, choice));
    Findings { sizing: ladders.end(), survival, choices, headline, worst, inside, summary }
}
