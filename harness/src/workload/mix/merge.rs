//! Streams merged in time.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use super::super::Failure;
use super::part::Alone;
use crate::op::{Op, Timed};

/// A part that runs.
struct Running {
    ops: Box<dyn Iterator<Item = Timed>>,
    /// Its next op, which waits for its time.
    head: Option<Timed>,
    /// By the part's id of what it holds: the id in the merged stream, and pages that are left.
    held: HashMap<u64, (u64, u64)>,
    /// By the part's number of a client that in the merged stream.
    clients: Vec<u16>,
}

/// The ops of all parts in order of time; of one moment those of the first part first.
///
/// An id is given once, and remembered while its buffer is held: memory is bounded by what is live.
pub(super) struct Merged {
    parts: Vec<Running>,
    due: BinaryHeap<Reverse<(u64, usize)>>,
    next_id: u64,
    ops_left: u64,
    failed: Failure,
}

impl Merged {
    /// These parts, each with the numbers that its clients get, and what is live before they begin.
    pub(super) fn new(
        parts: impl IntoIterator<Item = (Alone, Vec<u16>)>,
        ops: u64,
        failed: &Failure,
    ) -> (Self, Vec<Op>) {
        let mut merged = Self {
            parts: Vec::new(),
            due: BinaryHeap::new(),
            next_id: 0,
            ops_left: ops,
            failed: failed.clone(),
        };
        let mut before = Vec::new();
        for (index, (alone, clients)) in parts.into_iter().enumerate() {
            let Alone { ops, before: own, .. } = alone;
            merged.parts.push(Running { ops, head: None, held: HashMap::new(), clients });
            let own = own.into_iter().filter_map(|op| merged.renamed(index, op));
            before.extend(own.map(of_nobody));
            merged.advance(index);
        }
        (merged, before)
    }

    /// Looks at the next op of a part.
    fn advance(&mut self, index: usize) {
        let part = &mut self.parts[index];
        part.head = part.ops.next();
        self.due.extend(part.head.map(|timed| Reverse((timed.at_us, index))));
    }

    /// `op` of a part as it is called in the merged stream; none of what acts on nothing.
    fn renamed(&mut self, index: usize, op: Op) -> Option<Op> {
        let Running { held, clients, .. } = &mut self.parts[index];
        match op {
            Op::Alloc { id, .. } if held.contains_key(&id) => None,
            Op::Alloc { id, request, dma } => {
                let own = self.next_id;
                self.next_id += 1;
                held.insert(id, (own, request.count()));
                let client = clients.get(usize::from(request.client())).copied().unwrap_or(0);
                Some(Op::Alloc { id: own, request: request.with_client(client), dma })
            }
            Op::Free { id, part } => {
                let (own, left) = held.get_mut(&id)?;
                let own = *own;
                *left = part.map_or(0, |part| left.saturating_sub(part.count));
                if *left == 0 {
                    held.remove(&id);
                }
                Some(Op::Free { id: own, part })
            }
            // Pages of another area.
            Op::Pin(_) | Op::Unpin(_) => None,
        }
    }
}

/// What was live before is of nobody who could be routed.
fn of_nobody(op: Op) -> Op {
    match op {
        Op::Alloc { id, request, dma } => Op::Alloc { id, request: request.with_client(0), dma },
        other => other,
    }
}

impl Iterator for Merged {
    type Item = Timed;

    fn next(&mut self) -> Option<Timed> {
        if self.ops_left == 0 || self.failed.get().is_some() {
            return None;
        }
        loop {
            let Reverse((at_us, index)) = self.due.pop()?;
            let Timed { op, .. } = self.parts[index].head.take()?;
            self.advance(index);
            // What could not be read of a file is missing from all that follows.
            if self.parts[index].head.is_none() && self.failed.get().is_some() {
                self.due.clear();
                return None;
            }
            if let Some(op) = self.renamed(index, op) {
                self.ops_left -= 1;
                return Some(Timed { at_us, op });
            }
        }
    }
}
