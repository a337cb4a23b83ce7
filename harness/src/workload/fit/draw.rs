//! A stream drawn from a model.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, VecDeque};
use std::sync::Arc;

use cma_policies::{Request, dma_align};

use super::model::{Model, Session, Slot, What};
use super::turns::{Turn, Turns};
use crate::board::kind;
use crate::ingest::DEFAULT_CAP;
use crate::op::{Op, Timed};
use crate::seed::{Draws, Seed};

/// Sessions that are looked at when pages come back: those that wait longest.
const LOOKED_AT: usize = 64;
/// Names that clients may have: a request knows their number as a u16.
const MOST_CLIENTS: usize = 65_535;

/// Which session a slot runs, and what of it is live.
struct Running {
    session: Which,
    at_us: u64,
    next: usize,
    /// By number of the buffer in the session its id and pages; none if it is not there.
    held: Vec<Option<(u64, u64)>>,
}

#[derive(Clone, Copy)]
enum Which {
    /// Of a class.
    Drawn(usize, usize),
    /// What stays, by number.
    Resident(usize),
}

/// Where sessions follow each other.
struct Place {
    client: u16,
    /// Of the model; none of what stays.
    slot: Option<usize>,
    /// What it begins with, where it is not drawn.
    resident: usize,
    running: Option<Running>,
    /// What waits for pages: drawn once, so that what is large does not give way to what is small.
    waits: Option<Which>,
    /// It holds as much as it may, in place of all these.
    turns: Option<Turns>,
    draws: Draws,
}

/// The sessions of all slots, merged by time, under one ledger of pages.
pub(super) struct Drawn {
    model: Arc<Model>,
    places: Vec<Place>,
    due: BinaryHeap<Reverse<(u64, usize)>>,
    /// Sessions that wait for pages, longest first.
    waiting: VecDeque<usize>,
    queue: VecDeque<Timed>,
    most_pages: u64,
    live_pages: u64,
    ops_left: u64,
    next_id: u64,
}

/// How often slot `index` of its class is there when LOAD is `target` in place of `load`: in all
/// as many as the share says, the first of a class always.
fn copies(index: u64, target: u64, load: u64) -> u64 {
    let up_to = |n: u64| (u128::from(n) * u128::from(target)).div_ceil(u128::from(load.max(1)));
    (up_to(index + 1) - up_to(index)) as u64
}

/// So many pages where LOAD is `target` in place of `load`.
fn scaled(pages: u64, target: u64, load: u64) -> u64 {
    let pages = u128::from(pages) * u128::from(target) / u128::from(load.max(1));
    u64::try_from(pages).unwrap_or(u64::MAX)
}

impl Drawn {
    /// A stream of so many ops with LOAD at most `target` pages, beside what was there before and
    /// stays, and its clients.
    pub(super) fn new(
        model: &Arc<Model>,
        target: u64,
        seed: &Seed,
        ops: u64,
    ) -> (Self, Vec<String>) {
        let mut drawn = Self {
            model: Arc::clone(model),
            places: Vec::new(),
            due: BinaryHeap::new(),
            waiting: VecDeque::new(),
            queue: VecDeque::new(),
            most_pages: scaled(model.meant_pages, target, model.load_pages)
                .saturating_add(model.before_pages()),
            live_pages: 0,
            ops_left: ops,
            next_id: model.before.len() as u64,
        };
        let mut names = Names::new(&model.clients);
        drawn.put_before();
        for (index, (client, session)) in model.residents.iter().enumerate() {
            for _ in 0..copies(index as u64, target, model.load_pages) {
                let draws = seed.child("resident", index as u64).rng();
                drawn.place(session.at_us, None, index, *client, draws);
            }
        }
        drawn.place_closed(target, seed, &mut names);
        let mut of_class = vec![0; model.classes.len()];
        for (index, slot) in model.slots.iter().enumerate() {
            let number = of_class[slot.class];
            of_class[slot.class] += 1;
            for copy in 0..copies(number, target, model.load_pages) {
                let mut draws = seed.child("slot", index as u64).child("copy", copy).rng();
                // A copy begins somewhere else on the way to the next session; of what happens once
                // while it does.
                let class = &model.classes[slot.class];
                let once_us = class.sessions.first().and_then(|session| session.lasts_us);
                let each_us = match (slot.sessions, once_us) {
                    (..=1, Some(lasts_us)) => lasts_us / 2,
                    (sessions, _) => model.end_us / sessions.max(1),
                };
                let later_us = if copy == 0 { 0 } else { draws.below(each_us.saturating_add(1)) };
                let alone = model.classes[slot.class].pauses.len() == 1;
                let client =
                    if copy > 0 && alone { names.another(slot.client) } else { slot.client };
                drawn.place(slot.at_us + later_us, Some(index), 0, client, draws);
            }
        }
        (drawn, names.names)
    }

