//! Buffers take a few pages less.

use std::collections::{BTreeSet, VecDeque};

use cma_policies::{Request, ceil_log2};
use rustc_hash::FxHashMap;

use super::Change;
use crate::op::{Op, Part, Timed};

/// What the stream still has of a buffer, in pages: of those that are asked for, and of those that
/// no longer are.
#[derive(Clone, Copy)]
struct Left {
    inside: u64,
    beyond: u64,
}

pub(super) struct Trim {
    /// None: everybody.
    whose: Option<BTreeSet<u16>>,
    from: u64,
    to: u64,
    trimmed: FxHashMap<u64, Left>,
}

impl Trim {
    pub(super) fn new(whose: Option<BTreeSet<u16>>, from: u64, to: u64) -> Self {
        Self { whose, from, to, trimmed: FxHashMap::default() }
    }

    fn is_meant(&self, request: Request) -> bool {
        let whose = self.whose.as_ref();
        request.count() == self.from && whose.is_none_or(|all| all.contains(&request.client()))
    }

    /// The order follows the cap that it has followed: never more than what it was.
    fn shorter(&self, request: Request, dma: bool) -> Request {
        let align = if dma { request.align().min(ceil_log2(self.to)) } else { request.align() };
        let shorter = Request::new(self.to, align).expect("at least one page, an order below 64");
        shorter.with_client(request.client())
    }

    /// What is left to give back of a free of buffer `id`.
    fn give(&mut self, id: u64, part: Option<Part>) -> Option<Option<Part>> {
        let Some(left) = self.trimmed.get_mut(&id) else { return Some(part) };
        let had = left.inside;
        let Some(Part { offset, count }) = part else {
            self.trimmed.remove(&id);
            return (had > 0).then_some(None);
        };
        let inside = self.to.saturating_sub(offset).min(count);
        left.inside = left.inside.saturating_sub(inside);
        left.beyond = left.beyond.saturating_sub(count - inside);
        if left.inside == 0 && left.beyond == 0 {
            self.trimmed.remove(&id);
        }
        (inside > 0).then_some(Some(Part { offset, count: inside }))
    }
}

impl Change for Trim {
    fn take(&mut self, timed: Timed, out: &mut VecDeque<Timed>) {
        let op = match timed.op {
            Op::Alloc { id, request, dma } => {
                self.trimmed.remove(&id);
                if self.is_meant(request) {
                    let left = Left { inside: self.to, beyond: self.from - self.to };
                    self.trimmed.insert(id, left);
                    Some(Op::Alloc { id, request: self.shorter(request, dma), dma })
                } else {
                    Some(timed.op)
                }
            }
            Op::Free { id, part } => self.give(id, part).map(|part| Op::Free { id, part }),
            other => Some(other),
        };
        out.extend(op.map(|op| Timed { op, ..timed }));
    }
}
