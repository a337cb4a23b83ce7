//! Running one cell once more, for somebody who wants to see more of it than its numbers.

use super::cell::run_cell;
use super::cells::Cell;
use super::failed::Failed;
use super::stream::Ready;
use crate::metric::Value;
use crate::simulate::Observer;

/// Runs `cell` as the sweep ran it, watched by `others` beside the metrics. The values are those of
/// the first time: a cell depends on nothing but its plan.
///
/// # Errors
/// As [`run`](super::run).
pub fn again(
    ready: &Ready,
    cell: &Cell,
    others: &mut [&mut dyn Observer],
) -> Result<Vec<Value>, Failed> {
    run_cell(ready, cell, others)
}
