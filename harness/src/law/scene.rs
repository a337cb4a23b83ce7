//! What a law sees of one moment.

use std::collections::BTreeSet;

use cma_policies::{AllocError, Area, Attempt, ClaimError, FreeError, Promises, Request, Run};

use super::Reference;
use super::trial::Live;
use crate::oracle::{Model, Place};

/// How far a request has come.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Asked {
    /// What was asked for.
    pub request: Request,
    /// Claims made so far.
    pub attempts: u64,
    /// Pauses so far.
    pub pauses: u64,
    /// The last claim that failed.
    pub last_failed: Option<(Run, ClaimError)>,
    /// Whether a claim ended in [`ClaimError::NoMemory`].
    pub no_memory: bool,
    /// Where the kernel's search goes on: the start, or past the last refused place.
    pub resume: Place,
    /// Claims since the last pause.
    pub in_pass: u64,
    /// What was tried since the last pause, or since anything but this request changed the free
    /// runs: a policy that ranks holes may then come by a place again.
    pub tried: BTreeSet<Run>,
}

/// Something that has just happened.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Moment<'a> {
    /// The policy proposed a run. The reference has not marked it yet.
    Proposed {
        /// The request.
        asked: &'a Asked,
        /// What was proposed.
        attempt: Attempt,
    },
    /// The same, after the reference's marking of it.
    Marked {
        /// What was proposed.
        attempt: Attempt,
    },
    /// The claim failed, and the policy and the reference have unmarked it.
    Unmarked {
        /// What was proposed.
        attempt: Attempt,
    },
    /// The claim succeeded: the run is live.
    Granted {
        /// What was granted.
        attempt: Attempt,
    },
    /// The policy asked for time to pass.
    Paused {
        /// The request.
        asked: &'a Asked,
    },
    /// The policy refused.
    Refused {
        /// The request.
        asked: &'a Asked,
        /// What it said.
        error: AllocError,
        /// The policy's free runs as they were when the request came, unless something else
        /// changed them since.
        before: Option<&'a [Run]>,
    },
    /// A free was answered. Where it was right the reference has it free already.
    Freed {
        /// What was given back.
        run: Run,
        /// What the answer must be; an empty run may be refused in any words.
        right: Result<(), FreeError>,
        /// The answer.
        answer: Result<(), FreeError>,
        /// The run was a part of a grant.
        part: bool,
        /// The policy's free runs as they were.
        before: &'a [Run],
    },
}

/// A moment and everything around it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scene<'a> {
    /// What has just happened.
    pub moment: Moment<'a>,
    /// The area.
    pub area: &'a Area,
    /// What the policy promised.
    pub promises: Promises,
    /// The truth.
    pub reference: &'a Reference,
    /// What sweeps take for the truth.
    pub model: &'a Model,
    /// What is granted.
    pub live: &'a [Live],
    /// Pages that are neither live nor under way.
    pub available: u64,
    /// The free runs that the policy shows now.
    pub free_runs: &'a [Run],
    /// The last grant of each range that had one, in the order in which they were made.
    pub last_grants: &'a [Run],
}

impl Scene<'_> {
    /// Whether a policy that counts has to refuse `request` before it searches.
    pub(crate) const fn is_counted_out(&self, request: Request) -> bool {
        self.promises.counted && request.count() > self.available
    }

    /// Whether policy and reference have both seen the moment: before the marking of a proposal the
    /// reference is one step late.
    pub(crate) const fn is_settled(&self) -> bool {
        !matches!(self.moment, Moment::Proposed { .. } | Moment::Paused { .. })
    }
}

/// The request as a policy of these promises places it: one that does not obey the alignment may
/// place it at any granule.
pub(super) fn placed(request: Request, promises: Promises) -> Request {
    let align = if promises.aligned { request.align() } else { 0 };
    Request::new(request.count(), align).expect("a request was of a page, or more")
}

/// `text`, where `holds` does not.
pub(super) fn demand(holds: bool, text: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(text()) }
}

/// Runs as the kernel prints its free list.
pub(super) fn list(runs: &[Run]) -> String {
    let shown: Vec<_> = runs.iter().take(20).map(ToString::to_string).collect();
    let more = if runs.len() > shown.len() { "+..." } else { "" };
    format!("{}{more}", shown.join("+"))
}
