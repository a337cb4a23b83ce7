//! What was granted is taken back.

use super::scene::demand;
use super::{Binds, Check, Law, Moment, Scene};
use crate::oracle::name;

pub(super) const LAW: Law = Law {
    name: name::FREE,
    about: "a free of exactly what was granted is accepted, and its pages are free behind it",
    binds: Binds::Everyone,
    check: Check::Moment(check),
};

fn check(scene: &Scene<'_>) -> Result<(), String> {
    let Moment::Freed { run, right: Ok(()), answer, part: false, .. } = scene.moment else {
        return Ok(());
    };
    demand(answer.is_ok(), || format!("{run} is live, its free was answered {answer:?}"))?;
    let shown = scene.free_runs.iter().any(|hole| hole.pfn <= run.pfn && run.pfn < hole.end());
    demand(shown, || format!("{run} was given back, but is in no free run"))
}
