//! The first look through a trace: which areas there are, where they lie, what was live before.

use std::collections::BTreeMap;
use std::sync::Arc;

use cma_policies::Run;
use cma_policies::kit::RunSet;

use super::totals::Totals;
use crate::boot::Notes;
use crate::ingest::log::{self, Found, Page, Record};
use crate::ingest::{IngestError, PageBy, Source};
use crate::kernel::{Kind, Seen, pageblock};
use crate::page;
use crate::reader::Options;
use crate::timeline::{Areas, Effect, Ended, Live, Order, Released, What, run, signs, traced};

/// The most areas that are told apart; a kernel has some 20 at most.
const MOST_AREAS: usize = 64;

/// The name of an area; `None` in traces up to 5.12, which do not name it.
pub(super) type Name = Option<Arc<str>>;

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
    /// Pages whose state at the start is known from the events.
    pub(super) touched: RunSet,
    /// A page of each stretch of these that was new, in the order of the events.
    pub(super) firsts: Vec<u64>,
    live: Live,
    granted: u64,
}

impl Traced {
    fn note(&mut self, record: &Record) {
        self.events += 1;
        let seen = match record {
            Record::Start { total, .. } => {
                self.total = self.total.or(*total);
                None
            }
            // Nothing is said of a refused call's pages but that they were asked for.
            Record::Finish { page: Page::Null, .. } => None,
            Record::Busy { pfn, count, .. }
            | Record::Release { pfn, count, .. }
            | Record::Finish { pfn, count, .. } => pfn.zip(*count),
            _ => None,
        };
        if let Some(run) = seen.and_then(|(pfn, count)| run(pfn, count)) {
            let (low, high) = self.span.unwrap_or((u64::MAX, 0));
            self.span = Some((low.min(run.pfn.0), high.max(run.end().0)));
        }
    }

    fn take(&mut self, what: &What) {
        match what {
            What::Call { call, .. } => {
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
                    self.residents.push(*run);
                    self.touch(*run);
                }
            }
            What::Lost => self.live.forget(),
            What::Unplaced => {}
        }
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
    /// What the texts say of the boot.
    notes: Notes,
    /// The size of a page that the caller gives.
    given: Option<page::Page>,
    totals: Totals,
    seen: Seen,
    order: Order,
    /// Lines that look like the kernel's and are wrong, and the first of them.
    pub(super) odd: u64,
    pub(super) first_odd: Option<String>,
}

impl Scan {
    /// Looks through `source`, after what `options` has beside it.
    pub(super) fn of(source: &Source, options: &Options) -> Result<Self, IngestError> {
        let mut scan = Self { given: options.page, ..Self::default() };
        for beside in options.snapshot.iter().chain(&options.beside) {
            scan.read(beside, false)?;
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

    pub(super) fn read(&mut self, source: &Source, events: bool) -> Result<(), IngestError> {
        let mut records = log::open(source)?;
        for found in records.by_ref() {
            match found {
                Ok(found) if events && traced(&found.record).is_some() => self.event(&found),
                Ok(found) => self.beside(&found),
                Err(error) => self.wrong(&error),
            }
        }
        if let Some(error) = records.cut() {
            self.wrong(error);
        }
        Ok(())
    }

    fn wrong(&mut self, error: &IngestError) {
        self.odd += 1;
        self.first_odd.get_or_insert_with(|| error.to_string());
    }

    fn event(&mut self, found: &Found) {
        let is_lost = matches!(found.record, Record::Lost { .. });
        if let Some(name) = traced(&found.record).filter(|_| !is_lost) {
            signs(&found.record).for_each(|sign| self.seen.note(sign));
            if self.traced.len() == MOST_AREAS && !self.traced.contains_key(name) {
                self.others += 1;
                return;
            }
            self.traced.entry(name.clone()).or_default().note(&found.record);
        }
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

    fn beside(&mut self, found: &Found) {
        self.notes.note(found);
        self.totals.note(&found.record);
        match &found.record {
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
}
