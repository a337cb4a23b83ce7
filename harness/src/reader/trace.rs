//! A trace of a real kernel as rows: every call with what became of it, every release.
//!
//! It is read in passes. The first one finds the area, and which buffers the trace gives back
//! without having got them: they were live before it began. Where nothing states what else was, the
//! second one finds what the calls prove of it. The last one yields the rows.

mod agree;
mod asking;
mod plan;
mod proof;
mod residents;
mod scan;
mod taken;
mod totals;

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use cma_policies::{Pfn, Request, Run, dma_align};

use super::Options;
use crate::board::Asking;
use crate::ingest::log::{self, Record};
use crate::ingest::{
    self, Answered, Clients, Event, Header, IngestError, Opened, Recorded, Row, Rows, Source,
};
use crate::kernel::Kind;
use crate::op::Op;
use crate::timeline::{
    Call, CapShown, Ended, Free, Live, Order, Place, Released, Start, What, run, traced,
};
use crate::words::counted;
pub(super) use agree::agree;
pub(super) use plan::Plan;
use scan::Scan;

/// What is counted of what a trace leaves open, and of rows that cannot be replayed.
#[derive(Clone, Copy, Default, Debug)]
struct Counts {
    /// Times that events were lost.
    lost: u64,
    /// Calls without a start.
    unstarted: u64,
    /// Calls within which another one ended.
    overlapping: u64,
    /// Calls whose busy claims may be those of another.
    unclear: u64,
    /// Calls without an end.
    unfinished: u64,
    /// Releases of pages that nobody is known to hold.
    unknown: u64,
    /// Releases of pages that are held, but not as one piece.
    odd: u64,
    /// Calls and releases of pages that are not in the area.
    outside: u64,
    /// Ends and releases without the numbers that a replay needs.
    unplaced: u64,
}

