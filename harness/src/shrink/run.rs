//! Runs of a stream, for what they show.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use cma_policies::{AllocError, Area, Claim, ClaimError, Pfn, Request, Run};

use super::subject::{Item, Subject};
use super::{Error, Goal};
use crate::cause::Cause;
use crate::environment::{Ending, Environment, Script, Setup, Spent};
use crate::ingest::IngestError;
use crate::kernel::Errno;
use crate::op::Op;
use crate::oracle::{Checks, Violation, Witness, name};
use crate::page::Page;
use crate::replay::{Under, errno, explain};
use crate::simulate::{Answer, Step, step};

/// A request that was refused, and what the area looked like.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// The number of its op, from 0 on.
    pub op: usize,
    /// What was asked for.
    pub request: Request,
    /// Why it was refused.
    pub cause: Cause,
    /// The number after `ret:`; `None` where this kernel prints nothing.
    pub errno: Option<Errno>,
    /// Why, in a sentence with the numbers.
    pub why: String,
    /// Pages that were free.
    pub free_pages: u64,
    /// Pages of the area.
    pub area_pages: u64,
    /// Its holes, ascending.
    pub holes: Vec<Run>,
}

/// What a stream shows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Seen {
    /// A refusal.
    Refused(Refusal),
    /// A policy that broke a law: `op` is its number in the stream.
    Broken(Violation),
}

/// A refusal in a stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Found {
    /// The number of its op, from 0 on.
    pub op: usize,
    /// The line of its file, from 1 on.
    pub line: u64,
    /// Why it was refused.
    pub cause: Cause,
    /// Pages that were free.
    pub free_pages: u64,
}

/// The environment that was asked for, but for claims whose end is known.
pub(super) struct Pages {
    inner: Box<dyn Environment>,
    /// What is pinned: no script makes a claim of that succeed.
    pins: Vec<Run>,
    ending: Option<Ending>,
    claims: u64,
}

impl Pages {
    pub(super) const fn new(inner: Box<dyn Environment>) -> Self {
        Self { inner, pins: Vec::new(), ending: None, claims: 0 }
    }

    /// The claims of the next op end so.
    pub(super) const fn script(&mut self, ending: Option<Ending>) {
        (self.ending, self.claims) = (ending, 0);
    }
}

impl Claim for Pages {
    fn claim(&mut self, run: Run) -> Result<(), ClaimError> {
        let Some(ending) = self.ending else { return self.inner.claim(run) };
        self.claims += 1;
        let is_pinned = self.pins.iter().any(|pin| pin.overlaps(run));
        if is_pinned || self.claims <= ending.busy {
            return Err(ClaimError::Busy);
        }
        ending.then.map_err(|error| match error {
            AllocError::NoMemory => ClaimError::NoMemory,
            AllocError::Busy => ClaimError::Busy,
            AllocError::Interrupted => ClaimError::Interrupted,
        })
    }

    fn pause(&mut self, us: u64) -> Result<(), ClaimError> {
        self.inner.pause(us)
    }
}

impl Environment for Pages {
    fn advance(&mut self, at_us: u64) {
        self.inner.advance(at_us);
    }

    fn asked_by(&mut self, client: u16) {
        self.inner.asked_by(client);
    }

    fn in_use(&mut self, run: Run) {
        self.claims += 1;
        self.inner.in_use(run);
    }

    fn released(&mut self, run: Run) {
        self.inner.released(run);
    }

    fn spent(&mut self) -> Spent {
        self.inner.spent()
    }

    fn pin(&mut self, run: Run) -> bool {
        let pinned = self.inner.pin(run);
        self.pins.extend(pinned.then_some(run));
        pinned
    }

    fn unpin(&mut self, run: Run) -> bool {
        let unpinned = self.inner.unpin(run);
        if unpinned {
            self.pins.retain(|pin| *pin != run);
        }
        unpinned
    }
}

/// Runs `items` and shows each step to `each` until it says that this is enough.
pub(super) fn drive(
    area: &Area,
    items: &[Item],
    under: &Under<'_>,
    checks: Checks,
    each: &mut dyn FnMut(usize, &Step<'_>) -> bool,
) -> Result<(), Error> {
    let here = Cell::new(0);
    let run = || {
        let policy = under.build(area)?;
        let mut witness = Witness::new(area, policy, checks);
        let script = Script::default();
        let inner = under.environment.build(Setup {
            area,
            seed: under.seed,
            script: &script,
            reboots: 0,
            page: Page::default(),
        });
        let mut pages = Pages::new(inner);
        for (at, item) in items.iter().enumerate() {
            here.set(at);
            pages.script(item.ending);
            let step = step(at as u64, item.timed, &mut witness, &mut pages)?;
            if each(at, &step) {
                return Ok(());
            }
        }
        let last = here.get() as u64;
        witness.finish().map_err(|broken| Error::Violation(Violation { op: last, ..broken }))
    };
    guarded(&here, run)
}

/// Runs `run`, which is at op `here`: a policy that panics breaks a law too, and the stream that
/// makes it do so can be shrunk.
pub(super) fn guarded<T>(
    here: &Cell<usize>,
    run: impl FnOnce() -> Result<T, Error>,
) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
        let what = text.unwrap_or_else(|| "it panicked".into());
        Err(Error::Violation(Violation { law: name::PANIC, op: here.get() as u64, what }))
    })
}

