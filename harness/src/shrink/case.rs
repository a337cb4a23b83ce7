//! A case of the codec as a stream: what each of its acts names, said outright.

use std::cell::Cell;

use cma_policies::{AllocError, Pfn, Run, Spec};

use super::run::{Pages, guarded};
use super::subject::{Item, Subject};
use crate::codec::{self, Act, Case, comb, part_of, rest_of};
use crate::environment::{Ending, Pinned};
use crate::op::{Op, Part, Timed};
use crate::oracle::{Checks, Witness};
use crate::replay::Error;
use crate::simulate::{Answer, step};

/// The most ops that a case is made: its fills are loops.
const MOST: usize = 1 << 16;

/// What `case` does under `policy`, as a stream: one request at a time, with pins where it has
/// them. Bad frees, which are no ops of a stream, are left out; so is what comes after a law that
/// the policy breaks.
///
/// # Errors
/// Where the policy cannot be built for the area.
pub fn from_case(case: &Case, policy: &Spec) -> Result<Subject, Error> {
    let here = Cell::new(0);
    let mut items = Vec::new();
    let walked = guarded(&here, || {
        let built = policy.build(case.area.clone())?;
        let witness = Witness::new(&case.area, built, Checks::SWEEP);
        let pages = Pages::new(Box::new(Pinned::default()));
        let (live, pins) = (Vec::new(), Vec::new());
        let mut walk = Walk { case, witness, pages, live, pins, items: &mut items };
        case.unfolded(MOST).acts.iter().try_for_each(|act| walk.act(act))
    });
    match walked {
        Ok(()) | Err(Error::Violation(_)) => {}
        Err(error) => return Err(error),
    }
    Ok(Subject { area: case.area.clone(), clients: Vec::new(), items })
}

struct Walk<'a> {
    case: &'a Case,
    witness: Witness,
    pages: Pages,
    /// Each piece that is live, in the order of the grants.
    live: Vec<(u64, Run)>,
    pins: Vec<Run>,
    items: &'a mut Vec<Item>,
}

impl Walk<'_> {
    fn act(&mut self, act: &Act) -> Result<(), Error> {
        match *act {
            Act::Alloc { request, script, .. } => {
                let live = self.witness.model().live_pages();
                if live.saturating_add(request.count()) > self.case.most_live() {
                    return Ok(());
                }
                let id = self.items.len() as u64;
                let op = Op::Alloc { id, request, dma: false };
                if let Answer::Granted(pfn) = self.happen(op, ending(script))? {
                    self.live.push((id, Run { pfn, count: request.count() }));
                }
            }
            Act::Fill { .. } => unreachable!("fills are unfolded"),
            Act::Free { victim } => {
                if let Some((id, run)) = self.victim(victim) {
                    self.free(id, run, run)?;
                }
            }
            Act::FreePart { victim, part } => {
                if let Some((id, run)) = self.victim(victim) {
                    self.free(id, run, part_of(run, self.case.area.granule(), part))?;
                }
            }
            Act::FreeEvery { stride, phase, class } => {
                let live = self.live.iter().map(|(_, run)| *run);
                for run in comb(live, stride, phase, class) {
                    let whose = self.live.iter().find(|(_, other)| *other == run).copied();
                    if let Some((id, run)) = whose {
                        self.free(id, run, run)?;
                    }
                }
            }
            Act::Pin { at, more } => {
                let span = self.case.area.span();
                let run = Run::new(span.pfn.0 + u64::from(at) % span.count, 1 + u64::from(more));
                if let Answer::Pinned(true) = self.step(Op::Pin(run))? {
                    self.said(run, Op::Pin);
                    self.pins.push(run);
                }
            }
            Act::Unpin { victim } => {
                if let Some(at) = (victim as usize).checked_rem(self.pins.len()) {
                    let run = self.pins.remove(at);
                    self.step(Op::Unpin(run))?;
                    self.said(run, Op::Unpin);
                }
            }
            Act::FreeBadly { .. } => {}
        }
        Ok(())
    }

    fn happen(&mut self, op: Op, ending: Option<Ending>) -> Result<Answer, Error> {
        self.push(op, ending);
        self.pages.script(ending);
        self.step(op)
    }

    fn step(&mut self, op: Op) -> Result<Answer, Error> {
        let at_us = self.items.len() as u64;
        let step = step(at_us, Timed { at_us, op }, &mut self.witness, &mut self.pages);
        Ok(step?.answer)
    }

    fn push(&mut self, op: Op, ending: Option<Ending>) {
        let at_us = self.items.len() as u64;
        self.items.push(Item { timed: Timed { at_us, op }, ending, line: 0 });
    }

    /// Says a pin, or the end of one, of what of `run` is in a range: the rest matters to no claim,
    /// and a recording has no number for it.
    fn said(&mut self, run: Run, op: fn(Run) -> Op) {
        for range in self.case.area.ranges() {
            let (start, end) = (run.pfn.max(range.pfn), run.end().min(range.end()));
            if start < end {
                self.push(op(Run { pfn: start, count: end.0 - start.0 }), None);
            }
        }
    }

    fn victim(&self, victim: u32) -> Option<(u64, Run)> {
        let at = (victim as usize).checked_rem(self.live.len())?;
        Some(self.live[at])
    }

    /// Gives back `part` of the live piece `run` of buffer `id`.
    fn free(&mut self, id: u64, run: Run, part: Run) -> Result<(), Error> {
        let Some(buffer) = self.witness.model().buffer(id) else { return Ok(()) };
        let Pfn(first) = buffer.pfn;
        let is_all = buffer.left[..] == [part];
        let named = Part { offset: part.pfn.0 - first, count: part.count };
        let op = Op::Free { id, part: (!is_all).then_some(named) };
        if let Answer::Freed(_) = self.happen(op, None)? {
            let at = self.live.iter().position(|live| *live == (id, run));
            let at = at.expect("what was named is live");
            self.live.remove(at);
            self.live.splice(at..at, rest_of(run, part).map(|rest| (id, rest)));
        }
        Ok(())
    }
}

/// How the claims of a request of a case end; `None` where none fails but for a pin.
fn ending(script: codec::Script) -> Option<Ending> {
    let then = match script.ending {
        codec::Ending::Granted => Ok(()),
        codec::Ending::NoMemory => Err(AllocError::NoMemory),
        codec::Ending::Interrupted => Err(AllocError::Interrupted),
        codec::Ending::Busy => Err(AllocError::Busy),
    };
    let busy = u64::from(script.busy);
    (busy > 0 || then.is_err()).then_some(Ending { busy, then })
}
