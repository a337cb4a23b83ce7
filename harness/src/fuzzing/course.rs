//! The acts of a case as ops of a stream: who holds what, by the answers alone.

use cma_policies::{Area, Pfn, Run};

use crate::codec::{Act, BadFree, Case, Script, comb, part_of, rest_of};
use crate::op::{Op, Part};

/// A buffer as its caller knows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Held {
    pub(super) id: u64,
    pub(super) pfn: Pfn,
    /// What is left of it, ascending.
    pub(super) pieces: Vec<Run>,
}

impl Held {
    /// Takes `run`, which is inside one piece, away from it.
    fn cut(&mut self, run: Run) {
        let cut = |piece: &Run| {
            if piece.contains(run) { rest_of(*piece, run).collect() } else { vec![*piece] }
        };
        self.pieces = self.pieces.iter().flat_map(cut).collect();
    }
}

/// The acts of a case as ops: a victim is a buffer that was granted, by its number among those.
#[derive(Clone, Debug)]
pub(super) struct Course {
    area: Area,
    most_live: u64,
    next_id: u64,
    last_freed: Option<u64>,
    /// The oldest first.
    pub(super) held: Vec<Held>,
    /// The oldest first.
    pub(super) pins: Vec<Run>,
}

impl Course {
    pub(super) fn new(case: &Case) -> Self {
        Self {
            area: case.area.clone(),
            most_live: case.most_live(),
            next_id: 0,
            last_freed: None,
            held: Vec::new(),
            pins: Vec::new(),
        }
    }

    /// Pages that are held.
    pub(super) fn pages(&self) -> u64 {
        self.pieces().map(|piece| piece.count).sum()
    }

    /// Every piece that is held.
    pub(super) fn pieces(&self) -> impl Iterator<Item = Run> + '_ {
        self.held.iter().flat_map(|held| held.pieces.iter().copied())
    }

    pub(super) fn find(&self, id: u64) -> Option<&Held> {
        self.held.iter().find(|held| held.id == id)
    }

    /// What an act asks for now, and how the claims of that end; nothing where there is nothing of
    /// the kind. A fill is one request here: see [`Case::unfolded`].
    pub(super) fn ops(&mut self, act: &Act) -> Vec<(Op, Script)> {
        let one = |op: Option<Op>| op.into_iter().map(|op| (op, Script::default())).collect();
        match *act {
            Act::Alloc { request, script, .. } => {
                if self.pages().saturating_add(request.count()) > self.most_live {
                    return Vec::new();
                }
                self.next_id += 1;
                vec![(Op::Alloc { id: self.next_id, request, dma: false }, script)]
            }
            Act::Fill { request, .. } => {
                self.ops(&Act::Alloc { request, script: Script::default(), linger: 0 })
            }
            Act::Free { victim } => {
                one(self.victim(victim).map(|held| Op::Free { id: held.id, part: None }))
            }
            Act::FreeEvery { stride, phase, class } => {
                let runs = comb(self.pieces(), stride, phase, class);
                runs.into_iter().flat_map(|run| one(self.free_of(run))).collect()
            }
            Act::FreePart { victim, part } => {
                let piece = self.victim(victim).map(|held| {
                    let piece = held.pieces[victim as usize % held.pieces.len()];
                    part_of(piece, self.area.granule(), part)
                });
                one(piece.and_then(|run| self.free_of(run)))
            }
            Act::FreeBadly { how, victim, by } => one(self.bad(how, victim, u64::from(by))),
            Act::Pin { at, more } => {
                let (ranges, span) = (self.area.ranges(), self.area.span());
                let start = span.pfn.0 + u64::from(at) % span.count;
                // A pin is of pages of one range, as the recording driver makes it.
                let range = ranges.iter().find(|range| range.contains(Run::new(start, 1)));
                one(range.map(|range| {
                    Op::Pin(Run::new(start, (1 + u64::from(more)).min(range.end().0 - start)))
                }))
            }
            Act::Unpin { victim } => {
                let at = (victim as usize).checked_rem(self.pins.len());
                one(at.map(|at| Op::Unpin(self.pins[at])))
            }
        }
    }

    fn victim(&self, victim: u32) -> Option<&Held> {
        self.held.get((victim as usize).checked_rem(self.held.len())?)
    }

    /// The free of `run`, which is in one piece.
    fn free_of(&self, run: Run) -> Option<Op> {
        let held = self.held.iter().find(|held| held.pieces.iter().any(|p| p.contains(run)))?;
        let part = Part { offset: run.pfn.0 - held.pfn.0, count: run.count };
        Some(Op::Free { id: held.id, part: Some(part) })
    }

    /// A free of what is not held, or an alloc of an id that is.
    fn bad(&self, how: BadFree, victim: u32, by: u64) -> Option<Op> {
        let of = |id, offset, count| Op::Free { id, part: Some(Part { offset, count }) };
        Some(match how {
            BadFree::Before => of(self.victim(victim)?.id, u64::MAX - by, 1 + by),
            BadFree::After => of(self.victim(victim)?.id, self.area.pages(), 1 + by),
            BadFree::AcrossEnd => of(self.victim(victim)?.id, 0, u64::MAX - by),
            BadFree::Free => Op::Free { id: self.next_id + 1 + by, part: None },
            BadFree::Again => {
                let id = self.last_freed.filter(|id| self.find(*id).is_none())?;
                Op::Free { id, part: None }
            }
            BadFree::Middle => {
                let held = self.victim(victim)?;
                let request = cma_policies::Request::new(1 + by, 0).ok()?;
                Op::Alloc { id: held.id, request, dma: false }
            }
            BadFree::TooLong => {
                let held = self.victim(victim)?;
                let piece = held.pieces.last()?;
                of(held.id, piece.pfn.0 - held.pfn.0, piece.count + 1 + by)
            }
            BadFree::Empty => of(self.victim(victim)?.id, 0, 0),
        })
    }

    /// Buffer `id` was granted at `run`.
    pub(super) fn granted(&mut self, id: u64, run: Run) {
        self.held.push(Held { id, pfn: run.pfn, pieces: vec![run] });
    }

    /// `run`, which is in one piece of buffer `id`, was given back; all that is left of it without
    /// a run.
    pub(super) fn freed(&mut self, id: u64, run: Option<Run>) {
        let Some(at) = self.held.iter().position(|held| held.id == id) else { return };
        match run {
            Some(run) => self.held[at].cut(run),
            None => self.held[at].pieces.clear(),
        }
        if self.held[at].pieces.is_empty() {
            self.held.remove(at);
        }
        self.last_freed = Some(id);
    }
}
