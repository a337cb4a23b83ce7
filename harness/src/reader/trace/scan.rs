//! The first look through a trace: which areas there are, where they lie, what was live before.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use cma_policies::Run;
use cma_policies::kit::RunSet;

use super::asking::{Asked, Heard};
use super::totals::Totals;
use crate::boot::Notes;
use crate::ingest::log::boot::{Boot, PoolZone};
use crate::ingest::log::{self, Found, FreeRuns, Page, Record};
use crate::ingest::{IngestError, PageBy, Source};
use crate::kernel::{Arch, Kind, Seen, pageblock};
use crate::page;
use crate::reader::Options;
use crate::timeline::{
    Areas, Effect, Ended, Live, Order, Orders, Released, What, run, signs, traced,
};
use crate::words::pages;

/// The most areas that are told apart; a kernel has some 20 at most.
const MOST_AREAS: usize = 64;

/// The name of an area; `None` in traces up to 5.12, which do not name it.
pub(super) type Name = Option<Arc<str>>;

/// The most lists of free runs that are kept: the latest ones.
const MOST_LISTS: usize = 64;

/// A line of a text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Line {
    /// The text.
    pub(super) source: Arc<str>,
    /// From 1 on.
    pub(super) line: u64,
}

/// A list of free runs.
#[derive(Clone, Debug)]
pub(super) struct Listed {
    pub(super) at: Line,
    /// Its stamp in microseconds since boot.
    pub(super) time_us: Option<u64>,
    /// The area that the failure line before it names.
    pub(super) area: Name,
    pub(super) runs: FreeRuns,
}

/// A pool for atomic DMA, of so many bytes and for this zone.
#[derive(Clone, Debug)]
pub(super) struct Pool {
    pub(super) at: Line,
    pub(super) bytes: u64,
    pub(super) zone: PoolZone,
}

/// What the counter of an area said when the trace began.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Counted {
    /// The line of the event that says it.
    pub(super) line: u64,
    /// `available_count` and `total_count` of that.
    pub(super) stated: (u64, u64),
    /// Pages that were taken before the first event.
    pub(super) taken: u64,
}

/// The counters of an area in sysfs (6.15 on).
#[derive(Default, Debug)]
struct Sysfs {
    /// `total_pages`.
    total: Option<u64>,
    /// `available_pages`, until it is held against them.
    available: Option<u64>,
    /// The fewest pages that were taken whenever both were read.
    taken: Option<u64>,
}

/// Events that were lost after the first one of an area. What is lost before it is the beginning.
#[derive(Default, Debug)]
pub(super) struct Lost {
    /// The line of the first loss.
    line: u64,
    /// The pages whose state at the start is known all the same.
    known: RunSet,
    /// What was given back after it: live from the start, or granted by an event that was lost.
    given_back: Vec<Run>,
}

impl Lost {
    /// Which buffers may not have been live before the trace.
    pub(super) fn words(&self) -> Option<String> {
        let given_back: u64 = self.given_back.iter().map(|run| run.count).sum();
        (given_back > 0).then(|| {
            format!(
                "{} of them were given back after events were lost (line {}), and may have been \
                 granted by one of these",
                pages(given_back),
                self.line
            )
        })
    }
}

/// What the events of an area show.
#[derive(Default, Debug)]
pub(super) struct Traced {
    pub(super) events: u64,
    /// The lowest page seen and the page past the highest one.
    pub(super) span: Option<(u64, u64)>,
    /// All pages, as its starts state (6.17 on).
    pub(super) total: Option<u64>,
    /// What was given back without having been granted: it was live from the start.
    pub(super) residents: Vec<Run>,
    /// A call was refused.
    pub(super) refused: bool,
    /// Pages of which an event says something.
    pub(super) touched: RunSet,
    /// Where events were lost after the first one of the area.
    pub(super) lost: Option<Lost>,
    /// A page of each stretch of these that was new, in the order of the events.
    pub(super) firsts: Vec<u64>,
    /// What was taken before, by the counter of the area (6.18 on).
    pub(super) counted: Option<Counted>,
    /// The orders of its calls.
    pub(super) orders: Orders,
    /// Who asked for what, as far as it shows how.
    pub(super) asked: Asked,
    /// The stamps of the first event and of the last.
    pub(super) stamps: Option<(u64, u64)>,
    live: Live,
    granted: u64,
    /// Pages that events gave and took back before the counter is known.
    flow: (u64, u64),
}

