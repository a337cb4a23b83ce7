//! What happened to an area, event by event.

use cma_policies::{Area, Request, Run};
use rustc_hash::FxHashMap;

use crate::cause::Cause;
use crate::op::{Op, Part};
use crate::oracle::Model;
use crate::simulate::{Answer, Observer, Step};

/// What happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum What {
    /// A buffer was granted, by its index in [`Film::buffers`]; before the first op, it was live.
    Grant(u32),
    /// All that was left of it was given back.
    Free(u32),
    /// A part of it was.
    Part(u32, Part),
    /// A request was refused, by its index in [`Film::refusals`].
    Refusal(u32),
}

/// Something that happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Event {
    /// When, in microseconds.
    pub at_us: u64,
    /// The number of its op, from 0 on, the same under every policy.
    pub op: u64,
    /// What.
    pub what: What,
}

/// A buffer that was granted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Buffer {
    /// Its name in the stream.
    pub id: u64,
    /// What was asked for.
    pub request: Request,
    /// Its pages.
    pub run: Run,
    /// The event that granted it.
    pub event: u32,
}

/// A request that was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// The name that its buffer would have had.
    pub id: u64,
    /// What was asked for.
    pub request: Request,
    /// Why not.
    pub cause: Cause,
    /// The event that it is.
    pub event: u32,
}

/// An area over the time. It takes some 60 bytes for each buffer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Film {
    /// The area.
    pub area: Area,
    /// What happened, in order.
    pub events: Vec<Event>,
    /// How many of these, the first ones, are grants before the first op.
    pub before: usize,
    /// The buffers, in the order of their grants.
    pub buffers: Vec<Buffer>,
    /// The refusals, in order.
    pub refusals: Vec<Refusal>,
    /// Pins and unpins of pages, which no bitmap shows.
    pub pins: u64,
    /// Answers that cannot be shown: grants of pages that are held, or of none of the area.
    pub odd: u64,
    /// The ops that were filmed.
    pub ops: u64,
    /// It is of states that were seen at some moments, which are its ops: buffers have no names, and
    /// what lies between is not known.
    pub snapshots: bool,
    /// The first and the last of these moments, whatever they show.
    pub(super) seen_us: Option<(u64, u64)>,
    /// Buffers that are live, by their names.
    live: FxHashMap<u64, u32>,
}

impl Film {
    /// Of an area to which nothing has happened yet.
    pub fn new(area: Area) -> Self {
        Self {
            area,
            events: Vec::new(),
            before: 0,
            buffers: Vec::new(),
            refusals: Vec::new(),
            pins: 0,
            odd: 0,
            ops: 0,
            snapshots: false,
            seen_us: None,
            live: FxHashMap::default(),
        }
    }

    /// When the first event was, and the last; of moments the first and the last of these.
    pub fn span_us(&self) -> Option<(u64, u64)> {
        if let Some(seen) = self.seen_us {
            return Some(seen);
        }
        let first = self.events.get(self.before).or(self.events.first())?;
        Some((first.at_us, self.events.last()?.at_us))
    }

    /// All times so much later.
    pub fn delay(&mut self, us: u64) {
        for event in &mut self.events {
            event.at_us = event.at_us.saturating_add(us);
        }
    }

    /// Buffer `id` was granted.
    pub(super) fn grant(&mut self, (at_us, op): (u64, u64), id: u64, request: Request, run: Run) {
        let (buffer, event) = (self.buffers.len() as u32, self.events.len() as u32);
        self.buffers.push(Buffer { id, request, run, event });
        self.live.insert(id, buffer);
        self.events.push(Event { at_us, op, what: What::Grant(buffer) });
    }

    /// What `model` holds was live before the first op, in the order of its pages.
    pub(super) fn begin(&mut self, model: &Model, at_us: u64) {
        let mut live: Vec<_> = model.live().collect();
        live.sort_unstable_by_key(|(_, buffer)| buffer.pfn);
        for (id, buffer) in live {
            for piece in &buffer.left {
                self.grant((at_us, 0), id, buffer.request, *piece);
            }
        }
        self.before = self.events.len();
    }

    /// Buffer `id` was given back, or a part of it. What it does not hold is passed over.
    pub(super) fn free(&mut self, (at_us, op): (u64, u64), id: u64, part: Option<Part>) {
        let Some(&buffer) = self.live.get(&id) else { return };
        let what = match part {
            Some(part) => What::Part(buffer, part),
            None => {
                self.live.remove(&id);
                What::Free(buffer)
            }
        };
        self.events.push(Event { at_us, op, what });
    }

    /// A request was refused.
    pub(super) fn refuse(
        &mut self,
        (at_us, op): (u64, u64),
        id: u64,
        request: Request,
        cause: Cause,
    ) {
        let (refusal, event) = (self.refusals.len() as u32, self.events.len() as u32);
        self.refusals.push(Refusal { id, request, cause, event });
        self.events.push(Event { at_us, op, what: What::Refusal(refusal) });
    }
}

/// Films what a policy does: `op` is the number of the op that is run.
pub(super) struct Camera<'a> {
    pub(super) film: Film,
    pub(super) op: &'a std::cell::Cell<u64>,
}

impl Observer for Camera<'_> {
    fn step(&mut self, step: &Step<'_>) {
        let at = (step.at_us, self.op.get());
        match (step.op, step.answer) {
            (Op::Alloc { id, request, .. }, Answer::Granted(pfn)) => {
                self.film.grant(at, id, request, Run { pfn, count: request.count() });
            }
            (Op::Alloc { id, request, .. }, Answer::Refused(_)) => {
                let cause = step.cause.expect("a refused request has a cause");
                self.film.refuse(at, id, request, cause);
            }
            (Op::Free { id, part }, Answer::Freed(_)) => self.film.free(at, id, part),
            (Op::Pin(_) | Op::Unpin(_), _) => self.film.pins += 1,
            _ => {}
        }
    }
}

/// Numbers the ops of areas that were filmed side by side, each in as many ways, as those of one
/// stream: in the order of their times. An op that changed nothing and was refused nothing has no
/// number then.
pub fn number_together(areas: &mut [Vec<Film>]) {
    let mut keys = Vec::new();
    for (area, films) in areas.iter().enumerate() {
        for film in films {
            keys.extend(film.events[film.before..].iter().map(|at| (at.at_us, area, at.op)));
        }
    }
    keys.sort_unstable();
    keys.dedup();
    for (area, films) in areas.iter_mut().enumerate() {
        for film in films {
            for event in &mut film.events[film.before..] {
                let key = (event.at_us, area, event.op);
                event.op = keys.binary_search(&key).expect("it is one of them") as u64;
            }
            film.ops = keys.len() as u64;
        }
    }
}
