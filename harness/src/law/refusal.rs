//! A refused request changes nothing.

use super::scene::{demand, list};
use super::{Binds, Check, Law, Moment, Scene};
use crate::oracle::name;

pub(super) const LAW: Law = Law {
    name: name::REFUSAL,
    about: "behind a refused request the free runs are as they were in front of it",
    binds: Binds::EVERYONE,
    check: Check::Moment(check),
};

fn check(scene: &Scene<'_>) -> Result<(), String> {
    let Moment::Refused { asked, before: Some(before), .. } = scene.moment else { return Ok(()) };
    demand(scene.free_runs == before, || {
        let (now, before) = (list(scene.free_runs), list(before));
        format!("the refusal of {:?} changed the free runs from {before} to {now}", asked.request)
    })
}
