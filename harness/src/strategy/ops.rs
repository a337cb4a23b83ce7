//! A stream out of numbers, whatever they are.

use cma_policies::{Area, Request, Run, dma_align};

use super::Streams;
use crate::codec::{count_of, rest_of};
use crate::op::{Op, Part, Timed};

/// What an op does. Where it cannot there is none, so that others can be left out before it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Alloc,
    Free,
    FreePart,
    Pin,
    Unpin,
}

/// A request, as numbers.
#[derive(Clone, Copy, Debug)]
pub(super) struct RequestPick {
    /// Which count, and by which scale, as the codec has them.
    pub(super) number: u32,
    pub(super) scale: u8,
    /// The order, modulo how many there are; none follows the cap.
    pub(super) align: Option<u8>,
    /// Modulo how many there are.
    pub(super) client: u16,
}

/// An op, as numbers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pick {
    /// None: it is left out.
    pub(super) kind: Option<Kind>,
    pub(super) wait_us: u64,
    /// Which buffer or pin, modulo how many there are.
    pub(super) victim: u32,
    /// The request, whose number says the place of a part or of a pin.
    pub(super) request: RequestPick,
}

/// What a stream holds.
struct Held {
    id: u64,
    /// Its pages that are left, counted from its own start, ascending.
    pieces: Vec<Run>,
}

/// A stream as it comes to be.
struct Made<'a> {
    streams: &'a Streams,
    area: &'a Area,
    next_id: u64,
    held: Vec<Held>,
    pins: Vec<Run>,
}

impl Streams {
    /// The ops that these are in `area`; without any the first of them is a request.
    pub(super) fn of(&self, area: &Area, picks: &[Pick]) -> Vec<Timed> {
        let (held, pins) = (Vec::new(), Vec::new());
        let mut made = Made { streams: self, area, next_id: 0, held, pins };
        let mut at_us = 0_u64;
        let timed = |pick: &Pick| {
            at_us = at_us.saturating_add(pick.wait_us.min(self.longest_wait_us));
            Some(Timed { at_us, op: made.op(pick)? })
        };
        let mut ops: Vec<_> = picks.iter().take(self.most_ops).filter_map(timed).collect();
        if let (true, Some(pick)) = (ops.is_empty(), picks.first()) {
            ops.push(Timed { at_us, op: made.alloc(pick) });
        }
        ops
    }

    /// The request that this is in an area of so many pages.
    pub(super) fn request(&self, pick: RequestPick, pages: u64) -> (Request, bool) {
        let count = match (self.sizes.len() as u64).checked_sub(1) {
            Some(last) => self.sizes[(u64::from(pick.number) % (last + 1)) as usize].max(1),
            None => count_of(pick.number, pick.scale, pages),
        };
        let order = pick.align.filter(|_| !self.dma_only);
        let align = match order {
            Some(order) => {
                let (least, most) = ((*self.aligns.start()).min(63), (*self.aligns.end()).min(63));
                least + u32::from(order) % (most.saturating_sub(least) + 1)
            }
            None => dma_align(count, self.cap).min(63),
        };
        let request = Request::new(count, align).expect("a count above 0 and an order below 64");
        (request.with_client(pick.client % self.clients.max(1)), order.is_none())
    }
}

impl Made<'_> {
    fn op(&mut self, pick: &Pick) -> Option<Op> {
        match pick.kind? {
            Kind::Alloc => Some(self.alloc(pick)),
            Kind::Free => self.free(pick),
            Kind::FreePart if self.streams.parts => self.free_part(pick),
            Kind::Pin if self.streams.pins => self.pin(pick),
            Kind::Unpin if self.streams.pins => self.unpin(pick),
            Kind::FreePart | Kind::Pin | Kind::Unpin => None,
        }
    }

    fn alloc(&mut self, pick: &Pick) -> Op {
        let (request, dma) = self.streams.request(pick.request, self.area.pages());
        let id = if self.streams.ids_again {
            let is_free = |id: &u64| self.held.iter().all(|held| held.id != *id);
            (0..).find(is_free).expect("few are held")
        } else {
            self.next_id += 1;
            self.next_id - 1
        };
        self.held.push(Held { id, pieces: vec![Run::new(0, request.count())] });
        Op::Alloc { id, request, dma }
    }

    fn free(&mut self, pick: &Pick) -> Option<Op> {
        let at = (pick.victim as usize).checked_rem(self.held.len())?;
        Some(Op::Free { id: self.held.remove(at).id, part: None })
    }

    fn free_part(&mut self, pick: &Pick) -> Option<Op> {
        let at = (pick.victim as usize).checked_rem(self.held.len())?;
        let held = &mut self.held[at];
        let piece = held.pieces[pick.victim as usize % held.pieces.len()];
        let offset = u64::from(pick.request.number) % piece.count;
        let count = 1 + u64::from(pick.request.scale) * piece.count / 8 % (piece.count - offset);
        let run = Run::new(piece.pfn.0 + offset, count);
        let cut = |piece: &Run| -> Vec<Run> {
            if piece.contains(run) { rest_of(*piece, run).collect() } else { vec![*piece] }
        };
        held.pieces = held.pieces.iter().flat_map(cut).collect();
        let id = held.id;
        if held.pieces.is_empty() {
            self.held.remove(at);
        }
        Some(Op::Free { id, part: Some(Part { offset: run.pfn.0, count }) })
    }

    /// What is pinned already is let go.
    fn pin(&mut self, pick: &Pick) -> Option<Op> {
        let mut page = u64::from(pick.request.number) % self.area.pages();
        let range = self.area.ranges().iter().find(|range| {
            let is_in = page < range.count;
            page -= if is_in { 0 } else { range.count };
            is_in
        })?;
        let count = (1 + u64::from(pick.request.scale % 4)).min(range.count - page);
        let run = Run::new(range.pfn.0 + page, count);
        if let Some(at) = self.pins.iter().position(|pin| pin.overlaps(run)) {
            return Some(Op::Unpin(self.pins.remove(at)));
        }
        self.pins.push(run);
        Some(Op::Pin(run))
    }

    fn unpin(&mut self, pick: &Pick) -> Option<Op> {
        let at = (pick.victim as usize).checked_rem(self.pins.len())?;
        Some(Op::Unpin(self.pins.remove(at)))
    }
}
