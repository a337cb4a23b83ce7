//! What area the same LOAD takes, from boards that differ in size alone.

mod ladder;
mod like;

use crate::stats::Interval;
use crate::sweep::Plan;

pub(super) use ladder::Ladders;
pub(super) use like::{is_as_large, is_like};

/// One stream at one LOAD, under one environment, cap and policy, on boards of several sizes. All
/// are indices into the plan.
#[derive(Clone, PartialEq, Debug)]
pub struct Sizing {
    /// The stream.
    pub stream: usize,
    /// Its LOAD; none where it brings its own.
    pub load: Option<usize>,
    /// The environment.
    pub environment: usize,
    /// The cap.
    pub cap: usize,
    /// The policy.
    pub policy: usize,
    /// Mean over streams of the measured LOAD: no area below it can work.
    pub load_pages: f64,
    /// Mean over streams of the aligned LOAD at this cap: no area below it can work whatever the
    /// policy. None where every stream was ended before it could be measured.
    pub aligned_load_pages: Option<f64>,
    /// The sizes that were tried, ascending.
    pub sizes: Vec<SizeTried>,
    /// The least area of the streams, as a multiple of its LOAD: see [`Least`].
    pub least: Least,
    /// Pairs of a stream and a size at which it fails although it passes at a smaller one: "the
    /// smallest area without a failure" is not monotone.
    pub anomalies: u64,
    /// Area / LOAD that suffices for *every* stream of this LOAD and largest request, where a
    /// theorem says so: 1 + ceil(log2 n) for first-fit without alignment (Robson, 1977).
    pub certified_per_load: Option<f64>,
}

impl Sizing {
    /// Whether it is of boards that differ from those of `other` in size alone.
    pub(crate) fn is_like(&self, other: &Self, plan: &Plan) -> bool {
        let board = |sizing: &Self| sizing.sizes.first().map(|size| &plan.boards[size.board]);
        board(self).zip(board(other)).is_some_and(|(one, other)| is_like(one, other))
    }
}

/// One size of a board.
#[derive(Clone, PartialEq, Debug)]
pub struct SizeTried {
    /// The board, an index into the plan.
    pub board: usize,
    /// Pages of all its areas.
    pub pages: u64,
    /// Pages / mean LOAD.
    pub per_load: f64,
    /// Streams.
    pub streams: u64,
    /// Those in which a caller does not get its memory.
    pub failed: u64,
    /// The share of streams with one.
    pub interval: Interval,
    /// Streams for which no placement policy can do at this size and cap.
    pub structural: u64,
}

/// Over streams: the least area / LOAD that was tried such that the stream passes there and at
/// every larger size that was tried. What is known is the step of the ladder, not the point
/// between two steps.
#[derive(Clone, PartialEq, Debug)]
pub struct Least {
    /// Streams.
    pub streams: u64,
    /// Streams that pass at every size: the smallest stands for their least.
    pub at_smallest: u64,
    /// Streams that fail at the largest size: their least lies above all that was tried.
    pub above_largest: u64,
    /// The median; none where it lies above the largest size.
    pub median: Option<f64>,
    /// Its interval; an open upper end lies above the largest size.
    pub median_interval: Interval,
    /// The area / LOAD at which 95 % of streams pass; none as for the median.
    pub quantile_95: Option<f64>,
    /// Its interval; an open upper end lies above the largest size, or the streams are too few.
    pub quantile_95_interval: Interval,
}

impl Least {
    /// Whether so large a share of streams passes at every size that what they need may be less
    /// than the smallest that was tried: then the quantile is a bound.
    pub(crate) const fn is_at_most(&self, percent: u64) -> bool {
        self.streams > 0 && self.at_smallest * 100 >= self.streams * percent
    }
}
