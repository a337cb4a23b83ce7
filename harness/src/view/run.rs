//! A stream under a policy, filmed.

use std::cell::Cell;

use cma_policies::Area;

use super::film::{Camera, Film};
use crate::environment::Environment;
use crate::ingest::{Event, Source};
use crate::op::{Op, Timed};
use crate::oracle::{Checks, Witness};
use crate::reader::{self, Options};
use crate::replay::{Error, Survey, Under, area, pages};
use crate::simulate::{simulate, warm_up};

/// Films `source`, in which [`survey`](crate::replay::survey) found `survey`, under a policy.
///
/// Op `n` is row `n` of the file, of those that ask for something: what follows from a row, as a
/// buffer that the recorded kernel refused and that is given back at once, has its number. Times
/// are those of the board where it has a clock.
///
/// # Errors
/// As [`replay::run`](crate::replay::run).
pub fn run(
    source: &Source,
    options: &Options,
    survey: &Survey,
    under: &Under<'_>,
) -> Result<Film, Error> {
    let reader = reader::open(source, options)?;
    let area = area(&reader)?;
    let environment = pages(under, &area, survey);
    let before = reader.warm_up();
    let (mut rows, mut failed) = (reader, None);
    let mut pending = None;
    let mut number = None;
    let ops = std::iter::from_fn(|| {
        if let Some(op) = pending.take() {
            return Some(op);
        }
        loop {
            let row = match rows.next()? {
                Ok(row) => row,
                Err(error) => {
                    failed = Some(error);
                    return None;
                }
            };
            if let Event::Op(op) = row.event {
                let next = number.map_or(0, |number| number + 1);
                number = Some(next);
                let timed = |op| (next, Timed { at_us: row.at_us, op });
                pending = row.give_back().map(timed);
                return Some(timed(op.with_cap(under.cap)));
            }
        }
    });
    let mut film = of_ops(&area, before, ops, under, environment)?;
    if let Some(error) = failed {
        return Err(error.into());
    }
    film.ops = number.map_or(0, |number| number + 1);
    film.delay(rows.clock_us().unwrap_or(0));
    Ok(film)
}

/// Films numbered ops after those that bring about what was live `before`.
///
/// # Errors
/// Where the policy cannot be built or breaks a law.
pub fn of_ops(
    area: &Area,
    before: Vec<Op>,
    ops: impl IntoIterator<Item = (u64, Timed)>,
    under: &Under<'_>,
    mut environment: Box<dyn Environment>,
) -> Result<Film, Error> {
    let mut witness = Witness::new(area, under.build(area)?, Checks::SWEEP);
    warm_up(before, &mut witness, &mut [])?;
    let mut film = Film::new(area.clone());
    let mut ops = ops.into_iter().peekable();
    let began_us = ops.peek().map_or(0, |(_, timed)| timed.at_us);
    film.begin(witness.model(), began_us);
    let here = Cell::new(0);
    let mut camera = Camera { film, op: &here };
    let ops = ops.map(|(number, timed)| {
        here.set(number);
        timed
    });
    simulate(ops, &mut witness, environment.as_mut(), &mut [&mut camera])?;
    let mut film = camera.film;
    film.ops = here.get() + 1;
    Ok(film)
}
