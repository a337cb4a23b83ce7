//! The only loop over ops.

mod left;
mod reaction;
mod rig;

use cma_policies::{AllocError, FreeError, Pfn, Request, Run};

pub use rig::{Rig, Slot};

use self::reaction::Reaction;
use crate::after_failure::{AfterFailure, Callers};
use crate::cause::Cause;
use crate::environment::{Environment, Quiet};
use crate::op::{Op, Part, Timed};
use crate::oracle::{Model, Outcome, Violation, Witness};

/// How long a board is watched.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Until {
    /// So much board time from the first op on, in microseconds; none: as long as there are ops.
    /// What happens at its very end is not seen any more.
    pub time_us: Option<u64>,
    /// No longer than until a caller does not get its memory, from an area or from elsewhere.
    pub first_failure: bool,
}

impl Until {
    /// To the end of the ops.
    pub const END: Self = Self { time_us: None, first_failure: false };

    /// The end, for a stream whose first op is at `first_us`.
    pub(crate) const fn horizon_us(self, first_us: u64) -> u64 {
        match self.time_us {
            Some(time_us) => first_us.saturating_add(time_us),
            None => u64::MAX,
        }
    }
}

/// What became of an op.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answer {
    /// Granted at this page.
    Granted(Pfn),
    /// Refused.
    Refused(AllocError),
    /// It came from the page allocator, no area was asked.
    Bypassed,
    /// It came from the page allocator and went back there.
    FreedElsewhere,
    /// An alloc of an id that is live: not asked. A mistake of the stream, counted.
    IdInUse,
    /// These pages were given back.
    Freed(Run),
    /// A free of an id that holds nothing, or of a part that it does not hold. Counted.
    NothingToFree,
    /// The policy takes back no parts.
    FreeRefused(FreeError),
    /// A pin or an unpin took effect, or did not.
    Pinned(bool),
}

/// One op, what became of it, and the state after it.
#[derive(Clone, Copy, Debug)]
pub struct Step<'a> {
    /// Number of the op in its stream, from 0 on. What happens beside the stream, another try or a
    /// session's end, has the number of the op that the stream has come to.
    pub index: u64,
    /// When, in microseconds.
    pub at_us: u64,
    /// What was asked.
    pub op: Op,
    /// What became of it.
    pub answer: Answer,
    /// How an alloc went.
    pub outcome: Option<&'a Outcome>,
    /// Why it was refused, where it was.
    pub cause: Option<Cause>,
    /// The area refused, and the page allocator served the caller.
    pub fell_back: bool,
    /// Index of the area on its board.
    pub area: usize,
    /// The state of that area after the op.
    pub model: &'a Model,
}

impl Step<'_> {
    /// The request, where the op was one that was asked.
    pub const fn request(&self) -> Option<Request> {
        match (self.op, self.outcome) {
            (Op::Alloc { request, .. }, Some(_)) => Some(request),
            _ => None,
        }
    }

    /// Whether the caller got nothing. One that the page allocator served has what it needs.
    pub(crate) const fn has_failed(&self) -> bool {
        matches!(self.answer, Answer::Refused(_)) && !self.fell_back
    }
}

/// Somebody who watches: metrics, comparisons, pictures.
pub trait Observer {
    /// Called after every op.
    fn step(&mut self, step: &Step<'_>) {
        let _ = step;
    }

    /// Called after every op of [`warm_up`]: it is no request, but what follows meets its pages.
    fn warm_up(&mut self, step: &Step<'_>) {
        let _ = step;
    }

    /// Called for each area of the board as it starts: before the first op, and again where the
    /// board starts anew. `model` is the state that the next op meets.
    fn boot(&mut self, at_us: u64, area: usize, model: &Model) {
        let _ = (at_us, area, model);
    }

    /// Called with every op of the stream before callers make something else of it, and with the
    /// index of the area that it is meant for: none where no area is asked.
    fn asked(&mut self, area: Option<usize>, timed: &Timed) {
        let _ = (area, timed);
    }

    /// Called once at the end, with the time up to which the board was watched: that of the last op,
    /// or what [`Until`] says.
    fn finish(&mut self, end_us: u64) {
        let _ = end_us;
    }
}

/// What ops happen to: a board, or one area of it.
pub trait Stage {
    /// One op.
    ///
    /// # Errors
    /// The law that a policy broke.
    fn step(&mut self, index: u64, timed: Timed) -> Result<Step<'_>, Violation>;