/// Every refusal of `subject` up to `most`, and the law that the policy breaks in the end.
///
/// # Errors
/// Where the policy cannot be built for the area.
pub fn find(
    subject: &Subject,
    under: &Under<'_>,
    most: usize,
) -> Result<(Vec<Found>, Option<Violation>), Error> {
    let mut found = Vec::new();
    let ended = drive(&subject.area, &subject.items, under, Checks::SWEEP, &mut |op, step| {
        if let Some(cause) = step.cause {
            let (line, free_pages) = (subject.items[op].line, step.model.free_pages());
            found.push(Found { op, line, cause, free_pages });
        }
        found.len() >= most
    });
    match ended {
        Ok(()) => Ok((found, None)),
        Err(Error::Violation(violation)) => Ok((found, Some(violation))),
        Err(error) => Err(error),
    }
}

/// How much is checked on the way to `goal`: a law is broken as early as it can be seen.
const fn checks(goal: Goal) -> Checks {
    match goal {
        Goal::Refusal { .. } => Checks::SWEEP,
        Goal::Law(_) => Checks::EVERY_OP,
    }
}

/// What the first op that shows `goal` is by `of`, or a law that is broken by `of_law`.
fn shown<T>(
    (area, items): (&Area, &[Item]),
    under: &Under<'_>,
    goal: Goal,
    of: impl Fn(usize, &Step<'_>) -> Option<T>,
    of_law: impl FnOnce(Violation) -> T,
) -> Result<Option<T>, Error> {
    let mut shown = None;
    let ended = drive(area, items, under, checks(goal), &mut |op, step| {
        let (free, pages) = (step.model.free_pages(), area.pages());
        if step.cause.is_some_and(|cause| goal.is_met_by(cause, free, pages)) {
            shown = of(op, step);
        }
        shown.is_some()
    });
    match ended {
        Ok(()) => Ok(shown),
        Err(Error::Violation(broken)) if goal == Goal::Law(broken.law) => Ok(Some(of_law(broken))),
        Err(error) => Err(error),
    }
}

/// The number of the first op that shows `goal`.
pub(super) fn first_to_show(
    area: &Area,
    items: &[Item],
    under: &Under<'_>,
    goal: Goal,
) -> Result<Option<usize>, Error> {
    let number = |broken: Violation| broken.op as usize;
    match shown((area, items), under, goal, |op, _| Some(op), number) {
        Err(Error::Violation(_)) => Ok(None),
        other => other,
    }
}

impl Subject {
    /// What the first op that meets `goal` shows; `None` where none does.
    ///
    /// # Errors
    /// Where the policy cannot be built for the area.
    pub fn run(&self, under: &Under<'_>, goal: Goal) -> Result<Option<Seen>, Error> {
        let refused = |op: usize, step: &Step<'_>| refusal(op, step, under).map(Seen::Refused);
        shown((&self.area, &self.items), under, goal, refused, Seen::Broken)
    }

    /// The first page of each buffer as it is granted, op by op; `None` where none is, and after a
    /// law that the policy breaks.
    pub fn places(&self, under: &Under<'_>) -> Vec<Option<Pfn>> {
        let mut places = vec![None; self.items.len()];
        // What stops it is known where this is asked.
        let _ = drive(&self.area, &self.items, under, Checks::SWEEP, &mut |op, step| {
            if let Answer::Granted(pfn) = step.answer {
                places[op] = Some(pfn);
            }
            false
        });
        places
    }

    /// The refusal of the last request, where it was refused: what a generated test asserts.
    ///
    /// # Errors
    /// Where the policy cannot be built for the area, or breaks a law.
    pub fn last_refusal(&self, under: &Under<'_>) -> Result<Option<Refusal>, Error> {
        let mut seen = None;
        // A recording gives back at once what its kernel refused, so a free may follow it.
        let is_alloc = |item: &Item| matches!(item.timed.op, Op::Alloc { .. });
        let last = self.items.iter().rposition(is_alloc);
        let all = Checks::EVERY_OP;
        drive(&self.area, &self.items, under, all, &mut |op, step| {
            if Some(op) == last {
                seen = refusal(op, step, under);
            }
            false
        })?;
        Ok(seen)
    }
}

fn refusal(op: usize, step: &Step<'_>, under: &Under<'_>) -> Option<Refusal> {
    let (cause, request, outcome) = (step.cause?, step.request()?, step.outcome?);
    let model = step.model;
    let mut holes = Vec::new();
    model.map().for_each_run(&mut |hole| holes.push(hole));
    Some(Refusal {
        op,
        request,
        cause,
        errno: errno(under, model, request.count(), outcome),
        why: explain(model, request, outcome, cause),
        free_pages: model.free_pages(),
        area_pages: model.area().pages(),
        holes,
    })
}

/// The stream does not show what it is to keep.
pub(super) fn unmet(subject: &Subject) -> Error {
    let why = format!("{} ops do not show what is to be kept", subject.items.len());
    Error::Ingest(IngestError { source: "the stream".to_string(), line: 0, column: 0, why })
}
