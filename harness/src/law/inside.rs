//! A proposal is what was asked for, inside the area.

use super::scene::demand;
use super::{Binds, Check, Law, Moment, Scene};
use crate::oracle::name;

pub(super) const LAW: Law = Law {
    name: name::INSIDE,
    about: "a proposed run has the pages asked for, starts at a granule and is inside one range",
    binds: Binds::EVERYONE,
    check: Check::Moment(check),
};

fn check(scene: &Scene<'_>) -> Result<(), String> {
    let Moment::Proposed { asked, attempt } = scene.moment else { return Ok(()) };
    let (run, count) = (attempt.run, asked.request.count());
    demand(run.count == count, || format!("{count} pages asked for, {run} proposed"))?;
    demand(scene.reference.is_inside(run), || format!("{run} is not inside one range"))?;
    demand(scene.reference.on_granule(run), || format!("{run} does not start at a granule"))
}