    /// The index of the area that an op is meant for; none where no area is asked.
    fn area_of(&self, op: &Op) -> Option<usize>;

    /// The state of each area, in order.
    fn models(&self) -> Vec<&Model>;

    /// Everything is as it was before the first op, but that nothing is granted. What ends is
    /// checked as by [`Stage::finish`].
    ///
    /// # Errors
    /// The law that a policy broke.
    fn reboot(&mut self) -> Result<(), Violation>;

    /// Checks what remains at the end.
    ///
    /// # Errors
    /// The law that a policy broke.
    fn finish(&mut self) -> Result<(), Violation>;
}

/// One area under its witness.
struct Single<'a> {
    witness: &'a mut Witness,
    environment: &'a mut dyn Environment,
}

impl Stage for Single<'_> {
    fn step(&mut self, index: u64, timed: Timed) -> Result<Step<'_>, Violation> {
        step(index, timed, self.witness, self.environment)
    }

    fn area_of(&self, _: &Op) -> Option<usize> {
        Some(0)
    }

    fn models(&self) -> Vec<&Model> {
        vec![self.witness.model()]
    }

    fn reboot(&mut self) -> Result<(), Violation> {
        unreachable!("callers of a single area go on");
    }

    fn finish(&mut self) -> Result<(), Violation> {
        self.witness.finish()
    }
}

/// Runs `ops` through the policy under `witness` on the pages of `environment`. Memory does not
/// grow with the number of ops.
///
/// # Errors
/// The first law that the policy breaks; the observers have seen every step before it.
pub fn simulate(
    ops: impl IntoIterator<Item = Timed>,
    witness: &mut Witness,
    environment: &mut dyn Environment,
    observers: &mut [&mut dyn Observer],
) -> Result<(), Violation> {
    let mut stage = Single { witness, environment };
    run(ops, AfterFailure::Drop, Until::END, &mut stage, observers)
}

/// As [`simulate`], on a whole board, whose callers do what `callers` says, for as long as `until`
/// says.
///
/// # Errors
/// As [`simulate`].
pub fn run(
    ops: impl IntoIterator<Item = Timed>,
    callers: impl Into<Callers>,
    until: Until,
    stage: &mut dyn Stage,
    observers: &mut [&mut dyn Observer],
) -> Result<(), Violation> {
    let reaction = reaction::of(&callers.into());
    let mut course = Course { stage, observers, reaction, until, failed_us: None };
    let (mut last, mut end_us, mut horizon_us) = (0, 0, u64::MAX);
    let mut is_cut = false;
    for (index, timed) in (0..).zip(ops) {
        if index == 0 {
            course.boot(timed.at_us);
            horizon_us = until.horizon_us(timed.at_us);
        }
        is_cut = timed.at_us >= horizon_us;
        if is_cut {
            break;
        }
        course.wait(index, timed.at_us)?;
        if course.is_over() {
            break;
        }
        course.take(index, timed)?;
        (end_us, last) = (timed.at_us, index);
        if course.is_over() {
            break;
        }
    }
    if is_cut {
        // The board was watched up to there, whether or not anything happened.
        end_us = horizon_us;
        course.wait(last, horizon_us)?;
    } else if !course.is_over() {
        course.wait(last, end_us.saturating_add(1))?;
    }
    if let Some(failed_us) = course.failed_us.filter(|_| course.is_over()) {
        end_us = failed_us;
    }
    course.stage.finish().map_err(|violation| Violation { op: last, ..violation })?;
    for observer in course.observers.iter_mut() {
        observer.finish(end_us);
    }
    Ok(())
}

/// A run, between two ops of its stream.
struct Course<'a, 'b> {
    stage: &'a mut dyn Stage,
    observers: &'a mut [&'b mut dyn Observer],
    reaction: Box<dyn Reaction>,
    until: Until,
    /// When a caller first did not get its memory.
    failed_us: Option<u64>,
}

impl Course<'_, '_> {
    fn boot(&mut self, at_us: u64) {
        for (area, model) in self.stage.models().into_iter().enumerate() {
            for observer in self.observers.iter_mut() {
                observer.boot(at_us, area, model);
            }
        }
    }

    /// Whether nothing more is asked about.
    const fn is_over(&self) -> bool {
        self.until.first_failure && self.failed_us.is_some()
    }

    /// What happens on its own before `until_us`.
    fn wait(&mut self, index: u64, until_us: u64) -> Result<(), Violation> {
        while !self.is_over()
            && let Some(timed) = self.reaction.due(until_us)
        {
            self.happen(index, timed)?;
        }
        Ok(())
    }

