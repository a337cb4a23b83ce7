//! A board that runs.

use super::left::{Left, give};
use super::{Answer, Stage, Step, step};
use crate::board::Way;
use crate::environment::Environment;
use crate::op::{Op, Timed};
use crate::oracle::{Model, Violation, Witness};
use crate::page::Page;
use cma_policies::Request;

/// An area of a board: its policy under oath, and its pages.
pub struct Slot {
    /// The policy, and the truth.
    pub witness: Witness,
    /// The pages.
    pub pages: Box<dyn Environment>,
}

/// A board that runs: its areas, and the way of each client to one of them.
pub struct Rig<'a> {
    slots: Vec<Slot>,
    /// By the number of the client; of those beyond it the first.
    ways: Vec<Way>,
    /// Buffers that came from the page allocator, and what is left of each in pages.
    elsewhere: Left,
    /// The size of a page.
    page: Page,
    /// How often the board started.
    boots: u64,
    make: Box<dyn Fn(usize, u64) -> Slot + 'a>,
}

impl<'a> Rig<'a> {
    /// A board of `areas` areas, each made by `make` from its index and the number of the start: 0,
    /// and one more at each reboot. `ways` are those of clients by number.
    ///
    /// # Panics
    /// If `ways` is empty, or one of them leads to no area.
    pub fn new(areas: usize, ways: Vec<Way>, make: impl Fn(usize, u64) -> Slot + 'a) -> Self {
        assert!(!ways.is_empty(), "nobody has a way");
        assert!(ways.iter().all(|way| way.area < areas), "{ways:?} with {areas} areas");
        let slots = (0..areas).map(|area| make(area, 0)).collect();
        let (elsewhere, page) = (Left::default(), Page::Kib4);
        Self { slots, ways, elsewhere, page, boots: 0, make: Box::new(make) }
    }

    /// The same with pages of this size: by it goes what the page allocator can serve.
    pub fn with_page(self, page: Page) -> Self {
        Self { page, ..self }
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
        // The first need not be asked: it is the answer too where none holds it.
        self.slots.iter().skip(1).position(holds).map_or(0, |further| further + 1)
    }

    fn step_in(&mut self, area: usize, index: u64, timed: Timed) -> Result<Step<'_>, Violation> {
        let Slot { witness, pages } = &mut self.slots[area];
        let mut step = step(index, timed, witness, pages.as_mut())?;
        step.area = area;
        Ok(step)
    }

    /// What happens where no area is asked.
    fn pass_by(&self, area: usize, index: u64, timed: Timed, answer: Answer) -> Step<'_> {
        let model = self.slots[area].witness.model();
        let Timed { at_us, op } = timed;
        Step { index, at_us, op, answer, outcome: None, cause: None, fell_back: false, area, model }
    }

    fn alloc(
        &mut self,
        index: u64,
        timed: Timed,
        id: u64,
        request: Request,
        dma: bool,
    ) -> Result<Step<'_>, Violation> {
        let way = self.way(request.client());
        let bypasses = way.bypasses(request, dma);
        let is_live = |slot: &Slot| slot.witness.model().buffer(id).is_some();
        if self.elsewhere.contains_key(&id) || self.slots.iter().any(is_live) {
            return Ok(self.pass_by(way.area, index, timed, Answer::IdInUse));
        }
        if bypasses {
            self.elsewhere.insert(id, request.count());
            return Ok(self.pass_by(way.area, index, timed, Answer::Bypassed));
        }
        let can_fall_back = dma && request.count() <= way.caller.fallback_on(self.page);
        let Slot { witness, pages } = &mut self.slots[way.area];
        let mut step = step(index, timed, witness, pages.as_mut())?;
        step.area = way.area;
        step.fell_back = can_fall_back && matches!(step.answer, Answer::Refused(_));
        if step.fell_back {
            self.elsewhere.insert(id, request.count());
        }
        Ok(step)
    }
}

impl Stage for Rig<'_> {
    fn step(&mut self, index: u64, timed: Timed) -> Result<Step<'_>, Violation> {
        match timed.op {
            Op::Alloc { id, request, dma } => self.alloc(index, timed, id, request, dma),
            Op::Free { id, part } if give(&mut self.elsewhere, id, part).is_some() => {
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
        (!way.bypasses(*request, *dma)).then_some(way.area)
    }

    fn models(&self) -> Vec<&Model> {
        self.slots.iter().map(|slot| slot.witness.model()).collect()
    }

    fn reboot(&mut self) -> Result<(), Violation> {
        self.finish()?;
        self.boots += 1;
        self.slots = (0..self.slots.len()).map(|area| (self.make)(area, self.boots)).collect();
        self.elsewhere.clear();
        Ok(())
    }

    fn finish(&mut self) -> Result<(), Violation> {
        self.slots.iter_mut().try_for_each(|slot| slot.witness.finish())
    }
}
