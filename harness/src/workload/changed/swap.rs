//! A client gives another of its equal buffers back.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::Change;
use super::live::{Class, Live, Names, class};
use crate::op::{Op, Part, Timed};

/// The buffers of a class of which no part has gone back: the id that each has in the stream now,
/// oldest first.
type ByAge = BTreeMap<u64, u64>;

pub(super) struct Swap {
    whose: BTreeSet<u16>,
    oldest: bool,
    live: Live,
    names: Names,
    pools: BTreeMap<Class, ByAge>,
    /// The age of the buffer of each id: how many were asked for before it.
    ages: BTreeMap<u64, u64>,
    asked: u64,
}

impl Swap {
    pub(super) fn new(whose: BTreeSet<u16>, oldest: bool) -> Self {
        let (live, names) = (Live::default(), Names::default());
        let (pools, ages) = (BTreeMap::new(), BTreeMap::new());
        Self { whose, oldest, live, names, pools, ages, asked: 0 }
    }

    fn ask(&mut self, id: u64, class: Class) -> Option<u64> {
        // A request whose id is in use is a mistake of the stream, and stays one.
        if self.live.get(id).is_some() {
            return self.names.get(id);
        }
        self.live.put(id, class);
        if self.whose.contains(&class.0) {
            self.asked += 1;
            self.ages.insert(id, self.asked);
            self.pools.entry(class).or_default().insert(self.asked, id);
        }
        Some(self.names.make(id))
    }

    /// The buffer of `id` becomes that of `other`, and the other way round.
    fn swap(&mut self, class: Class, id: u64, other: u64) {
        let (Some(name), Some(its)) = (self.names.get(id), self.names.get(other)) else { return };
        self.names.set(id, its);
        self.names.set(other, name);
        if let (Some(age), Some(older)) = (self.ages.remove(&id), self.ages.remove(&other)) {
            self.ages.insert(id, older);
            self.ages.insert(other, age);
            self.pools.entry(class).or_default().extend([(older, id), (age, other)]);
        }
    }

    /// The name under which buffer `id`, or a part of it, goes back.
    fn give(&mut self, id: u64, part: Option<Part>) -> Option<u64> {
        let Some(before) = self.live.get(id) else { return self.names.get(id) };
        let after = self.live.give(id, part).unwrap_or(before);
        let pool = self.pools.get(&before.class).filter(|_| before.is_whole());
        if let Some(pool) = pool.filter(|_| after.left == 0) {
            let ends = (pool.values().next(), pool.values().next_back());
            let other = if self.oldest { ends.0 } else { ends.1 };
            if let Some(&other) = other.filter(|other| **other != id) {
                self.swap(before.class, id, other);
            }
        }
        // Of what has gone back in part nothing else can take the place.
        if let Some(age) = self.ages.remove(&id)
            && let Some(pool) = self.pools.get_mut(&before.class)
        {
            pool.remove(&age);
        }
        let name = self.names.get(id)?;
        if after.left == 0 {
            self.names.end(id);
            self.names.release(name);
        }
        Some(name)
    }
}

impl Change for Swap {
    fn take(&mut self, timed: Timed, out: &mut VecDeque<Timed>) {
        let op = match timed.op {
            Op::Alloc { id, request, dma } => {
                let name = self.ask(id, class(request, dma));
                name.map(|id| Op::Alloc { id, request, dma })
            }
            Op::Free { id, part } => self.give(id, part).map(|id| Op::Free { id, part }),
            other => Some(other),
        };
        out.extend(op.map(|op| Timed { op, ..timed }));
    }
}
