//! What is shrunk: an area and what happens to it.

use std::collections::{HashMap, HashSet};

use cma_policies::{Area, Run};

use crate::environment::{Ending, Script};
use crate::ingest::{Event, IngestError, Source};
use crate::op::{Op, Timed};
use crate::reader::{self, Options};
use crate::replay::area;

/// The most ops that are read: it bounds the memory at some 300 MB.
const MOST: usize = 1 << 21;

/// An op, and how its claims end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Item {
    /// What happens, and when.
    pub timed: Timed,
    /// How the claims of this request end, whatever the environment says.
    pub ending: Option<Ending>,
    /// The line of its file, from 1 on; 0 where it is in none.
    pub line: u64,
}

impl Item {
    /// The buffer that it asks for or gives back.
    pub(super) const fn id(&self) -> Option<u64> {
        match self.timed.op {
            Op::Alloc { id, .. } | Op::Free { id, .. } => Some(id),
            Op::Pin(_) | Op::Unpin(_) => None,
        }
    }
}

/// An area and what happens to it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Subject {
    /// The area.
    pub area: Area,
    /// The names of the clients, by number.
    pub clients: Vec<String>,
    /// What happens, in order. No two allocs have the same id.
    pub items: Vec<Item>,
}

impl Subject {
    /// What `source` holds under `cap`; in front what was live before a trace began. How its claims
    /// ended is kept where `scripted`. The file's times are kept where `timed`, else each op has
    /// its number as its time.
    ///
    /// # Errors
    /// Where it cannot be read, states no area, or has more than 2097152 ops.
    pub fn read(
        source: &Source,
        options: &Options,
        cap: u32,
        scripted: bool,
        timed: bool,
    ) -> Result<Self, IngestError> {
        let mut reader = reader::open(source, options)?;
        let (area, kernel) = (area(&reader)?, reader.kernel());
        let mut items: Vec<_> = reader
            .warm_up()
            .into_iter()
            .map(|op| Item { timed: Timed { at_us: 0, op }, ending: None, line: 0 })
            .collect();
        for row in reader.by_ref() {
            let row = row?;
            let Event::Op(op) = row.event else { continue };
            let mut script = Script::default();
            script.note(&row, kernel);
            let ending = script.at(row.at_us).filter(|_| scripted);
            let item = |op, ending| {
                let timed = Timed { at_us: row.at_us, op };
                Item { timed, ending, line: row.line }
            };
            items.push(item(op.with_cap(cap), ending));
            items.extend(row.give_back().map(|op| item(op, None)));
            if items.len() > MOST {
                let why = format!("more than {MOST} ops; cut it after the refusal");
                let (source, line) = (source.name().to_string(), row.line);
                return Err(IngestError { source, line, column: 0, why });
            }
        }
        let clients = reader.clients().into_iter().map(str::to_string).collect();
        let mut subject = Self { area, clients, items };
        subject.name_apart();
        if !timed {
            subject.count_time();
        }
        Ok(subject)
    }

    /// Each alloc gets an id of its own, in order; frees of what was never asked for are dropped.
    pub(super) fn name_apart(&mut self) {
        let mut now = HashMap::new();
        let mut next = 0;
        self.items.retain_mut(|item| match &mut item.timed.op {
            Op::Alloc { id, .. } => {
                now.insert(*id, next);
                *id = next;
                next += 1;
                true
            }
            Op::Free { id, .. } => now.get(id).is_some_and(|new| {
                *id = *new;
                true
            }),
            Op::Pin(_) | Op::Unpin(_) => true,
        });
    }

    /// Each op has its number as its time.
    pub(super) fn count_time(&mut self) {
        for (at_us, item) in (0..).zip(&mut self.items) {
            item.timed.at_us = at_us;
        }
    }
}

/// What of `items` has something to act on: frees of what was asked for before, pins inside `area`,
/// unpins of what was pinned before.
pub(super) fn closed(area: &Area, items: impl Iterator<Item = Item>) -> Vec<Item> {
    let mut asked = HashSet::new();
    let mut pinned: HashSet<Run> = HashSet::new();
    let has_object = |item: &Item| match item.timed.op {
        Op::Alloc { id, .. } => asked.insert(id),
        Op::Free { id, .. } => asked.contains(&id),
        Op::Pin(run) => area.range_of(run).is_some() && pinned.insert(run),
        Op::Unpin(run) => pinned.remove(&run),
    };
    items.filter(has_object).collect()
}
