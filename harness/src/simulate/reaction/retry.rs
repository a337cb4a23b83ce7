//! Callers ask again.

use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

use super::{Reaction, Step};
use crate::op::{Op, Timed};

/// A buffer that its caller waits for.
#[derive(Clone, Copy)]
struct Waiting {
    /// When it asks again, and its place among those that do so then.
    due: (u64, u64),
    tries_left: u64,
}

/// A refused request is made again every so often. The wait ends with a grant, with the last try,
/// with the first free of the buffer in the stream (of a part, too), or where the stream uses its
/// id anew. At one moment the ops of the stream go first, then those who wait, in the order in
/// which they were refused.
pub(super) struct Retry {
    every_us: u64,
    times: u64,
    /// Numbers those who wait.
    refusals: u64,
    waiting: FxHashMap<u64, Waiting>,
    queue: BTreeMap<(u64, u64), Op>,
}

impl Retry {
    pub(super) fn new(every_us: u64, times: u64) -> Self {
        let (waiting, queue) = (FxHashMap::default(), BTreeMap::new());
        Self { every_us, times, refusals: 0, waiting, queue }
    }

    fn give_up(&mut self, id: u64) {
        if let Some(waiting) = self.waiting.remove(&id) {
            self.queue.remove(&waiting.due);
        }
    }
}

impl Reaction for Retry {
    fn next_us(&self) -> Option<u64> {
        self.queue.first_key_value().map(|((at_us, _), _)| *at_us)
    }

    fn due(&mut self, until_us: u64) -> Option<Timed> {
        let next = self.queue.first_entry()?;
        let (at_us, _) = *next.key();
        (at_us < until_us).then(|| Timed { at_us, op: next.remove() })
    }

    fn offer(&mut self, timed: Timed) -> Option<Timed> {
        if let Op::Alloc { id, .. } | Op::Free { id, .. } = timed.op {
            self.give_up(id);
        }
        Some(timed)
    }

    fn answered(&mut self, step: &Step<'_>) -> bool {
        let Op::Alloc { id, .. } = step.op else { return false };
        let before = self.waiting.remove(&id);
        let tries_left = before.map_or(self.times, |waiting| waiting.tries_left - 1);
        if let (true, 1.., Some(due_us)) =
            (step.has_failed(), tries_left, step.at_us.checked_add(self.every_us))
        {
            self.refusals += 1;
            let due = (due_us, self.refusals);
            self.waiting.insert(id, Waiting { due, tries_left });
            self.queue.insert(due, step.op);
        }
        false
    }
}
