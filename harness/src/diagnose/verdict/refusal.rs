//! From what is known to the cause, by what the kernel printed.

#[cfg(test)]
mod tests;

use super::super::{AreaState, By, Confidence, Known as From, Reported};
use super::Finding;
use super::fit::Fit;
use super::known::Known;
use super::why::Why;
use crate::cause::Cause;
use crate::kernel::{EBUSY, EINTR, ENOMEM};
use Confidence::{Certain, Guess, Likely};

/// Pages of 4 MiB: the largest step of an area with pages of 4 KiB. With others it is what a table
/// of pages maps, an eighth of its bytes: 32 MiB with pages of 16 KiB.
const MOST_STEP: u64 = 1024;

/// The cause, how sure, and why.
pub(super) fn decide(known: &Known<'_>) -> Finding {
    let incident = known.incident;
    if incident.ret == Some(EINTR) {
        return Finding::new(Cause::Interrupted, Certain, Why::Signal);
    }
    if incident.count.is_none() {
        let busy = known.busy_seen() > 0 && incident.era.flipped != Some(true);
        let found = || Finding::new(Cause::Busy, Likely, Why::BusyThenFailed);
        return if busy { found() } else { Finding::undecidable(Why::NoCount) };
    }
    // Up to 6.14 no line is printed then: the pages are those of another area.
    let printed = matches!(incident.reported, Reported::Line(_));
    let silent = printed && incident.era.flipped == Some(false) && !known.own_list;
    if let Some(total) = known.total().filter(|total| known.count > *total && !silent) {
        return too_large(known, total);
    }
    if let Some(finding) = bounded(known) {
        return finding;
    }
    match incident.ret {
        Some(EBUSY) => busy(known),
        Some(ENOMEM) => no_memory(known),
        Some(_) => Finding::undecidable(Why::OtherErrno),
        None => without_errno(known),
    }
}

fn too_large(known: &Known<'_>, total: u64) -> Finding {
    let incident = known.incident;
    let own = known.own_list && incident.other_lists.is_empty();
    let from_text = own || known.state.is_some_and(|state| state.known == From::Trace);
    let sure = from_text
        && !incident.doubtful
        && !incident.moved
        && incident.era.flipped != Some(false)
        && incident.reported != Reported::Driver;
    Finding::new(Cause::TooLarge, if sure { Certain } else { Likely }, Why::TooLarge(total))
}

/// No list or trace shows the area: what the text states of its pages, and of who holds them.
///
/// Up to 6.14 nobody but the driver reports a request of more pages than the area has; later it is
/// refused with -16 as where no place is found (`cma_range_alloc()`, `mm/cma.c`).
fn bounded(known: &Known<'_>) -> Option<Finding> {
    let incident = known.incident;
    let is_shown = known.list.is_some() || known.fit.is_some_and(|(fit, _)| fit != Fit::Missing);
    if is_shown || incident.tried == Some(true) || known.busy_seen() > 0 {
        return None;
    }
    let flipped = incident.era.flipped;
    let unplaced = match incident.ret {
        Some(EBUSY) => flipped == Some(true),
        Some(ENOMEM) => flipped == Some(false),
        Some(_) => false,
        None => true,
    };
    let bounds = incident.bounds.as_deref().filter(|_| unplaced)?;
    // Without any area the kernel says 0; elsewhere 0 is what is not known.
    let most = bounds.most().filter(|most| most.pages > 0 || most.by == By::CmaTotal)?;
    // A line of the boot may state what was asked for, of which whole steps were made.
    let is_rounded = most.by == By::Boot || most.is_wish();
    let step = if is_rounded { MOST_STEP.max(bounds.page_bytes / 8) } else { 1 };
    if known.count > most.pages.next_multiple_of(step) {
        let is_silent = incident.reported != Reported::Driver && flipped != Some(true);
        let may_be_other = incident.reported == Reported::Driver && !incident.who.asks_dma;
        let worth = if most.is_wish() || may_be_other { Guess } else { Likely };
        return (!is_silent).then_some(Finding::new(Cause::TooLarge, worth, Why::AboveBound));
    }
    // What is exported was counted at another moment.
    let (held, most) = bounds.filled().filter(|_| bounds.is_held_now())?;
    let is_more = held.saturating_add(known.count) > most.pages && held <= most.pages;
    is_more.then_some(Finding::new(Cause::Exhausted, Likely, Why::Held))
}