impl Counts {
    /// How many of what there are, and what is to say of one and of several; so many releases are
    /// traced `late`, or `missing`.
    fn said(
        self,
        late: u64,
        missing: u64,
    ) -> [(u64, &'static str, &'static str, &'static str); 11] {
        [
            (
                self.lost,
                "time",
                "events were lost: what they did is missing",
                "events were lost: what they did is missing",
            ),
            (
                self.unstarted,
                "call",
                "has no start; it is at its first event",
                "have no start; each is at its first event",
            ),
            (
                self.overlapping,
                "call",
                "overlaps others: pages are held while a claim is tried, so its place may differ",
                "overlap others: pages are held while a claim is tried, so their places may differ",
            ),
            (
                self.unclear,
                "call",
                "may have made the busy claims of another: its own are not compared",
                "may have made the busy claims of another: theirs are not compared",
            ),
            (
                late,
                "release",
                "is traced after the grant of its pages to another call; it is put before it",
                "are traced after the grant of their pages to another call; each is put before it",
            ),
            (
                missing,
                "release",
                "is missing: its pages are granted again",
                "are missing: their pages are granted again",
            ),
            (
                self.unfinished,
                "call",
                "has no finish; it is left out",
                "have no finish; they are left out",
            ),
            (
                self.unknown,
                "release",
                "is of pages that nobody holds; it is left out",
                "are of pages that nobody holds; they are left out",
            ),
            (
                self.odd,
                "release",
                "is of pages that are no piece of one buffer; it is left out",
                "are of pages that are no piece of one buffer; they are left out",
            ),
            (
                self.outside,
                "call",
                "or release is of pages outside the area; it is left out",
                "or releases are of pages outside the area; they are left out",
            ),
            (
                self.unplaced,
                "event",
                "lacks a pfn, a count or an order; it is left out",
                "lack a pfn, a count or an order; they are left out",
            ),
        ]
    }
}

/// The rows of a trace.
pub(super) struct Trace {
    name: String,
    records: log::Records,
    plan: Arc<Plan>,
    order: Order,
    live: Live,
    ready: VecDeque<Row>,
    counts: Counts,
    clients: Clients,
    /// Number of the next buffer.
    next_id: u64,
    /// The time of the first event, in microseconds since boot.
    first_us: Option<u64>,
    /// The time of the last row.
    last_us: Option<u64>,
    ended: bool,
}

/// What a trace shows beside its rows.
#[derive(Default)]
pub(super) struct Shown {
    /// Of its cap, where the caller does not state it.
    pub(super) cap: Option<CapShown>,
    /// Of how its clients ask.
    pub(super) asking: Asking,
}

/// Whether `source` has an event of a CMA area.
pub(super) fn has_events(source: &Source) -> Result<bool, IngestError> {
    Ok(events(source, 1)? > 0)
}

/// The events of CMA areas in `source`, as far as there are not more than `most`.
pub(super) fn events(source: &Source, most: u64) -> Result<u64, IngestError> {
    let is_event =
        |record: &Record| traced(record).is_some() && !matches!(record, Record::Lost { .. });
    let events = log::open(source)?.flatten().filter(|found| is_event(&found.record));
    Ok(events.take(usize::try_from(most).unwrap_or(usize::MAX)).count() as u64)
}

/// The areas that have events in `source`, by name.
pub(super) fn areas(source: &Source) -> Result<Vec<String>, IngestError> {
    let traced = log::open(source)?.flatten().filter_map(|found| {
        let is_event = !matches!(found.record, Record::Lost { .. });
        traced(&found.record).filter(|_| is_event).cloned().flatten()
    });
    let names: BTreeSet<String> = traced.map(|name| name.to_string()).collect();
    Ok(names.into_iter().collect())
}

/// What kind of kernel printed the text.
pub(super) fn kind(source: &Source, options: &Options) -> Result<Kind, IngestError> {
    Ok(Scan::of(source, options)?.kind())
}

/// Opens `source` as a trace; `None` where it has no event of a CMA area.
pub(super) fn open(
    source: &Source,
    options: &Options,
) -> Result<Option<(Opened, Shown)>, IngestError> {
    let Some(plan) = planned(source, options)? else { return Ok(None) };
    let mut header = Header::default();
    if let Some(kernel) = &plan.kernel {
        header.pairs.push(("kernel".to_string(), kernel.to_string()));
    }
    let name = source.name().to_string();
    let (area, cap) = (plan.area.clone(), plan.cap);
    let shown = Shown { cap: plan.cap_shown.clone(), asking: plan.asking.clone() };
    let paged = plan.paged;
    header.pairs.push(("area".to_string(), area.name().to_string()));
    let mut live = Live::default();
    for (id, run) in (0..).zip(&plan.residents) {
        live.grant(id, *run, &mut |_| {});
    }
    // Number 0 is nobody, who asked for what was live before.
    let mut clients = Clients::default();
    clients.number("");
    let rows = Trace {
        name,
        records: log::open(source)?,
        next_id: plan.first_id(),
        plan,
        order: Order::default(),
        live,
        ready: VecDeque::new(),
        counts: Counts::default(),
        clients,
        first_us: None,
        last_us: None,
        ended: false,
    };
    let format = &ingest::TRACE;
    let opened = Opened { format, header, area: Some(area), cap, paged, rows: Box::new(rows) };
    Ok(Some((opened, shown)))
}

/// What `source` is replayed on, as found out now or before.
fn planned(source: &Source, options: &Options) -> Result<Option<Arc<Plan>>, IngestError> {
    if let Some(plan) = options.memory.of(source, options) {
        return Ok(Some(plan));
    }
    let scan = Scan::of(source, options)?;
    if scan.traced.is_empty() {
        return Ok(None);
    }
    let plan = Plan::new(scan, options, source);
    let plan = Arc::new(plan.map_err(|why| IngestError::of(source.name(), why))?);
    options.memory.keep(source, options, &plan);
    Ok(Some(plan))
}

impl Rows for Trace {
    fn name(&self) -> &str {
        &self.name
    }

    fn clients(&self) -> Vec<&str> {
        self.clients.names()
    }

    fn clock_us(&self) -> Option<u64> {
        self.first_us
    }

    fn warm_up(&self) -> Vec<Op> {
        self.plan.warm_up()
    }

    fn warnings(&self) -> Vec<String> {
        let mut warnings = self.plan.warnings.clone();
        let counts = self.counts.said(self.live.late(), self.live.missing());
        let there = counts.into_iter().filter(|(number, ..)| *number > 0);
        warnings.extend(there.map(|(number, what, one, several)| {
            let then = if number == 1 { one } else { several };
            format!("{} {then}", counted(number, what))
        }));
        warnings
    }

    /// The next row. A line that is wrong was counted by the first pass.
    fn next_row(&mut self) -> Result<Option<Row>, IngestError> {
        loop {
            if let Some(row) = self.ready.pop_front() {
                return Ok(Some(row));
            }
            if let Some(effect) = self.order.next_effect() {
                if effect.what == What::Lost || effect.area == self.plan.name {
                    self.took_effect(effect.what);
                }
                continue;
            }
            if self.ended {
                return Ok(None);
            }
            match self.records.next() {
                Some(Ok(found)) => {
                    let lost = matches!(found.record, Record::Lost { .. });
                    if lost || traced(&found.record) == Some(&self.plan.name) {
                        self.first_us = self.first_us.or(found.time_us);
                    }
                    self.order.take(&found);
                }
                Some(Err(_)) => {}
                None => {
                    self.order.end_of_text();
                    self.ended = true;
                }
            }
        }
    }
}

impl Trace {
    fn took_effect(&mut self, what: What) {
        match what {
            What::Call { call, overlaps } => {
                self.counts.overlapping += u64::from(overlaps);
                self.counts.unclear += u64::from(!call.is_sure());
                self.counts.unstarted += u64::from(call.start == Start::Missing);
                self.call(&call);
            }
            What::Released(at, run) => match self.inside(run) {
                true => match self.live.give_back(run) {
                    Released::Free(free) => self.free(at, free),
                    Released::Before => {}
                    Released::Unknown => self.counts.unknown += 1,
                    Released::Odd => self.counts.odd += 1,
                },
                false => self.counts.outside += 1,
            },
            What::Tried(at, run) => self.tried(at, run),
            What::Unplaced => self.counts.unplaced += 1,
            What::Lost => {
                self.counts.lost += 1;
                self.live.forget();
            }
        }
    }

