//! What is live and what is free at an event of a film.

use std::collections::BTreeMap;

use cma_policies::kit::AreaMap;
use cma_policies::{Request, Run};

use super::film::{Film, What};

/// A film, stopped before an event.
#[derive(Clone, Debug)]
pub struct State<'a> {
    film: &'a Film,
    map: AreaMap,
    /// Each live piece by its first page: the page past it, and its buffer.
    live: BTreeMap<u64, (u64, u32)>,
    next: usize,
}

impl<'a> State<'a> {
    /// Before everything.
    pub fn new(film: &'a Film) -> Self {
        Self { film, map: AreaMap::new(film.area.clone()), live: BTreeMap::new(), next: 0 }
    }

    /// Before event `event`; it costs as many steps.
    pub fn before(film: &'a Film, event: usize) -> Self {
        let mut state = Self::new(film);
        state.go(event);
        state
    }

    /// Goes on to before event `event`.
    pub fn go(&mut self, event: usize) {
        while self.next < event {
            self.advance();
        }
    }

    /// Which granules are free.
    pub const fn map(&self) -> &AreaMap {
        &self.map
    }

    /// Whether `request` has a place.
    pub fn fits(&self, request: Request) -> bool {
        request.count() <= self.map.longest_usable(request.align())
    }

    /// The live pieces, ascending, each with the index of its buffer.
    pub fn live(&self) -> impl Iterator<Item = (Run, u32)> {
        self.live.iter().map(|(&start, &(end, buffer))| (Run::new(start, end - start), buffer))
    }

    /// The next event takes effect; says whether it changed anything. At the end nothing does.
    pub fn advance(&mut self) -> bool {
        let Some(event) = self.film.events.get(self.next) else {
            self.next = usize::MAX;
            return false;
        };
        self.next += 1;
        match event.what {
            What::Grant(buffer) => {
                let run = self.film.buffers[buffer as usize].run;
                self.map.set(run);
                self.live.insert(run.pfn.0, (run.end().0, buffer));
            }
            What::Free(buffer) => {
                let run = self.film.buffers[buffer as usize].run;
                for (start, end) in self.pieces(run, buffer) {
                    self.give_back(Run::new(start, end - start));
                }
            }
            What::Part(buffer, part) => {
                let start = self.film.buffers[buffer as usize].run.pfn.0 + part.offset;
                self.give_back(Run::new(start, part.count));
            }
            What::Refusal(_) => return false,
        }
        true
    }

    /// What is left of `buffer`, which was granted `run`.
    fn pieces(&self, run: Run, buffer: u32) -> Vec<(u64, u64)> {
        let within = self.live.range(run.pfn.0..run.end().0);
        let own = within.filter(|(_, (_, owner))| *owner == buffer);
        own.map(|(&start, &(end, _))| (start, end)).collect()
    }

    /// `run`, a piece or a part of one, is free.
    fn give_back(&mut self, run: Run) {
        let (from, end) = (run.pfn.0, run.end().0);
        let Some((&start, &(last, buffer))) = self.live.range(..=from).next_back() else { return };
        self.map.release(run, |_, _| {});
        self.live.remove(&start);
        if start < from {
            self.live.insert(start, (from, buffer));
        }
        if end < last {
            self.live.insert(end, (last, buffer));
        }
    }
}
