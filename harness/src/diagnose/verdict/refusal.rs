//! From what is known to the cause, by what the kernel printed.

#[cfg(test)]
mod tests;

use super::super::{AreaState, Confidence, Known as From, Reported};
use super::Finding;
use super::fit::Fit;
use super::known::Known;
use super::why::{arithmetic, cause};
use crate::cause::Cause;
use crate::kernel::{EBUSY, EINTR, ENOMEM};
use crate::words::pages;
use Confidence::{Certain, Likely};

/// The cause, how sure, and why.
pub(super) fn decide(known: &Known<'_>) -> Finding {
    let incident = known.incident;
    if incident.ret == Some(EINTR) {
        let why = "ret: -4: a fatal signal ended the call".to_string();
        return Finding::new(Cause::Interrupted, Certain, why);
    }
    if incident.count.is_none() {
        return without_count(known);
    }
    // Up to 6.14 no line is printed then: the pages are those of another area.
    let printed = matches!(incident.reported, Reported::Line(_));
    let silent = printed && incident.era.flipped == Some(false) && !known.own_list;
    if let Some(total) = known.total().filter(|total| known.count > *total && !silent) {
        return too_large(known, total);
    }
    match incident.ret {
        Some(EBUSY) => busy(known),
        Some(ENOMEM) => no_memory(known),
        Some(ret) => Finding::undecidable(format!("ret: {ret} is none of -12, -16 and -4")),
        None => without_errno(known),
    }
}

fn without_count(known: &Known<'_>) -> Finding {
    if known.busy_seen() > 0 && known.incident.era.flipped != Some(true) {
        let why = format!("{}, and then the call failed", known.claims());
        return Finding::new(Cause::Busy, Likely, why);
    }
    Finding::undecidable(match known.incident.reported {
        Reported::List => "a list of free runs alone: no line says what was asked for",
        Reported::Driver => "only a driver reports it, and not how much it asked for",
        _ => "no line says how many pages were asked for",
    })
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
    let why = format!("{} were asked for, the area has {total}", pages(known.count));
    Finding::new(Cause::TooLarge, if sure { Certain } else { Likely }, why)
}

/// `ret: -16`: a claim was busy; from 6.15 on also where nothing was found.
fn busy(known: &Known<'_>) -> Finding {
    let shown = match known.fit {
        Some((Fit::Fits, _)) => format!("; {}", arithmetic(known, Fit::Fits)),
        _ => String::new(),
    };
    if known.busy_seen() > 0 {
        let why = format!("{}, none was granted{shown}", known.claims());
        return Finding::new(Cause::Busy, Certain, why);
    }
    let flipped = known.incident.era.flipped;
    if flipped == Some(false) {
        let why = format!(
            "ret: -16 before 6.15: a place was found for {}, and every claim was busy{shown}",
            pages(known.count)
        );
        return Finding::new(Cause::Busy, Certain, why);
    }
    let limit = if flipped == Some(true) { Certain } else { Likely };
    let Some((fit, worth)) = known.fit else {
        return Finding::undecidable(if flipped == Some(true) {
            "from 6.15 on -16 means busy or no place, and there is no list of free runs"
        } else {
            "-16 means busy up to 6.14, busy or no place from 6.15 on; there is no list of free \
             runs and the kernel is not known"
        });
    };
    match cause(fit) {
        Some(cause) => Finding::new(cause, worth.min(limit), arithmetic(known, fit)),
        None if fit == Fit::Fits && is_evidence(known) && !known.no_busy_claim() => {
            let why = format!("ret: -16, though {}", arithmetic(known, fit));
            Finding::new(Cause::Busy, worth.min(Likely), why)
        }
        None if fit == Fit::Fits => Finding::undecidable(format!(
            "-16 may mean that no place was found, but {} in a list of another moment",
            arithmetic(known, fit)
        )),
        None => Finding::undecidable(format!(
            "-16 means busy or no place from 6.15 on, and {}",
            arithmetic(known, fit)
        )),
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
        let why = "ret: -12 from 6.15 on: a claim was made and got no memory to migrate to";
        return Finding::new(Cause::Migration, Certain, why.to_string());
    }
    // A vendor's second search, after a sleep, prints -12 too where the first one was busy.
    let vendor = incident.era.vendor_retry;
    let claimed = incident.tried == Some(true);
    let no_second_search =
        known.no_busy_claim() || incident.other_page_last || !vendor && !incident.slept;
    if claimed && no_second_search {
        let before = if known.busy_seen() > 0 {
            format!(" after {}", known.claims().replace(" were", "").replace(" was", ""))
        } else {
            String::new()
        };
        let why = format!(
            "a place was found and claimed{before}, and the claim got no memory to migrate to"
        );
        return Finding::new(Cause::Migration, Certain, why);
    }
    if incident.tried == Some(false) {
        return nothing_found(known);
    }
    // Before 6.15 is not sure of the era.
    let mut limit = Certain;
    if (vendor || claimed) && !known.no_busy_claim() || incident.era.flipped.is_none() {
        limit = Likely;
    }
    let Some((fit, worth)) = known.fit else {
        return if claimed && !vendor {
            after_busy(known)
        } else {
            Finding::undecidable(open(known))
        };
    };
    if let Some(cause) = cause(fit) {
        return Finding::new(cause, worth.min(limit), arithmetic(known, fit));
    }
    match fit {
        Fit::Fits if is_evidence(known) => migration(known, worth),
        Fit::Fits => Finding::undecidable(format!(
            "{}, but the free runs are of another moment",
            arithmetic(known, fit)
        )),
        Fit::Missing if incident.search_found_nothing => nothing_found(known),
        _ if claimed && !vendor => after_busy(known),
        _ => Finding::undecidable(arithmetic(known, fit)),
    }
}

