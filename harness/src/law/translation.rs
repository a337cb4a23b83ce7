//! Moving the area moves its grants along.

use cma_policies::{Area, Pfn, Run};

use super::trial::{Answer, Mode, compare, run};
use super::{Binds, Build, Check, Law};
use crate::codec::{Act, Case};
use crate::oracle::{Violation, name};

pub(super) const LAW: Law = Law {
    name: name::TRANSLATION,
    about: "an area that lies a multiple of every alignment higher is served alike",
    binds: Binds::LOWEST,
    check: Check::Case(check),
};

fn check(case: &Case, build: Build<'_>, here: &[Answer]) -> Result<(), Violation> {
    let orders = case.acts.iter().filter_map(|act| match act {
        Act::Alloc { request, .. } | Act::Fill { request, .. } => Some(request.align()),
        _ => None,
    });
    let shift = 1 << orders.max().unwrap_or(0).max(case.area.order_per_bit());
    let moved = |run: &Run| Some(Run { pfn: Pfn(run.pfn.0.checked_add(shift)?), count: run.count });
    let Some(ranges) = case.area.ranges().iter().map(moved).collect::<Option<Vec<_>>>() else {
        return Ok(());
    };
    let Ok(area) = Area::new(case.area.name(), case.area.order_per_bit(), &ranges) else {
        return Ok(());
    };
    let there = run(&Case { area, ..case.clone() }, build, Mode::Answers)?;
    let back = |pfn: Pfn| Pfn(pfn.0.wrapping_sub(shift));
    // A bad free changes nothing, and which page it names depends on how many lie in front.
    let kept = |at: usize| !matches!(case.acts[at], Act::FreeBadly { .. });
    compare(name::TRANSLATION, "on an area that lies higher", here, &there, kept, back)
}
