//! Everything that a report says, worked out in one pass over the results.
//!
//! What is held grows with configurations × policies, and by one bit for each cell of the stream
//! that is being read; never with all cells.

use super::choice::Choice;
use super::sizing::Sizing;
use super::summary::Summary;
use super::survival::Curve;
use crate::sweep::Cell;

/// What a plan's results say.
#[derive(Clone, PartialEq, Debug)]
pub struct Findings {
    /// A row for each configuration and policy.
    pub summary: Summary,
    /// For each row of [`summary`](Self::summary), in its order, how long its streams go well.
    pub survival: Vec<Curve>,
    /// What size the same LOAD takes: for streams whose LOAD does not change with the board.
    pub sizing: Vec<Sizing>,
    /// What to choose for all streams of the boards together: the answer of the plan. None where
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
    /// Why this one: a sentence.
    pub why: String,
}
