//! The board starts anew.

use super::{Reaction, Step};
use crate::op::{Op, Timed};
use crate::simulate::left::{Left, give};

/// The first refusal ends everything that is granted. What was asked for before it is not given
/// back: whoever held it is gone.
#[derive(Default)]
pub(super) struct Reboot {
    /// What was asked for since the board started.
    asked: Left,
    rebooted: bool,
}

impl Reaction for Reboot {
    fn offer(&mut self, timed: Timed) -> Option<Timed> {
        match timed.op {
            Op::Alloc { id, request, .. } => {
                self.asked.insert(id, request.count());
            }
            Op::Free { id, part } => {
                let here = give(&mut self.asked, id, part).is_some();
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
        let failed = step.has_failed();
        if failed {
            self.asked.clear();
            self.rebooted = true;
        }
        failed
    }
}
