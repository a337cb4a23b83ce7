//! Runs a case against a policy and the naive reference, and shows every moment to the laws.

mod free;
mod open;

use cma_policies::{AllocError, BuildError, FreeError, Pfn, Policy, Promises, Run};

use self::open::Open;
use super::{Build, Check, LAWS, Moment, Reference, Scene};
use crate::codec::{Act, Case, Script, comb};
use crate::oracle::{Model, Violation, name};

/// How a case is run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Mode {
    /// One request at a time, every law at every moment.
    Checked,
    /// One request at a time, for the answers alone.
    Answers,
    /// Requests linger while others come and go, every law at every moment.
    Overlapped,
}

/// What became of an act, as far as two runs can be compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Answer {
    /// Granted at this page after so many claims.
    Granted {
        /// The first page.
        pfn: Pfn,
        /// Claims made.
        attempts: u64,
    },
    /// Refused after so many claims.
    Refused {
        /// What it said.
        error: AllocError,
        /// Claims made.
        attempts: u64,
    },
    /// A free and its answer.
    Freed {
        /// What it said.
        answer: Result<(), FreeError>,
    },
    /// Nothing that the policy was asked, or not yet answered.
    Nothing,
}

/// A live buffer, or what is left of one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Live {
    id: u64,
    pub(crate) run: Run,
}

/// A policy before the laws.
pub(super) struct Trial {
    policy: Box<dyn Policy>,
    promises: Promises,
    mode: Mode,
    reference: Reference,
    model: Model,
    live: Vec<Live>,
    pins: Vec<Run>,
    open: Vec<Open>,
    /// The policy's free runs after its last call; kept only where laws are checked.
    shown: Vec<Run>,
    last_freed: Option<Run>,
    /// The last grant of each range that had one, in the order in which they were made.
    last_grants: Vec<Run>,
    /// Changes of the free runs so far, by anybody.
    changes: u64,
    /// Number of the act.
    op: u64,
    /// Attempts that are marked and not settled.
    under_way: Vec<Run>,
    /// The most pages that may be live.
    most_live: u64,
    log: Option<Vec<String>>,
}

impl Trial {
    /// A fresh policy for the case's area.
    pub(super) fn new(case: &Case, build: Build<'_>, mode: Mode) -> Result<Self, BuildError> {
        let policy = build(case.area.clone())?;
        let mut trial = Self {
            promises: policy.promises(),
            policy,
            mode,
            reference: Reference::new(&case.area),
            model: Model::new(case.area.clone()),
            live: Vec::new(),
            pins: Vec::new(),
            open: Vec::new(),
            shown: Vec::new(),
            last_freed: None,
            last_grants: Vec::new(),
            changes: 0,
            op: 0,
            under_way: Vec::new(),
            most_live: case.most_live(),
            log: None,
        };
        trial.look();
        Ok(trial)
    }

    pub(super) const fn promises(&self) -> Promises {
        self.promises
    }

    pub(super) fn free_runs(&self) -> Vec<Run> {
        let mut runs = Vec::new();
        self.policy.free_runs(&mut |run| runs.push(run));
        runs
    }

    /// Refreshes what the policy shows.
    fn look(&mut self) {
        if self.mode != Mode::Answers {
            self.shown.clear();
            let shown = &mut self.shown;
            self.policy.free_runs(&mut |run| shown.push(run));
        }
    }

    fn note(&mut self, text: impl FnOnce() -> String) {
        let op = self.op;
        if let Some(log) = &mut self.log {
            log.push(format!("op {op}: {}", text()));
        }
    }

    fn violation(&self, law: &'static str, what: String) -> Violation {
        Violation { law, op: self.op, what }
    }

    /// Shows a moment to every law that binds.
    fn show(&self, moment: Moment<'_>) -> Result<(), Violation> {
        if self.mode == Mode::Answers {
            return Ok(());
        }
        let scene = Scene {
            moment,
            area: self.model.area(),
            promises: self.promises,
            reference: &self.reference,
            model: &self.model,
            live: &self.live,
            available: self.available(),
            free_runs: &self.shown,
            last_grants: &self.last_grants,
        };
        for law in LAWS.iter().filter(|law| (law.binds.binds)(self.promises)) {
            if let Check::Moment(check) = law.check {
                check(&scene).map_err(|what| self.violation(law.name, what))?;
            }
        }
        Ok(())
    }

    /// Pages that are neither live nor under way.
    fn available(&self) -> u64 {
        let live = self.live.iter().map(|live| live.run);
        let taken: u64 = live.chain(self.under_way.iter().copied()).map(|run| run.count).sum();
        // Who does not count can have more under way than there is: over live pages.
        self.model.area().pages().saturating_sub(taken)
    }

    /// Pages of free granules as it is known from outside.
    pub(super) fn reference(&self) -> &Reference {
        &self.reference
    }

