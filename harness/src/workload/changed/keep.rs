//! A client keeps what it has asked for.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use rustc_hash::FxHashMap;

use super::Change;
use super::live::{Class, Live, Names, class};
use crate::op::{Op, Part, Timed};

/// Buffers of one client that are as good as each other but for their pages: pages and name.
type Idle = BTreeSet<(u64, u64)>;

pub(super) struct Keep {
    /// None: everybody.
    whose: Option<BTreeSet<u16>>,
    /// What is in use in the stream, of everybody.
    live: Live,
    names: Names,
    /// Pages of the buffer that serves each request of who keeps.
    serves: FxHashMap<u64, u64>,
    /// What is kept and not in use, by client and order.
    idle: BTreeMap<(u16, Option<u32>), Idle>,
    last_us: u64,
}

impl Keep {
    pub(super) fn new(whose: Option<BTreeSet<u16>>) -> Self {
        Self {
            whose,
            live: Live::default(),
            names: Names::default(),
            serves: FxHashMap::default(),
            idle: BTreeMap::new(),
            last_us: 0,
        }
    }

    fn keeps(&self, (client, ..): Class) -> bool {
        self.whose.as_ref().is_none_or(|all| all.contains(&client))
    }

    /// What goes back for a request of somebody who keeps, and the name under which it is made.
    fn ask(&mut self, id: u64, (client, count, align): Class) -> (Option<u64>, Option<u64>) {
        let idle = self.idle.entry((client, align)).or_default();
        let enough = idle.range((count, 0)..).next().copied();
        if let Some((pages, name)) = enough {
            idle.remove(&(pages, name));
            self.names.set(id, name);
            self.serves.insert(id, pages);
            return (None, None);
        }
        // The one that grows least.
        let gone = idle.pop_last().map(|(_, name)| name);
        if let Some(name) = gone {
            self.names.release(name);
        }
        self.serves.insert(id, count);
        (gone, Some(self.names.make(id)))
    }

    /// The name under which buffer `id` goes back.
    fn give(&mut self, id: u64, part: Option<Part>) -> Option<u64> {
        let name = self.names.get(id)?;
        let Some(after) = self.live.give(id, part) else { return Some(name) };
        if after.left == 0 {
            self.names.end(id);
            let (client, count, align) = after.class;
            if self.keeps(after.class) {
                let pages = self.serves.remove(&id).unwrap_or(count);
                self.idle.entry((client, align)).or_default().insert((pages, name));
            } else {
                self.names.release(name);
            }
        }
        (!self.keeps(after.class)).then_some(name)
    }
}

impl Change for Keep {
    fn take(&mut self, timed: Timed, out: &mut VecDeque<Timed>) {
        self.last_us = timed.at_us;
        let (gone, op) = match timed.op {
            Op::Alloc { id, request, dma } => {
                let class = class(request, dma);
                let (gone, name) = if self.live.get(id).is_some() {
                    // A request whose id is in use is a mistake of the stream, and stays one.
                    (None, self.names.get(id))
                } else {
                    self.live.put(id, class);
                    let keeps = self.keeps(class);
                    if keeps { self.ask(id, class) } else { (None, Some(self.names.make(id))) }
                };
                (gone, name.map(|id| Op::Alloc { id, request, dma }))
            }
            Op::Free { id, part } => (None, self.give(id, part).map(|id| Op::Free { id, part })),
            other => (None, Some(other)),
        };
        let gone = gone.map(|id| Op::Free { id, part: None });
        out.extend(gone.into_iter().chain(op).map(|op| Timed { op, ..timed }));
    }

    /// What is idle goes back, so that the stream lasts as long as it did.
    fn end(&mut self, out: &mut VecDeque<Timed>) {
        let idle = std::mem::take(&mut self.idle).into_values().flatten();
        let free = |(_, id)| Timed { at_us: self.last_us, op: Op::Free { id, part: None } };
        out.extend(idle.map(free));
    }
}
