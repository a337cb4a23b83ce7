//! What a real kernel did, as it is recorded: no policy is asked.

use cma_policies::{AllocError, ClaimError, Request, Run};

use super::film::Film;
use crate::cause::Cause;
use crate::environment::Spent;
use crate::ingest::{Answered, Event, Recorded, Source};
use crate::kernel::{EBUSY, EINTR};
use crate::op::Op;
use crate::oracle::{Checks, Model, Outcome, Witness};
use crate::reader::{self, Options, Reader};
use crate::replay::{Error, Under, area};
use crate::simulate::warm_up;

/// Films what the recording or trace `source` says that its kernel did. `under` is the policy of
/// that kernel, which puts in place what was live before.
///
/// An answer that contradicts the others, as where events were lost, is counted and left out.
///
/// # Errors
/// Where it cannot be read, states no area, or is a stream, which records no answers.
pub fn recorded(source: &Source, options: &Options, under: &Under<'_>) -> Result<Film, Error> {
    let mut reader = reader::open(source, options)?;
    if !reader.is_recording() {
        let why = "it is a stream, which records no answers; --policy says under which it is run";
        return Err(Error::Ingest(reader.error(why)));
    }
    let area = area(&reader)?;
    let mut witness = Witness::new(&area, under.build(&area)?, Checks::SWEEP);
    warm_up(reader.warm_up(), &mut witness, &mut [])?;
    let mut take = Take { film: Film::new(area), model: witness.model().clone() };
    take.film.begin(&take.model, 0);
    take.rows(&mut reader)?;
    take.film.delay(reader.clock_us().unwrap_or(0));
    Ok(take.film)
}

struct Take {
    film: Film,
    model: Model,
}

impl Take {
    fn rows(&mut self, reader: &mut Reader) -> Result<(), Error> {
        let mut number = 0;
        for row in reader.by_ref() {
            let row = row?;
            let Event::Op(op) = row.event else { continue };
            let at = (row.at_us, number);
            match op {
                Op::Alloc { id, request, .. } => self.alloc(at, id, request, &row.recorded),
                Op::Free { id, .. } if self.model.buffer(id).is_none() => {}
                Op::Free { id, part } => self.free(at, id, part),
                Op::Pin(_) | Op::Unpin(_) => self.film.pins += 1,
            }
            number += 1;
        }
        self.film.ops = number;
        Ok(())
    }

    fn alloc(&mut self, at: (u64, u64), id: u64, request: Request, recorded: &Recorded) {
        let page = match recorded.result {
            Some(Answered::Number(number)) => u64::try_from(number),
            _ => {
                self.film.odd += 1;
                return;
            }
        };
        let Ok(page) = page else {
            let cause = Cause::of(&self.model, request, &outcome(recorded));
            self.film.refuse(at, id, request, cause);
            return;
        };
        let run = self.film.area.run_at(page, request.count());
        let granule = self.film.area.granule();
        let base =
            |run: &Run| self.film.area.range_of(*run).map(|at| self.film.area.ranges()[at].pfn.0);
        let is_on_a_bit =
            |run: &Run| base(run).is_some_and(|base| (run.pfn.0 - base).is_multiple_of(granule));
        let fits = |run: &Run| {
            is_on_a_bit(run) && self.model.buffer(id).is_none() && self.model.map().is_free(*run)
        };
        match run.filter(fits) {
            Some(run) => {
                self.model.grant(id, request, run);
                self.film.grant(at, id, request, run);
            }
            None => self.film.odd += 1,
        }
    }

    fn free(&mut self, at: (u64, u64), id: u64, part: Option<crate::op::Part>) {
        let Some(buffer) = self.model.buffer(id) else { return };
        let pieces: Vec<Run> = match part {
            None => buffer.left.to_vec(),
            Some(part) => {
                let run = buffer.pfn.0.checked_add(part.offset);
                let run = run.map(|pfn| Run::new(pfn, part.count));
                let held = |run: &Run| buffer.left.iter().any(|piece| piece.contains(*run));
                run.filter(held).into_iter().collect()
            }
        };
        if pieces.is_empty() {
            self.film.odd += 1;
            return;
        }
        for piece in pieces {
            self.model.release(id, piece);
        }
        self.film.free(at, id, part);
    }
}

/// What is known of how the claims of a refused call went.
fn outcome(recorded: &Recorded) -> Outcome {
    let number = match recorded.result {
        Some(Answered::Number(number)) => number,
        _ => 0,
    };
    let busy = recorded.retries.unwrap_or(0);
    let ended = if number == i64::from(EINTR) {
        ClaimError::Interrupted
    } else if number == i64::from(EBUSY) || busy > 0 {
        ClaimError::Busy
    } else {
        ClaimError::NoMemory
    };
    Outcome {
        answer: Err(AllocError::NoMemory),
        attempts: busy,
        attempts_in_last_pass: busy,
        busy,
        last_failed: Some((Run::new(0, 1), ended)),
        pauses: 0,
        paused_us: 0,
        spent: Spent::default(),
    }
}