    /// Does one act. Where requests overlap, the answer may come later.
    pub(super) fn act(&mut self, act: &Act) -> Result<Answer, Violation> {
        let answer = match *act {
            Act::Alloc { request, .. } if !self.is_asked(request.count()) => Answer::Nothing,
            Act::Alloc { request, script, linger } => {
                self.note(|| {
                    let (count, order) = (request.count(), request.align());
                    format!("alloc {count} pages, order {order}, client {}", request.client())
                });
                let mut open = self.begin(request, script, linger);
                let mut answer = self.step(&mut open)?;
                while answer.is_none() && self.mode != Mode::Overlapped {
                    answer = self.step(&mut open)?;
                }
                if answer.is_none() {
                    self.open.push(open);
                }
                answer.unwrap_or(Answer::Nothing)
            }
            Act::Fill { request, times } => {
                let again = Act::Alloc { request, script: Script::default(), linger: 0 };
                let mut answer = Answer::Nothing;
                for _ in 0..Act::times(request, times, self.model.area().pages()) {
                    answer = self.act(&again)?;
                }
                return Ok(answer);
            }
            Act::FreeEvery { stride, phase, class } => {
                let mut answer = Answer::Nothing;
                let live = self.live.iter().map(|live| live.run);
                for run in comb(live, stride, phase, class) {
                    answer = self.free(run)?;
                }
                answer
            }
            Act::Free { .. } | Act::FreePart { .. } | Act::FreeBadly { .. } => {
                match self.named(act) {
                    Some(run) => self.free(run)?,
                    None => Answer::Nothing,
                }
            }
            Act::Pin { at, more } => {
                self.pin(at, more);
                Answer::Nothing
            }
            Act::Unpin { victim } => {
                if !self.pins.is_empty() {
                    let pin = self.pins.remove(victim as usize % self.pins.len());
                    self.note(|| format!("unpin {pin}"));
                }
                Answer::Nothing
            }
        };
        self.tick()?;
        self.op += 1;
        Ok(answer)
    }

    /// Whether the LOAD limit of the case lets a request be made.
    fn is_asked(&self, count: u64) -> bool {
        let live: u64 = self.live.iter().map(|live| live.run.count).sum();
        live.saturating_add(count) <= self.most_live
    }

    fn pin(&mut self, at: u32, more: u8) {
        let span = self.model.area().span();
        let run = Run::new(span.pfn.0 + u64::from(at) % span.count, 1 + u64::from(more));
        // All or nothing, and never over a buffer.
        let taken = self.pins.iter().chain(self.live.iter().map(|live| &live.run));
        if !taken.clone().any(|other| other.overlaps(run)) {
            self.note(|| format!("pin {run}"));
            self.pins.push(run);
        }
    }

    /// Lets the requests that are under way go on.
    fn tick(&mut self) -> Result<(), Violation> {
        for mut open in std::mem::take(&mut self.open) {
            if open.waits() || self.step(&mut open)?.is_none() {
                self.open.push(open);
            }
        }
        Ok(())
    }

    /// Ends what is under way.
    pub(super) fn finish(&mut self) -> Result<(), Violation> {
        while !self.open.is_empty() {
            self.tick()?;
        }
        if self.policy.promises() == self.promises {
            return Ok(());
        }
        Err(self.violation(name::DETERMINISTIC, "the promises have changed".into()))
    }

    /// Does the acts that are `kept`; the answers, act by act.
    fn run(&mut self, case: &Case, kept: &dyn Fn(usize) -> bool) -> Result<Vec<Answer>, Violation> {
        if self.policy.area() != &case.area {
            return Err(self.violation(name::INSIDE, "it serves another area".into()));
        }
        let mut answers = Vec::with_capacity(case.acts.len());
        for (at, act) in case.acts.iter().enumerate() {
            if kept(at) {
                answers.push(self.act(act)?);
            } else {
                self.op += 1;
                answers.push(Answer::Nothing);
            }
        }
        self.finish()?;
        Ok(answers)
    }

    /// Gives back all that is live, the oldest first, every law at every moment of it.
    pub(super) fn drain(&mut self) -> Result<(), Violation> {
        self.finish()?;
        self.mode = Mode::Checked;
        self.look();
        while let Some(live) = self.live.first() {
            self.free(live.run)?;
        }
        Ok(())
    }
}

/// Runs a case; the answers, act by act. None where the policy cannot be built for its area.
pub(super) fn run(case: &Case, build: Build<'_>, mode: Mode) -> Result<Vec<Answer>, Violation> {
    Trial::new(case, build, mode).map_or(Ok(Vec::new()), |mut trial| trial.run(case, &|_| true))
}

/// The same for the answers alone, without the acts that are not `kept`.
pub(super) fn run_without(
    case: &Case,
    build: Build<'_>,
    kept: &dyn Fn(usize) -> bool,
) -> Result<Vec<Answer>, Violation> {
    let trial = Trial::new(case, build, Mode::Answers);
    trial.map_or(Ok(Vec::new()), |mut trial| trial.run(case, kept))
}

/// What happens in a run of a case, line by line, up to the law that it breaks.
pub(super) fn transcript(case: &Case, build: Build<'_>, mode: Mode) -> Vec<String> {
    let Ok(mut trial) = Trial::new(case, build, mode) else { return Vec::new() };
    trial.log = Some(Vec::new());
    drop(trial.run(case, &|_| true));
    trial.log.unwrap_or_default()
}

/// Compares two runs act by act where `kept`, with the pages of the second brought `back`.
pub(super) fn compare(
    law: &'static str,
    what: &str,
    first: &[Answer],
    second: &[Answer],
    kept: impl Fn(usize) -> bool,
    back: impl Fn(Pfn) -> Pfn,
) -> Result<(), Violation> {
    for (at, (first, second)) in first.iter().zip(second).enumerate() {
        let second = match *second {
            Answer::Granted { pfn, attempts } => Answer::Granted { pfn: back(pfn), attempts },
            other => other,
        };
        if kept(at) && *first != second {
            let what = format!("{first:?} at first, {what} {second:?}");
            return Err(Violation { law, op: at as u64, what });
        }
    }
    Ok(())
}

/// Runs with those that touch put together.
pub(super) fn coalesced(runs: &[Run]) -> Vec<Run> {
    let mut whole: Vec<Run> = Vec::new();
    for run in runs {
        match whole.last_mut() {
            Some(last) if last.end() == run.pfn => last.count += run.count,
            _ => whole.push(*run),
        }
    }
    whole
}