    /// An op of the stream, and what follows from it.
    fn take(&mut self, index: u64, timed: Timed) -> Result<(), Violation> {
        let area = self.stage.area_of(&timed.op);
        for observer in self.observers.iter_mut() {
            observer.asked(area, &timed);
        }
        let mut next = self.reaction.offer(timed);
        while let Some(timed) = next {
            self.happen(index, timed)?;
            next = if self.is_over() { None } else { self.reaction.follow() };
        }
        Ok(())
    }

    fn happen(&mut self, index: u64, timed: Timed) -> Result<(), Violation> {
        let step = self.stage.step(index, timed)?;
        for observer in self.observers.iter_mut() {
            observer.step(&step);
        }
        if step.has_failed() {
            self.failed_us.get_or_insert(step.at_us);
        }
        // Nothing follows from what nobody asks about any more.
        let over = self.until.first_failure && self.failed_us.is_some();
        if !over && self.reaction.answered(&step) {
            self.stage.reboot().map_err(|violation| Violation { op: index, ..violation })?;
            self.boot(timed.at_us);
        }
        Ok(())
    }
}

/// Puts in place what was live before a stream began: these ops, on pages where every claim
/// succeeds. `observers` see each as one that nobody asks for.
///
/// # Errors
/// The first law that the policy breaks.
pub fn warm_up(
    ops: impl IntoIterator<Item = Op>,
    witness: &mut Witness,
    observers: &mut [&mut dyn Observer],
) -> Result<(), Violation> {
    for (index, op) in (0..).zip(ops) {
        let step = step(index, Timed { at_us: 0, op }, witness, &mut Quiet)?;
        for observer in observers.iter_mut() {
            observer.warm_up(&step);
        }
    }
    Ok(())
}

/// One op: the body of [`simulate`], for a caller that must look at the policy between two ops.
///
/// # Errors
/// The law that the policy broke.
pub fn step<'a>(
    index: u64,
    Timed { at_us, op }: Timed,
    witness: &'a mut Witness,
    environment: &mut dyn Environment,
) -> Result<Step<'a>, Violation> {
    environment.advance(at_us);
    // The witness counts what the policy was asked, which is less than the ops of a stream.
    let here = |violation| Violation { op: index, ..violation };
    let (mut asked, mut cause) = (false, None);
    let answer = match op {
        Op::Alloc { id, .. } if witness.model().buffer(id).is_some() => Answer::IdInUse,
        Op::Alloc { id, request, .. } => {
            environment.asked_by(request.client());
            asked = true;
            match witness.alloc(id, request, environment).map_err(here)?.answer {
                Ok(pfn) => Answer::Granted(pfn),
                Err(error) => {
                    cause = Some(Cause::of(witness.model(), request, witness.outcome()));
                    Answer::Refused(error)
                }
            }
        }
        Op::Free { id, part } => free(witness, environment, id, part).map_err(here)?,
        Op::Pin(run) => Answer::Pinned(!witness.model().touches_live(run) && environment.pin(run)),
        Op::Unpin(run) => Answer::Pinned(environment.unpin(run)),
    };
    let model = witness.model();
    let outcome = asked.then_some(witness.outcome());
    Ok(Step { index, at_us, op, answer, outcome, cause, fell_back: false, area: 0, model })
}

fn free(
    witness: &mut Witness,
    environment: &mut dyn Environment,
    id: u64,
    part: Option<Part>,
) -> Result<Answer, Violation> {
    let Some(buffer) = witness.model().buffer(id) else { return Ok(Answer::NothingToFree) };
    let Some(Part { offset, count }) = part else {
        // All that is left: one piece, unless parts of it were given back.
        let pieces = buffer.left.clone();
        for piece in &pieces {
            if let Err(error) = witness.free(id, *piece)? {
                return Ok(Answer::FreeRefused(error));
            }
            environment.released(*piece);
        }
        return Ok(Answer::Freed(pieces[0]));
    };
    let run = buffer.pfn.0.checked_add(offset).map(|pfn| Run::new(pfn, count));
    let held = |run: &Run| run.count > 0 && buffer.left.iter().any(|piece| piece.contains(*run));
    let Some(run) = run.filter(held) else { return Ok(Answer::NothingToFree) };
    Ok(match witness.free(id, run)? {
        Ok(()) => {
            environment.released(run);
            Answer::Freed(run)
        }
        Err(error) => Answer::FreeRefused(error),
    })
}
