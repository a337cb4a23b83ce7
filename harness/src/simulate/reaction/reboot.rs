//! The board starts anew.

use super::asked::Asked;
use super::{Reaction, Step, has_failed};
use crate::op::{Op, Timed};

/// The first refusal ends everything that is granted. What was asked for before it is not given
/// back: whoever held it is gone.
#[derive(Default)]
pub(super) struct Reboot {
    /// What was asked for since the board started.
    asked: Asked,
    rebooted: bool,
}

impl Reaction for Reboot {
    fn offer(&mut self, timed: Timed) -> Option<Timed> {
        match timed.op {
            Op::Alloc { id, request, .. } => self.asked.take(id, request.count()),
            Op::Free { id, part } => {
                let here = self.asked.give(id, part).is_some();
                // Before the first reboot a free of nothing is a mistake of the stream, and counted.
                if !here && self.rebooted {
                    return None;
                }
            }
            Op::Pin(_) | Op::Unpin(_) => {}
        }
        Some(timed)
    }

    fn answered(&mut self, step: &Step<'_>) -> bool {
        let failed = has_failed(step);
        if failed {
            self.asked.clear();
            self.rebooted = true;
        }
        failed
    }
}