    fn place(
        &mut self,
        at_us: u64,
        slot: Option<usize>,
        resident: usize,
        client: u16,
        draws: Draws,
    ) -> &mut Place {
        self.due.push(Reverse((at_us, self.places.len())));
        let (running, waits, turns) = (None, None, None);
        self.places.push(Place { client, slot, resident, running, waits, turns, draws });
        self.places.last_mut().expect("it was pushed")
    }

    /// Those that hold as much as they may: of another LOAD more or less.
    fn place_closed(&mut self, target: u64, seed: &Seed, names: &mut Names) {
        let model = Arc::clone(&self.model);
        let mut number = 0;
        for (index, closed) in model.closed.iter().enumerate() {
            for (at, lane) in closed.lanes.iter().enumerate() {
                let most = scaled(lane.most_pages, target, model.load_pages);
                let mut draws = seed.child("closed", number).rng();
                // What a client that is never at its limit may hold is open: all, in half of the draws.
                let is_open = closed.needed == 0 && draws.below(2) == 1;
                let most = if is_open { u64::MAX } else { most };
                number += 1;
                let turns = Turns::new((index, at), most, closed, &mut draws);
                let client = lane.own.map_or(lane.client, |_| names.another(lane.client));
                self.place(lane.at_us, None, 0, client, draws).turns = Some(turns);
            }
        }
    }

    /// What one of them does now, and when it goes on.
    fn turn(&mut self, at_us: u64, place: usize, mut turns: Turns) {
        let model = Arc::clone(&self.model);
        let closed = &model.closed[turns.closed];
        let lane = &closed.lanes[turns.lane];
        if lane.ends(at_us, model.end_us, closed.gap_us).is_some_and(|end_us| at_us >= end_us) {
            turns.end().into_iter().for_each(|held| self.free(at_us, Some(held)));
            self.places[place].turns = Some(turns);
            // Time goes round: it begins anew where the file does.
            let round_us = (at_us / model.end_us.max(1) + 1).saturating_mul(model.end_us.max(1));
            self.due.push(Reverse((round_us.saturating_add(lane.at_us), place)));
            return;
        }
        let Place { client, draws, .. } = &mut self.places[place];
        let client = *client;
        let (gone, unit, pauses) = match turns.turn(closed, draws) {
            Turn::End(gone) => (gone, None, &closed.pauses_us),
            Turn::Ask(gone, unit) => (gone, Some(unit), &closed.gaps_us),
        };
        let pause_us = if pauses.is_empty() { self.model.end_us } else { *draws.pick(pauses) };
        gone.into_iter().for_each(|held| self.free(at_us, Some(held)));
        let lasts_us = unit.as_ref().map_or(0, |unit| unit.lasts_us);
        if let Some(unit) = unit {
            let mut held = Vec::new();
            self.ask(at_us, client, &unit.asks, u64::MAX, &mut held);
            turns.put(held.into_iter().flatten().collect());
        }
        self.places[place].turns = Some(turns);
        // At least a microsecond, so that time goes on.
        let next_us = at_us.saturating_add(lasts_us).saturating_add(pause_us.max(1));
        self.due.push(Reverse((next_us, place)));
    }

