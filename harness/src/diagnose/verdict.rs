//! Why a failure failed.

mod beside;
mod fit;
mod known;
mod refusal;
mod why;

use std::sync::Arc;

use cma_policies::dma_align;

use super::{
    AlignFrom, Confidence, Failure, Incident, Known as From, ListSummary, Options, WouldFit,
};
use crate::board::is_gigantic;
use crate::cause::Cause;
pub use fit::{Fit, Place};
use known::Known;
pub use why::{Room, Why};

/// What is said of a failure.
struct Finding {
    verdict: Option<Cause>,
    confidence: Confidence,
    why: Why,
}

impl Finding {
    const fn new(verdict: Cause, confidence: Confidence, why: Why) -> Self {
        Self { verdict: Some(verdict), confidence, why }
    }

    /// Whether it says that there was no place.
    const fn says_nothing_fits(&self) -> bool {
        use Cause::{Alignment, Exhausted, Fragmentation, TooLarge};
        matches!(self.verdict, Some(TooLarge | Exhausted | Fragmentation | Alignment))
    }

    /// What is missing.
    const fn undecidable(why: Why) -> Self {
        Self { verdict: None, confidence: Confidence::Guess, why }
    }
}

const TOO_LARGE: Option<Cause> = Some(Cause::TooLarge);

/// Says why, how sure, and with which numbers.
///
/// It mirrors the ways out of `cma_alloc()` (`mm/cma.c`): the search that finds nothing, the claim
/// (`alloc_contig_range()`) that is busy, and the claim that gets no memory.
pub fn judge(incident: impl Into<Arc<Incident>>, options: &Options) -> Failure {
    let incident = incident.into();
    let align = order(&incident, options);
    let known = Known::of(&incident, align);
    let hidden = beside::decide(&incident, options);
    let mut finding = hidden.unwrap_or_else(|| refusal::decide(&known));
    let (list, mut would_fit) = (summary(&known), would_fit(&known));
    let most = would_fit.map_or(0, |fit| fit.largest_count_at_this_align);
    let by_counter = finding.verdict == Some(Cause::Exhausted)
        && known.view.and_then(|view| view.available).is_some_and(|left| left < known.count);
    if finding.why == Why::SplitByRanges {
        would_fit = None;
    } else if finding.says_nothing_fits() && 0 < known.count && known.count <= most {
        if !by_counter {
            // The state is of another moment than the failure.
            finding.confidence = finding.confidence.min(Confidence::Likely);
        }
        would_fit = None;
    }
    if known.state.is_some_and(|state| state.shown.is_some()) && finding.verdict != TOO_LARGE {
        // A bitmap that was cut shows a part of its area.
        finding.confidence = finding.confidence.min(Confidence::Likely);
    }
    // A text that contradicts itself shows no errno's meaning for sure.
    if incident.era.disputed && finding.verdict == Some(Cause::Busy) {
        finding.confidence = finding.confidence.min(Confidence::Likely);
    }
    Failure {
        align,
        list,
        verdict: finding.verdict,
        confidence: finding.confidence,
        why: finding.why,
        room: known.room(),
        would_fit,
        incident,
    }
}

/// The order of a request: as stated, else as callers of the DMA API ask.
fn order(incident: &Incident, options: &Options) -> Option<(u32, AlignFrom)> {
    let gigantic = incident.area.as_deref().is_some_and(is_gigantic);
    let from_count = |count: u64| match count.checked_ilog2() {
        Some(order) if gigantic && count.is_power_of_two() => (order, AlignFrom::Gigantic),
        _ => (dma_align(count, options.cap), AlignFrom::Cap),
    };
    incident.align.or_else(|| incident.count.map(from_count))
}

fn summary(known: &Known<'_>) -> Option<ListSummary> {
    let list = known.list?;
    let state = known.state?;
    let usable = known
        .view
        .filter(|view| state.placed && !known.incident.doubtful && view.knows_base(known.align));
    Some(ListSummary {
        runs: list.ranges.iter().map(|range| range.runs.len() as u64).sum(),
        free: list.free.or_else(|| (!list.cut).then(|| list.sum())),
        total: list.total.or(state.total),
        largest_run: state.largest_run(),
        largest_usable: usable.map(|view| view.most_count(known.align)),
        complete: list.is_complete() && (state.complete || state.known != From::List),
    })
}

fn would_fit(known: &Known<'_>) -> Option<WouldFit> {
    let (state, view) = (known.state?, known.view?);
    let nothing_seen = state.known_free() == 0 && !state.complete;
    if !state.placed || known.incident.doubtful || nothing_seen {
        return None;
    }
    let max_align = view.most_align();
    let place = max_align.and_then(|align| view.place(align));
    Some(WouldFit {
        max_align,
        at: place.map(|place| place.at),
        largest_count_at_this_align: view.most_count(known.align),
    })
}
