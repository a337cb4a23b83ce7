//! What a stream asked for, buffer by buffer.

use std::collections::{BTreeMap, HashMap};

use cma_policies::Area;

use super::super::of_client::OfClient;
use super::acts::{Acts, Did};
use super::again::Tries;
use super::closed::Closed;
use super::manner::{self, Manner};
use super::meant;
use crate::board::Asking;
use crate::ingest::{Event, IngestError, Paged, Source};
use crate::op::{Op, Timed};
use crate::reader::{self, CapShown, Options};
use crate::words::is_or_are;

/// Requests that are looked at: what comes after them in a longer file is not fitted.
pub(super) const MOST_REQUESTS: usize = 1 << 22;

/// What one client of a trace asks for within this time of a request, and without giving anything
/// back between, is taken as one group at one moment.
const GROUP_US: u64 = 10_000;

/// A buffer, from its request on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Buffer {
    pub(super) at_us: u64,
    /// When the last of it was given back; none if it was live at the end.
    pub(super) end_us: Option<u64>,
    pub(super) count: u64,
    /// The order that it stated; none where it follows the cap.
    pub(super) align: Option<u32>,
    pub(super) client: u16,
    /// The pid of who asked, of a trace: several programs may have one name.
    pub(super) pid: Option<u32>,
    /// It is of one who holds as much as it may.
    pub(super) is_closed: bool,
}

/// What a fit leaves out, or takes otherwise than the file has it.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct LeftOut {
    /// Pins and unpins: pages of one area, which say nothing of who asks.
    pub pins: u64,
    /// Partial frees: a buffer is held until the last of it was given back.
    pub parts: u64,
    /// Requests that the recorded kernel refused to clients who do not hold as much as they may:
    /// nobody held them.
    pub refused: u64,
    /// Requests that the recorded kernel refused, of a file without time: given back at once.
    pub given_back: u64,
    /// Requests that a signal ended: they say nothing of the area.
    pub interrupted: u64,
    /// Those of them that were made again, which a drawn stream leaves to what its callers do.
    pub again: u64,
    /// Requests for no pages.
    pub no_pages: u64,
    /// Requests after the first four million.
    pub later: u64,
}

impl LeftOut {
    /// What there is of it, in words.
    pub fn warnings(&self) -> Vec<String> {
        [self.not_fitted(), self.taken_otherwise()].concat()
    }

    /// What is left out.
    pub fn not_fitted(&self) -> Vec<String> {
        let rows = [
            (self.pins, "pin or unpin", "pins and unpins", "pages are named, and not who asks"),
            (
                self.interrupted,
                "request that a signal ended",
                "requests that a signal ended",
                "that says nothing of the area",
            ),
            (self.no_pages, "request for no pages", "requests for no pages", "no area is asked"),
            (self.later, "request", "requests", "only the first 4194304 of the file are looked at"),
        ];
        let rows = rows.into_iter().filter(|(number, ..)| *number > 0);
        rows.map(|(number, one, several, why)| {
            let what = if number == 1 { one } else { several };
            format!("{number} {what} {} not fitted: {why}", is_or_are(number))
        })
        .collect()
    }

    /// What is fitted otherwise than the file has it.
    pub fn taken_otherwise(&self) -> Vec<String> {
        let rows = [
            (
                self.parts,
                "part of a buffer was freed before the rest: it is held until all of it is free",
                "parts of buffers were freed before the rest: each is held until all of it is free",
            ),
            (
                self.refused,
                "request was refused when recorded: it is taken to live as those beside it",
                "requests were refused when recorded: they are taken to live as those beside them",
            ),
            (
                self.given_back,
                "request was refused when recorded: it is given back at once",
                "requests were refused when recorded: they are given back at once",
            ),
            (
                self.again,
                "request repeats one that was refused: what callers do makes it",
                "requests repeat one that was refused: what callers do makes them",
            ),
        ];
        let rows = rows.into_iter().filter(|(number, ..)| *number > 0);
        rows.map(|(number, one, several)| {
            format!("{number} {}", if number == 1 { one } else { several })
        })
        .collect()
    }
}

/// What a stream asked for.
#[derive(Clone, Default, Debug)]
pub(super) struct History {
    /// In order of their requests.
    pub(super) buffers: Vec<Buffer>,
    /// What was live before it began, at 0.
    pub(super) before: Vec<Buffer>,
    /// Names of clients by number; never empty.
    pub(super) clients: Vec<String>,
    pub(super) ops: u64,
    pub(super) end_us: u64,
    /// The most pages live at once, with the request that is asked for.
    pub(super) load_pages: u64,
    /// The same with what was refused, for as long as it would have lived.
    pub(super) meant_pages: u64,
    pub(super) left_out: LeftOut,
    /// Kinds of clients that hold as much as they may.
    pub(super) closed: Vec<Closed>,
    /// What each kind of clients does after a refusal, of those that ask at all.
    pub(super) manners: Vec<Manner>,
    /// How its requests ended.
    pub(super) recorded: Recorded,
}

/// Requests of one size.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Asked {
    /// Requests.
    pub requests: u64,
    /// Those of them that were refused.
    pub refused: u64,
}

