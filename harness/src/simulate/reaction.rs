//! What callers make of the stream once a request of theirs was refused.

use super::Step;
use crate::after_failure::AfterFailure;
use crate::op::Timed;

/// Takes the ops of the stream one by one, and gives those that happen.
#[derive(Debug)]
pub(super) struct Reaction {
    offered: Option<Timed>,
}

impl Reaction {
    pub(super) fn new(after_failure: AfterFailure) -> Self {
        let _ = after_failure;
        Self { offered: None }
    }

    /// The next op of the stream.
    pub(super) fn offer(&mut self, timed: Timed) {
        self.offered = Some(timed);
    }

    /// The next op that happens before the stream goes on; none where it is the stream's turn.
    pub(super) fn next(&mut self) -> Option<Timed> {
        self.offered.take()
    }

    /// What became of it. Whether the board starts anew.
    pub(super) fn answered(&mut self, step: &Step<'_>) -> bool {
        let _ = step;
        false
    }
}
