//! Where the log is not enough: what is missing.

use super::super::{AlignFrom, Failure};
use super::{Advice, Missing, What};

/// What to switch on for the next time.
pub(super) fn next_step(failure: &Failure) -> Option<Advice> {
    let incident = &failure.incident;
    let missing = Missing {
        runs: failure.list.is_none() && incident.state.is_none(),
        rest: failure.list.is_some_and(|list| !list.complete),
        order: !matches!(failure.align, Some((_, AlignFrom::Trace | AlignFrom::Debug))),
        busy: incident.busy_retries.is_none(),
        kernel: failure.verdict.is_none()
            && incident.era.flipped.is_none()
            && incident.ret.is_some(),
    };
    (missing != Missing::default()).then_some(Advice::no(What::Collect(missing)))
}
