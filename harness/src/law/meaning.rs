//! A refusal says what its claims mean.

use cma_policies::{AllocError, ClaimError};

use super::scene::demand;
use super::{Binds, Check, Law, Moment, Scene};
use crate::oracle::name;

pub(super) const LAW: Law = Law {
    name: name::MEANING,
    about: "a refusal says NoMemory, Busy or Interrupted as the last failed claim means it",
    binds: Binds::EVERYONE,
    check: Check::Moment(check),
};

fn check(scene: &Scene<'_>) -> Result<(), String> {
    let Moment::Refused { asked, error, .. } = scene.moment else { return Ok(()) };
    let right = match asked.last_failed {
        None | Some((_, ClaimError::NoMemory)) => AllocError::NoMemory,
        Some((_, ClaimError::Busy)) => AllocError::Busy,
        Some((_, ClaimError::Interrupted)) => AllocError::Interrupted,
    };
    demand(error == right, || {
        format!("refused with {error:?} behind {:?}, which means {right:?}", asked.last_failed)
    })
}