    /// What was live before: it is given back when it was in the file.
    fn put_before(&mut self) {
        for (id, buffer) in (0..).zip(&self.model.before.clone()) {
            self.live_pages = self.live_pages.saturating_add(buffer.count);
            let Some(end_us) = buffer.end_us else { continue };
            let session = Which::Resident(usize::MAX);
            let held = vec![Some((id, buffer.count))];
            let place = self.place(end_us, None, usize::MAX, buffer.client, Seed::new(0).rng());
            place.running = Some(Running { session, at_us: 0, next: 0, held });
        }
    }

    fn slot(&self, place: usize) -> Option<Slot> {
        self.places[place].slot.map(|slot| self.model.slots[slot].clone())
    }

    /// The next session of a place whose turn it is.
    fn pick(&mut self, at_us: u64, place: usize) -> Option<Which> {
        let Some(slot) = self.slot(place) else {
            return Some(Which::Resident(self.places[place].resident));
        };
        let class = &self.model.classes[slot.class];
        let of_phase = &class.by_phase[self.model.is_burst(at_us)];
        let draws = &mut self.places[place].draws;
        if !of_phase.is_empty() {
            return Some(Which::Drawn(slot.class, *draws.pick(of_phase) as usize));
        }
        let sessions = class.sessions.len() as u64;
        (sessions > 0).then(|| Which::Drawn(slot.class, draws.below(sessions) as usize))
    }

    /// Begins a session, or lets it wait for pages. Whether it began.
    fn begin(&mut self, at_us: u64, place: usize) -> bool {
        let waits = self.places[place].waits.take();
        let Some(which) = waits.or_else(|| self.pick(at_us, place)) else { return true };
        let model = Arc::clone(&self.model);
        let session = session(&model, which);
        let room = self.most_pages.saturating_sub(self.live_pages);
        if session.first_pages() > room {
            self.places[place].waits = Some(which);
            return false;
        }
        self.places[place].running =
            Some(Running { session: which, at_us, next: 0, held: Vec::new() });
        self.go_on(at_us, place);
        true
    }

    /// What a running session does at this moment, and when it goes on.
    fn go_on(&mut self, at_us: u64, place: usize) {
        let Some(mut running) = self.places[place].running.take() else { return };
        let client = self.places[place].client;
        if matches!(running.session, Which::Resident(usize::MAX)) {
            let held = running.held.remove(0);
            self.free(at_us, held);
            return;
        }
        let model = Arc::clone(&self.model);
        let session = session(&model, running.session);
        let now_us = session.events[running.next].0;
        while let Some((_, what)) =
            session.events.get(running.next).filter(|event| event.0 == now_us)
        {
            match *what {
                What::Free(number) => {
                    let held = running.held.get_mut(number as usize).and_then(Option::take);
                    self.free(at_us, held);
                    running.next += 1;
                }
                What::Ask(..) => {
                    let group =
                        session.events[running.next..].iter().map_while(|event| match event {
                            (after_us, What::Ask(count, align)) if *after_us == now_us => {
                                Some((*count, *align))
                            }
                            _ => None,
                        });
                    let group: Vec<_> = group.collect();
                    running.next += group.len();
                    self.ask(at_us, client, &group, self.most_pages, &mut running.held);
                }
            }
        }
        if let Some((after_us, _)) = session.events.get(running.next) {
            let next_us = running.at_us.saturating_add(*after_us).max(at_us);
            self.places[place].running = Some(running);
            self.due.push(Reverse((next_us, place)));
        } else if let Some(pause_us) = self.pause(at_us, place) {
            // At least a microsecond from one session to the next, so that time goes on.
            let next_us = at_us.saturating_add(pause_us).max(running.at_us.saturating_add(1));
            self.due.push(Reverse((next_us, place)));
        }
    }

