//! The only loop over ops.

use cma_policies::{AllocError, FreeError, Pfn, Request, Run};

use crate::cause::Cause;
use crate::environment::{Environment, Quiet};
use crate::op::{Op, Part, Timed};
use crate::oracle::{Model, Outcome, Violation, Witness};

/// What became of an op.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answer {
    /// Granted at this page.
    Granted(Pfn),
    /// Refused.
    Refused(AllocError),
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

/// One op, what became of it, and the state behind it.
#[derive(Clone, Copy, Debug)]
pub struct Step<'a> {
    /// Number of the op in its stream, from 0 on.
    pub index: u64,
    /// When, in microseconds.
    pub at_us: u64,
    /// What was asked.
    pub op: Op,
    /// What became of it.
    pub answer: Answer,
    /// How an alloc went.
    pub outcome: Option<Outcome>,
    /// Why it was refused, where it was.
    pub cause: Option<Cause>,
    /// The state behind the op.
    pub model: &'a Model,
}

impl Step<'_> {
    /// The request, where the op was one that was asked.
    #[must_use]
    pub const fn request(&self) -> Option<Request> {
        match (self.op, self.outcome) {
            (Op::Alloc { request, .. }, Some(_)) => Some(request),
            _ => None,
        }
    }
}

/// Somebody who watches: metrics, comparisons, pictures.
pub trait Observer {
    /// Called behind every op.
    fn step(&mut self, step: &Step<'_>);

    /// Called behind every op of [`warm_up`]: it is no request, but what follows meets its pages.
    fn warm_up(&mut self, step: &Step<'_>) {
        let _ = step;
    }

    /// Called once at the end, with the time of the last op.
    fn finish(&mut self, end_us: u64, model: &Model) {
        let _ = (end_us, model);
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
    let (mut end_us, mut last) = (0, 0);
    for (index, timed) in (0..).zip(ops) {
        (end_us, last) = (timed.at_us, index);
        let step = step(index, timed, witness, environment)?;
        for observer in observers.iter_mut() {
            observer.step(&step);
        }
    }
    witness.finish().map_err(|violation| Violation { op: last, ..violation })?;
    for observer in observers.iter_mut() {
        observer.finish(end_us, witness.model());
    }
    Ok(())
}

/// Puts in place what was live before a stream began: these ops, on pages where every claim
/// succeeds. `observers` are told that nobody asks for it.
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
    let mut outcome = None;
    let mut cause = None;
    let answer = match op {
        Op::Alloc { id, .. } if witness.model().buffer(id).is_some() => Answer::IdInUse,
        Op::Alloc { id, request, .. } => {
            let got = witness.alloc(id, request, environment).map_err(here)?;
            outcome = Some(got);
            match got.answer {
                Ok(pfn) => Answer::Granted(pfn),
                Err(error) => {
                    cause = Some(Cause::of(witness.model(), request, &got));
                    Answer::Refused(error)
                }
            }
        }
        Op::Free { id, part } => free(witness, id, part).map_err(here)?,
        Op::Pin(run) => Answer::Pinned(!witness.model().touches_live(run) && environment.pin(run)),
        Op::Unpin(run) => Answer::Pinned(environment.unpin(run)),
    };
    Ok(Step { index, at_us, op, answer, outcome, cause, model: witness.model() })
}

fn free(witness: &mut Witness, id: u64, part: Option<Part>) -> Result<Answer, Violation> {
    let Some(buffer) = witness.model().buffer(id) else { return Ok(Answer::NothingToFree) };
    let Some(Part { offset, count }) = part else {
        // All that is left: one piece, unless parts of it were given back.
        let pieces = buffer.left.clone();
        for piece in &pieces {
            if let Err(error) = witness.free(id, *piece)? {
                return Ok(Answer::FreeRefused(error));
            }
        }
        return Ok(Answer::Freed(pieces[0]));
    };
    let run = buffer.pfn.0.checked_add(offset).map(|pfn| Run::new(pfn, count));
    let held = |run: &Run| run.count > 0 && buffer.left.iter().any(|piece| piece.contains(*run));
    let Some(run) = run.filter(held) else { return Ok(Answer::NothingToFree) };
    Ok(match witness.free(id, run)? {
        Ok(()) => Answer::Freed(run),
        Err(error) => Answer::FreeRefused(error),
    })
}
