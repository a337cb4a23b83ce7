//! What the areas of the worst stream looked like over the time.

use super::{Findings, Worst};
use crate::metric::Occupancy;
use crate::sweep::{Cell, Failed, Ready, run_cell};

/// A cell that was run again, and its areas over the time.
#[derive(Debug)]
pub struct Picture {
    /// The cell.
    pub cell: Cell,
    /// Its areas, in the order of its board.
    pub seen: Occupancy,
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