    /// How long a place rests; none of what does not begin again.
    fn pause(&mut self, at_us: u64, place: usize) -> Option<u64> {
        let slot = self.slot(place)?;
        let pauses = &self.model.classes[slot.class].pauses[slot.level];
        let burst = self.model.is_burst(at_us);
        let of_phase = [&pauses[burst], &pauses[1 - burst]];
        let of_phase = of_phase.into_iter().find(|pauses| !pauses.is_empty())?;
        Some(*self.places[place].draws.pick(of_phase))
    }

    /// Asks for a group where it fits below so many pages, all of it or nothing.
    fn ask(
        &mut self,
        at_us: u64,
        client: u16,
        group: &[(u64, Option<u32>)],
        most_pages: u64,
        held: &mut Vec<Option<(u64, u64)>>,
    ) {
        let pages = group.iter().fold(0_u64, |sum, (count, _)| sum.saturating_add(*count));
        let fits = pages <= most_pages.saturating_sub(self.live_pages);
        for &(count, align) in group {
            let order = align.unwrap_or(dma_align(count, DEFAULT_CAP));
            let request = Request::new(count, order).expect("a request of the file");
            let (id, request, dma) = (self.next_id, request.with_client(client), align.is_none());
            held.push(fits.then_some((id, count)));
            if fits {
                self.queue.push_back(Timed { at_us, op: Op::Alloc { id, request, dma } });
                self.next_id += 1;
            }
        }
        self.live_pages += if fits { pages } else { 0 };
    }

    fn free(&mut self, at_us: u64, held: Option<(u64, u64)>) {
        let Some((id, count)) = held else { return };
        self.queue.push_back(Timed { at_us, op: Op::Free { id, part: None } });
        self.live_pages = self.live_pages.saturating_sub(count);
    }

    /// Begins what has waited and finds room.
    fn begin_waiting(&mut self, at_us: u64) {
        for _ in 0..self.waiting.len().min(LOOKED_AT) {
            let Some(place) = self.waiting.pop_front() else { return };
            if !self.begin(at_us, place) {
                self.waiting.push_back(place);
            }
        }
    }
}

fn session(model: &Model, which: Which) -> &Session {
    match which {
        Which::Drawn(class, session) => &model.classes[class].sessions[session],
        Which::Resident(index) => &model.residents[index].1,
    }
}

impl Iterator for Drawn {
    type Item = Timed;

    fn next(&mut self) -> Option<Timed> {
        self.ops_left = self.ops_left.checked_sub(1)?;
        loop {
            if let Some(timed) = self.queue.pop_front() {
                return Some(timed);
            }
            let Reverse((at_us, place)) = self.due.pop()?;
            let before_pages = self.live_pages;
            if let Some(turns) = self.places[place].turns.take() {
                self.turn(at_us, place, turns);
            } else if self.places[place].running.is_some() {
                self.go_on(at_us, place);
            } else if !self.begin(at_us, place) {
                self.waiting.push_back(place);
            }
            if self.live_pages < before_pages {
                self.begin_waiting(at_us);
            }
        }
    }
}

/// The names of clients, and new ones.
struct Names {
    names: Vec<String>,
    taken: BTreeSet<String>,
    next: u64,
}

impl Names {
    fn new(names: &[String]) -> Self {
        Self { names: names.to_vec(), taken: names.iter().cloned().collect(), next: 0 }
    }

    /// One more client of the kind of this one; the same where there is no number left.
    fn another(&mut self, client: u16) -> u16 {
        if self.names.len() >= MOST_CLIENTS {
            return client;
        }
        let of_kind = kind(self.names.get(usize::from(client)).map_or("", String::as_str));
        let of_kind = of_kind.to_string();
        let name = loop {
            let name = format!("{of_kind}{}", self.next);
            self.next += 1;
            if !self.taken.contains(&name) {
                break name;
            }
        };
        self.taken.insert(name.clone());
        self.names.push(name);
        self.names.len() as u16 - 1
    }
}
