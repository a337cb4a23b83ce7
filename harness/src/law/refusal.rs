//! A refusal changes nothing, says what its claims mean, and comes only when all was tried.

use cma_policies::{AllocError, ClaimError};

use super::scene::{demand, list, placed};
use super::{Binds, Check, Law, Moment, Scene};
use crate::oracle::name;

/// A refused request changes nothing.
pub(super) const TRACELESS: Law = Law {
    name: name::REFUSAL,
    about: "after a refused request the free runs are as they were before it",
    binds: Binds::EVERYONE,
    check: Check::Moment(changes_nothing),
};

fn changes_nothing(scene: &Scene<'_>) -> Result<(), String> {
    let Moment::Refused { asked, before: Some(before), .. } = scene.moment else { return Ok(()) };
    demand(scene.free_runs == before, || {
        let (now, before) = (list(scene.free_runs), list(before));
        format!("the refusal of {:?} changed the free runs from {before} to {now}", asked.request)
    })
}

/// A refusal says what its claims mean.
pub(super) const MEANING: Law = Law {
    name: name::MEANING,
    about: "a refusal says NoMemory, Busy or Interrupted as the last failed claim means it",
    binds: Binds::EVERYONE,
    check: Check::Moment(means_its_claims),
};

fn means_its_claims(scene: &Scene<'_>) -> Result<(), String> {
    let Moment::Refused { asked, error, .. } = scene.moment else { return Ok(()) };
    let right = match asked.last_failed {
        None | Some((_, ClaimError::NoMemory)) => AllocError::NoMemory,
        Some((_, ClaimError::Busy)) => AllocError::Busy,
        Some((_, ClaimError::Interrupted)) => AllocError::Interrupted,
    };
    demand(error == right, || {
        format!("refused with {error:?} after {:?}, which means {right:?}", asked.last_failed)
    })
}

/// No refusal as busy before every place was tried.
pub(super) const THOROUGH: Law = Law {
    name: name::THOROUGH,
    about: "never Busy while an aligned fit was not tried since the last pause",
    binds: Binds::THOROUGH,
    check: Check::Moment(tried_every_place),
};

fn tried_every_place(scene: &Scene<'_>) -> Result<(), String> {
    // What others gave back in the meantime may lie before the place that the walk had come to.
    let Moment::Refused { asked, error: AllocError::Busy, before: Some(_) } = scene.moment else {
        return Ok(());
    };
    let fits = scene.reference.fits(placed(asked.request, scene.promises));
    let left = fits.iter().find(|fit| !asked.tried.contains(&fit.run));
    demand(left.is_none(), || {
        let left = left.map_or_else(String::new, |fit| fit.run.to_string());
        format!("refused as busy after {} claims, {left} was not tried", asked.in_pass)
    })
}

/// No refusal for lack of a place while there is one.
pub(super) const COMPLETE: Law = Law {
    name: name::COMPLETE,
    about: "never NoMemory while the policy's own free runs hold an aligned fit",
    binds: Binds::COMPLETE,
    check: Check::Moment(has_no_place),
};

fn has_no_place(scene: &Scene<'_>) -> Result<(), String> {
    let Moment::Refused { asked, error: AllocError::NoMemory, .. } = scene.moment else {
        return Ok(());
    };
    let is_owed = !asked.no_memory && !scene.is_counted_out(asked.request);
    let fits = is_owed && scene.reference.fits_in(asked.request, scene.free_runs);
    demand(!fits, || format!("{:?} fits in {}", asked.request, list(scene.free_runs)))
}
