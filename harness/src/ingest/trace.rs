//! A trace of a real kernel as rows: every call with what became of it, every release.
//!
//! It is read in two passes. The first one tells the area, and which buffers the trace gives back
//! without having got them: they were live before it began. The second one yields the rows.

mod calls;
mod live;
mod plan;
mod scan;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use cma_policies::{Area, Request, Run, dma_align};

use super::error::IngestError;
use super::header::Header;
use super::log::{self, Record};
use super::recording::{Answered, Recorded};
use super::source::Source;
use super::{Event, Format, Options, Row};
use crate::op::Op;
use calls::{Calls, Done, Ended};
use live::{Free, Live, Released};
use plan::Plan;
use scan::{Scan, run, traced};

pub(super) const FORMAT: Format = Format {
    name: "trace",
    about: "what a real kernel traced: calls and releases as they happened; ftrace, trace-cmd, perf",
    columns: "lines with cma_alloc_start, cma_alloc_busy_retry, cma_alloc_finish, cma_release; or \
              cma_alloc and cma_release",
    kernels: "4.1 on",
    written: false,
};

/// What is counted of rows that cannot be replayed.
#[derive(Clone, Copy, Default, Debug)]
struct Skipped {
    /// Calls without an end.
    unfinished: u64,
    /// Calls and releases of pages that are not in the area.
    outside: u64,
    /// Releases of pages that nobody is known to hold.
    unknown: u64,
    /// Releases of pages that are held, but not as one piece.
    odd: u64,
}

/// The rows of a trace.
pub(super) struct Rows {
    name: String,
    records: log::Records,
    plan: Plan,
    cap: u32,
    calls: Calls,
    live: Live,
    ready: VecDeque<Row>,
    skipped: Skipped,
    clients: Clients,
    /// Number of the next buffer.
    next_id: u64,
    /// The time of the first event, in microseconds since boot.
    first_us: Option<u64>,
    /// The time of the last row.
    last_us: Option<u64>,
    ended: bool,
}

/// Opens `source` as a trace; `None` where it has no event of a CMA area.
pub(super) fn open(
    source: &Source,
    options: &Options,
    cap: u32,
) -> Result<Option<(Rows, Header, Area)>, IngestError> {
    let scan = Scan::of(source, options.snapshot.as_ref())?;
    if scan.areas.is_empty() {
        return Ok(None);
    }
    let mut header = Header::default();
    if let Some(kernel) = &scan.kernel {
        header.pairs.push(("kernel".to_string(), kernel.to_string()));
    }
    let plan = Plan::new(scan, options).map_err(|why| IngestError {
        source: source.name().to_string(),
        line: 0,
        column: 0,
        why,
    })?;
    let area = plan.area.clone();
    header.pairs.push(("area".to_string(), area.name().to_string()));
    Ok(Some((Rows::new(source, plan, cap)?, header, area)))
}