/// `ret: -16`: a claim was busy; from 6.15 on also where nothing was found.
fn busy(known: &Known<'_>) -> Finding {
    let flipped = known.incident.era.flipped;
    if known.busy_seen() > 0 {
        return Finding::new(Cause::Busy, Certain, Why::NoneGranted);
    }
    let (limit, unlisted) = match flipped {
        Some(false) => return Finding::new(Cause::Busy, Certain, Why::EveryClaimBusy),
        Some(true) => (Certain, Why::BusyOrNoPlace),
        None => (Likely, Why::BusyOrNoPlaceByKernel),
    };
    let unclaimed = known.no_busy_claim() && flipped == Some(true);
    let Some((fit, worth)) = known.fit else { return Finding::undecidable(unlisted) };
    match fit.cause() {
        Some(cause) => Finding::new(cause, worth.min(limit), Why::Room),
        None if known.incident.skipped => Finding::undecidable(Why::AcrossHole),
        None if unclaimed => none_claimed(known, fit),
        None if fit != Fit::Fits => Finding::undecidable(Why::BusyOrRoom),
        None if is_evidence(known) && !known.no_busy_claim() => {
            Finding::new(Cause::Busy, worth.min(Likely), Why::BusyThoughItFits)
        }
        None => Finding::undecidable(Why::NoPlaceThoughItFits),
    }
}

/// -16 from 6.15 on, and no claim was busy: none was made, and no range has a place.
fn none_claimed(known: &Known<'_>, fit: Fit) -> Finding {
    let incident = known.incident;
    let available = known.view.and_then(|view| view.available);
    let any_page = known.align <= known.state.map_or(0, |state| state.order_per_bit);
    match (fit, available) {
        (Fit::Fits, _) if incident.inferred => {
            Finding::new(Cause::Fragmentation, Likely, Why::SplitByRanges)
        }
        (Fit::Base, _) => Finding::new(Cause::Alignment, Likely, Why::MisalignedByBase),
        (Fit::Missing | Fit::Positions, Some(available)) if any_page && known.align_stated => {
            Finding::new(Cause::Fragmentation, Likely, Why::NoRun(available))
        }
        (Fit::Fits, _) => Finding::undecidable(Why::NoPlaceThoughItFits),
        (_, Some(available)) => Finding::undecidable(Why::NoRunAligned(available)),
        _ => Finding::undecidable(Why::NoPlace),
    }
}

/// Whether a fit in the state says something of the moment of the failure: a list of its own does,
/// a neighbour's or a snapshot does not.
fn is_evidence(known: &Known<'_>) -> bool {
    match known.state.map(|state| state.known) {
        Some(From::List) => known.own_list,
        Some(From::Trace) => true,
        Some(From::Bitmap) | None => false,
    }
}

/// `ret: -12`: nothing was found (up to 6.14), or a claim got no memory.
fn no_memory(known: &Known<'_>) -> Finding {
    let incident = known.incident;
    if incident.era.flipped == Some(true) {
        return Finding::new(Cause::Migration, Certain, Why::NoMemoryBySign);
    }
    // A vendor's second search, after a sleep, prints -12 too where the first one was busy.
    let vendor = incident.era.vendor_retry;
    let claimed = incident.tried == Some(true);
    let no_second_search =
        known.no_busy_claim() || incident.other_page_last || !vendor && !incident.slept;
    if claimed && no_second_search {
        return Finding::new(Cause::Migration, Certain, Why::NoMemoryAtPlace);
    }
    if incident.tried == Some(false) {
        return nothing_found(known);
    }
    // Before 6.15 is not sure of the era.
    let mut limit = Certain;
    if (vendor || claimed) && !known.no_busy_claim() || incident.era.flipped.is_none() {
        limit = Likely;
    }
    // A good while after a busy claim: a vendor's kernel may have slept and searched again.
    let after_busy =
        (claimed && !vendor).then(|| Finding::new(Cause::Migration, Likely, Why::BusyThenNoMemory));
    let Some((fit, worth)) = known.fit else {
        let any = if vendor && !known.no_busy_claim() {
            Why::BusyNoMemoryOrNoPlace
        } else {
            Why::NoMemoryOrNoPlace
        };
        return after_busy.unwrap_or(Finding::undecidable(any));
    };
    match (fit, fit.cause()) {
        (_, Some(cause)) => Finding::new(cause, worth.min(limit), Why::Room),
        (Fit::Fits, _) if is_evidence(known) => migration(known, worth),
        (Fit::Fits, _) => Finding::undecidable(Why::FitsAtAnotherMoment),
        (Fit::Missing, _) if incident.search_found_nothing => nothing_found(known),
        _ => after_busy.unwrap_or(Finding::undecidable(Why::Room)),
    }
}

