//! Which configuration to choose.

mod candidate;
mod doubts;
mod more;
mod needs;
mod notes;
mod proof;
mod rank;

use crate::stats::Interval;

pub use doubts::Doubt;
pub use more::More;
pub use needs::{Booted, Kconfig, Need, Size};
pub use notes::{Barred, Lead, Note, Without};
pub(super) use rank::choose;

/// The configurations for some streams, ranked.
#[derive(Clone, PartialEq, Debug)]
pub struct Choice {
    /// For which streams.
    pub scope: Scope,
    /// Every board, cap and policy that was tried for them: those that meet the target first, of
    /// these those without a patch of the kernel, then the cheapest in RAM, then the one that needs
    /// least change; then those that do not meet it, the nearest first.
    pub ranked: Vec<Candidate>,
    /// How it ended.
    pub verdict: Verdict,
    /// The one to choose, an index into [`ranked`](Self::ranked): none where none meets the target.
    pub chosen: Option<usize>,
    /// What speaks against relying on it.
    pub doubts: Vec<Doubt>,
    /// What has to be known beside it: how sure it is, what was not tried, what to run next.
    pub notes: Vec<Note>,
}

/// For which streams a choice is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope {
    /// For all that run on the boards: the worst of them counts.
    Together,
    /// For one stream, at one LOAD, under one environment: indices into the plan.
    One {
        /// The stream.
        stream: usize,
        /// Its LOAD; none where it brings its own.
        load: Option<usize>,
        /// The environment.
        environment: usize,
    },
}

/// How choosing ended. The target is that of the plan, or that no stream fails.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// A configuration meets the target.
    Met,
    /// None does, though one could: a larger area, another cap or policy.
    NotMet,
    /// Under every configuration some stream needs more aligned pages than there are: no placement
    /// policy can help.
    Structural,
    /// On every board the LOAD of some stream is larger than the area.
    Overloaded,
    /// Streams are drawn from a fit that does not fail as its file did: see
    /// [`Doubt::NotReproduced`]. Nothing is advised.
    NotReproduced,
}

/// A board, cap and policy.
#[derive(Clone, PartialEq, Debug)]
pub struct Candidate {
    /// The board, an index into the plan; none where the streams bring their area.
    pub board: Option<usize>,
    /// The cap, an index into the plan.
    pub cap: usize,
    /// The policy, an index into the plan.
    pub policy: usize,
    /// Pages of all areas.
    pub pages: u64,
    /// Pages more than those of the smallest board tried.
    pub pages_above_smallest: u64,
    /// Whether it meets the target: with one of the plan, whether that is proven; without, whether
    /// no stream fails.
    pub meets: bool,
    /// p of "the plan's target is missed", of the worst kind of stream; none without a target, or
    /// where no stream has time.
    pub p: Option<f64>,
    /// The race has ended it before its last stream.
    pub dropped: bool,
    /// The target is longer than a stream, and failures become more frequent with age: what was
    /// seen says nothing about later.
    pub ages: bool,
    /// It meets the target, but a larger board fails under the same cap and policy: it passes by
    /// luck, and is not chosen.
    pub larger_fails: bool,
    /// Streams of the worst row, see [`worst_row`](Self::worst_row).
    pub streams: u64,
    /// Those of them in which a caller does not get its memory.
    pub failed: u64,
    /// The share of streams with one, in the worst row; for several rows together it holds for all
    /// of them at once (Bonferroni).
    pub interval: Interval,
    /// The row of the summary that is worst: the largest share of failing streams, then the
    /// earliest first failure.
    pub worst_row: usize,
    /// Rows of the summary that it was judged by.
    pub rows: usize,
    /// The largest measured LOAD of a stream / area (rho); of several areas of that which is filled
    /// most.
    pub rho: Option<f64>,
    /// That LOAD in pages.
    pub live_pages: Option<f64>,
    /// Streams, of all rows, for which no placement policy can do at this size and cap.
    pub structural: u64,
    /// It grants what is not aligned: it cannot be compared with those that do, and is not chosen.
    pub unaligned: bool,
    /// It is worse than the baseline in some size class of some row: it is not chosen.
    pub flagged: bool,
    /// How much has to be changed, to rank equals by: 0 for one area with the cap and the policy of
    /// the kernel.
    pub changes: u32,
    /// What has to be written where for it.
    pub needs: Vec<Need>,
}
