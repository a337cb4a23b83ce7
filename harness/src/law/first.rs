//! A request's first attempt goes where the policy says that it goes.

use cma_policies::{First, Run};

use super::scene::{demand, placed};
use super::{Binds, Check, Law, Moment, Scene};
use crate::oracle::{Fit, Place, name};

pub(super) const LAW: Law = Law {
    name: name::FIRST,
    about: "the first attempt, and the first after a pause, is the naive reference's choice: the \
            shortest or longest hole, an end of the area, or past the last grant",
    binds: Binds::FIRST,
    check: Check::Moment(check),
};

fn check(scene: &Scene<'_>) -> Result<(), String> {
    let Moment::Proposed { asked, attempt } = scene.moment else { return Ok(()) };
    if asked.in_pass > 0 {
        return Ok(());
    }
    let fits = scene.reference.fits(placed(asked.request, scene.promises));
    let right = choices(scene, &fits);
    demand(right.contains(&attempt.run), || {
        let right: Vec<_> = right.iter().map(ToString::to_string).collect();
        format!("{} was proposed first, not {}", attempt.run, right.join(" or "))
    })
}

/// Where it may go, of all `fits`, ascending.
fn choices(scene: &Scene<'_>, fits: &[Fit]) -> Vec<Run> {
    let Some((lowest, highest)) = fits.first().zip(fits.last()) else { return Vec::new() };
    // What chooses among holes does so in one range.
    let range = lowest.place.range;
    let mut here: Vec<_> = fits.iter().filter(|fit| fit.place.range == range).collect();
    let choice = match scene.promises.first {
        First::Anywhere => return fits.iter().map(|fit| fit.run).collect(),
        First::EitherEnd => return vec![lowest.run, highest.run],
        First::PastLast => {
            let mut last = scene.last_grants.iter().filter_map(|run| scene.reference.end_of(*run));
            let rover = last.rfind(|end| end.range == range);
            let rover = rover.unwrap_or(Place { range, bit: 0 });
            here.iter().find(|fit| fit.place >= rover).map_or(lowest, |fit| fit)
        }
        First::Shortest | First::Longest => {
            // The first of each hole: those of one hole end together.
            here.dedup_by_key(|fit| fit.place.bit + fit.room);
            let rooms = here.iter().map(|fit| fit.room);
            let best =
                if scene.promises.first == First::Shortest { rooms.min() } else { rooms.max() };
            here.iter().find(|fit| Some(fit.room) == best).map_or(lowest, |fit| fit)
        }
    };
    vec![choice.run]
}
