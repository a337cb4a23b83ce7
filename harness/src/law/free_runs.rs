//! The list of free runs is well formed and true.

use super::scene::{demand, list};
use super::{Binds, Check, Law, Moment, Scene};
use crate::oracle::name;

pub(super) const LAW: Law = Law {
    name: name::FREE_RUNS,
    about: "free runs ascend, do not overlap, are whole granules of one range and truly free, and \
            every proposal is inside one of them",
    binds: Binds::EVERYONE,
    check: Check::Moment(check),
};

fn check(scene: &Scene<'_>) -> Result<(), String> {
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
    let mut end = 0;
    for hole in scene.free_runs {
        demand(hole.pfn.0 >= end, || format!("free runs {} do not ascend", list(scene.free_runs)))?;
        let whole = hole.count > 0 && hole.count.is_multiple_of(scene.area.granule());
        demand(whole && scene.reference.on_granule(*hole), || {
            format!("free run {hole} is not in whole granules")
        })?;
        demand(scene.reference.is_free(*hole), || {
            format!("free run {hole} is shown, free are {}", list(&scene.reference.free_runs()))
        })?;
        end = hole.end().0;
    }
    Ok(())
}
