//! What was granted is taken back, parts of it too where that is promised, and nothing else is.

use super::scene::{demand, list};
use super::{Binds, Check, Law, Moment, Scene};
use crate::oracle::name;

pub(super) const LAW: Law = Law {
    name: name::FREE,
    about: "a free of exactly what was granted is accepted, and its pages are free after it",
    binds: Binds::EVERYONE,
    check: Check::Moment(|scene| is_taken_back(scene, false, "")),
};

pub(super) const PARTIAL: Law = Law {
    name: name::PARTIAL_FREE,
    about: "a free of a part of a grant is accepted, and its pages are free after it",
    binds: Binds::PARTIAL_FREE,
    check: Check::Moment(|scene| is_taken_back(scene, true, "the part ")),
};

/// A free of all or of a part of a grant, as `of_part` says, which messages call `what`.
fn is_taken_back(scene: &Scene<'_>, of_part: bool, what: &str) -> Result<(), String> {
    let Moment::Freed { run, right: Ok(()), answer, part, .. } = scene.moment else {
        return Ok(());
    };
    if part != of_part {
        return Ok(());
    }
    demand(answer.is_ok(), || format!("{what}{run} is live, its free was answered {answer:?}"))?;
    let shown = scene.free_runs.iter().any(|hole| hole.pfn <= run.pfn && run.pfn < hole.end());
    demand(shown, || format!("{what}{run} was given back, but is in no free run"))
}

pub(super) const BAD: Law = Law {
    name: name::BAD_FREE,
    about: "a free of anything else is refused with the right error and changes nothing",
    binds: Binds::EVERYONE,
    check: Check::Moment(is_refused),
};

fn is_refused(scene: &Scene<'_>) -> Result<(), String> {
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
