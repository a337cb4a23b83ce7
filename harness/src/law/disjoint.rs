//! No page has two owners.

use super::scene::demand;
use super::{Binds, Check, Law, Moment, Scene};
use crate::oracle::name;

pub(super) const LAW: Law = Law {
    name: name::DISJOINT,
    about: "every granule of a proposed run is free: neither granted nor proposed to another",
    binds: Binds::EVERYONE,
    check: Check::Moment(check),
};

fn check(scene: &Scene<'_>) -> Result<(), String> {
    let Moment::Proposed { attempt, .. } = scene.moment else { return Ok(()) };
    demand(scene.reference.is_free(attempt.run), || {
        format!("{} was proposed, free are {}", attempt.run, free(scene))
    })
}

fn free(scene: &Scene<'_>) -> String {
    super::scene::list(&scene.reference.free_runs())
}
