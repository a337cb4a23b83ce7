//! No refusal as busy before every place was tried.

use cma_policies::AllocError;

use super::scene::{demand, placed};
use super::{Binds, Check, Law, Moment, Scene};
use crate::oracle::name;

pub(super) const LAW: Law = Law {
    name: name::THOROUGH,
    about: "never Busy while an aligned fit was not tried since the last pause",
    binds: Binds::THOROUGH,
    check: Check::Moment(check),
};

fn check(scene: &Scene<'_>) -> Result<(), String> {
    // What others gave back in the meantime may lie behind where the walk stood by then.
    let Moment::Refused { asked, error: AllocError::Busy, before: Some(_) } = scene.moment else {
        return Ok(());
    };
    let fits = scene.reference.fits(placed(asked.request, scene.promises));
    let left = fits.iter().find(|fit| !asked.tried.contains(&fit.run));
    demand(left.is_none(), || {
        let left = left.map_or_else(String::new, |fit| fit.run.to_string());
        format!("refused as busy behind {} claims, {left} was not tried", asked.in_pass)
    })
}
