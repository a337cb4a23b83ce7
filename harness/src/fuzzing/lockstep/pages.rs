//! Pages whose claims end as a case says, and a list of those claims.

use cma_policies::{Claim, ClaimError, Run};

use crate::codec::{Ending, Script};
use crate::environment::{Environment, Pinned};

/// Claims that a request lives through; then a signal ends it.
const PATIENCE: usize = 80;

/// A claim, and how it ended.
pub(super) type Claimed = (Run, Result<(), ClaimError>);

/// Pages with pins, which the shipped environment keeps too, under a script.
#[derive(Default, Debug)]
pub(super) struct Pages {
    shipped: Pinned,
    pins: Vec<Run>,
    script: Script,
    /// Claims over live pages.
    pub(super) in_use: Vec<Run>,
    /// What a request claimed, from one pause to the next.
    pub(super) passes: Vec<Vec<Claimed>>,
    /// Its pauses, in microseconds.
    pub(super) pauses_us: Vec<u64>,
}

impl Pages {
    /// A request comes whose claims end so.
    pub(super) fn begin(&mut self, script: Script) {
        (self.script, self.passes, self.pauses_us) = (script, vec![Vec::new()], Vec::new());
        self.in_use.clear();
    }

    /// What was asked last, where that was a claim.
    pub(super) fn last(&self) -> Option<Claimed> {
        self.passes.last()?.last().copied()
    }
}

impl Claim for Pages {
    fn claim(&mut self, run: Run) -> Result<(), ClaimError> {
        let claims = self.passes.iter().map(Vec::len).sum::<usize>();
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
        self.passes.last_mut().expect("a request has begun").push((run, end));
        end
    }

    fn pause(&mut self, us: u64) -> Result<(), ClaimError> {
        self.pauses_us.push(us);
        self.passes.push(Vec::new());
        Ok(())
    }
}

impl Environment for Pages {
    fn in_use(&mut self, run: Run) {
        self.in_use.push(run);
        let busy = (run, Err(ClaimError::Busy));
        self.passes.last_mut().expect("a request has begun").push(busy);
    }

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
