//! Callers go on with their next request, and hold as much as they may.

use std::collections::{BTreeMap, VecDeque};

use rustc_hash::FxHashMap;

use super::{Reaction, Step};
use crate::after_failure::AfterFailure;
use crate::op::{Op, Timed};
use crate::simulate::Answer;

/// Buffers of which any can be taken, or the oldest.
#[derive(Default)]
struct Ids {
    ids: Vec<u64>,
    /// The place of each, and how many were put before it.
    places: FxHashMap<u64, (usize, u64)>,
    by_age: BTreeMap<u64, u64>,
    put: u64,
}

impl Ids {
    fn put(&mut self, id: u64) {
        self.places.insert(id, (self.ids.len(), self.put));
        self.by_age.insert(self.put, id);
        self.put += 1;
        self.ids.push(id);
    }

    fn take(&mut self, id: u64) -> bool {
        let Some((place, put)) = self.places.remove(&id) else { return false };
        self.by_age.remove(&put);
        self.ids.swap_remove(place);
        if let Some(moved) = self.ids.get(place).and_then(|moved| self.places.get_mut(moved)) {
            moved.0 = place;
        }
        true
    }

    /// The oldest of them; else one by a number that says nothing of it (Fibonacci hashing).
    fn one(&self, is_oldest: bool, number: u64) -> Option<u64> {
        if is_oldest {
            return self.by_age.first_key_value().map(|(_, id)| *id);
        }
        let spread = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let place = (u128::from(spread) * self.ids.len() as u128) >> 64;
        self.ids.get(place as usize).copied()
    }
}

/// What a client holds, and what it would hold were every request granted.
#[derive(Default)]
struct Client {
    /// Pages that it holds.
    held: u64,
    /// Pages that it holds in the stream.
    meant: u64,
    /// The most of these so far.
    most: u64,
    /// Its buffers.
    live: Ids,
    /// Those of them that the stream has given back.
    kept: Ids,
}

/// A buffer, from its request to its free, in the stream and in fact.
#[derive(Clone, Copy)]
struct Buffer {
    client: u16,
    /// What is left of it.
    pages: u64,
    /// It is there: not refused, and not gone back.
    is_held: bool,
}

/// A client that was refused holds less than in the stream. What the stream gives back then stays,
/// until the next request would make it hold more than it held at most there; where it holds
/// nothing any more in the stream, all goes back. It takes O(log n) for each op, of n that are live.
pub(super) struct Next {
    back: u64,
    oldest: bool,
    clients: FxHashMap<u16, Client>,
    buffers: FxHashMap<u64, Buffer>,
    queue: VecDeque<Timed>,
}

impl Next {
    pub(super) fn new(back: u64, oldest: bool) -> Self {
        let (clients, buffers) = (FxHashMap::default(), FxHashMap::default());
        Self { back, oldest, clients, buffers, queue: VecDeque::new() }
    }

    /// Buffer `id` goes back now.
    fn give(&mut self, at_us: u64, id: u64) {
        let Some(buffer) = self.buffers.get_mut(&id) else { return };
        let Some(its) = self.clients.get_mut(&buffer.client) else { return };
        buffer.is_held = false;
        its.held = its.held.saturating_sub(buffer.pages);
        its.live.take(id);
        if its.kept.take(id) {
            self.buffers.remove(&id);
        }
        self.queue.push_back(Timed { at_us, op: Op::Free { id, part: None } });
    }

    /// The stream gives `pages` of `id` back. Whether that happens now.
    fn given_back(&mut self, at_us: u64, id: u64, pages: Option<u64>) -> bool {
        let Some(buffer) = self.buffers.get_mut(&id) else { return true };
        let Some(its) = self.clients.get_mut(&buffer.client) else { return true };
        let (is_held, pages) = (buffer.is_held, pages.unwrap_or(buffer.pages).min(buffer.pages));
        let holds_less = its.held < its.meant;
        let is_whole = pages == buffer.pages;
        its.meant = its.meant.saturating_sub(pages);
        let is_over = its.meant == 0;
        if is_held && is_whole && holds_less && !is_over {
            its.kept.put(id);
            return false;
        }
        buffer.pages -= pages;
        if is_held {
            its.held = its.held.saturating_sub(pages);
        }
        if is_whole {
            its.live.take(id);
            self.buffers.remove(&id);
        }
        let kept = if is_over { its.kept.ids.clone() } else { Vec::new() };
        kept.into_iter().for_each(|id| self.give(at_us, id));
        is_held
    }

    /// Makes room for a request of so many pages within what `client` held at most.
    fn make_room(&mut self, at_us: u64, client: u16, pages: u64, mut draw: u64) {
        while let Some(its) = self.clients.get(&client)
            && its.held.saturating_add(pages) > its.most
            && let Some(id) = its.kept.one(self.oldest, draw)
        {
            self.give(at_us, id);
            draw = draw.wrapping_add(1);
        }
    }
}

impl Reaction for Next {
    fn offer(&mut self, timed: Timed) -> Option<Timed> {
        let Timed { at_us, op } = timed;
        match op {
            Op::Alloc { id, request, .. } => {
                let (client, pages) = (request.client(), request.count());
                if self.clients.get(&client).is_some_and(|its| its.kept.places.contains_key(&id)) {
                    // The stream uses the id anew.
                    self.give(at_us, id);
                }
                if self.buffers.contains_key(&id) {
                    return Some(timed);
                }
                let its = self.clients.entry(client).or_default();
                its.meant = its.meant.saturating_add(pages);
                its.most = its.most.max(its.meant);
                self.make_room(at_us, client, pages, id);
                self.buffers.insert(id, Buffer { client, pages, is_held: false });
                self.queue.push_back(timed);
            }
            Op::Free { id, part } => {
                if self.given_back(at_us, id, part.map(|part| part.count)) {
                    self.queue.push_front(timed);
                }
            }
            Op::Pin(_) | Op::Unpin(_) => return Some(timed),
        }
        self.queue.pop_front()
    }

    fn answered(&mut self, step: &Step<'_>) -> bool {
        let Op::Alloc { id, request, .. } = step.op else { return false };
        if step.has_failed() {
            let most = if self.back == AfterFailure::ALL { u64::MAX } else { self.back };
            let client = request.client();
            let next = |this: &Self, number: u64| {
                let its = this.clients.get(&client)?;
                its.live.one(this.oldest, id.wrapping_add(number))
            };
            let mut number = 0;
            while number < most
                && let Some(gone) = next(self, number)
            {
                self.give(step.at_us, gone);
                number += 1;
            }
        } else if step.answer != Answer::IdInUse
            && let Some(buffer) = self.buffers.get_mut(&id)
        {
            buffer.is_held = true;
            let its = self.clients.entry(buffer.client).or_default();
            its.held = its.held.saturating_add(buffer.pages);
            its.live.put(id);
        }
        false
    }

    fn follow(&mut self) -> Option<Timed> {
        self.queue.pop_front()
    }
}
