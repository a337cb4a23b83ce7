//! A board that runs.

use std::collections::HashSet;

use super::{Answer, Stage, Step, step};
use crate::board::Way;
use crate::environment::Environment;
use crate::op::{Op, Timed};
use crate::oracle::{Violation, Witness};

/// An area of a board: its policy under oath, and its pages.
pub struct Slot {
    /// The policy, and the truth.
    pub witness: Witness,
    /// The pages.
    pub pages: Box<dyn Environment>,
}

impl std::fmt::Debug for Slot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Slot").field("witness", &self.witness).finish_non_exhaustive()
    }
}

/// A board that runs: its areas, and the way of each client to one of them.
pub struct Rig<'a> {
    slots: Vec<Slot>,
    /// By the number of the client; of those beyond it the first.
    ways: Vec<Way>,
    /// Buffers that came from the page allocator.
    elsewhere: HashSet<u64>,
    make: Box<dyn Fn(usize) -> Slot + 'a>,
}

impl<'a> Rig<'a> {
    /// A board of `areas` areas, each made by `make` from its index, at the start and at each
    /// reboot. `ways` are those of clients by number, never empty.
    #[must_use]
    pub fn new(areas: usize, ways: Vec<Way>, make: impl Fn(usize) -> Slot + 'a) -> Self {
        assert!(!ways.is_empty(), "nobody has a way");
        let slots = (0..areas).map(&make).collect();
        Self { slots, ways, elsewhere: HashSet::new(), make: Box::new(make) }
    }

    /// The areas in order.
    #[must_use]
    pub fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// The areas in order, to put something in place before a stream begins.
    pub fn slots_mut(&mut self) -> &mut [Slot] {
        &mut self.slots
    }

    fn way(&self, client: u16) -> Way {
        self.ways.get(usize::from(client)).copied().unwrap_or(self.ways[0])
    }

    /// The area that holds buffer `id`; the first if none does.
    fn holder(&self, id: u64) -> usize {
        let holds = |slot: &Slot| slot.witness.model().buffer(id).is_some();
        self.slots.iter().position(holds).unwrap_or(0)
    }

    fn step_in(&mut self, area: usize, index: u64, timed: Timed) -> Result<Step<'_>, Violation> {
        let Slot { witness, pages } = &mut self.slots[area];
        let step = step(index, timed, witness, pages.as_mut())?;
        Ok(Step { area, ..step })
    }

    /// What happens where no area is asked.
    fn pass_by(&self, area: usize, index: u64, timed: Timed, answer: Answer) -> Step<'_> {
        let model = self.slots[area].witness.model();
        let Timed { at_us, op } = timed;
        Step { index, at_us, op, answer, outcome: None, cause: None, fell_back: false, area, model }
    }
}

impl Stage for Rig<'_> {
    fn step(&mut self, index: u64, timed: Timed) -> Result<Step<'_>, Violation> {
        match timed.op {
            Op::Alloc { id, request, dma } => {
                let way = self.way(request.client());
                let holder = &self.slots[self.holder(id)];
                if self.elsewhere.contains(&id) || holder.witness.model().buffer(id).is_some() {
                    return Ok(self.pass_by(way.area, index, timed, Answer::IdInUse));
                }
                if self.area_of(&timed.op).is_none() {
                    self.elsewhere.insert(id);
                    return Ok(self.pass_by(way.area, index, timed, Answer::Bypassed));
                }
                let fits = dma && request.count() <= way.caller.fallback_pages;
                let Slot { witness, pages } = &mut self.slots[way.area];
                let mut step = step(index, timed, witness, pages.as_mut())?;
                step.area = way.area;
                step.fell_back = fits && matches!(step.answer, Answer::Refused(_));
                if step.fell_back {
                    self.elsewhere.insert(id);
                }
                Ok(step)
            }
            Op::Free { id, .. } if self.elsewhere.remove(&id) => {
                Ok(self.pass_by(0, index, timed, Answer::FreedElsewhere))
            }
            Op::Free { id, .. } => self.step_in(self.holder(id), index, timed),
            Op::Pin(run) | Op::Unpin(run) => {
                let holds = |slot: &Slot| slot.witness.model().area().range_of(run).is_some();
                let area = self.slots.iter().position(holds).unwrap_or(0);
                self.step_in(area, index, timed)
            }
        }
    }

    fn area_of(&self, op: &Op) -> Option<usize> {
        let Op::Alloc { request, dma, .. } = op else { return None };
        let way = self.way(request.client());
        let skips = *dma && way.caller.skips_one_page && !way.private && request.count() == 1;
        (!skips).then_some(way.area)
    }

    fn reboot(&mut self) {
        self.slots = (0..self.slots.len()).map(&self.make).collect();
        self.elsewhere.clear();
    }

    fn finish(&mut self) -> Result<(), Violation> {
        self.slots.iter_mut().try_for_each(|slot| slot.witness.finish())
    }
}

impl std::fmt::Debug for Rig<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rig").field("slots", &self.slots.len()).finish_non_exhaustive()
    }
}
