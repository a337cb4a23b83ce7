//! A whole case, run again in another way, gets the same answers.

use cma_policies::{Area, Pfn, Run};

use super::scene::list;
use super::trial::{Answer, Mode, Trial, coalesced, compare, run, run_without};
use super::{Binds, Build, Check, Law};
use crate::codec::{Act, Case};
use crate::oracle::{Violation, name};

/// The same calls get the same answers.
pub(super) const DETERMINISTIC: Law = Law {
    name: name::DETERMINISTIC,
    about: "two policies that were built alike and asked alike answer alike",
    binds: Binds::EVERYONE,
    check: Check::Case(is_deterministic),
};

fn is_deterministic(case: &Case, build: Build<'_>, first: &[Answer]) -> Result<(), Violation> {
    let second = run(case, build, Mode::Answers)?;
    compare(name::DETERMINISTIC, "asked a second time", first, &second, |_| true, |pfn| pfn)
}

/// A refused request leaves no trace.
pub(super) const NO_TRACE: Law = Law {
    name: name::NO_TRACE,
    about: "every later answer is as if a refused request or free had not been asked",
    binds: Binds::EVERYONE,
    check: Check::Case(leaves_no_trace),
};

fn leaves_no_trace(case: &Case, build: Build<'_>, full: &[Answer]) -> Result<(), Violation> {
    let kept = |at: usize| {
        !matches!(full[at], Answer::Refused { .. } | Answer::Freed { answer: Err(_), .. })
    };
    if (0..full.len()).all(kept) {
        return Ok(());
    }
    let short = run_without(case, build, &kept)?;
    let what = "without what was refused before it";
    compare(name::NO_TRACE, what, full, &short, kept, |pfn| pfn)
}

/// With everything given back, everything is free.
pub(super) const DRAIN: Law = Law {
    name: name::DRAIN,
    about: "when all that is live was given back, every page that was free at first is free, but \
            for granules that a part which began inside one left used",
    binds: Binds::EVERYONE,
    check: Check::Case(drains),
};

fn drains(case: &Case, build: Build<'_>, _: &[Answer]) -> Result<(), Violation> {
    let Ok(mut trial) = Trial::new(case, build, Mode::Answers) else { return Ok(()) };
    let first = trial.free_runs();
    for act in &case.acts {
        trial.act(act)?;
    }
    trial.drain()?;
    let first = coalesced(&trial.reference().free_in(&first));
    let last: Vec<Run> = coalesced(&trial.free_runs());
    if first == last {
        return Ok(());
    }
    let what = format!("{} was to be free in the end, {} is", list(&first), list(&last));
    Err(Violation { law: name::DRAIN, op: case.acts.len() as u64, what })
}

/// Moving the area moves its grants along.
pub(super) const TRANSLATION: Law = Law {
    name: name::TRANSLATION,
    about: "an area that lies a multiple of every alignment higher is served alike",
    binds: Binds::LOWEST,
    check: Check::Case(moves_along),
};

fn moves_along(case: &Case, build: Build<'_>, here: &[Answer]) -> Result<(), Violation> {
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
    // A bad free changes nothing, and which page it names depends on how many lie before it.
    let kept = |at: usize| !matches!(case.acts[at], Act::FreeBadly { .. });
    compare(name::TRANSLATION, "on an area that lies higher", here, &there, kept, back)
}

/// Several requests under way at once keep every law.
pub(super) const IN_FLIGHT: Law = Law {
    name: name::IN_FLIGHT,
    about: "with several requests under way, settled in any order, every law holds as well",
    binds: Binds::EVERYONE,
    check: Check::Case(overlaps),
};

fn overlaps(case: &Case, build: Build<'_>, _: &[Answer]) -> Result<(), Violation> {
    let broken = |inner: Violation| Violation {
        law: name::IN_FLIGHT,
        op: inner.op,
        what: format!("{}: {}", inner.law, inner.what),
    };
    run(case, build, Mode::Overlapped).map(drop).map_err(broken)
}
