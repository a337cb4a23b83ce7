//! Why a failure failed.

mod fit;
mod known;
mod refusal;
mod why;

use std::sync::Arc;

use cma_policies::dma_align;

use super::{AlignFrom, Confidence, Failure, Incident, ListSummary, Options, WouldFit};
use crate::cause::Cause;
use known::Known;

/// What is said of a failure.
#[derive(Clone, PartialEq, Debug)]
struct Finding {
    verdict: Option<Cause>,
    confidence: Confidence,
    why: String,
}

impl Finding {
    fn new(verdict: Cause, confidence: Confidence, why: String) -> Self {
        Self { verdict: Some(verdict), confidence, why }
    }

    /// What is missing.
    fn undecidable(why: impl Into<String>) -> Self {
        Self { verdict: None, confidence: Confidence::Guess, why: why.into() }
    }
}

/// Says why, how sure, and with which numbers.
///
/// It mirrors the ways out of `cma_alloc()` (`mm/cma.c`): the search that finds nothing, the claim
/// (`alloc_contig_range()`) that is busy, and the claim that gets no memory.
#[must_use]
pub fn judge(incident: Incident, options: &Options) -> Failure {
    let from_count = |count| (dma_align(count, options.cap), AlignFrom::Cap);
    let align = incident.align.or_else(|| incident.count.map(from_count));
    let known = Known::of(&incident, align);
    let finding = refusal::decide(&known);
    let (list, would_fit) = (summary(&known), would_fit(&known));
    Failure {
        align,
        list,
        verdict: finding.verdict,
        confidence: finding.confidence,
        why: finding.why,
        would_fit,
        incident: Arc::new(incident),
    }
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
        complete: list.is_complete(),
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
