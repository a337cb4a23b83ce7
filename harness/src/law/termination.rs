//! Every request ends.

use cma_policies::MAX_PAUSES;

use super::scene::demand;
use super::{Binds, Check, Law, Moment, Scene};
use crate::oracle::name;

pub(super) const LAW: Law = Law {
    name: name::TERMINATION,
    about: "no run is proposed twice without a pause, and so many places and pauses end it",
    binds: Binds::Everyone,
    check: Check::Moment(check),
};

fn check(scene: &Scene<'_>) -> Result<(), String> {
    let asked = match scene.moment {
        Moment::Proposed { asked, attempt } => {
            let twice = asked.tried.contains(&attempt.run);
            demand(!twice, || format!("{} was proposed twice in one pass", attempt.run))?;
            asked
        }
        Moment::Paused { asked } => asked,
        _ => return Ok(()),
    };
    let (tried, pauses) = (asked.tried.len() as u64, asked.pauses);
    let ends = tried <= scene.area.pages() && pauses <= MAX_PAUSES;
    demand(ends, || format!("{tried} places or {pauses} pauses did not end {:?}", asked.request))
}