impl Traced {
    fn note(&mut self, found: &Found) {
        self.events += 1;
        if let Some(at) = found.time_us {
            let (first, last) = self.stamps.unwrap_or((at, at));
            self.stamps = Some((first.min(at), last.max(at)));
        }
        let seen = match &found.record {
            Record::Start { available, total, .. } => {
                self.total = self.total.or(*total);
                self.count(found.line, available.zip(*total));
                None
            }
            // Nothing is said of a refused call's pages but that they were asked for.
            Record::Finish { page: Page::Null, .. } => {
                self.refused = true;
                None
            }
            Record::Busy { pfn, count, .. }
            | Record::Release { pfn, count, .. }
            | Record::Finish { pfn, count, .. } => pfn.zip(*count),
            _ => None,
        };
        if let Some(run) = seen.and_then(|(pfn, count)| run(pfn, count)) {
            match found.record {
                Record::Finish { .. } => self.flow.0 = self.flow.0.saturating_add(run.count),
                Record::Release { .. } => self.flow.1 = self.flow.1.saturating_add(run.count),
                _ => {}
            }
            let (low, high) = self.span.unwrap_or((u64::MAX, 0));
            self.span = Some((low.min(run.pfn.0), high.max(run.end().0)));
        }
    }

    /// The counter of the area, as a call found it: all that was taken then and not by an event.
    fn count(&mut self, line: u64, stated: Option<(u64, u64)>) {
        let is_first = self.counted.is_none() && self.is_whole(line);
        let Some((available, total)) = stated.filter(|_| is_first) else { return };
        let (given, back) = self.flow;
        let taken = total.saturating_sub(available).saturating_add(back).saturating_sub(given);
        self.counted = Some(Counted { line, stated: (available, total), taken });
    }

    fn take(&mut self, what: &What) {
        match what {
            What::Call { call, .. } => {
                self.orders.note(call);
                self.asked.note(call);
                let count = call.count.unwrap_or(0);
                let granted = match call.ended {
                    Some(Ended::Granted(pfn)) => pfn.and_then(|pfn| run(pfn, count)),
                    _ => None,
                };
                if let Some(run) = granted {
                    self.live.grant(self.granted, run, &mut |_| {});
                    self.granted += 1;
                    self.touch(run);
                }
                let tried = call.failed().and_then(|failed| failed.tried.pfn());
                self.tried(tried.and_then(|pfn| run(pfn, count)));
            }
            What::Tried(_, run) => self.tried(Some(*run)),
            What::Released(_, run) => {
                let is_unknown = self.live.give_back(*run) == Released::Unknown;
                if is_unknown && !self.touched.touches(*run) {
                    match &mut self.lost {
                        Some(lost) => lost.given_back.push(*run),
                        None => self.residents.push(*run),
                    }
                    self.touch(*run);
                }
            }
            What::Lost => self.live.forget(),
            What::Unplaced => {}
        }
    }

    /// Events were lost on `line`: what is touched from there on may have changed before.
    fn lost_at(&mut self, line: u64) {
        let known = || self.touched.clone();
        self.lost.get_or_insert_with(|| Lost { line, known: known(), given_back: Vec::new() });
    }

    /// What was given back after events were lost, and may have been granted by one of these.
    pub(super) fn doubtful(&self) -> &[Run] {
        self.lost.as_ref().map_or(&[], |lost| &lost.given_back)
    }

    /// Pages whose state at the start is known from the events.
    pub(super) fn known(&self) -> &RunSet {
        self.lost.as_ref().map_or(&self.touched, |lost| &lost.known)
    }

    /// Whether no event was lost between the first one and `line`.
    pub(super) fn is_whole(&self, line: u64) -> bool {
        self.lost.as_ref().is_none_or(|lost| line < lost.line)
    }

    fn tried(&mut self, run: Option<Run>) {
        if let Some(run) = run {
            self.live.clear(run, &mut |_| {});
            self.touch(run);
        }
    }

