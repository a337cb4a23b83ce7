//! The list of free runs is true: of what is there, what is marked, and that nothing is withheld.

use cma_policies::Run;

use super::scene::{demand, list};
use super::{Binds, Check, Law, Moment, Scene};
use crate::oracle::{Place, name};

/// The list of free runs is well formed and true.
pub(super) const FREE_RUNS: Law = Law {
    name: name::FREE_RUNS,
    about: "free runs come range by range in the area's order and ascend in each, do not overlap, \
            are whole granules of one range and truly free, and every proposal is inside one of \
            them",
    binds: Binds::EVERYONE,
    check: Check::Moment(is_well_formed),
};

fn is_well_formed(scene: &Scene<'_>) -> Result<(), String> {
    if let Moment::Proposed { attempt, .. } = scene.moment {
        // Otherwise a policy could show crumbs, in which nothing fits that it refuses.
        let shown = scene.free_runs.iter().any(|hole| hole.contains(attempt.run));
        return demand(shown, || {
            format!(
                "{} was proposed, no free run of {} holds it",
                attempt.run,
                list(scene.free_runs)
            )
        });
    }
    if !scene.is_settled() {
        return Ok(());
    }
    let mut end = Place::START;
    for hole in scene.free_runs {
        let start = scene.reference.place(hole.pfn);
        demand(start.is_some_and(|start| start >= end), || {
            format!("free run {hole} is out of order in {}", list(scene.free_runs))
        })?;
        let whole = hole.count > 0 && hole.count.is_multiple_of(scene.area.granule());
        demand(whole && scene.reference.on_granule(*hole), || {
            format!("free run {hole} is not in whole granules")
        })?;
        demand(scene.reference.is_free(*hole), || {
            format!("free run {hole} is shown, free are {}", list(&scene.reference.free_runs()))
        })?;
        end = scene.reference.end_of(*hole).unwrap_or(end);
    }
    Ok(())
}

/// What is proposed is marked, what failed is not.
pub(super) const MARKS: Law = Law {
    name: name::MARKS,
    about: "a proposal takes its run out of the free runs, a failed claim puts it back",
    binds: Binds::EVERYONE,
    check: Check::Moment(follows_marks),
};

fn follows_marks(scene: &Scene<'_>) -> Result<(), String> {
    let (run, free) = match scene.moment {
        Moment::Marked { attempt } => (attempt.run, 0),
        // Others may have given back live pages of its last granule since it was marked.
        Moment::Granted { attempt } => (attempt.run, scene.reference.free_pages_of(attempt.run)),
        Moment::Unmarked { attempt } => (attempt.run, attempt.run.count),
        _ => return Ok(()),
    };
    let shown: u64 = scene.free_runs.iter().map(|hole| common(*hole, run)).sum();
    demand(shown == free, || {
        let what = if free == 0 { "is marked" } else { "has failed" };
        format!("{run} {what}, but {shown} pages of it are free in {}", list(scene.free_runs))
    })
}

/// Pages that are in both.
fn common(a: Run, b: Run) -> u64 {
    a.end().0.min(b.end().0).saturating_sub(a.pfn.0.max(b.pfn.0))
}

/// Nothing is withheld.
pub(super) const TIGHT: Law = Law {
    name: name::TIGHT,
    about: "everything is free but the granules of what is granted or proposed",
    binds: Binds::TIGHT,
    check: Check::Moment(withholds_nothing),
};

fn withholds_nothing(scene: &Scene<'_>) -> Result<(), String> {
    if !scene.is_settled() {
        return Ok(());
    }
    // The law of free runs says that each of them is free: with as many pages they are all.
    let shown: u64 = scene.free_runs.iter().map(|hole| hole.count).sum();
    let free = scene.reference.free_pages();
    demand(shown == free, || format!("{shown} pages free in {}, not {free}", list(scene.free_runs)))
}
