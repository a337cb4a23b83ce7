//! Streams that were made once, kept for the other cells of a plan that run them.
//!
//! Policies, boards, environments and caps meet the same ops. What is kept, or written to be kept, is
//! bounded for all threads together, and cells are the same with it and without.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cma_policies::Request;
use rustc_hash::FxHashMap;

use super::plan::Length;
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
    /// The op at place `at`, after one at `last_us`.
    pub(super) fn op(&self, at: usize, last_us: u64) -> Option<Timed> {
        self.ops.get(at).map(|small| small.timed(last_us))
    }
}

/// An op in 16 bytes, after one whose time is known. Pins and partial frees have none.
#[derive(Clone, Copy, Debug)]
struct Small {
    later_us: u32,
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
        let later_us = timed.at_us.checked_sub(last_us)?.try_into().ok()?;
        match timed.op {
            Op::Alloc { id, request, dma } => Some(Self {
                later_us,
                id: id.try_into().ok()?,
                count: request.count().try_into().ok()?,
                client: request.client(),
                align: if dma { DMA } else { request.align() as u16 },
            }),
            Op::Free { id, part: None } => {
                Some(Self { later_us, id: id.try_into().ok()?, count: 0, client: 0, align: 0 })
            }
            Op::Free { .. } | Op::Pin(_) | Op::Unpin(_) => None,
        }
    }

    fn timed(self, last_us: u64) -> Timed {
        let Self { later_us, id, count, client, align } = self;
        let (dma, id) = (align == DMA, u64::from(id));
        let align = if dma { 0 } else { u32::from(align) };
        let op = match Request::new(count.into(), align) {
            Ok(request) => Op::Alloc { id, request: request.with_client(client), dma },
            // Of no pages.
            Err(_) => Op::Free { id, part: None },
        };
        Timed { at_us: last_us + u64::from(later_us), op }
    }
}

/// What is kept.
#[derive(Default, Debug)]
struct Kept {
    /// Cells come stream by stream: only those of the last one are of use.
    stream: usize,
    made: FxHashMap<Name, Arc<Made>>,
    /// Of these, and of those that are being written.
    bytes: usize,
}

/// The streams that were made for a plan.
#[derive(Clone, Default, Debug)]
pub(super) struct Shelf(Arc<Mutex<Kept>>);

impl Shelf {
    /// The stream of this name, where it is kept.
    pub(super) fn find(&self, name: Name) -> Option<Arc<Made>> {
        self.kept().made.get(&name).cloned()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes room for so many bytes more of a stream of this index; false where there is none.
    fn reserve(&self, stream: usize, bytes: usize) -> bool {
        let mut kept = self.kept();
        if stream > kept.stream {
            *kept = Kept { stream, ..Kept::default() };
        }
        let has_room = stream == kept.stream && kept.bytes + bytes <= MOST_BYTES;
        kept.bytes += if has_room { bytes } else { 0 };
        has_room
    }

    /// Gives room back.
    fn release(&self, stream: usize, bytes: usize) {
        let mut kept = self.kept();
        if stream == kept.stream {
            kept.bytes -= bytes;
        }
    }

    /// Puts a stream on the shelf, for which there is room. Whether it was not there before.
    fn put(&self, name: Name, made: Made) -> bool {
        let mut kept = self.kept();
        let is_new = name.0 == kept.stream && !kept.made.contains_key(&name);
        if is_new {
            kept.made.insert(name, Arc::new(made));
        }
        is_new
    }

    /// Takes down a stream while it is made, where others of its plan run it too.
    pub(super) fn scribe(&self, plan: &Plan, stream: &Stream, name: Name) -> Option<Scribe> {
        // A file is read again: what it gives may depend on the cap.
        let is_made = !matches!(stream.what, What::File(_) | What::Recorded(_));
        (is_made && plan.shares(stream)).then(|| Scribe::new(self.clone(), stream.length, name))
    }
}

/// Takes down a stream while it is made.
pub(super) struct Scribe {
    shelf: Shelf,
    name: Name,
    until: Until,
    ops: Vec<Small>,
    /// Room that was taken for them.
    bytes: usize,
    last_us: u64,
    horizon_us: Option<u64>,
    /// All that any cell asks for is taken down.
    whole: bool,
}

/// Ops for which room is taken at once, at least.
const PAGE: usize = 1 << 12;

impl Scribe {
    fn new(shelf: Shelf, length: Length, name: Name) -> Self {
        let until = Until { time_us: length.time_us(), first_failure: false };
        let ops = Vec::new();
        Self { shelf, name, until, ops, bytes: 0, last_us: 0, horizon_us: None, whole: false }
    }

