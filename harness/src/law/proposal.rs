//! What is proposed is what was asked for, free, aligned, the lowest fit where that is promised,
//! and comes to an end.

use cma_policies::{ClaimError, MAX_PAUSES, Pfn};

use super::scene::{demand, list};
use super::{Binds, Check, Law, Moment, Scene};
use crate::oracle::{Place, name};

/// A proposal is what was asked for, inside the area.
pub(super) const INSIDE: Law = Law {
    name: name::INSIDE,
    about: "a proposed run has the pages asked for, starts at a granule and is inside one range",
    binds: Binds::EVERYONE,
    check: Check::Moment(is_inside),
};

fn is_inside(scene: &Scene<'_>) -> Result<(), String> {
    let Moment::Proposed { asked, attempt } = scene.moment else { return Ok(()) };
    let (run, count) = (attempt.run, asked.request.count());
    demand(run.count == count, || format!("{count} pages asked for, {run} proposed"))?;
    demand(scene.reference.is_inside(run), || format!("{run} is not inside one range"))?;
    demand(scene.reference.on_granule(run), || format!("{run} does not start at a granule"))
}

/// Pages without a granule are nobody's.
pub(super) const TAIL: Law = Law {
    name: name::TAIL,
    about: "no proposed run has a page past the last whole granule of its range",
    binds: Binds::EVERYONE,
    check: Check::Moment(has_granules),
};

fn has_granules(scene: &Scene<'_>) -> Result<(), String> {
    let Moment::Proposed { attempt, .. } = scene.moment else { return Ok(()) };
    let run = attempt.run;
    demand(scene.reference.has_granules(run), || format!("{run} was proposed, its end has no bit"))
}

/// No page has two owners.
pub(super) const DISJOINT: Law = Law {
    name: name::DISJOINT,
    about: "every granule of a proposed run is free: neither granted nor proposed to another",
    binds: Binds::EVERYONE,
    check: Check::Moment(is_free),
};

fn is_free(scene: &Scene<'_>) -> Result<(), String> {
    let Moment::Proposed { attempt, .. } = scene.moment else { return Ok(()) };
    demand(scene.reference.is_free(attempt.run), || {
        format!("{} was proposed, free are {}", attempt.run, list(&scene.reference.free_runs()))
    })
}

/// Proposals are aligned.
pub(super) const ALIGNED: Law = Law {
    name: name::ALIGNED,
    about: "(bit + offset) & mask == 0 for the first granule of every proposed run",
    binds: Binds::ALIGNED,
    check: Check::Moment(is_aligned),
};

fn is_aligned(scene: &Scene<'_>) -> Result<(), String> {
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

/// What there is not is not tried.
pub(super) const COUNTED: Law = Law {
    name: name::COUNTED,
    about: "no run is proposed for more pages than are neither live nor under way",
    binds: Binds::COUNTED,
    check: Check::Moment(is_counted),
};

fn is_counted(scene: &Scene<'_>) -> Result<(), String> {
    let Moment::Proposed { asked, attempt } = scene.moment else { return Ok(()) };
    demand(!scene.is_counted_out(asked.request), || {
        format!("{} was proposed, only {} pages are nobody's", attempt.run, scene.available)
    })
}

/// Every proposal is the kernel's.
pub(super) const LOWEST: Law = Law {
    name: name::LOWEST,
    about: "every proposal and every refusal is the naive reference's, page for page",
    binds: Binds::LOWEST,
    check: Check::Moment(is_lowest),
};

fn is_lowest(scene: &Scene<'_>) -> Result<(), String> {
    let (asked, got) = match scene.moment {
        Moment::Proposed { asked, attempt } => (asked, Some(attempt.run)),
        Moment::Refused { asked, .. } => (asked, None),
        _ => return Ok(()),
    };
    // No memory to migrate to and a fatal signal end the walk wherever it is.
    let right = match asked.last_failed {
        Some((_, ClaimError::NoMemory | ClaimError::Interrupted)) => None,
        Some((_, ClaimError::Busy)) | None if scene.is_counted_out(asked.request) => None,
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

/// Every request ends.
pub(super) const TERMINATION: Law = Law {
    name: name::TERMINATION,
    about: "no run is proposed twice in one pass, and 8 claims a page of a pass end every request",
    binds: Binds::EVERYONE,
    check: Check::Moment(comes_to_an_end),
};

fn comes_to_an_end(scene: &Scene<'_>) -> Result<(), String> {
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
