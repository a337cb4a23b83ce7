//! Proposals are aligned.

use cma_policies::Pfn;

use super::scene::demand;
use super::{Binds, Check, Law, Moment, Scene};
use crate::oracle::{Place, name};

pub(super) const LAW: Law = Law {
    name: name::ALIGNED,
    about: "(bit + offset) & mask == 0 for the first granule of every proposed run",
    binds: Binds::ALIGNED,
    check: Check::Moment(check),
};

fn check(scene: &Scene<'_>) -> Result<(), String> {
    let Moment::Proposed { asked, attempt } = scene.moment else { return Ok(()) };
    let (run, order) = (attempt.run, asked.request.align());
    let holds = |range: usize, base: Pfn| {
        let bit = (run.pfn.0 - base.0) / scene.area.granule();
        scene.reference.is_aligned(order, Place { range, bit })
    };
    let mut ranges = (0..).zip(scene.area.ranges());
    let held = ranges.any(|(range, lane)| lane.contains(run) && holds(range, lane.pfn));
    demand(held, || format!("{run} was proposed for order {order}"))
}
