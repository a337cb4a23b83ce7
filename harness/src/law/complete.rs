//! No refusal for lack of a place while there is one.

use cma_policies::AllocError;

use super::scene::{demand, list};
use super::{Binds, Check, Law, Moment, Scene};
use crate::oracle::name;

pub(super) const LAW: Law = Law {
    name: name::COMPLETE,
    about: "never NoMemory while the policy's own free runs hold an aligned fit",
    binds: Binds::COMPLETE,
    check: Check::Moment(check),
};

fn check(scene: &Scene<'_>) -> Result<(), String> {
    let Moment::Refused { asked, error: AllocError::NoMemory, .. } = scene.moment else {
        return Ok(());
    };
    let fits = !asked.no_memory && scene.reference.fits_in(asked.request, scene.free_runs);
    demand(!fits, || format!("{:?} fits in {}", asked.request, list(scene.free_runs)))
}
