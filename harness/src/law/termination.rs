//! Every request ends.

use cma_policies::MAX_PAUSES;

use super::scene::demand;
use super::{Binds, Check, Law, Moment, Scene};
use crate::oracle::name;

pub(super) const LAW: Law = Law {
    name: name::TERMINATION,
    about: "no run is proposed twice in one pass, and 8 claims a page of a pass end every request",
    binds: Binds::EVERYONE,
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
    let (claims, pauses) = (asked.in_pass, asked.pauses);
    let ends = claims <= scene.area.pages().saturating_mul(8) && pauses <= MAX_PAUSES;
    demand(ends, || format!("{claims} claims or {pauses} pauses did not end {:?}", asked.request))
}