/// -12 a good while after a busy claim: a vendor's kernel may have slept and searched again.
fn after_busy(known: &Known<'_>) -> Finding {
    let why = format!(
        "{}, and then -12: a claim got no memory to migrate to, unless a vendor's kernel slept and \
         found no place any more",
        known.claims()
    );
    Finding::new(Cause::Migration, Likely, why)
}

/// -12, and the list has room: a claim got no memory, unless pages were given back in between.
fn migration(known: &Known<'_>, worth: Confidence) -> Finding {
    if known.incident.search_found_nothing {
        return Finding::undecidable(format!(
            "the search found nothing, but {} a moment later",
            arithmetic(known, Fit::Fits)
        ));
    }
    let shown = known.no_busy_claim() && known.align_told;
    let why = format!(
        "{}, so a claim was made and got no memory to migrate to",
        arithmetic(known, Fit::Fits)
    );
    Finding::new(Cause::Migration, if shown { worth } else { worth.min(Likely) }, why)
}

/// A trace or a search print shows that no place was found.
fn nothing_found(known: &Known<'_>) -> Finding {
    let order = if known.align_told { Certain } else { Likely };
    let visible = known
        .view
        .filter(|_| is_evidence(known))
        .and_then(|view| view.best_of_the_long(known.align));
    match known.fit {
        Some((fit, worth)) if cause(fit).is_some() => {
            let cause = cause(fit).unwrap_or(Cause::Exhausted);
            Finding::new(cause, worth, arithmetic(known, fit))
        }
        Some((Fit::Missing, worth)) if visible.is_some() && !known.incident.doubtful => {
            let why = arithmetic(known, Fit::Alignment);
            let why = format!("{why}; the search found nothing in what the list does not show");
            Finding::new(Cause::Alignment, worth.min(order), why)
        }
        _ if known.count == 1 && known.align == 0 && !known.incident.search_found_nothing => {
            let why = "no page was found for a request of 1 page: none is free".to_string();
            // Free pages that are shown were given back since, or one of the two is misread.
            let shown = known.state.and_then(|state| state.free.max(Some(state.largest_run())));
            match shown {
                None | Some(0) => Finding::new(Cause::Exhausted, order, why),
                Some(free) => {
                    let why = format!("{why}, though {} are shown", pages(free));
                    Finding::new(Cause::Exhausted, order.min(Likely), why)
                }
            }
        }
        Some((fit @ Fit::Fits, _)) => Finding::undecidable(format!(
            "the search found nothing, but {} a moment later",
            arithmetic(known, fit)
        )),
        _ => Finding::undecidable(
            "no place was found (exhausted, fragmentation or alignment), and there is no whole \
             list of free runs",
        ),
    }
}

/// -12 without a list.
fn open(known: &Known<'_>) -> String {
    let causes = if known.count == 1 && known.align == 0 {
        "exhausted or migration"
    } else {
        "exhausted, fragmentation, alignment or migration"
    };
    format!("-12 means {causes}, and there is no list of free runs")
}

/// No errno is told: a debug line, an old trace, a driver, or a line that is cut.
fn without_errno(known: &Known<'_>) -> Finding {
    let incident = known.incident;
    if known.busy_seen() > 0 && incident.reported == Reported::Claims {
        let why = format!("{}, and then the driver failed", known.claims());
        return Finding::new(Cause::Busy, Likely, why);
    }
    if incident.other_page_last {
        let why = format!(
            "{}, and then the claim of another page failed otherwise: no memory to migrate to, or \
             a fatal signal (no errno is told)",
            known.claims()
        );
        return Finding::new(Cause::Migration, Likely, why);
    }
    if known.busy_seen() > 0 {
        // The last claim can have ended otherwise: the old event and debug lines do not say how.
        let why = format!("{}, and then the call failed (no errno is told)", known.claims());
        return Finding::new(Cause::Busy, Likely, why);
    }
    match incident.tried {
        Some(false) => return nothing_found(known),
        Some(true) if known.no_busy_claim() => {
            let why = "a place was found, and the claim failed though it was not busy: no memory to \
                       migrate to (no errno is told)";
            return Finding::new(Cause::Migration, Likely, why.to_string());
        }
        Some(true) => {
            return Finding::undecidable(
                "a place was found and the claim failed: busy or migration, no errno is told",
            );
        }
        None => {}
    }
    let limit =
        if known.no_busy_claim() && incident.era.flipped == Some(false) { Certain } else { Likely };
    match known.fit {
        Some((fit, worth)) if cause(fit).is_some() && incident.reported != Reported::Driver => {
            let cause = cause(fit).unwrap_or(Cause::Exhausted);
            Finding::new(cause, worth.min(limit), arithmetic(known, fit))
        }
        Some((fit @ Fit::Fits, worth)) if is_evidence(known) && known.no_busy_claim() => {
            let why = format!("{}, and no claim was busy", arithmetic(known, fit));
            Finding::new(Cause::Migration, worth.min(Likely), why)
        }
        Some((fit @ Fit::Fits, _)) if is_evidence(known) => Finding::undecidable(format!(
            "{}: busy or migration, no errno is told",
            arithmetic(known, fit)
        )),
        _ => Finding::undecidable(only(known)),
    }
}

/// What little there is.
fn only(known: &Known<'_>) -> String {
    let what = match known.incident.reported {
        Reported::Driver => {
            "only a driver reports it: kernels up to 6.14 say nothing where more is asked for than \
             the area has, and not every driver asks CMA"
        }
        _ => "no errno is told",
    };
    let shown = known.state.map_or(0, AreaState::known_free) > 0;
    let list = if shown { "the list does not tell" } else { "there is no list of free runs" };
    format!("{what}; {list}")
}