/// -12, and the list has room: a claim got no memory, unless pages were given back in between.
fn migration(known: &Known<'_>, worth: Confidence) -> Finding {
    if known.incident.search_found_nothing {
        return Finding::undecidable(Why::FitsAfterwards);
    }
    let shown = known.no_busy_claim() && known.align_stated;
    let worth = if shown { worth } else { worth.min(Likely) };
    Finding::new(Cause::Migration, worth, Why::NoMemoryAsItFits)
}

/// A trace or a search print shows that no place was found.
fn nothing_found(known: &Known<'_>) -> Finding {
    let order = if known.align_stated { Certain } else { Likely };
    let view = known.view.filter(|_| is_evidence(known) && !known.incident.doubtful);
    let visible = view.and_then(|view| view.best_of_the_long(known.align)).is_some();
    match known.fit.map(|(fit, worth)| (fit, fit.cause(), worth)) {
        Some((_, Some(cause), worth)) => Finding::new(cause, worth, Why::Room),
        Some((Fit::Missing, _, worth)) if visible => {
            Finding::new(Cause::Alignment, worth.min(order), Why::MisalignedAsShown)
        }
        _ if known.count == 1 && known.align == 0 && !known.incident.search_found_nothing => {
            // Free pages that are shown were given back since, or one of the two is misread.
            let shown =
                known.state.and_then(|state| state.stated_free().max(Some(state.largest_run())));
            let shown = shown.unwrap_or(0);
            let worth = if shown == 0 { order } else { order.min(Likely) };
            Finding::new(Cause::Exhausted, worth, Why::NoPage(shown))
        }
        Some((Fit::Fits, ..)) => Finding::undecidable(Why::FitsAfterwards),
        _ => held_by_trace(known).unwrap_or(Finding::undecidable(Why::NoPlace)),
    }
}

/// No place was found, and what the trace saw granted and not given back leaves less than was asked
/// for.
fn held_by_trace(known: &Known<'_>) -> Option<Finding> {
    let incident = known.incident;
    let held = incident.who.holders.iter().fold(0u64, |sum, one| sum.saturating_add(one.pages));
    let bounds = incident.bounds.as_deref();
    let stated = || bounds?.most().filter(|most| !most.is_wish()).map(|most| most.pages);
    let total = known.total().or_else(stated)?;
    let is_more = held <= total && held.saturating_add(known.count) > total;
    is_more.then_some(Finding::new(Cause::Exhausted, Likely, Why::HeldByTrace { held, total }))
}

/// No errno is shown: a debug line, an old trace, a driver, or a line that is cut.
fn without_errno(known: &Known<'_>) -> Finding {
    let incident = known.incident;
    let busy = known.busy_seen() > 0;
    match incident.tried {
        _ if busy && incident.reported == Reported::Claims => {
            return Finding::new(Cause::Busy, Likely, Why::BusyThenDriver);
        }
        _ if incident.other_page_last => {
            return Finding::new(Cause::Migration, Likely, Why::BusyThenOtherPage);
        }
        // The last claim can have ended otherwise: the old event and debug lines do not say how.
        _ if busy => return Finding::new(Cause::Busy, Likely, Why::BusyThenFailedNoErrno),
        Some(false) => return nothing_found(known),
        Some(true) if known.no_busy_claim() => {
            return Finding::new(Cause::Migration, Likely, Why::NotBusy);
        }
        Some(true) => return Finding::undecidable(Why::BusyOrNoMemory),
        None => {}
    }
    let limit =
        if known.no_busy_claim() && incident.era.flipped == Some(false) { Certain } else { Likely };
    match known.fit.map(|(fit, worth)| (fit, fit.cause(), worth)) {
        Some((_, Some(cause), worth)) if incident.reported != Reported::Driver => {
            Finding::new(cause, worth.min(limit), Why::Room)
        }
        Some((Fit::Fits, _, worth)) if is_evidence(known) && known.no_busy_claim() => {
            Finding::new(Cause::Migration, worth.min(Likely), Why::FitsNoneBusy)
        }
        Some((Fit::Fits, ..)) if is_evidence(known) => Finding::undecidable(Why::FitsNoErrno),
        _ => {
            let listed = known.state.map_or(0, AreaState::known_free) > 0;
            Finding::undecidable(Why::TooLittle { listed })
        }
    }
}
