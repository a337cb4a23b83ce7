//! What can go: clients, sessions, buffers, ops.

use std::collections::HashMap;

use cma_policies::Area;

use super::run::{first_to_show, unmet};
use super::subject::{Item, Subject, closed};
use super::{Error, Goal, Limits, Progress};
use crate::ddmin::{Tried, reduce};
use crate::op::Op;
use crate::replay::Under;

/// A stream on its way to becoming smaller: it shows the goal with its last op, always.
pub(super) struct Cutter<'a> {
    pub(super) under: &'a Under<'a>,
    goal: Goal,
    pub(super) limits: Limits,
    watch: &'a mut dyn FnMut(Progress),
    /// The smallest so far.
    pub(super) subject: Subject,
    /// Runs so far.
    pub(super) tries: u64,
}

impl<'a> Cutter<'a> {
    /// Cuts everything after the first op that shows `goal`.
    pub(super) fn new(
        subject: &Subject,
        under: &'a Under<'a>,
        goal: Goal,
        limits: Limits,
        watch: &'a mut dyn FnMut(Progress),
    ) -> Result<Self, Error> {
        let met = first_to_show(&subject.area, &subject.items, under, goal)?;
        let met = met.ok_or_else(|| unmet(subject))?;
        let items = subject.items[..=met].to_vec();
        let subject = Subject { items, ..subject.clone() };
        Ok(Self { under, goal, limits, watch, subject, tries: 0 })
    }

    /// Whether no further try can be afforded.
    pub(super) const fn is_out(&self) -> bool {
        self.tries >= self.limits.tries
    }

    /// What of `items` on `area` is enough to show the goal.
    fn attempt(&mut self, area: &Area, items: impl Iterator<Item = Item>) -> Tried<Item> {
        if self.is_out() {
            return Tried::Stop;
        }
        self.tries += 1;
        (self.watch)(Progress { tries: self.tries, ops: self.subject.items.len() });
        let mut items = closed(area, items);
        // A policy that cannot be built there shows nothing.
        match first_to_show(area, &items, self.under, self.goal) {
            Ok(Some(met)) => {
                items.truncate(met + 1);
                Tried::Keeps(items)
            }
            Ok(None) | Err(_) => Tried::Loses,
        }
    }

    /// Goes on with `items` on `area` where they show the goal.
    pub(super) fn accept(&mut self, area: &Area, items: impl Iterator<Item = Item>) -> bool {
        let Tried::Keeps(items) = self.attempt(area, items) else { return false };
        let clients = std::mem::take(&mut self.subject.clients);
        self.subject = Subject { area: area.clone(), clients, items };
        true
    }

    /// Takes away whatever can go.
    pub(super) fn cut(&mut self) {
        // What was given back before the end goes first: what is live makes the holes.
        let splits: [Split; 4] = [
            by_client,
            by_session,
            |items| by_buffer(items, true),
            |items| by_buffer(items, false),
        ];
        for split in splits {
            let units = split(&self.subject.items);
            self.reduce_units(&units);
        }
        self.reduce_ops();
    }

    /// `unit_of` says for each item which unit it belongs to; those of none stay.
    fn reduce_units(&mut self, unit_of: &[Option<usize>]) {
        let count = unit_of.iter().flatten().max().map_or(0, |last| last + 1);
        if count < 2 {
            return;
        }
        let (area, all) = (self.subject.area.clone(), self.subject.items.clone());
        let units: Vec<usize> = (0..count).collect();
        let mut best = None;
        reduce(&units, &mut |kept| {
            let mut stays = vec![false; count];
            kept.iter().for_each(|unit| stays[*unit] = true);
            let items = all.iter().zip(unit_of);
            let items = items.filter(|(_, unit)| unit.is_none_or(|unit| stays[unit]));
            match self.attempt(&area, items.map(|(item, _)| *item)) {
                Tried::Keeps(items) => {
                    best = Some(items);
                    Tried::Keeps(kept.to_vec())
                }
                Tried::Loses => Tried::Loses,
                Tried::Stop => Tried::Stop,
            }
        });
        if let Some(items) = best {
            self.subject.items = items;
        }
    }

    fn reduce_ops(&mut self) {
        let (area, all) = (self.subject.area.clone(), self.subject.items.clone());
        self.subject.items = reduce(&all, &mut |kept| self.attempt(&area, kept.iter().copied()));
    }
}

/// Says for each item which unit it belongs to.
type Split = fn(&[Item]) -> Vec<Option<usize>>;

/// Numbers names in order of appearance.
#[derive(Default)]
struct Numbers<K>(HashMap<K, usize>);

impl<K: std::hash::Hash + Eq> Numbers<K> {
    fn of(&mut self, name: K) -> usize {
        let next = self.0.len();
        *self.0.entry(name).or_insert(next)
    }
}

/// All that a client does.
fn by_client(items: &[Item]) -> Vec<Option<usize>> {
    let (mut clients, mut of_buffer) = (Numbers::default(), HashMap::new());
    let unit = |item: &Item| {
        if let Op::Alloc { id, request, .. } = item.timed.op {
            of_buffer.insert(id, clients.of(request.client()));
        }
        item.id().and_then(|id| of_buffer.get(&id).copied())
    };
    items.iter().map(unit).collect()
}

/// What a client does from an alloc while it holds nothing to the free after which it holds
/// nothing again.
fn by_session(items: &[Item]) -> Vec<Option<usize>> {
    // The session that a client is in, and the buffers that it holds.
    let mut now: HashMap<u16, (usize, usize)> = HashMap::new();
    let mut of_buffer: HashMap<u64, (usize, u16)> = HashMap::new();
    let mut sessions = 0;
    let unit = |item: &Item| match item.timed.op {
        Op::Alloc { id, request, .. } => {
            let (session, held) = now.entry(request.client()).or_default();
            if *held == 0 {
                *session = sessions;
                sessions += 1;
            }
            *held += 1;
            of_buffer.insert(id, (*session, request.client()));
            Some(*session)
        }
        Op::Free { id, part } => {
            let (session, client) = *of_buffer.get(&id)?;
            if let (None, Some((_, held))) = (part, now.get_mut(&client)) {
                *held = held.saturating_sub(1);
            }
            Some(session)
        }
        Op::Pin(_) | Op::Unpin(_) => None,
    };
    items.iter().map(unit).collect()
}

/// A buffer, from its alloc to its last free; only those that are given back where `gone`.
fn by_buffer(items: &[Item], gone: bool) -> Vec<Option<usize>> {
    let freed = |item: &Item| match item.timed.op {
        Op::Free { id, part: None } => Some(id),
        _ => None,
    };
    let freed: std::collections::HashSet<u64> = items.iter().filter_map(freed).collect();
    let mut buffers = Numbers::default();
    let unit = |item: &Item| {
        let id = item.id().filter(|id| !gone || freed.contains(id))?;
        Some(buffers.of(id))
    };
    items.iter().map(unit).collect()
}