    /// The state of `run` at the start is known.
    fn touch(&mut self, run: Run) {
        if !self.touched.touches(run) {
            self.firsts.push(run.pfn.0);
        }
        self.touched.join(run);
    }

    /// The page past the last one that was seen below page `end`.
    pub(super) fn last_below(&self, end: u64) -> Option<u64> {
        self.touched.last(Run::new(0, end)).map(|run| run.end().0.min(end))
    }
}

/// What a text shows, apart from its calls.
#[derive(Default, Debug)]
pub(super) struct Scan {
    /// The areas that events are about.
    pub(super) traced: BTreeMap<Name, Traced>,
    /// Events of further areas.
    pub(super) others: u64,
    /// What debugfs and the boot state.
    pub(super) areas: Areas,
    /// The kernel that printed it, as it calls itself or as its events look.
    pub(super) kernel: Option<Arc<str>>,
    /// The architecture, where the boot shows it.
    pub(super) arch: Option<Arch>,
    /// Lists of free runs, in order.
    pub(super) lists: VecDeque<Listed>,
    /// The pools for atomic DMA of the last boot, in order.
    pub(super) pools: Vec<Pool>,
    /// The counters of areas in sysfs.
    sysfs: BTreeMap<Arc<str>, Sysfs>,
    /// The area of the failure line that a list may follow.
    failed: Name,
    /// What the texts say of the boot.
    notes: Notes,
    /// The size of a page that the caller gives.
    given: Option<page::Page>,
    totals: Totals,
    /// What the texts say of who asks.
    pub(super) heard: Heard,
    seen: Seen,
    order: Order,
    /// Lines that look like the kernel's and are wrong, and the first of them.
    pub(super) odd: u64,
    pub(super) first_odd: Option<String>,
    /// The texts beside the trace no line of which is known.
    pub(super) unknown: Vec<String>,
}

impl Scan {
    /// Looks through `source`, after what `options` has beside it.
    pub(super) fn of(source: &Source, options: &Options) -> Result<Self, IngestError> {
        let mut scan = Self { given: options.page, ..Self::default() };
        for beside in options.snapshot.iter().chain(&options.beside) {
            if !scan.read(beside, false)? {
                scan.unknown.push(beside.name().to_string());
            }
        }
        scan.read(source, true)?;
        scan.order.end_of_text();
        scan.drain();
        for traced in scan.traced.values_mut() {
            traced.residents.sort_unstable_by_key(|run| run.pfn);
            traced.live = Live::default();
        }
        if let Some((page, _)) = scan.page() {
            scan.areas.page_is(page.bytes());
        }
        scan.kernel = scan.kernel.or_else(|| Some(scan.seen.kernel().name.into()));
        Ok(scan)
    }

    /// Reads a text, and says whether there is anything in it that is known.
    pub(super) fn read(&mut self, source: &Source, events: bool) -> Result<bool, IngestError> {
        let mut records = log::open(source)?;
        let mut is_known = false;
        for found in records.by_ref() {
            is_known = true;
            match found {
                // It is of another moment than where the trace begins.
                Ok(Found { record: Record::Snapshot { .. }, .. }) => {}
                Ok(found) if events && traced(&found.record).is_some() => self.event(&found),
                Ok(found) => self.beside(&found, source.name()),
                Err(error) => self.wrong(&error),
            }
        }
        if let Some(error) = records.cut() {
            self.wrong(error);
        }
        Ok(is_known)
    }

    /// A counter of an area. One of the two that make up what is taken is read right after the other.
    fn count(&mut self, area: &Arc<str>, name: &str, value: u64) {
        let wanted = matches!(name, "total_pages" | "available_pages");
        if !wanted || self.sysfs.len() == MOST_AREAS && !self.sysfs.contains_key(area) {
            return;
        }
        let of_area = self.sysfs.entry(Arc::clone(area)).or_default();
        match name {
            "total_pages" => of_area.total = Some(value),
            _ => of_area.available = Some(value),
        }
        if let (Some(total), Some(available)) = (of_area.total, of_area.available) {
            let now = total.saturating_sub(available);
            of_area.taken = Some(of_area.taken.map_or(now, |least| least.min(now)));
            of_area.available = None;
        }
    }

