//! What is proposed is marked, what failed is not.

use cma_policies::Run;

use super::scene::{demand, list};
use super::{Binds, Check, Law, Moment, Scene};
use crate::oracle::name;

pub(super) const LAW: Law = Law {
    name: name::MARKS,
    about: "a proposal takes its run out of the free runs, a failed claim puts it back",
    binds: Binds::EVERYONE,
    check: Check::Moment(check),
};

fn check(scene: &Scene<'_>) -> Result<(), String> {
    let (run, free) = match scene.moment {
        Moment::Marked { attempt } | Moment::Granted { attempt } => (attempt.run, 0),
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
