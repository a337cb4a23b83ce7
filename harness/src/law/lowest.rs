//! Every proposal is the kernel's.

use cma_policies::ClaimError;

use super::scene::demand;
use super::{Binds, Check, Law, Moment, Scene};
use crate::oracle::name;

pub(super) const LAW: Law = Law {
    name: name::LOWEST,
    about: "every proposal and every refusal is the naive reference's, page for page",
    binds: Binds::LOWEST,
    check: Check::Moment(check),
};

fn check(scene: &Scene<'_>) -> Result<(), String> {
    let (asked, got) = match scene.moment {
        Moment::Proposed { asked, attempt } => (asked, Some(attempt.run)),
        Moment::Refused { asked, .. } => (asked, None),
        _ => return Ok(()),
    };
    // No memory to migrate to and a fatal signal end the walk wherever it is.
    let right = match asked.last_failed {
        Some((_, ClaimError::NoMemory | ClaimError::Interrupted)) => None,
        Some((_, ClaimError::Busy)) | None => {
            scene.reference.lowest_fit(asked.request, asked.resume)
        }
    };
    demand(got == right, || {
        let say = |run: Option<_>| run.map_or("nothing".into(), |run| format!("{run}"));
        let (got, right) = (say(got), say(right));
        format!("{got} was proposed, the lowest from {:?} on is {right}", asked.resume)
    })
}