    /// The pages of the area of this name, as its lists of free runs state them.
    pub(super) fn listed(&self, name: &Name) -> Option<u64> {
        let own = self.lists.iter().filter(|list| list.area.is_some() && list.area == *name);
        own.filter_map(|list| list.runs.total).next_back()
    }

    /// The fewest pages of an area that were taken whenever sysfs was read.
    pub(super) fn taken_by_sysfs(&self, area: &Arc<str>) -> Option<u64> {
        self.sysfs.get(area).and_then(|of_area| of_area.taken)
    }

    fn wrong(&mut self, error: &IngestError) {
        self.odd += 1;
        self.first_odd.get_or_insert_with(|| error.to_string());
    }

    fn event(&mut self, found: &Found) {
        if matches!(found.record, Record::Lost { .. }) {
            for traced in self.traced.values_mut() {
                traced.lost_at(found.line);
            }
        } else if let Some(name) = traced(&found.record) {
            signs(&found.record).for_each(|sign| self.seen.note(sign));
            if self.traced.len() == MOST_AREAS && !self.traced.contains_key(name) {
                self.others += 1;
                return;
            }
            self.traced.entry(name.clone()).or_default().note(found);
        }
        self.heard.event(found);
        self.order.take(found);
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(Effect { area, what }) = self.order.next_effect() {
            if what == What::Lost {
                self.traced.values_mut().for_each(|traced| traced.take(&what));
            } else if let Some(traced) = self.traced.get_mut(&area) {
                traced.take(&what);
            }
        }
    }

    fn beside(&mut self, found: &Found, source: &str) {
        self.notes.note(found);
        self.totals.note(&found.record);
        self.heard.note(&found.record);
        let at = || Line { source: source.into(), line: found.line };
        match &found.record {
            Record::Counter { area: Some(area), name, value } => self.count(area, name, *value),
            Record::Failed { area, .. } => self.failed.clone_from(area),
            Record::FreeRuns(runs) => {
                let (area, time_us) = (self.failed.take(), found.time_us);
                if self.lists.len() == MOST_LISTS {
                    self.lists.pop_front();
                }
                self.lists.push_back(Listed { at: at(), time_us, area, runs: runs.clone() });
            }
            Record::Boot(Boot::Began { arch, .. }) => {
                self.pools.clear();
                self.arch = arch.or(self.arch);
            }
            Record::Boot(Boot::Arch(arch)) => self.arch = Some(*arch),
            // A boot has one for each zone: what is said again is of another text of the same one.
            Record::Boot(Boot::AtomicPool { bytes, zone }) => {
                self.pools.retain(|pool| pool.zone != *zone);
                self.pools.push(Pool { at: at(), bytes: *bytes, zone: *zone });
            }
            Record::Kernel(release) => self.kernel = Some(Arc::clone(release)),
            Record::Reserved { area, base, bytes } => {
                self.areas.reserved(area.clone(), *base, *bytes);
            }
            Record::Debugfs { area, range, file } => {
                self.areas.debugfs(area.as_ref(), *range, file);
            }
            _ => {}
        }
    }

    /// The size of a page, and what says so.
    pub(super) fn page(&self) -> Option<(page::Page, PageBy)> {
        let given = self.given.map(|page| (page, PageBy::Caller));
        let totals = || {
            let traced =
                self.traced.iter().filter_map(|(name, traced)| Some((name, traced.total?)));
            Some((self.totals.page(traced)?, PageBy::Totals))
        };
        given.or_else(|| self.notes.page_stated()).or_else(totals)
    }

    /// The pages that the ends of an area are taken to be multiples of, where nothing states them:
    /// `CMA_MIN_ALIGNMENT_PAGES` of most kernels from 5.19 on.
    pub(super) fn quantum(&self) -> u64 {
        pageblock(self.page().map_or(page::Page::Kib4, |(page, _)| page))
    }

    /// What kind of kernel it is.
    pub(super) fn kind(&self) -> Kind {
        Kind { page: self.page().map(|(page, _)| page), ..self.notes.kind() }
    }

    /// Whether its kernel has no heaps of dma-buf.
    pub(super) fn has_no_heaps(&self) -> bool {
        self.notes.machine().has_no_heaps()
    }
}
