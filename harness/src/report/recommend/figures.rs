//! Names and numbers as JSON and CSV have them.

use super::Shown;
use super::words::{is_in_ops, is_one};
use crate::recommend::{Candidate, Evidence, Outcome, SizeAlone, Task, Verdict};
use crate::stats::Interval;

/// The version of both: a key or column never changes its meaning.
pub(super) const SCHEMA: u32 = 1;

/// How often a failure comes, in whole microseconds; of recordings in ops.
pub(super) struct Often {
    /// The mean time between failures; none without a failure, and where no seed changes the
    /// stream, whose times are made up.
    pub(super) mtbf_us: Option<u64>,
    /// The lower end of its 95 % interval, rounded down; none likewise.
    pub(super) low_us: Option<u64>,
    /// The upper end, rounded up; none where it is open, and likewise.
    pub(super) high_us: Option<u64>,
    /// Board time until the first failure of each stream, summed.
    pub(super) at_risk_us: u64,
}

impl Often {
    pub(super) fn of(task: &Task, evidence: &Evidence) -> Self {
        let interval = (!is_one(task)).then(|| evidence.interval(task.target, 0.05));
        let end = |end: fn(&Interval) -> Option<f64>| interval.as_ref().and_then(end);
        Self {
            mtbf_us: evidence
                .mtbf_us()
                .filter(|_| interval.is_some())
                .map(|us| libm::round(us) as u64),
            low_us: end(|it| it.low).map(|us| libm::floor(us) as u64),
            high_us: end(|it| it.high).map(|us| libm::ceil(us) as u64),
            at_risk_us: libm::round(evidence.at_risk_us) as u64,
        }
    }
}

/// What times are counted in.
pub(super) fn unit(task: &Task) -> &'static str {
    if is_in_ops(task) { "ops" } else { "us" }
}

/// How it ended, in a word.
pub(super) fn verdict(shown: &Shown<'_>) -> &'static str {
    match shown.advice.found.as_ref().map(|found| found.outcome) {
        None => "cannot-advise",
        Some(Outcome::AsItIs) => "as-it-is",
        Some(Outcome::Met) => "met",
        Some(Outcome::Unproven) => "unproven",
        Some(Outcome::Nothing) => "nothing",
    }
}

/// Whether a candidate meets the target.
pub(super) const fn meets(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Meets => "meets",
        Verdict::Misses => "misses",
        Verdict::Open => "open",
    }
}

/// The streams that its figures are of.
pub(super) const fn stage(candidate: &Candidate) -> &'static str {
    if candidate.proven.streams > 0 { "proof" } else { "search" }
}

/// Pages more than now; below 0 where they are fewer, none where it is not known what there is.
pub(super) fn more_pages(task: &Task, candidate: &Candidate) -> Option<i64> {
    let pages = candidate.config.pages();
    task.base.pages.map(|own| pages.wrapping_sub(own).cast_signed())
}

/// What the size alone does.
pub(super) const fn alone(size: SizeAlone) -> &'static str {
    match size {
        SizeAlone::Least(_) => "least",
        SizeAlone::None => "none",
        SizeAlone::Open => "open",
    }
}
