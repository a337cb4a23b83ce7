//! Over the streams: a row for each configuration and policy.

mod dominance;
mod row;
mod streams;
mod time;

use crate::board::{Board, BoardArea};
use crate::cause::Cause;
use crate::metric::{AREA_LOADS, CLASSES};
use crate::stats::Interval;
use crate::sweep::{Configuration, Plan, Ready};

pub use row::rows_of;
pub(super) use row::share;
pub(crate) use streams::CLASS_NAMES;
pub(super) use streams::Streams;
pub use time::TimeRow;

/// Columns that are averaged over streams: R1 to R4, R6.
pub const RATES: [&str; 5] = [
    "withheld_per_request",
    "withheld_per_satisfiable",
    "withheld_pages_share",
    "probe_unavailable_time",
    "unusable_free",
];

/// The rate by which policy and configuration are blamed: R2.
pub const BLAME: usize = 1;

/// A mean over streams and its interval.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Rate {
    /// The mean; none where no stream has a value.
    pub mean: Option<f64>,
    /// Its interval.
    pub interval: Interval,
}

/// Requests of one size class, over all streams.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct ClassCounts {
    /// All of them.
    pub requests: u64,
    /// Those that were refused.
    pub refused: u64,
    /// Those of them that found enough pages free.
    pub withheld: u64,
}

/// The stream that fails first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Earliest {
    /// Number of its first request that its caller did not get, from 1 on.
    pub requests: u64,
    /// Its seed; the first of equals.
    pub seed: u64,
}

/// The stream that goes well though it needs most.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fullest {
    /// Its aligned LOAD in pages: the least area that it can do with, whatever the policy.
    pub aligned_load_pages: u64,
    /// Its seed; the first of equals.
    pub seed: u64,
}

/// The streams of one policy under one configuration.
///
/// Two policies see the same requests up to the first answer that differs; after it each goes on
/// with its own live buffers. What is compared is therefore how the same *callers* fare under one
/// and under the other from the first request on, not how both would answer in one state.
#[derive(Clone, PartialEq, Debug)]
pub struct SummaryRow {
    /// The configuration.
    pub at: Configuration,
    /// The policy, an index into the plan.
    pub policy: usize,
    /// Streams: one for each seed.
    pub streams: u64,
    /// Whether the number of streams depends on what was seen. Then the intervals of shares and the
    /// tests are those that hold at any time, and the means lean to what stopped the sweep.
    pub stopped: bool,
    /// Requests of all streams.
    pub requests: u64,
    /// Those that were refused, by cause.
    pub refused: [u64; Cause::ALL.len()],
    /// Requests of all streams by size.
    pub classes: [ClassCounts; CLASSES.len()],
    /// For each of [`RATES`].
    pub rates: [Rate; RATES.len()],
    /// R2 minus the baseline's, stream by stream; none for the baseline, or without one.
    pub against_baseline: Option<Rate>,
    /// Median of R5, the number of the first request that was refused.
    pub first_failure: Option<f64>,
    /// Its interval; an open end is past the end of the streams.
    pub first_failure_interval: Interval,
    /// Streams with a refused request.
    pub failed: u64,
    /// The share of streams with one.
    pub failed_interval: Interval,
    /// McNemar's p for "any refused request in this stream" against the baseline.
    pub mcnemar: Option<f64>,
    /// The same after Holm's correction. The family is the policies of this configuration that are
    /// compared with the baseline; the configurations of a plan are not corrected for.
    pub holm: Option<f64>,
    /// Streams in which some caller did not get its memory: those of [`failed`](Self::failed) but
    /// for those where the page allocator served what the area refused.
    pub lost: u64,
    /// The share of streams of which that is true.
    pub lost_interval: Interval,
    /// The first stream of which that is true.
    pub earliest: Option<Earliest>,
    /// Of those of which it is not, the one that needs most; none where all fail.
    pub fullest_well: Option<Fullest>,
    /// Median of the utilisation at the first refusal, over the streams that have one.
    pub utilisation: Option<f64>,
    /// Median of the share of the area that was in use at the first refusal, of the area that refused.
    pub area_utilisation: Option<f64>,
    /// For each area of its board, up to the fourth: mean of its measured LOAD in pages.
    pub area_loads: [Option<f64>; AREA_LOADS.len()],
    /// The same of the stream with the largest.
    pub area_loads_most: [Option<u64>; AREA_LOADS.len()],
    /// Mean of the measured LOAD.
    pub load: Option<f64>,
    /// Mean of the measured LOAD in pages.
    pub load_pages: Option<f64>,
    /// The largest measured LOAD of a stream in pages.
    pub load_max_pages: Option<u64>,
    /// Mean of the aligned LOAD in pages.
    pub aligned_load_pages: Option<f64>,
    /// Streams whose aligned LOAD is above what there is: no placement policy can help.
    pub structural: u64,
    /// Requests of all streams that their callers did not get.
    pub unserved: u64,
    /// Requests of all streams that the page allocator served in place of the area.
    pub fell_back: u64,
    /// Refused requests for more pages than the page allocator serves to dma-direct.
    pub refused_beyond: u64,
    /// Median over streams of the median latency, in microseconds of the model.
    pub latency_p50_us: Option<f64>,
    /// Median over streams of the 99 % quantile of latency.
    pub latency_p99_us: Option<f64>,
    /// The largest latency of any stream.
    pub latency_max_us: Option<u64>,
    /// Pages of all streams that were migrated.
    pub migrated_pages: u64,
    /// Size classes in which more requests are refused than under the baseline, or more with enough
    /// pages free, and not by chance where there are many streams: a policy may look good by
    /// refusing the large ones.
    pub worse_classes: Vec<usize>,
    /// What they say about board time; none where they have no time, or there are none.
    pub time: Option<TimeRow>,
    /// Not all seeds were run: it cannot be the answer any more.
    pub dropped: bool,
    /// Streams that were ended at their first failure. Where there are some, rates over the length
    /// of streams are empty: those of the others, which went well, would count for all. Where streams
    /// may be ended so, rates over moments (R4, R6) are empty in any case.
    pub ended_early: u64,
}