    /// The next op, or that there is none. False where it cannot be kept.
    pub(super) fn note(&mut self, next: Option<Timed>) -> bool {
        let Some(timed) = next else {
            self.whole = true;
            return true;
        };
        let horizon_us = *self.horizon_us.get_or_insert(self.until.horizon_us(timed.at_us));
        self.whole = timed.at_us >= horizon_us;
        let Some(small) = Small::of(timed, self.last_us) else { return false };
        self.last_us = timed.at_us;
        if self.ops.len() == self.ops.capacity() && !self.turn_page() {
            return false;
        }
        self.ops.push(small);
        true
    }

    /// Takes room for more ops; false where there is none.
    fn turn_page(&mut self) -> bool {
        let more = PAGE.max(self.ops.len() / 4);
        let bytes = more * size_of::<Small>();
        if !self.shelf.reserve(self.name.0, bytes) {
            return false;
        }
        self.bytes += bytes;
        self.ops.reserve_exact(more);
        true
    }

    /// Puts the stream on the shelf, if it was made to its end.
    pub(super) fn put(mut self, before: &[Op], clients: &[String]) {
        if !self.whole {
            return;
        }
        let mut ops = std::mem::take(&mut self.ops);
        ops.shrink_to_fit();
        let bytes = ops.len() * size_of::<Small>();
        let (before, clients) = (before.to_vec(), clients.to_vec());
        if self.shelf.put(self.name, Made { before, clients, ops }) {
            // The rest goes back with the scribe.
            self.bytes -= bytes;
        }
    }
}

impl Drop for Scribe {
    fn drop(&mut self) {
        self.shelf.release(self.name.0, self.bytes);
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

    fn free(at_us: u64) -> Option<Timed> {
        Some(Timed { at_us, op: Op::Free { id: 3, part: None } })
    }

    #[test]
    fn a_stream_is_kept_that_was_made_to_its_end() {
        for (length, times, is_kept) in [
            (Length::Ops(2), vec![Some(5), Some(6), None], true),
            (Length::Ops(2), vec![Some(5), Some(6)], false),
            // The op at the end shows that the time is over.
            (Length::Time(10), vec![Some(5), Some(14)], false),
            (Length::Time(10), vec![Some(5), Some(14), Some(15)], true),
            (Length::Time(10), vec![Some(5), None], true),
        ] {
            let shelf = Shelf::default();
            let mut scribe = Scribe::new(shelf.clone(), length, (0, 7, 1));
            for at_us in &times {
                assert!(scribe.note(at_us.and_then(free)));
            }
            scribe.put(&[], &["a".to_string()]);
            let made = shelf.find((0, 7, 1));
            assert_eq!(made.is_some(), is_kept, "{times:?}");
            assert!(shelf.find((0, 7, 2)).is_none());
            let ops: Vec<_> = times.iter().flatten().map(|at_us| free(*at_us).unwrap()).collect();
            let held = if is_kept { ops.len() * size_of::<Small>() } else { 0 };
            assert_eq!(shelf.kept().bytes, held);
            let mut last_us = 0;
            for (at, op) in ops.into_iter().enumerate().filter(|_| is_kept) {
                assert_eq!(made.as_ref().unwrap().op(at, last_us), Some(op));
                last_us = op.at_us;
            }
        }
    }

    #[test]
    fn only_streams_of_the_last_index_are_kept_and_no_more_than_there_is_room_for() {
        let shelf = Shelf::default();
        let write = |name, ops: u64| {
            let mut scribe = Scribe::new(shelf.clone(), Length::Ops(ops), name);
            let could = (0..ops).all(|at_us| scribe.note(free(at_us))) && scribe.note(None);
            scribe.put(&[], &[]);
            could
        };
        assert!(write((0, 0, 1), 3) && shelf.find((0, 0, 1)).is_some());
        assert!(write((1, 0, 1), 3) && shelf.find((0, 0, 1)).is_none());
        assert!(!write((0, 0, 2), 3), "an earlier one");
        assert_eq!(shelf.kept().bytes, 3 * 16);
        // Others write: what is left is one page.
        assert!(shelf.reserve(1, MOST_BYTES - 3 * 16 - PAGE * 16));
        assert!(!write((1, 0, 2), PAGE as u64 + 1) && shelf.find((1, 0, 2)).is_none());
        assert!(write((1, 0, 3), PAGE as u64) && shelf.find((1, 0, 3)).is_some());
        assert!(!write((1, 0, 4), 1));
        assert_eq!(shelf.kept().bytes, MOST_BYTES);
    }
}
