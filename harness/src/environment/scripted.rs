//! Claims that end as a recording says.

use std::collections::BTreeMap;

use cma_policies::{AllocError, Claim, ClaimError, Run};

use super::{Entry, Environment};
use crate::ingest::{Answered, Row};
use crate::kernel::{EINTR, ENOMEM, Errno, Kernel, Sign};

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

    /// The claims of the request of `row`, which `kernel` answered, end as is recorded there.
    pub(crate) fn note(&mut self, row: &Row, kernel: Option<&Kernel>) {
        if let Some(ending) = ending(row, kernel) {
            self.insert(row.at_us, ending);
        }
    }
}

/// How the claims of a recorded alloc ended; `None` where no claim failed.
fn ending(row: &Row, kernel: Option<&Kernel>) -> Option<Ending> {
    let busy = row.recorded.retries.unwrap_or(0);
    let Some(Answered::Number(result)) = row.recorded.result else { return None };
    // Only a claim hears of a signal or of missing memory, whatever page the finish event names:
    // -12 is the answer where no place was found up to 6.14, and of a claim alone from then on.
    let of_claim = |errno: Errno| {
        errno == EINTR || errno == ENOMEM && kernel.is_some_and(|row| row.shows(Sign::BusyUnfound))
    };
    let then = match Errno::try_from(result).unwrap_or(Errno::MAX) {
        0.. => Ok(()),
        // No place was found: what a claim would have met is not known.
        errno if !of_claim(errno) && busy == 0 && row.recorded.refused_at.is_none() => return None,
        EINTR => Err(AllocError::Interrupted),
        ENOMEM => Err(AllocError::NoMemory),
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
    use crate::ingest::{Event, Recorded};

    /// How the claims of a request end that the kernel of this name refused so: errno, busy claims,
    /// the page that was tried last.
    fn refused(kernel: &str, errno: i64, busy: u64, refused_at: Option<u64>) -> Option<Ending> {
        let result = Some(Answered::Number(errno));
        let recorded = Recorded { result, retries: Some(busy), refused_at, ..Recorded::default() };
        ending(&Row { line: 1, at_us: 7, event: Event::Look, recorded }, Kernel::find(kernel))
    }

    #[test]
    fn a_request_that_a_signal_ended_is_no_refusal_for_want_of_a_place() {
        let interrupted = |busy| Some(Ending { busy, then: Err(AllocError::Interrupted) });
        for kernel in ["6.1", "6.12", "7.3"] {
            assert_eq!(refused(kernel, -4, 0, None), interrupted(0), "{kernel}");
            assert_eq!(refused(kernel, -4, 3, Some(64)), interrupted(3), "{kernel}");
        }
    }

    #[test]
    fn errno_12_is_of_a_claim_where_the_kernel_has_another_for_no_place() {
        let no_memory = Some(Ending { busy: 0, then: Err(AllocError::NoMemory) });
        assert_eq!(refused("7.3", -12, 0, None), no_memory);
        assert_eq!(refused("6.12", -12, 0, Some(64)), no_memory, "the page that was tried");
        assert_eq!(refused("6.12", -12, 0, None), None, "no place was found");
        assert_eq!(refused("7.3", -16, 0, None), None, "likewise");
        let busy = Some(Ending { busy: 2, then: Err(AllocError::Busy) });
        assert_eq!(refused("7.3", -16, 2, None), busy);
    }

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
