//! A request under way: proposed, claimed, settled, one step at a time.

use std::collections::BTreeSet;

use cma_policies::{Attempt, ClaimError, Last, MAX_PAUSES, Next, Request, Run};

use super::{Answer, Live, Moment, Trial};
use crate::codec::{Ending, Script};
use crate::law::scene::Asked;
use crate::oracle::{Place, Violation, name};

/// Claims that a request lives through; then a signal ends it. All of a small area, and no more of
/// a large one than there is time for.
const PATIENCE: u64 = 80;

/// A request that has not been answered yet.
#[derive(Debug)]
pub(super) struct Open {
    asked: Asked,
    id: u64,
    script: Script,
    linger: u8,
    wait: u8,
    /// Marked and not claimed yet.
    attempt: Option<Attempt>,
    last: Option<Last>,
    /// The free runs when it came, and the changes up to then and by itself since.
    before: Vec<Run>,
    changes: u64,
    /// The changes up to its last step.
    seen: u64,
}

impl Open {
    /// Whether it waits over this act.
    pub(super) fn waits(&mut self) -> bool {
        let waits = self.wait > 0;
        self.wait = if waits { self.wait - 1 } else { self.linger };
        waits
    }
}

impl Trial {
    pub(super) fn begin(&mut self, request: Request, script: Script, linger: u8) -> Open {
        let asked = Asked {
            request,
            attempts: 0,
            pauses: 0,
            last_failed: None,
            no_memory: false,
            resume: Place::START,
            in_pass: 0,
            tried: BTreeSet::new(),
        };
        Open {
            asked,
            // Ids only have to differ: the act's number does.
            id: self.op,
            script,
            linger,
            wait: linger,
            attempt: None,
            last: None,
            before: self.shown.clone(),
            changes: self.changes,
            seen: self.changes,
        }
    }

    /// One step of a request: ends its attempt, and where that failed asks for the next.
    pub(super) fn step(&mut self, open: &mut Open) -> Result<Option<Answer>, Violation> {
        if let Some(attempt) = open.attempt.take() {
            let answer = self.claim(open, attempt)?;
            if answer.is_some() {
                return Ok(answer);
            }
        }
        if open.seen != self.changes {
            open.asked.tried.clear();
            open.seen = self.changes;
        }
        match self.policy.propose(open.asked.request, open.last) {
            Next::Try(attempt) => {
                self.show(Moment::Proposed { asked: &open.asked, attempt })?;
                self.guard(open, attempt)?;
                open.attempt = Some(attempt);
                open.asked.tried.insert(attempt.run);
                open.asked.attempts += 1;
                open.asked.in_pass += 1;
                self.under_way.push(attempt.run);
                self.reference.set(attempt.run);
                self.model.mark(attempt.run);
                self.change(open);
                self.show(Moment::Marked { attempt })?;
                Ok(None)
            }
            Next::Pause { us, cookie } => {
                self.note(|| format!("  pause of {us} us"));
                open.asked.pauses += 1;
                self.show(Moment::Paused { asked: &open.asked })?;
                open.asked.tried.clear();
                open.asked.in_pass = 0;
                open.asked.resume = Place::START;
                open.last = Some(Last::Paused { cookie });
                Ok(None)
            }
            Next::Refuse(error) => {
                self.note(|| format!("  refused: {error}"));
                self.look();
                let unchanged = self.changes == open.changes;
                let before = unchanged.then_some(open.before.as_slice());
                self.show(Moment::Refused { asked: &open.asked, error, before })?;
                Ok(Some(Answer::Refused { error, attempts: open.asked.attempts }))
            }
        }
    }

    /// The request itself changed the free runs.
    fn change(&mut self, open: &mut Open) {
        self.changes += 1;
        open.changes += 1;
        open.seen += 1;
        self.look();
    }

    /// What has to hold for the run to go on, where no law is asked.
    fn guard(&self, open: &Open, attempt: Attempt) -> Result<(), Violation> {
        let run = attempt.run;
        if !self.reference.is_free(run) {
            return Err(self.violation(name::DISJOINT, format!("{run} is not free")));
        }
        let limit = self.model.area().pages().saturating_mul(8);
        let Asked { in_pass, pauses, .. } = open.asked;
        if in_pass > limit || pauses > MAX_PAUSES {
            let what = format!("{in_pass} attempts did not end {:?}", open.asked.request);
            return Err(self.violation(name::TERMINATION, what));
        }
        Ok(())
    }

    /// Whether a page of `run`, which is claimed, is live or claimed by another: only in granules
    /// that a part was given back in.
    fn is_in_use(&self, run: Run) -> bool {
        let live = self.live.iter().map(|live| live.run);
        live.chain(self.under_way.iter().copied()).any(|other| other.overlaps(run))
    }

    fn outcome(&self, open: &Open, run: Run) -> Result<(), ClaimError> {
        if self.is_in_use(run) {
            return Err(ClaimError::Busy);
        }
        if open.asked.attempts > PATIENCE {
            return Err(ClaimError::Interrupted);
        }
        let pinned = self.pins.iter().any(|pin| pin.overlaps(run));
        if pinned || open.asked.attempts <= u64::from(open.script.busy) {
            return Err(ClaimError::Busy);
        }
        match open.script.ending {
            Ending::Granted => Ok(()),
            Ending::NoMemory => Err(ClaimError::NoMemory),
            Ending::Interrupted => Err(ClaimError::Interrupted),
            Ending::Busy => Err(ClaimError::Busy),
        }
    }

    fn claim(&mut self, open: &mut Open, attempt: Attempt) -> Result<Option<Answer>, Violation> {
        let run = attempt.run;
        let own = self.under_way.iter().position(|other| *other == run);
        self.under_way.swap_remove(own.expect("what is claimed is under way"));
        let outcome = self.outcome(open, run);
        self.policy.settle(attempt, outcome.is_ok());
        match outcome {
            Ok(()) => {
                self.note(|| format!("  granted {run}"));
                self.model.hold(open.id, open.asked.request, run);
                self.live.push(Live { id: open.id, run });
                let range = |run: Run| self.model.area().range_of(run);
                let own = range(run);
                self.last_grants.retain(|other| range(*other) != own);
                self.last_grants.push(run);
                self.changes += 1;
                self.look();
                self.show(Moment::Granted { attempt })?;
                Ok(Some(Answer::Granted { pfn: run.pfn, attempts: open.asked.attempts }))
            }
            Err(error) => {
                self.note(|| format!("  {run}: {error}"));
                self.reference.clear(run);
                self.model.unmark(run);
                self.change(open);
                open.asked.last_failed = Some((run, error));
                open.asked.no_memory |= error == ClaimError::NoMemory;
                open.asked.resume = self.reference.resume_after(open.asked.request, run);
                open.last = Some(Last::Failed(attempt, error));
                self.show(Moment::Unmarked { attempt })?;
                Ok(None)
            }
        }
    }
}
