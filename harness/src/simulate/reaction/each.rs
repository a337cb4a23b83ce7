//! Clients differ in what they do.

use rustc_hash::FxHashMap;

use super::{Reaction, Step, alone};
use crate::after_failure::{AfterFailure, Callers};
use crate::op::{Op, Timed};

/// Each client has the reaction of those who do the same.
pub(super) struct Each {
    callers: Callers,
    kinds: Vec<(AfterFailure, Box<dyn Reaction>)>,
    /// The kind of the client that asked for a buffer, up to its free in the stream.
    owners: FxHashMap<u64, usize>,
    /// The kind of whoever acted last: what follows is its.
    last: usize,
}

impl Each {
    /// `None` where all do the same.
    pub(super) fn new(callers: &Callers) -> Option<Self> {
        callers.of_client.iter().any(|one| *one != callers.others).then(|| Self {
            callers: callers.clone(),
            kinds: Vec::new(),
            owners: FxHashMap::default(),
            last: 0,
        })
    }

    fn kind(&mut self, client: u16) -> usize {
        let does = self.callers.of(client);
        let known = self.kinds.iter().position(|(known, _)| *known == does);
        known.unwrap_or_else(|| {
            self.kinds.push((does, alone(does)));
            self.kinds.len() - 1
        })
    }

    fn of(&mut self, op: &Op) -> Option<usize> {
        match op {
            Op::Alloc { id, request, .. } => {
                let kind = self.kind(request.client());
                self.owners.insert(*id, kind);
                Some(kind)
            }
            // A part may be the last of it: only a whole one is surely gone.
            Op::Free { id, part: None } => self.owners.remove(id),
            Op::Free { id, part: Some(_) } => self.owners.get(id).copied(),
            Op::Pin(_) | Op::Unpin(_) => None,
        }
    }
}

impl Reaction for Each {
    fn next_us(&self) -> Option<u64> {
        self.kinds.iter().filter_map(|(_, one)| one.next_us()).min()
    }

    fn due(&mut self, until_us: u64) -> Option<Timed> {
        let next_us = |index: &usize| self.kinds[*index].1.next_us();
        let first = (0..self.kinds.len()).filter(|index| next_us(index).is_some());
        self.last = first.min_by_key(next_us)?;
        self.kinds[self.last].1.due(until_us)
    }

    fn offer(&mut self, timed: Timed) -> Option<Timed> {
        let Some(kind) = self.of(&timed.op) else { return Some(timed) };
        self.last = kind;
        self.kinds[kind].1.offer(timed)
    }

    fn answered(&mut self, step: &Step<'_>) -> bool {
        self.kinds.get_mut(self.last).is_some_and(|(_, one)| one.answered(step))
    }

    fn follow(&mut self) -> Option<Timed> {
        self.kinds.get_mut(self.last)?.1.follow()
    }
}
