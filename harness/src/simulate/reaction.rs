//! What callers make of the stream once a request of theirs was refused: one file for each.
//!
//! All of them remember no more than what would be live in the stream, were every request granted.

mod each;
mod next;
mod reboot;
mod retry;
mod session;

use super::{Answer, Step};
use crate::after_failure::{AfterFailure, Callers};
use crate::op::Timed;

/// Stands between the stream and the board.
pub(super) trait Reaction {
    /// When something happens on its own.
    fn next_us(&self) -> Option<u64> {
        None
    }

    /// The next op that happens on its own before `until_us`, the time of the stream's next op.
    fn due(&mut self, until_us: u64) -> Option<Timed> {
        let _ = until_us;
        None
    }

    /// What becomes of an op of the stream; none where it does not happen.
    fn offer(&mut self, timed: Timed) -> Option<Timed>;

    /// What became of an op that happened. Whether the board starts anew.
    fn answered(&mut self, step: &Step<'_>) -> bool;

    /// The next op that follows from the last one at once.
    fn follow(&mut self) -> Option<Timed> {
        None
    }
}

/// What callers do as `callers` says.
pub(super) fn of(callers: &Callers) -> Box<dyn Reaction> {
    match each::Each::new(callers) {
        Some(each) => Box::new(each),
        None => alone(callers.others),
    }
}

/// What all do as `after_failure` says.
fn alone(after_failure: AfterFailure) -> Box<dyn Reaction> {
    match after_failure {
        AfterFailure::Drop | AfterFailure::Fitted => Box::new(Drop),
        AfterFailure::Retry { every_us, times } => Box::new(retry::Retry::new(every_us, times)),
        AfterFailure::Session => Box::new(session::Session::default()),
        AfterFailure::Next { back, oldest } => Box::new(next::Next::new(back, oldest)),
        AfterFailure::Reboot => Box::new(reboot::Reboot::default()),
    }
}

/// They go on without that buffer.
struct Drop;

impl Reaction for Drop {
    fn offer(&mut self, timed: Timed) -> Option<Timed> {
        Some(timed)
    }

    fn answered(&mut self, _: &Step<'_>) -> bool {
        false
    }
}
