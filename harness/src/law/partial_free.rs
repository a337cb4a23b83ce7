//! Parts are taken back where that is promised.

use super::scene::demand;
use super::{Binds, Check, Law, Moment, Scene};
use crate::oracle::name;

pub(super) const LAW: Law = Law {
    name: name::PARTIAL_FREE,
    about: "a free of a part of a grant is accepted, and its pages are free behind it",
    binds: Binds::PartialFree,
    check: Check::Moment(check),
};

fn check(scene: &Scene<'_>) -> Result<(), String> {
    let Moment::Freed { run, right: Ok(()), answer, part: true, .. } = scene.moment else {
        return Ok(());
    };
    demand(answer.is_ok(), || format!("the part {run} is live, its free was answered {answer:?}"))?;
    let shown = scene.free_runs.iter().any(|hole| hole.pfn <= run.pfn && run.pfn < hole.end());
    demand(shown, || format!("the part {run} was given back, but is in no free run"))
}
