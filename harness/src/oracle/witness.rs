//! Stands between a policy and everything else, and believes nothing.

use cma_policies::{
    AllocError, Area, Attempt, ClaimError, FreeError, Last, MAX_PAUSES, Next, Pfn, Policy,
    Promises, Request, Run,
};
use rustc_hash::FxHashSet;

use super::{Model, Violation, name};
use crate::environment::{Environment, Spent};

/// How much is checked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Checks {
    /// The policy's whole list of free runs is compared with the model at every so many ops (1 in
    /// law tests, 1024 in sweeps). Everything else is checked at every op.
    pub free_runs_every: u64,
}

impl Checks {
    /// As law tests check.
    pub const EVERY_OP: Self = Self { free_runs_every: 1 };
    /// As sweeps check.
    pub const SWEEP: Self = Self { free_runs_every: 1024 };
}

/// What came of one request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Outcome {
    /// The first page, or why not.
    pub answer: Result<Pfn, AllocError>,
    /// Claims made.
    pub attempts: u64,
    /// Claims made since the last pause.
    pub attempts_in_last_pass: u64,
    /// Claims that were busy.
    pub busy: u64,
    /// The last claim that failed.
    pub last_failed: Option<(Run, ClaimError)>,
    /// Pauses, and their microseconds together.
    pub pauses: u64,
    /// Microseconds of all pauses.
    pub paused_us: u64,
    /// What its claims took.
    pub spent: Spent,
}

impl Outcome {
    /// Nothing was tried.
    fn none() -> Self {
        Self {
            answer: Err(AllocError::NoMemory),
            attempts: 0,
            attempts_in_last_pass: 0,
            busy: 0,
            last_failed: None,
            pauses: 0,
            paused_us: 0,
            spent: Spent::default(),
        }
    }
}

/// A policy under oath: every attempt, grant and free of it is checked against the model.
#[derive(Debug)]
pub struct Witness {
    policy: Box<dyn Policy>,
    promises: Promises,
    model: Model,
    checks: Checks,
    /// Requests and frees that the policy has answered.
    ops: u64,
    tried: FxHashSet<Pfn>,
    outcome: Outcome,
}

impl Witness {
    /// A fresh policy and the model of `area`, for which it was built: what area the policy says it
    /// serves is not asked.
    pub fn new(area: &Area, policy: Box<dyn Policy>, checks: Checks) -> Self {
        let model = Model::new(area.clone());
        let promises = policy.promises();
        let (tried, outcome) = (FxHashSet::default(), Outcome::none());
        Self { policy, promises, model, checks, ops: 0, tried, outcome }
    }

    /// The truth.
    pub const fn model(&self) -> &Model {
        &self.model
    }

    /// How the last request went.
    pub const fn outcome(&self) -> &Outcome {
        &self.outcome
    }

    /// What the policy promised.
    pub const fn promises(&self) -> Promises {
        self.promises
    }

    /// Visits the free runs as the policy says them: for a comparison with what was recorded.
    pub fn free_runs(&self, visit: &mut dyn FnMut(Run)) {
        self.policy.free_runs(visit);
    }

    fn area(&self) -> &Area {
        self.model.area()
    }

    fn violation(&self, law: &'static str, what: String) -> Violation {
        Violation { law, op: self.ops, what }
    }

    /// Asks the policy for buffer `id`, which must not be live.
    ///
    /// # Errors
    /// The law that the policy broke.
    pub fn alloc(
        &mut self,
        id: u64,
        request: Request,
        pages: &mut dyn Environment,
    ) -> Result<&Outcome, Violation> {
        assert!(self.model.buffer(id).is_none(), "buffer {id} is live");
        self.outcome = Outcome::none();
        self.tried.clear();
        let limit = self.area().pages().saturating_mul(8);
        let mut last = None;
        self.outcome.answer = loop {
            if self.outcome.attempts_in_last_pass > limit || self.outcome.pauses > MAX_PAUSES {
                let what =
                    format!("{limit} attempts or {MAX_PAUSES} pauses did not end {request:?}");
                return Err(self.violation(name::TERMINATION, what));
            }
            match self.policy.propose(request, last) {
                Next::Try(attempt) => {
                    self.check_attempt(request, attempt)?;
                    if !self.tried.is_empty() && self.tried.contains(&attempt.run.pfn) {
                        let what = format!("{} was proposed twice", attempt.run);
                        return Err(self.violation(name::TERMINATION, what));
                    }
                    self.outcome.attempts += 1;
                    self.outcome.attempts_in_last_pass += 1;
                    match self.claim(attempt.run, pages) {
                        Ok(()) => {
                            self.policy.settle(attempt, true);
                            self.model.grant(id, request, attempt.run);
                            break Ok(attempt.run.pfn);
                        }
                        Err(error) => {
                            self.policy.settle(attempt, false);
                            self.outcome.busy += u64::from(error == ClaimError::Busy);
                            self.outcome.last_failed = Some((attempt.run, error));
                            self.tried.insert(attempt.run.pfn);
                            last = Some(Last::Failed(attempt, error));
                        }
                    }
                }
                Next::Pause { us, cookie } => {
                    self.outcome.pauses += 1;
                    self.outcome.paused_us = self.outcome.paused_us.saturating_add(us);
                    if pages.pause(us).is_err() {
                        break Err(AllocError::Interrupted);
                    }
                    self.tried.clear();
                    self.outcome.attempts_in_last_pass = 0;
                    last = Some(Last::Paused { cookie });
                }
                Next::Refuse(error) => {
                    self.check_refusal(request, error, &self.outcome)?;
                    break Err(error);
                }
            }
        };
        self.outcome.spent = pages.spent();
        self.count_op()?;
        Ok(&self.outcome)
    }

