//! Pages whose claims end as a case says, and a list of those claims.

use cma_policies::{Claim, ClaimError, Run};

use crate::codec::{Ending, Script};
use crate::environment::{Environment, Pinned};

/// Claims that a request lives through; then a signal ends it.
const PATIENCE: usize = 80;

/// What a policy asked of the pages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Asked {
    Claim(Run, Result<(), ClaimError>),
    Pause(u64),
}

/// Pages with pins, which the shipped environment keeps too, under a script.
#[derive(Default, Debug)]
pub(super) struct Pages {
    shipped: Pinned,
    pins: Vec<Run>,
    script: Script,
    asked: Vec<Asked>,
}

impl Pages {
    /// A request comes whose claims end so.
    pub(super) fn begin(&mut self, script: Script) {
        self.script = script;
        self.asked.clear();
    }

    /// What was asked since.
    pub(super) fn asked(&self) -> &[Asked] {
        &self.asked
    }
}

impl Claim for Pages {
    fn claim(&mut self, run: Run) -> Result<(), ClaimError> {
        let claims = self.asked.iter().filter(|asked| matches!(asked, Asked::Claim(..))).count();
        let pinned = self.pins.iter().any(|pin| pin.overlaps(run));
        let shipped = self.shipped.claim(run);
        assert_eq!(shipped.is_err(), pinned, "a claim of {run} over the pins {:?}", self.pins);
        let end = match self.script.ending {
            _ if claims >= PATIENCE => Err(ClaimError::Interrupted),
            _ if pinned || claims < usize::from(self.script.busy) => Err(ClaimError::Busy),
            Ending::Granted => Ok(()),
            Ending::NoMemory => Err(ClaimError::NoMemory),
            Ending::Interrupted => Err(ClaimError::Interrupted),
            Ending::Busy => Err(ClaimError::Busy),
        };
        self.asked.push(Asked::Claim(run, end));
        end
    }

    fn pause(&mut self, us: u64) -> Result<(), ClaimError> {
        self.asked.push(Asked::Pause(us));
        Ok(())
    }
}

impl Environment for Pages {
    fn pin(&mut self, run: Run) -> bool {
        let free = !self.pins.iter().any(|pin| pin.overlaps(run));
        assert_eq!(self.shipped.pin(run), free, "a pin of {run} beside {:?}", self.pins);
        if free {
            self.pins.push(run);
        }
        free
    }

    fn unpin(&mut self, run: Run) -> bool {
        let at = self.pins.iter().position(|pin| *pin == run);
        assert_eq!(self.shipped.unpin(run), at.is_some(), "an unpin of {run} in {:?}", self.pins);
        if let Some(at) = at {
            self.pins.remove(at);
        }
        at.is_some()
    }
}
