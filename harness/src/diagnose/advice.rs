//! What would have helped, from the state alone.
//!
//! Each verdict has its own list, the same things in it each time: a reader who looks for "a bigger
//! area" finds an answer also where that is no. Nothing here simulates: `replay` and `sweep` do.

mod case;
mod knobs;
mod memory;
#[cfg(test)]
mod tests;
mod what;

use super::{AlignFrom, Confidence, Failure, Reported, Resident, Why};
use crate::cause::Cause;
use case::Case;
pub use what::{Advice, Cap, Follows, Grow, Missing, Pages, SizeBy, Step, Strands, What};

/// What would have helped with this failure, best first, then what would not. `residents` are the
/// buffers in its area, `cap` is `CONFIG_CMA_ALIGNMENT` as far as it is known, or what the caller's
/// calls show of its own, and the size of areas goes by `step`.
pub fn advise(
    failure: &Failure,
    residents: &[Resident],
    cap: impl Into<Follows>,
    step: Step,
) -> Vec<Advice> {
    let mut advice = match Case::of(failure, residents, cap.into(), step) {
        Some(case) => by_verdict(&case),
        None => Vec::new(),
    };
    let is_open = failure.verdict.is_none() || failure.confidence != Confidence::Certain;
    // Of a request that is larger than the area no list of free runs says more.
    if is_open && failure.why != Why::AboveBound {
        advice.extend(what_bounds(failure));
        advice.extend(next_step(failure));
    }
    let own = failure.incident.bounds.as_ref().and_then(|bounds| bounds.own.as_ref());
    let area = failure.incident.area.as_deref().or_else(|| own.map(|own| &*own.area));
    let size_by = SizeBy::of(area);
    for advice in &mut advice {
        (advice.page_bytes, advice.size_by) = (step.page_bytes, size_by);
    }
    // Stable: among those that help the order of the lists stays.
    advice.sort_by_key(|advice| !advice.helps);
    advice
}

fn by_verdict(case: &Case<'_>) -> Vec<Advice> {
    let Some(verdict) = case.failure.verdict else { return whatever_it_was(case) };
    let count = Pages(case.count);
    let keep = Advice::yes(What::KeepAllocated { count }).costs(case.count);
    let not_the_cap = Advice::no(What::SmallerCap(Cap::HadPlace { align: case.align }));
    let advice = match verdict {
        Cause::Alignment => vec![
            knobs::smaller_cap(case),
            knobs::resident_size(case),
            knobs::shorter_buffer(case),
            Some(knobs::own_pool(case)),
            Some(keep),
            Some(memory::area_for_a_hole(case)),
        ],
        Cause::Fragmentation => vec![
            knobs::cap_beforehand(case),
            knobs::resident_size(case),
            Some(knobs::own_pool(case)),
            Some(keep),
            knobs::shorter_buffer(case),
            Some(memory::area_for_a_hole(case)),
        ],
        Cause::Exhausted => vec![
            memory::area_for_more(case),
            memory::holders(case),
            knobs::without_padding(case).filter(|_| case.failure.why == Why::Held),
            Some(Advice::no(What::Nothing { killed: false })),
        ],
        Cause::TooLarge => vec![
            memory::area_for_too_large(case),
            // What is padding may be all that is too much.
            knobs::without_padding(case)
                .filter(|one| matches!(one.what, What::NoPadding { fit: Some(_), .. })),
        ],
        Cause::Migration => vec![
            Some(Advice::yes(What::MoreMemory { count })),
            Some(keep),
            Some(Advice::no(What::BiggerArea(Grow::TakesMemory))),
            Some(not_the_cap),
        ],
        Cause::Busy => vec![
            Some(memory::retry(case)),
            memory::serial_kernel(case),
            Some(memory::pool_without_tenants(case)),
            Some(keep),
            Some(Advice::no(What::BiggerArea(Grow::AsBusy))),
            Some(not_the_cap),
        ],
        Cause::Interrupted => vec![Some(Advice::no(What::Nothing { killed: true }))],
        // No kernel refuses for these.
        Cause::Transient | Cause::Policy => Vec::new(),
    };
    advice.into_iter().flatten().collect()
}

/// What the state shows to be of use, whatever the cause was.
fn whatever_it_was(case: &Case<'_>) -> Vec<Advice> {
    if case.place(case.align).is_some() {
        return Vec::new();
    }
    let advice =
        [knobs::smaller_cap(case), knobs::resident_size(case), knobs::without_padding(case)];
    advice.into_iter().flatten().filter(|advice| advice.helps).collect()
}

/// What every kernel says of its areas, where nothing of it is in the text.
fn what_bounds(failure: &Failure) -> Option<Advice> {
    let incident = &failure.incident;
    let bounds = incident.bounds.as_deref();
    let is_known = failure.total().is_some() || bounds.is_some_and(|one| one.most().is_some());
    // A line of the kernel's own mostly says already that the area has as many pages.
    let is_drivers = incident.reported == Reported::Driver
        && incident.count.is_some()
        && !incident.who.own_area_only;
    (is_drivers && !is_known && failure.verdict.is_none()).then_some(Advice::no(What::LookUpBounds))
}

/// What to look for, or to switch on for the next time.
fn next_step(failure: &Failure) -> Option<Advice> {
    let incident = &failure.incident;
    let state = incident.state.as_deref();
    // Of an area whose pages alone are known the runs are missing, too.
    let shows_runs = state.is_some_and(|state| state.placed || state.holes().next().is_some());
    let missing = Missing {
        runs: failure.list.is_none() && !shows_runs,
        rest: failure.list.is_some_and(|list| !list.complete),
        bitmap: failure.list.is_none() && state.is_some_and(|state| state.shown.is_some()),
        order: !matches!(failure.align, Some((_, AlignFrom::Trace | AlignFrom::Debug))),
        busy: incident.busy_retries.is_none(),
        kernel: failure.verdict.is_none()
            && incident.era.flipped.is_none()
            && incident.ret.is_some(),
        kit: incident.era.kit,
    };
    let nothing = Missing { kit: missing.kit, ..Missing::default() };
    (missing != nothing).then_some(Advice::no(What::Collect(missing)))
}
