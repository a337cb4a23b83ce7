//! Streams that were made once, kept for the other cells of a plan that run them.
//!
//! Policies, boards, environments and caps meet the same ops: to make them anew for each costs a
//! fifth of a cell. What is kept is bounded, and cells are the same with it and without.

use std::sync::{Arc, Mutex, PoisonError};

use cma_policies::Request;
use rustc_hash::FxHashMap;

use super::plan::{Plan, Stream, What};
use crate::op::{Op, Timed};
use crate::simulate::Until;

/// Bytes of ops that are kept at most, 16 of each op.
const MOST_BYTES: usize = 256 << 20;

/// What makes a stream what it is: its index in the plan, LOAD in pages or what says it, and seed.
pub(super) type Name = (usize, u64, u64);

/// A stream that was made.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) before: Vec<Op>,
    pub(super) clients: Vec<String>,
    ops: Vec<Small>,
}

impl Made {
    /// The op at place `at`, behind one at `last_us`.
    pub(super) fn op(&self, at: usize, last_us: u64) -> Option<Timed> {
        self.ops.get(at).map(|small| small.timed(last_us))
    }
}

/// An op in 16 bytes, behind one whose time is known. Pins and partial frees have none.
#[derive(Clone, Copy, Debug)]
struct Small {
    behind_us: u32,
    id: u32,
    /// 0 for a free.
    count: u32,
    client: u16,
    /// [`DMA`], or the align of a request that is not the DMA API's.
    align: u16,
}

/// The align follows the cap.
const DMA: u16 = u16::MAX;

impl Small {
    fn of(timed: Timed, last_us: u64) -> Option<Self> {
        let behind_us = timed.at_us.checked_sub(last_us)?.try_into().ok()?;
        match timed.op {
            Op::Alloc { id, request, dma } => Some(Self {
                behind_us,
                id: id.try_into().ok()?,
                count: request.count().try_into().ok()?,
                client: request.client(),
                align: if dma { DMA } else { request.align() as u16 },
            }),
            Op::Free { id, part: None } => {
                Some(Self { behind_us, id: id.try_into().ok()?, count: 0, client: 0, align: 0 })
            }
            Op::Free { .. } | Op::Pin(_) | Op::Unpin(_) => None,
        }
    }

    fn timed(self, last_us: u64) -> Timed {
        let Self { behind_us, id, count, client, align } = self;
        let (dma, id) = (align == DMA, u64::from(id));
        let align = if dma { 0 } else { u32::from(align) };
        let op = match Request::new(count.into(), align) {
            Ok(request) => Op::Alloc { id, request: request.with_client(client), dma },
            // Of no pages.
            Err(_) => Op::Free { id, part: None },
        };
        Timed { at_us: last_us + u64::from(behind_us), op }
    }
}

/// What is kept.
#[derive(Default, Debug)]
struct Kept {
    /// Cells come stream by stream: only those of the last one are of use.
    stream: usize,
    made: FxHashMap<Name, Arc<Made>>,
    bytes: usize,
}

/// The streams that were made for a plan.
#[derive(Clone, Default, Debug)]
pub(super) struct Shelf(Arc<Mutex<Kept>>);

impl Shelf {
    /// The stream of this name, where it is kept.
    pub(super) fn find(&self, name: Name) -> Option<Arc<Made>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.made.get(&name).cloned()
    }

    fn put(&self, name: Name, made: Made) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if name.0 > kept.stream {
            *kept = Kept { stream: name.0, ..Kept::default() };
        }
        let bytes = kept.bytes + made.ops.len() * size_of::<Small>();
        if name.0 == kept.stream && bytes <= MOST_BYTES && !kept.made.contains_key(&name) {
            kept.bytes = bytes;
            kept.made.insert(name, Arc::new(made));
        }
    }

    /// Takes down a stream while it is made, where others of its plan run it too.
    pub(super) fn scribe(&self, plan: &Plan, stream: &Stream, name: Name) -> Option<Scribe> {
        let until = Until { time_us: stream.length.time_us(), first_failure: false };
        let (shelf, ops) = (self.clone(), Vec::new());
        let scribe = Scribe { shelf, name, until, ops, last_us: 0, horizon_us: None, whole: false };
        // A file is read again: what it gives may depend on the cap.
        let is_made = !matches!(stream.what, What::File(_) | What::Recorded(_));
        (is_made && plan.shares(stream)).then_some(scribe)
    }
}

