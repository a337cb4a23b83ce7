//! More memory, inside the area and outside of it.

use super::super::AreaState;
use super::case::{Case, up};
use super::{Advice, Grow, Pages, What, Why};
use crate::kernel::{self, Sign};

/// A longer area, where enough is free but in the wrong places. Where the whole area has fewer free
/// slots of the alignment than the buffer takes, alignment has cost it the rest: a longer one loses as
/// large a share. Where it has enough, but apart, more of them are side by side in a longer one: on a
/// board whose pool was made longer by a twelfth and a sixth, with the same clients, a third and a
/// twentieth of the refusals were left.
pub(super) fn area_for_a_hole(case: &Case<'_>) -> Advice {
    let added = case.state.and_then(|state| added(case, state));
    let (more, at_end) = (added.unwrap_or_else(|| case.pitch()), added.is_some());
    let free = !case.sees_all();
    let of = if free { case.state.map(AreaState::known_free) } else { case.failure.total() };
    let of = of.unwrap_or(0);
    let stranded = if of > 0 { case.stranded() } else { 0 };
    if case.free_in_slots().is_some_and(|free| free >= case.pitch()) {
        let total = case.failure.total();
        let size = total.map(|total| up(total.saturating_add(more), case.step.pages()));
        let costs = size.zip(total).map_or(more, |(size, total)| size - total);
        let grow = Grow::ForLoad { more: Pages(more), at_end, size };
        return Advice::yes(What::BiggerArea(grow)).costs(costs);
    }
    Advice::no(What::BiggerArea(Grow::ForOne { more: Pages(more), at_end, stranded, of, free }))
        .costs(more)
}

/// Pages that its only range has to grow by, at its end, for this request to fit.
fn added(case: &Case<'_>, state: &AreaState) -> Option<u64> {
    let [range] = &state.ranges[..] else { return None };
    let end = range.pages.or(state.total)?;
    let last = range.holes.last().filter(|hole| hole.end() == end && state.complete);
    let free_from = last.map_or(end, |hole| hole.start);
    let from = state.grid(range).first_aligned(free_from, case.align)?;
    from.checked_add(state.whole(case.count))?.checked_sub(end)
}

/// A longer area, where too little is free.
pub(super) fn area_for_more(case: &Case<'_>) -> Option<Advice> {
    let (free, total) = match case.failure.free() {
        Some(free) => (free, case.failure.total()),
        None => left(case)?,
    };
    let more = case.count.checked_sub(free).filter(|more| *more > 0)?;
    // What is free helps only if it adjoins.
    let most = case.state.and_then(|state| added(case, state)).unwrap_or_else(|| case.pitch());
    let step = case.step.pages();
    let (count, most) = (case.count, up(most.max(more), step));
    let size = total.map(|total| up(total.saturating_add(most), step));
    let grow = Grow::ForMore { more: Pages(more), count, free, total, most, size };
    let costs = size.zip(total).map_or(most, |(size, total)| size - total);
    Some(Advice::yes(What::BiggerArea(grow)).costs(costs))
}

/// Pages that what a driver holds, or a trace shows to be held, leaves free, and of how many.
fn left(case: &Case<'_>) -> Option<(u64, Option<u64>)> {
    if let Why::HeldByTrace { held, total } = case.failure.why {
        return Some((total.saturating_sub(held), Some(total)));
    }
    let bounds = case.failure.incident.bounds.as_deref()?;
    let (held, most) = bounds.filled().filter(|_| bounds.is_held_now())?;
    Some((most.pages.checked_sub(held)?, Some(most.pages)))
}

/// Who has the memory.
pub(super) fn holders(case: &Case<'_>) -> Option<Advice> {
    let most = case.residents.iter().max_by_key(|found| found.pages())?;
    let (blocks, count) = (most.blocks.unwrap_or(0), Pages(most.count));
    let pages = Pages(most.pages());
    Some(Advice::yes(What::FewerBuffers { blocks, count, pages }).saves(most.count))
}

/// A longer area, where the request is longer than all of it.
pub(super) fn area_for_too_large(case: &Case<'_>) -> Option<Advice> {
    let state = case.failure.incident.state.as_deref();
    let largest = state.and_then(|state| state.ranges.iter().filter_map(|range| range.pages).max());
    let bounds = case.failure.incident.bounds.as_deref();
    let stated = || Some(bounds?.most()?.pages);
    let longest = largest.or_else(|| case.failure.total()).or_else(stated)?;
    let over = case.count.checked_sub(longest).filter(|over| *over > 0)?;
    let size = up(case.count, case.step.pages());
    let more = size.saturating_sub(longest).max(over);
    let grow = Grow::ForRange { more: Pages(more), size };
    Some(Advice::yes(What::BiggerArea(grow)).costs(more))
}

/// Once more, later.
pub(super) fn retry(case: &Case<'_>) -> Advice {
    let tries = case.failure.incident.busy_retries.unwrap_or(0);
    Advice::yes(What::Retry { tries }).costs(0)
}

/// A kernel that lets one request at a time claim pages.
pub(super) fn serial_kernel(case: &Case<'_>) -> Option<Advice> {
    let release = kernel::release(case.failure.incident.era.name.as_deref()?)?;
    let at_once = Sign::ClaimsAtOnce.span().contains(release);
    at_once.then(|| Advice::yes(What::NewerKernel).costs(0))
}

/// Memory that nobody borrows.
pub(super) fn pool_without_tenants(case: &Case<'_>) -> Advice {
    // A pool of a device's own is no area: it has no step.
    let pool = case.pitch();
    Advice::yes(What::PoolWithoutTenants { pool: Pages(pool) }).costs(pool)
}