    /// Claims `run`. A live page in it, whose granule was freed under it, makes that busy.
    fn claim(&self, run: Run, pages: &mut dyn Environment) -> Result<(), ClaimError> {
        if self.model.is_in_use(run) {
            pages.in_use(run);
            return Err(ClaimError::Busy);
        }
        pages.claim(run)
    }

    /// Gives back buffer `id`, or the piece of it at `run`.
    ///
    /// # Errors
    /// The law that the policy broke.
    pub fn free(&mut self, id: u64, run: Run) -> Result<Result<(), FreeError>, Violation> {
        let answer = self.policy.free(run);
        match answer {
            Ok(()) => self.model.release(id, run),
            Err(error) if self.owes(id, run) => {
                let what = format!("buffer {id} at {run} is live, its free was refused: {error}");
                return Err(self.violation(name::FREE, what));
            }
            Err(_) => {}
        }
        self.count_op()?;
        Ok(answer)
    }

    /// Whether the policy has to take back `run` of buffer `id`.
    fn owes(&self, id: u64, run: Run) -> bool {
        let buffer = self.model.buffer(id).expect("a live buffer");
        let is_part = |left: &Run| self.promises.partial_free && left.contains(run);
        buffer.left.iter().any(|left| *left == run || is_part(left))
    }

    fn count_op(&mut self) -> Result<(), Violation> {
        if (self.ops + 1).is_multiple_of(self.checks.free_runs_every) {
            self.finish()?;
        }
        self.ops += 1;
        Ok(())
    }

    fn check_attempt(&self, request: Request, attempt: Attempt) -> Result<(), Violation> {
        let run = attempt.run;
        if run.count != request.count() {
            let what = format!("{} pages asked for, {run} proposed", request.count());
            return Err(self.violation(name::INSIDE, what));
        }
        let Some(range) = self.area().range_of(run) else {
            return Err(self.violation(name::INSIDE, format!("{run} is not inside one range")));
        };
        if !self.model.map().is_free(run) {
            return Err(
                self.violation(name::DISJOINT, format!("{run} was proposed, but is not free"))
            );
        }
        let base = self.area().ranges()[range].pfn.0;
        let bit = self.area().pfn_to_bit(range, run.pfn);
        let mask = self.area().mask(request.align());
        let offset = self.area().offset(range, request.align());
        let on_granule = (run.pfn.0 - base).is_multiple_of(self.area().granule());
        if !on_granule || self.promises.aligned && (bit + offset) & mask != 0 {
            let what = format!(
                "{run} was proposed for order {}: bit {bit}, offset {offset}, mask {mask}",
                request.align()
            );
            return Err(self.violation(name::ALIGNED, what));
        }
        Ok(())
    }

    fn check_refusal(
        &self,
        request: Request,
        error: AllocError,
        outcome: &Outcome,
    ) -> Result<(), Violation> {
        let meant = match outcome.last_failed {
            None => AllocError::NoMemory,
            Some((_, ClaimError::Busy)) => AllocError::Busy,
            Some((_, ClaimError::NoMemory)) => AllocError::NoMemory,
            Some((_, ClaimError::Interrupted)) => AllocError::Interrupted,
        };
        if error != meant {
            let what = format!("refused with \"{error}\", but the claims mean \"{meant}\"");
            return Err(self.violation(name::MEANING, what));
        }
        let counted = self.promises.counted && request.count() > self.model.available_pages();
        let owed = self.promises.complete && outcome.attempts == 0 && !counted;
        if owed && self.policy_fits(request) {
            let what = format!("{request:?} was refused although an aligned fit is free");
            return Err(self.violation(name::COMPLETE, what));
        }
        Ok(())
    }

    /// Whether the policy's own free runs hold an aligned fit. Where it is tight they are the
    /// model's, which answers at once.
    fn policy_fits(&self, request: Request) -> bool {
        if self.promises.tight {
            return self.model.fits(request);
        }
        let mut fits = false;
        self.policy.free_runs(&mut |hole| {
            let Some(range) = self.area().range_of(hole) else { return };
            let search = self.model.map().search(request, range, 0);
            let first = self.area().pfn_to_bit(range, hole.pfn);
            let bits = hole.count >> self.area().order_per_bit();
            let usable = (first + bits).checked_sub(search.align_up(first));
            fits |= usable.is_some_and(|usable| usable >= search.bits);
        });
        fits
    }

    /// Checks the list of free runs: what remains at the end of a run.
    ///
    /// # Errors
    /// The law that the policy broke.
    pub fn finish(&self) -> Result<(), Violation> {
        let mut wrong = None;
        let mut end = (0, Pfn(0));
        let mut pages = 0_u64;
        self.policy.free_runs(&mut |hole| {
            let at = self.area().range_of(hole).map(|range| (range, hole.pfn));
            if wrong.is_none() {
                if hole.count == 0 || at.is_some_and(|at| at < end) {
                    wrong = Some(format!("free run {hole} is empty or out of order"));
                } else if at.is_none() || !self.model.map().is_free(hole) {
                    wrong = Some(format!("free run {hole} is not free"));
                }
            }
            end = at.map_or(end, |(range, _)| (range, hole.end()));
            pages = pages.saturating_add(hole.count);
        });
        if wrong.is_none() && self.promises.tight && pages != self.model.free_pages() {
            wrong = Some(format!("{pages} pages free, the model has {}", self.model.free_pages()));
        }
        match wrong {
            Some(what) => Err(self.violation(name::FREE_RUNS, what)),
            None => Ok(()),
        }
    }
}
