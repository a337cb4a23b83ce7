//! Every request ends.

use super::scene::demand;
use super::{Binds, Check, Law, Moment, Scene};
use crate::oracle::name;

pub(super) const LAW: Law = Law {
    name: name::TERMINATION,
    about: "no run is proposed twice without a pause, and 8 steps a page end every request",
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
    let (steps, limit) = (asked.attempts + asked.pauses, scene.area.pages().saturating_mul(8));
    demand(steps <= limit, || {
        format!("{steps} attempts and pauses did not end {:?}", asked.request)
    })
}
