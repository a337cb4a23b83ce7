//! Claims that end as a recording says.

use std::collections::BTreeMap;

use cma_policies::{AllocError, Claim, ClaimError, Run};

use super::{Entry, Environment};
use crate::ingest::{Answered, Row};

pub(super) const ENTRY: Entry = Entry {
    name: "scripted",
    about: "claims are busy as often as recorded: for recordings and traces without their pins",
    params: &[],
    reads_script: true,
    is_model: false,
    build: |_, setup| Box::new(Scripted::new(setup.script.clone())),
};

/// How the claims of one request end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ending {
    /// So many claims are busy first.
    pub busy: u64,
    /// What every further claim ends with.
    pub then: Result<(), AllocError>,
}

/// How the claims of each request end, by the time of the op.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Script {
    endings: BTreeMap<u64, Ending>,
}

impl Script {
    /// The request at `at_us` ends so. Claims of a time that is not in the script succeed.
    pub(crate) fn insert(&mut self, at_us: u64, ending: Ending) {
        self.endings.insert(at_us, ending);
    }

    /// How the claims of the request at `at_us` end, where it is in the script.
    pub(crate) fn at(&self, at_us: u64) -> Option<Ending> {
        self.endings.get(&at_us).copied()
    }

    /// The claims of the request of `row` end as is recorded there.
    pub(crate) fn note(&mut self, row: &Row) {
        if let Some(ending) = ending(row) {
            self.insert(row.at_us, ending);
        }
    }
}

/// How the claims of a recorded alloc ended; `None` where no claim failed.
fn ending(row: &Row) -> Option<Ending> {
    let busy = row.recorded.retries.unwrap_or(0);
    let Some(Answered::Number(result)) = row.recorded.result else { return None };
    let then = match result {
        0.. => Ok(()),
        // No place was found: what a claim would have met is not known.
        _ if busy == 0 && row.recorded.refused_at.is_none() => return None,
        -4 => Err(AllocError::Interrupted),
        -12 => Err(AllocError::NoMemory),
        _ => Err(AllocError::Busy),
    };
    (busy > 0 || then.is_err()).then_some(Ending { busy, then })
}

/// Claims that end as a recording says, attempt by attempt.
#[derive(Clone, Debug)]
pub(crate) struct Scripted {
    script: Script,
    now: Option<Ending>,
    claims: u64,
}

impl Scripted {
    /// Claims that end as `script` says.
    pub(super) const fn new(script: Script) -> Self {
        Self { script, now: None, claims: 0 }
    }
}

impl Claim for Scripted {
    fn claim(&mut self, _: Run) -> Result<(), ClaimError> {
        let Some(ending) = self.now else { return Ok(()) };
        self.claims += 1;
        if self.claims <= ending.busy {
            return Err(ClaimError::Busy);
        }
        ending.then.map_err(|error| match error {
            AllocError::NoMemory => ClaimError::NoMemory,
            AllocError::Busy => ClaimError::Busy,
            AllocError::Interrupted => ClaimError::Interrupted,
        })
    }
}

impl Environment for Scripted {
    fn in_use(&mut self, _: Run) {
        self.claims += 1;
    }

    fn advance(&mut self, at_us: u64) {
        self.now = self.script.endings.get(&at_us).copied();
        self.claims = 0;
    }

    fn pin(&mut self, _: Run) -> bool {
        false
    }

    fn unpin(&mut self, _: Run) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_end_as_the_script_says_and_otherwise_well() {
        let mut script = Script::default();
        script.insert(7, Ending { busy: 2, then: Ok(()) });
        script.insert(8, Ending { busy: 0, then: Err(AllocError::NoMemory) });
        let mut pages = Scripted::new(script);
        let run = Run::new(0, 1);
        pages.advance(6);
        assert_eq!(pages.claim(run), Ok(()));
        pages.advance(7);
        let ends = [(); 4].map(|()| pages.claim(run));
        assert_eq!(ends, [Err(ClaimError::Busy), Err(ClaimError::Busy), Ok(()), Ok(())]);
        pages.advance(8);
        assert_eq!(pages.claim(run), Err(ClaimError::NoMemory));
    }
}