/// Takes down a stream while it is made.
pub(super) struct Scribe {
    shelf: Shelf,
    name: Name,
    until: Until,
    ops: Vec<Small>,
    last_us: u64,
    horizon_us: Option<u64>,
    /// All that any cell asks for is taken down.
    whole: bool,
}

impl Scribe {
    /// The next op, or that there is none. False where it cannot be kept.
    pub(super) fn note(&mut self, next: Option<Timed>) -> bool {
        let Some(timed) = next else {
            self.whole = true;
            return true;
        };
        let horizon_us = *self.horizon_us.get_or_insert(self.until.horizon_us(timed.at_us));
        self.whole = timed.at_us >= horizon_us;
        let small = Small::of(timed, self.last_us);
        self.last_us = timed.at_us;
        self.ops.extend(small);
        small.is_some() && self.ops.len() * size_of::<Small>() <= MOST_BYTES
    }

    /// Puts the stream on the shelf, if it was made to its end.
    pub(super) fn put(self, before: &[Op], clients: &[String]) {
        if self.whole {
            let (before, clients) = (before.to_vec(), clients.to_vec());
            self.shelf.put(self.name, Made { before, clients, ops: self.ops });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cma_policies::Run;

    fn request(count: u64, align: u32) -> Request {
        Request::new(count, align).unwrap().with_client(7)
    }

    #[test]
    fn a_small_op_is_the_op_or_none() {
        let part = crate::op::Part { offset: 0, count: 1 };
        let large = u64::from(u32::MAX);
        for (op, is_kept) in [
            (Op::Alloc { id: large, request: request(large, 0), dma: true }, true),
            (Op::Alloc { id: 3, request: request(456, 9), dma: false }, true),
            (Op::Alloc { id: 3, request: request(456, 63), dma: false }, true),
            (Op::Free { id: 3, part: None }, true),
            (Op::Free { id: 3, part: Some(part) }, false),
            (Op::Free { id: large + 1, part: None }, false),
            (Op::Alloc { id: large + 1, request: request(1, 0), dma: true }, false),
            (Op::Alloc { id: 1, request: request(large + 1, 0), dma: true }, false),
            (Op::Pin(Run::new(3, 4)), false),
            (Op::Unpin(Run::new(3, 4)), false),
        ] {
            let timed = Timed { at_us: 5 + large, op };
            let small = Small::of(timed, 5);
            assert_eq!(small.map(|small| small.timed(5)), is_kept.then_some(timed));
        }
        let late = Timed { at_us: 6 + large, op: Op::Free { id: 3, part: None } };
        assert!(Small::of(late, 5).is_none());
    }

    #[test]
    fn only_streams_of_the_last_index_and_no_more_than_fit_are_kept() {
        let shelf = Shelf::default();
        let small = Small { behind_us: 1, id: 1, count: 1, client: 0, align: DMA };
        let made = |ops| Made { before: vec![], clients: vec![], ops: vec![small; ops] };
        shelf.put((0, 0, 1), made(1));
        shelf.put((1, 9, 1), made(2));
        shelf.put((0, 0, 2), made(1));
        let has = |name| shelf.find(name).is_some();
        assert!(has((1, 9, 1)) && !has((0, 0, 1)) && !has((0, 0, 2)));
        shelf.put((1, 9, 2), made(MOST_BYTES / 16 - 2));
        shelf.put((1, 9, 3), made(1));
        assert!(has((1, 9, 2)) && !has((1, 9, 3)));
        assert_eq!(shelf.0.lock().unwrap().bytes, MOST_BYTES);
    }
}