impl Asked {
    /// One more.
    pub(crate) fn note(&mut self, is_refused: bool) {
        self.requests += 1;
        self.refused += u64::from(is_refused);
    }

    /// Refused requests as a share of all, where there are any.
    pub fn refused_share(self) -> Option<f64> {
        (self.requests > 0).then(|| self.refused as f64 / self.requests as f64)
    }
}

/// How the requests of a stream ended.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Recorded {
    /// By pages.
    pub by_size: BTreeMap<u64, Asked>,
    /// When the first was refused, in microseconds (of a recording, in ops).
    pub first_refused_us: Option<u64>,
    /// The most pages that were held at once.
    pub most_pages: u64,
}

impl Recorded {
    /// A request ended.
    pub fn note(&mut self, at_us: u64, pages: u64, is_refused: bool) {
        self.by_size.entry(pages).or_default().note(is_refused);
        if is_refused {
            self.first_refused_us.get_or_insert(at_us);
        }
    }

    /// All sizes.
    pub fn all(&self) -> Asked {
        self.by_size.values().fold(Asked::default(), |all, one| Asked {
            requests: all.requests + one.requests,
            refused: all.refused + one.refused,
        })
    }
}

/// What else a file says.
pub(super) struct Facts {
    pub(super) area: Option<Area>,
    pub(super) paged: Paged,
    pub(super) format: &'static str,
    pub(super) has_outcomes: bool,
    pub(super) cap: u32,
    pub(super) cap_shown: Option<CapShown>,
    pub(super) asking: Asking,
    pub(super) warnings: Vec<String>,
}

/// A history in the making.
#[derive(Default)]
struct Ledger {
    history: History,
    live: HashMap<u64, (usize, u64)>,
    live_pages: u64,
    /// By client: the moment of its last group, and whether it gave nothing back since.
    groups: BTreeMap<u16, (u64, bool)>,
    group_us: u64,
    acts: Acts,
}

impl Ledger {
    fn op(&mut self, at_us: u64, op: Op, pid: Option<u32>) {
        let history = &mut self.history;
        match op {
            Op::Alloc { id, request, dma } => {
                if self.live.contains_key(&id) {
                    return;
                }
                let client = request.client();
                let open = self.groups.get(&client);
                let moment = match open {
                    Some(&(moment, true)) if at_us - moment <= self.group_us => moment,
                    _ => at_us,
                };
                self.groups.insert(client, (moment, true));
                let number = history.buffers.len();
                self.acts.note(at_us, client, Did::Ask { number, granted: true });
                self.live.insert(id, (number, request.count()));
                self.live_pages = self.live_pages.saturating_add(request.count());
                history.load_pages = history.load_pages.max(self.live_pages);
                history.buffers.push(Buffer {
                    at_us: moment,
                    end_us: None,
                    count: request.count(),
                    align: (!dma).then_some(request.align()),
                    client,
                    pid,
                    is_closed: false,
                });
            }
            Op::Free { id, part } => {
                let Some((index, left)) = self.live.get_mut(&id) else { return };
                let back = part.map_or(*left, |part| part.count.min(*left));
                *left -= back;
                self.live_pages -= back.min(self.live_pages);
                if part.is_some() {
                    history.left_out.parts += 1;
                }
                if *left > 0 {
                    return;
                }
                let buffer = &mut history.buffers[*index];
                buffer.end_us = Some(at_us);
                self.acts.note(at_us, buffer.client, Did::Free { number: *index });
                if let Some(group) = self.groups.get_mut(&buffer.client) {
                    group.1 = false;
                }
                self.live.remove(&id);
            }
            Op::Pin(_) | Op::Unpin(_) => {
                history.left_out.pins += 1;
                return;
            }
        }
        history.ops += 1;
        history.end_us = history.end_us.max(at_us);
    }

    /// The last op was a request that was refused, at this time: nobody held it.
    fn refused(&mut self, at_us: u64, back: Op) {
        self.op(at_us, back, None);
        self.acts.refused();
    }

    /// What was live before, which is no request.
    fn before(&mut self, ops: &[Op]) {
        for op in ops {
            self.op(0, *op, None);
        }
        self.groups.clear();
        self.acts = Acts::default();
        self.history.ops = 0;
    }

    /// What clients do, and would have held.
    fn infer(&mut self, clients: &[String], has_time: bool) {
        let history = &mut self.history;
        for (kind, acts) in self.acts.by_kind(clients) {
            let tries = if has_time { Tries::find(&acts, &history.buffers) } else { None };
            let once = tries.as_ref().map(|tries| tries.without(&acts));
            let found = if has_time {
                Closed::find(&kind, once.as_ref().unwrap_or(&acts), &history.buffers)
            } else {
                Vec::new()
            };
            for number in found.iter().flat_map(|(_, own)| own) {
                history.buffers[*number].is_closed = true;
            }
            let found: Vec<_> = found.into_iter().map(|(closed, _)| closed).collect();
            let manner = manner::of(&kind, &acts, &history.buffers, found.first(), tries.as_ref());
            if !has_time {
                history.left_out.given_back += manner::refused(&acts);
            } else {
                let mended = meant::mend(&acts, manner.after, tries.as_ref(), &mut history.buffers);
                history.left_out.again += mended.gone;
                history.left_out.refused += mended.live;
            }
            history.closed.extend(found);
            history.manners.push(manner);
        }
    }

