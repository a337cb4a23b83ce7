//! What was not granted is not taken back.

use super::scene::{demand, list};
use super::{Binds, Check, Law, Moment, Scene};
use crate::oracle::name;

pub(super) const LAW: Law = Law {
    name: name::BAD_FREE,
    about: "a free of anything else is refused with the right error and changes nothing",
    binds: Binds::Everyone,
    check: Check::Moment(check),
};

fn check(scene: &Scene<'_>) -> Result<(), String> {
    let Moment::Freed { run, right: Err(right), answer, before, .. } = scene.moment else {
        return Ok(());
    };
    // Which word is right for no pages at all is left open.
    let held = if run.count == 0 { answer.is_err() } else { answer == Err(right) };
    demand(held, || format!("a free of {run} is {right:?}, it was answered {answer:?}"))?;
    demand(scene.free_runs == before, || {
        let (now, before) = (list(scene.free_runs), list(before));
        format!("the refused free of {run} changed the free runs from {before} to {now}")
    })
}