impl Rows {
    fn new(source: &Source, plan: Plan, cap: u32) -> Result<Self, IngestError> {
        let mut live = Live::default();
        for (id, run) in (0..).zip(&plan.residents) {
            live.grant(id, *run, &mut |_| {});
        }
        Ok(Self {
            name: source.name().to_string(),
            records: log::open(source)?,
            next_id: plan.first_id(),
            plan,
            cap,
            calls: Calls::default(),
            live,
            ready: VecDeque::new(),
            skipped: Skipped::default(),
            clients: Clients::default(),
            first_us: None,
            last_us: None,
            ended: false,
        })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn clients(&self) -> Vec<&str> {
        self.clients.names.iter().map(|name| &**name).collect()
    }

    pub(super) fn warm_up(&self) -> Vec<Op> {
        self.plan.warm_up()
    }

    pub(super) fn warnings(&self, warnings: &mut Vec<String>) {
        warnings.extend(self.plan.warnings.iter().cloned());
        let (strange, skipped) = (self.calls.strange, self.skipped);
        for (times, what) in [
            (strange.lost, "times events were lost: what they did is missing"),
            (strange.unstarted, "calls have no start; each stands at its first event"),
            (
                strange.overlapping,
                "calls overlap others: pages are held while a claim is tried, \
                                   so their places may differ",
            ),
            (
                self.live.late,
                "releases are traced behind the grant of their pages to another \
                              call; each stands in front of it",
            ),
            (self.live.missing, "releases are missing: their pages are granted again"),
            (skipped.unfinished, "calls have no finish; they are left out"),
            (skipped.unknown, "releases are of pages that nobody holds; they are left out"),
            (
                skipped.odd,
                "releases are of pages that are no piece of one buffer; they are left \
                           out",
            ),
            (skipped.outside, "calls or releases are of pages outside the area; they are left out"),
            (strange.unplaced, "events lack a pfn or a count; they are left out"),
        ] {
            if times > 0 {
                warnings.push(format!("{times} {what}"));
            }
        }
    }

    /// The next row. A line that is wrong was counted by the first pass.
    pub(super) fn next_row(&mut self) -> Option<Row> {
        loop {
            if let Some(row) = self.ready.pop_front() {
                return Some(row);
            }
            if let Some(done) = self.calls.next() {
                self.done(&done);
                continue;
            }
            if self.ended {
                return None;
            }
            match self.records.next() {
                Some(Ok(found)) => {
                    let lost = matches!(found.record, Record::Lost { .. });
                    if lost || traced(&found.record) == Some(&self.plan.name) {
                        self.first_us = self.first_us.or(found.time_us);
                        self.calls.take(&found);
                    }
                }
                Some(Err(_)) => {}
                None => {
                    self.calls.end();
                    self.ended = true;
                }
            }
        }
    }

    fn done(&mut self, done: &Done) {
        match *done {
            Done::Call { ended: Ended::Granted(pfn), count, .. } => match self.inside(pfn, count) {
                Some(run) => self.granted(done, run),
                None => self.skipped.outside += 1,
            },
            Done::Call { ended, retries, .. } => self.refused(done, ended, retries),
            Done::Release { line, time_us, pfn, count } => match self.inside(pfn, count) {
                Some(run) => match self.live.give_back(run) {
                    Released::Free(free) => self.free(line, time_us, free),
                    Released::Before => {}
                    Released::Unknown => self.skipped.unknown += 1,
                    Released::Odd => self.skipped.odd += 1,
                },
                None => self.skipped.outside += 1,
            },
            Done::Tried { line, time_us, pfn, count } => self.tried(line, time_us, pfn, count),
            Done::Lost => self.live.forget(),
        }
    }

    fn inside(&self, pfn: u64, count: u64) -> Option<Run> {
        run(pfn, count).filter(|run| self.plan.area.ranges()[0].contains(*run))
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
    fn tried(&mut self, line: u64, time_us: Option<u64>, pfn: u64, count: u64) {
        let Some(run) = self.inside(pfn, count) else { return };
        let mut freed = Vec::new();
        self.live.clear(run, &mut |free| freed.push(free));
        for free in freed {
            self.free(line, time_us, free);
        }
    }

    fn granted(&mut self, done: &Done, run: Run) {
        let Done::Call { line, time_us, retries, .. } = done else { return };
        let id = self.next_id;
        let mut freed = Vec::new();
        self.live.grant(id, run, &mut |free| freed.push(free));
        for free in freed {
            self.free(*line, *time_us, free);
        }
        let recorded =
            Recorded { result: self.offset(run), retries: *retries, ..Recorded::default() };
        self.call(done, recorded);
    }

    fn refused(&mut self, done: &Done, ended: Ended, retries: Option<u64>) {
        let Ended::Failed { tried, errno } = ended else {
            // What asks for more than there is ends without a finish (6.12 to 6.14).
            let Done::Call { count, .. } = done else { return };
            if (1..=self.plan.area.pages()).contains(count) {
                self.skipped.unfinished += 1;
            } else {
                self.call(done, Recorded::default());
            }
            return;
        };
        if let (Done::Call { line, time_us, count, .. }, Some(pfn)) = (done, tried) {
            self.tried(*line, *time_us, pfn, *count);
        }
        let base = self.plan.area.ranges()[0].pfn.0;
        self.call(
            done,
            Recorded {
                result: Some(Answered::Number(errno.into())),
                retries,
                refused_at: tried.and_then(|pfn| pfn.checked_sub(base)),
                ..Recorded::default()
            },
        );
    }

    /// A call of a known kind of end as a row.
    fn call(&mut self, done: &Done, recorded: Recorded) {
        let Done::Call { line, time_us, comm, count, align, .. } = done else { return };
        let id = self.next_id;
        self.next_id += 1;
        let event = match Request::new(*count, (*align).min(63)) {
            Ok(request) => {
                let dma = *align == dma_align(*count, self.cap);
                let request = request.with_client(self.clients.number(comm.as_ref()));
                Event::Op(Op::Alloc { id, request, dma })
            }
            Err(_) => Event::NoPages,
        };
        self.push(*line, *time_us, event, recorded);
    }

    fn free(&mut self, line: u64, time_us: Option<u64>, free: Free) {
        let Free { id, part, run } = free;
        let recorded = Recorded { result: self.offset(run), ..Recorded::default() };
        self.push(line, time_us, Event::Op(Op::Free { id, part }), recorded);
    }

    /// Where `run` of the area begins, as a recording has it.
    fn offset(&self, run: Run) -> Option<Answered> {
        let offset = run.pfn.0.checked_sub(self.plan.area.ranges()[0].pfn.0)?;
        i64::try_from(offset).ok().map(Answered::Number)
    }
}

/// The names of tasks in order of appearance; number 0 is nobody, who asked for what was live
/// before.
struct Clients {
    numbers: HashMap<Arc<str>, u16>,
    names: Vec<Arc<str>>,
}

impl Default for Clients {
    fn default() -> Self {
        let nobody: Arc<str> = "".into();
        Self { numbers: HashMap::from([(Arc::clone(&nobody), 0)]), names: vec![nobody] }
    }
}

impl Clients {
    /// The number of `comm`; behind the last number all are the last.
    fn number(&mut self, comm: Option<&Arc<str>>) -> u16 {
        let name = comm.map_or("", |comm| &**comm);
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let Ok(number) = u16::try_from(self.names.len()) else { return u16::MAX };
        let name: Arc<str> = name.into();
        self.numbers.insert(Arc::clone(&name), number);
        self.names.push(name);
        number
    }
}
