//! A client makes do with fewer buffers of a size.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::Change;
use super::live::{Live, class};
use crate::op::{Op, Part, Timed};

pub(super) struct Fewer {
    whose: BTreeSet<u16>,
    pages: u64,
    most: u64,
    /// Buffers of that size, and how many each client has.
    live: Live,
    has: BTreeMap<u16, u64>,
    /// What is not asked for, up to its free in the stream.
    skipped: Live,
}

impl Fewer {
    pub(super) fn new(whose: BTreeSet<u16>, pages: u64, most: u64) -> Self {
        let (live, skipped) = (Live::default(), Live::default());
        Self { whose, pages, most, live, has: BTreeMap::new(), skipped }
    }

    /// Whether a free of buffer `id` happens.
    fn give(&mut self, id: u64, part: Option<Part>) -> bool {
        if self.skipped.give(id, part).is_some() {
            return false;
        }
        if let Some(after) = self.live.give(id, part).filter(|after| after.left == 0) {
            self.is_gone(after.class.0);
        }
        true
    }

    fn is_gone(&mut self, client: u16) {
        if let Some(has) = self.has.get_mut(&client) {
            *has = has.saturating_sub(1);
        }
    }
}

impl Change for Fewer {
    fn take(&mut self, timed: Timed, out: &mut VecDeque<Timed>) {
        let happens = match timed.op {
            Op::Alloc { id, request, dma } => {
                self.skipped.remove(id);
                if let Some(gone) = self.live.remove(id) {
                    self.is_gone(gone.class.0);
                }
                let client = request.client();
                if request.count() == self.pages && self.whose.contains(&client) {
                    let has = self.has.entry(client).or_default();
                    let has_room = *has < self.most;
                    *has += u64::from(has_room);
                    let book = if has_room { &mut self.live } else { &mut self.skipped };
                    book.put(id, class(request, dma));
                    has_room
                } else {
                    true
                }
            }
            Op::Free { id, part } => self.give(id, part),
            Op::Pin(_) | Op::Unpin(_) => true,
        };
        out.extend(happens.then_some(timed));
    }
}
