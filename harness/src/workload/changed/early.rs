//! A client gives back before it asks.

use std::collections::{BTreeSet, VecDeque};

use super::Change;
use super::live::{Live, class};
use crate::op::{Op, Timed};

/// Ops that wait for what may come before them, at most: a moment may have no end.
const MOST_WAITING: usize = 4096;

pub(super) struct Early {
    /// None: everybody.
    whose: Option<BTreeSet<u16>>,
    within_us: u64,
    live: Live,
    waiting: VecDeque<Timed>,
}

impl Early {
    pub(super) fn new(whose: Option<BTreeSet<u16>>, within_us: u64) -> Self {
        Self { whose, within_us, live: Live::default(), waiting: VecDeque::new() }
    }

    /// The place of the first request that buffer `id` of `client` can go back before.
    fn place(&self, id: u64, client: u16) -> Option<usize> {
        let asks = |timed: &Timed| match timed.op {
            Op::Alloc { request, .. } => request.client() == client,
            _ => false,
        };
        let place = self.waiting.iter().position(asks)?;
        // It does not go back before it is there, or before parts of it have.
        let is_its = |timed: &Timed| match timed.op {
            Op::Alloc { id: own, .. } | Op::Free { id: own, .. } => own == id,
            Op::Pin(_) | Op::Unpin(_) => false,
        };
        (!self.waiting.range(place..).any(is_its)).then_some(place)
    }
}

impl Change for Early {
    fn take(&mut self, timed: Timed, out: &mut VecDeque<Timed>) {
        let is_over = |first: &Timed| first.at_us.saturating_add(self.within_us) < timed.at_us;
        while let Some(first) = self.waiting.front()
            && (is_over(first) || self.waiting.len() >= MOST_WAITING)
        {
            out.extend(self.waiting.pop_front());
        }
        let mut place = None;
        match timed.op {
            Op::Alloc { id, request, dma } => {
                let whose = self.whose.as_ref();
                self.live.remove(id);
                if whose.is_none_or(|all| all.contains(&request.client())) {
                    self.live.put(id, class(request, dma));
                }
            }
            Op::Free { id, part } => {
                let after = self.live.give(id, part);
                place = after.and_then(|after| self.place(id, after.class.0));
            }
            Op::Pin(_) | Op::Unpin(_) => {}
        }
        match place {
            Some(place) => {
                let at_us = self.waiting[place].at_us;
                self.waiting.insert(place, Timed { at_us, ..timed });
            }
            None => self.waiting.push_back(timed),
        }
    }

    fn settle(&mut self, out: &mut VecDeque<Timed>) {
        out.append(&mut self.waiting);
    }

    fn end(&mut self, out: &mut VecDeque<Timed>) {
        self.settle(out);
    }
}
