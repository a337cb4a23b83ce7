//! Nothing is withheld.

use super::scene::{demand, list};
use super::{Binds, Check, Law, Scene};
use crate::oracle::name;

pub(super) const LAW: Law = Law {
    name: name::TIGHT,
    about: "everything is free but the granules of what is granted or proposed",
    binds: Binds::TIGHT,
    check: Check::Moment(check),
};

fn check(scene: &Scene<'_>) -> Result<(), String> {
    if !scene.is_settled() {
        return Ok(());
    }
    // The law of free runs says that each of them is free: with as many pages they are all.
    let shown: u64 = scene.free_runs.iter().map(|hole| hole.count).sum();
    let free = scene.reference.free_pages();
    demand(shown == free, || format!("{shown} pages free in {}, not {free}", list(scene.free_runs)))
}