/// The part of LOAD that streams have to reach, on average.
const ENOUGH: f64 = 0.9;

impl SummaryRow {
    /// Whether it has rates over the length of its streams: some were run, and none was ended at
    /// its first failure.
    pub const fn is_whole(&self) -> bool {
        self.streams > 0 && self.ended_early == 0
    }

    /// The area of `board` that is filled most by what is asked of it, and LOAD as a share of it: mean
    /// over streams. None where LOAD was not measured.
    pub fn fullest(&self, board: &Board) -> Option<(usize, f64)> {
        let share = |(index, load): (usize, &Option<f64>)| {
            let area = &board.areas.get(index)?.area;
            Some((index, (*load)? / area.pages() as f64))
        };
        let shares = self.area_loads.iter().enumerate().filter_map(share);
        // The first of equals.
        shares.rev().max_by(|a, b| a.1.total_cmp(&b.1))
    }

    /// The most pages of the fullest stream in the area that it fills most, and the pages of that.
    pub fn fullest_most(&self, board: &Board) -> Option<(u64, u64)> {
        let most = |(place, load): (&BoardArea, &Option<u64>)| Some(((*load)?, place.area.pages()));
        let all = board.areas.iter().zip(&self.area_loads_most).filter_map(most);
        let share = |(load, pages): &(u64, u64)| *load as f64 / *pages as f64;
        all.rev().max_by(|a, b| share(a).total_cmp(&share(b)))
    }

    /// The measured LOAD of all pages, where it stays well below the one that the plan asks for: the
    /// streams are too short, or their profile has no more clients. Then little of what the row says
    /// is about that LOAD.
    pub fn falls_short(&self, ready: &Ready) -> Option<f64> {
        let asked = ready.plan.load(&self.at)?.share_of(ready.board(&self.at).pages());
        self.load.filter(|load| *load < ENOUGH * asked)
    }
}

/// Every row, configuration by configuration, policies in the order of the plan.
#[derive(Clone, PartialEq, Debug)]
pub struct Summary {
    /// The rows.
    pub rows: Vec<SummaryRow>,
    /// The policy that others are compared with, an index into the plan; none where the plan does
    /// not run it.
    pub baseline: Option<usize>,
}

impl Summary {
    /// Of a policy: the rows in which it is worse for some size class, those classes ascending, and
    /// how many rows it has.
    pub(crate) fn flagged(&self, policy: usize) -> (Vec<&SummaryRow>, Vec<usize>, usize) {
        let (flagged, well): (Vec<_>, Vec<_>) = self
            .rows
            .iter()
            .filter(|row| row.policy == policy)
            .partition(|row| !row.worse_classes.is_empty());
        let classes = flagged.iter().flat_map(|row| row.worse_classes.iter().copied());
        let classes: std::collections::BTreeSet<_> = classes.collect();
        let rows = flagged.len() + well.len();
        (flagged, classes.into_iter().collect(), rows)
    }

    /// The policy that others are compared with.
    pub(super) fn baseline_of(plan: &Plan) -> Option<usize> {
        plan.policies.iter().position(cma_policies::Spec::is_baseline)
    }
}