    fn finish(self, before: usize, clients: Vec<String>) -> History {
        let mut history = self.history;
        history.clients = if clients.is_empty() { vec![String::new()] } else { clients };
        let requests = history.buffers.split_off(before.min(history.buffers.len()));
        history.before = std::mem::replace(&mut history.buffers, requests);
        history.buffers.retain(|buffer| buffer.count > 0);
        // A group is at its first request, which may be before one of another client.
        history.buffers.sort_by_key(|buffer| buffer.at_us);
        let live = history.live().into_iter().map(|(_, live)| live).max();
        history.meant_pages = live.unwrap_or(0).max(history.load_pages);
        history
    }
}

impl History {
    /// Of a file, or of one client in it.
    ///
    /// # Errors
    /// Where it cannot be read, asks for nothing, or has no such client.
    pub(super) fn read(
        source: &Source,
        options: &Options,
        client: Option<&str>,
    ) -> Result<(Self, Facts), IngestError> {
        let only = client.map(|name| OfClient::find(source, options, name)).transpose()?;
        let mut reader = reader::open(source, options)?;
        let group_us = if reader.is_trace() { GROUP_US } else { 0 };
        let mut ledger = Ledger { group_us, ..Ledger::default() };
        // Nobody asked for what was live before.
        let before = if only.is_some() { Vec::new() } else { reader.before() };
        ledger.before(&before);
        let mut has_outcomes = false;
        for row in reader.by_ref() {
            let row = row?;
            has_outcomes |= row.recorded.result.is_some();
            let event = match (row.event, &only) {
                (Event::Op(op), Some(only)) => match only.take(op) {
                    Some(op) => Event::Op(op),
                    None => continue,
                },
                (event, _) => event,
            };
            match event {
                Event::NoPages => ledger.history.left_out.no_pages += 1,
                Event::Look | Event::BadFree { .. } => {}
                Event::Op(Op::Alloc { .. })
                    if ledger.history.buffers.len() >= MOST_REQUESTS + before.len() =>
                {
                    ledger.history.left_out.later += 1;
                }
                Event::Op(Op::Alloc { .. }) if row.is_interrupted() => {
                    ledger.history.left_out.interrupted += 1;
                }
                // Time ends with the last request that is looked at.
                Event::Op(_) if ledger.history.left_out.later > 0 => {}
                Event::Op(op) => {
                    ledger.op(row.at_us, op, row.recorded.pid);
                    let refused = row.give_back();
                    if let Op::Alloc { request, .. } = op {
                        let recorded = &mut ledger.history.recorded;
                        recorded.note(row.at_us, request.count(), refused.is_some());
                    }
                    if let Some(back) = refused {
                        ledger.refused(row.at_us, back);
                    }
                    let most_pages = &mut ledger.history.recorded.most_pages;
                    *most_pages = ledger.live_pages.max(*most_pages);
                }
            }
        }
        let clients = match &only {
            Some(only) => only.clients.clone(),
            None => reader.clients().into_iter().map(str::to_string).collect(),
        };
        ledger.infer(&clients, reader.has_time());
        let history = ledger.finish(before.len(), clients);
        if history.buffers.is_empty() {
            return Err(reader.error("it asks for nothing, so there is nothing to fit"));
        }
        let (area, warnings) = (reader.area().cloned(), reader.warnings());
        let (cap, cap_shown) = (reader.cap(), reader.cap_shown().cloned());
        let asking = reader.asking().clone();
        let (paged, format) = (reader.paged(), reader.format().name);
        Ok((history, Facts { area, paged, format, has_outcomes, cap, cap_shown, asking, warnings }))
    }

    /// Of a stream that was made.
    pub(super) fn of_ops(
        before: &[Op],
        ops: impl Iterator<Item = Timed>,
        clients: Vec<String>,
    ) -> Self {
        let mut ledger = Ledger::default();
        ledger.before(before);
        for Timed { at_us, op } in ops {
            ledger.op(at_us, op, None);
        }
        ledger.finish(before.len(), clients)
    }

    /// How many pages are live from each moment on at which that changes, in order of time.
    pub(super) fn live(&self) -> Vec<(u64, u64)> {
        let mut changes = Vec::new();
        let buffers = self.before.iter().chain(&self.buffers);
        for buffer in buffers.filter(|buffer| buffer.end_us != Some(buffer.at_us)) {
            changes.push((buffer.at_us, i128::from(buffer.count)));
            changes.extend(buffer.end_us.map(|end_us| (end_us, -i128::from(buffer.count))));
        }
        // What goes at the moment at which something else comes is gone first.
        changes.sort_unstable();
        let mut live = 0;
        let course = changes.into_iter().map(|(at_us, change)| {
            live += change;
            (at_us, u64::try_from(live).unwrap_or(u64::MAX))
        });
        course.collect()
    }
}