    fn inside(&self, run: Run) -> bool {
        self.plan.area.range_of(run).is_some()
    }

    /// The time of a row: that of the event from the first one on, and later than the row before,
    /// so that it names the row.
    fn at_us(&mut self, time_us: Option<u64>) -> u64 {
        let after = self.last_us.map_or(0, |last| last.saturating_add(1));
        let since = time_us.zip(self.first_us).map(|(time, first)| time.saturating_sub(first));
        let at = since.unwrap_or(0).max(after);
        self.last_us = Some(at);
        at
    }

    fn push(&mut self, line: u64, time_us: Option<u64>, event: Event, recorded: Recorded) {
        let at_us = self.at_us(time_us);
        self.ready.push_back(Row { line, at_us, event, recorded });
    }

    /// A claim of these pages failed: what held one of them has given it back before.
    fn tried(&mut self, at: Place, run: Run) {
        if !self.inside(run) {
            return;
        }
        let mut freed = Vec::new();
        self.live.clear(run, &mut |free| freed.push(free));
        freed.into_iter().for_each(|free| self.free(at, free));
    }

    /// A call by how it ended.
    fn call(&mut self, call: &Call) {
        let count = call.count.unwrap_or(0);
        let recorded = match call.ended {
            Some(Ended::Granted(Some(pfn))) => match run(pfn, count) {
                Some(run) if self.inside(run) => self.granted(call, run),
                _ => {
                    self.counts.outside += 1;
                    return;
                }
            },
            Some(Ended::Failed(failed)) => {
                let tried = failed.tried.pfn();
                if let Some(run) = tried.and_then(|pfn| run(pfn, count)) {
                    self.tried(Place { line: call.span.0.line, ..call.span.1 }, run);
                }
                Recorded {
                    result: call.errno().map(|errno| Answered::Number(errno.into())),
                    retries: call.retries(),
                    refused_at: tried.and_then(|pfn| self.plan.area.page_of(Pfn(pfn))),
                    ..Recorded::default()
                }
            }
            // What asks for more than there is ends without a finish (6.12 to 6.14).
            None | Some(Ended::Granted(None)) => {
                if (1..=self.plan.area.pages()).contains(&count) {
                    self.counts.unfinished += 1;
                    return;
                }
                Recorded::default()
            }
        };
        self.row(call, recorded);
    }

    fn granted(&mut self, call: &Call, run: Run) -> Recorded {
        let mut freed = Vec::new();
        self.live.grant(self.next_id, run, &mut |free| freed.push(free));
        let at = Place { line: call.span.0.line, ..call.span.1 };
        freed.into_iter().for_each(|free| self.free(at, free));
        Recorded { result: self.offset(run), retries: call.retries(), ..Recorded::default() }
    }

    /// A call of a known kind of end as a row.
    fn row(&mut self, call: &Call, recorded: Recorded) {
        let pid = call.task.as_ref().and_then(|task| task.pid);
        let recorded = Recorded { pid, ..recorded };
        let Some((count, align)) = call.asked() else { return };
        let id = self.next_id;
        self.next_id += 1;
        let event = match Request::new(count, align.min(63)) {
            Ok(request) => {
                let dma = align == dma_align(count, self.plan.cap);
                let comm = call.task.as_ref().and_then(|task| task.comm.as_deref());
                let client = self.clients.number(comm.unwrap_or_default());
                // Past the last number all are the last.
                let request = request.with_client(client.unwrap_or(u16::MAX));
                Event::Op(Op::Alloc { id, request, dma })
            }
            Err(_) => Event::NoPages,
        };
        self.push(call.span.0.line, call.span.1.time_us, event, recorded);
    }

    fn free(&mut self, at: Place, free: Free) {
        let Free { id, part, run } = free;
        let recorded = Recorded { result: self.offset(run), ..Recorded::default() };
        self.push(at.line, at.time_us, Event::Op(Op::Free { id, part }), recorded);
    }

    /// Where `run` of the area begins, as a recording has it.
    fn offset(&self, run: Run) -> Option<Answered> {
        i64::try_from(self.plan.area.page_of(run.pfn)?).ok().map(Answered::Number)
    }
}
