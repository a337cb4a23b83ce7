//! Which streams are looked at: one that fails, and one that just does not.

use super::choice::{Candidate, Choice};
use super::summary::Summary;
use crate::metric::{Kinds, Occupancy};
use crate::sweep::{Cell, Failed, Ready, clients_of, run_cell};

/// The stream that fails first where the choice goes well or, where nothing does, under what comes
/// nearest.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Worst {
    /// The cell that fails.
    pub cell: Cell,
    /// Number of its first refused request, from 1 on.
    pub requests: u64,
}

/// The stream that is just inside the target.
///
/// Its configuration is, of those that can be chosen, the one that meets the target by least: with a
/// target of the plan the one that is proven with the least to spare (the largest p), of equals, and
/// without a target, the one on the fewest pages, then the one with the largest LOAD / area, then the
/// first of the ranking. Of its worst row it is the stream that goes well though it needs most pages
/// as its requests are aligned, the first of equals; where all streams of the row fail, which a target
/// may allow, the one that fails first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Inside {
    /// The cell.
    pub cell: Cell,
    /// Its aligned LOAD in pages; none where it fails.
    pub aligned_load_pages: Option<u64>,
}

/// What a picture is of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shows {
    /// See [`Worst`].
    Worst,
    /// See [`Inside`].
    Inside,
}

/// A cell that was run again, and its areas over the time.
#[derive(Debug)]
pub struct Picture {
    /// What it is of.
    pub shows: Shows,
    /// The cell.
    pub cell: Cell,
    /// Its areas, in the order of its board.
    pub(crate) seen: Occupancy,
}

/// The stream to look at: of what is nearest to the choice in its stead.
pub(super) fn worst(summary: &Summary, choice: &Choice) -> Option<Worst> {
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
    Some(Worst { cell, requests: earliest.requests })
}

/// The stream just inside the target; none where nothing can be chosen.
pub(super) fn inside(summary: &Summary, choice: &Choice) -> Option<Inside> {
    choice.best()?;
    let by_less = |a: &&Candidate, b: &&Candidate| {
        let number = |number: Option<f64>| number.unwrap_or(0.0);
        number(b.p)
            .total_cmp(&number(a.p))
            .then_with(|| a.pages.cmp(&b.pages))
            .then_with(|| number(b.rho).total_cmp(&number(a.rho)))
    };
    // The first of equals.
    let one = choice.ranked.iter().filter(|one| one.is_eligible()).min_by(by_less)?;
    let row = &summary.rows[one.worst_row];
    let cell = |seed| Cell { at: row.at, policy: row.policy, seed };
    match (row.fullest_well, row.earliest) {
        (Some(well), _) => Some(Inside {
            cell: cell(well.seed),
            aligned_load_pages: Some(well.aligned_load_pages),
        }),
        (None, Some(fails)) => Some(Inside { cell: cell(fails.seed), aligned_load_pages: None }),
        (None, None) => None,
    }
}

/// Runs the cells of [`Findings::worst`](super::Findings::worst) and
/// [`Findings::inside`](super::Findings::inside) again, in this order.
///
/// # Errors
/// As the sweep.
pub fn pictures(ready: &Ready, findings: &super::Findings) -> Result<Vec<Picture>, Failed> {
    let worst = findings.worst.iter().map(|worst| (Shows::Worst, worst.cell));
    let inside = findings.inside.iter().map(|inside| (Shows::Inside, inside.cell));
    let pictures = worst.chain(inside).map(|(shows, cell)| {
        let board = ready.board(&cell.at);
        let pages: Vec<u64> = board.areas.iter().map(|area| area.area.pages()).collect();
        let mut seen = Occupancy::new(&pages, Kinds::of_clients(&clients_of(ready, &cell)?));
        run_cell(ready, &cell, &mut [&mut seen])?;
        Ok(Picture { shows, cell, seen })
    });
    pictures.collect()
}
