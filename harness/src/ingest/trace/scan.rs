//! The first look through a trace: which areas there are, where they lie, what was live before.

use std::collections::BTreeMap;
use std::sync::Arc;

use cma_policies::Run;

use super::calls::{Calls, Done, Ended};
use super::live::{Live, Pages, Released};
use crate::ingest::error::IngestError;
use crate::ingest::log::{self, DebugfsFile, Found, Origin, Page, Record};
use crate::ingest::source::Source;

/// The most areas that are told apart; a kernel has some 20 at most.
const MOST_AREAS: usize = 64;

/// The name of an area; `None` in traces up to 5.12, which do not name it.
pub(super) type Name = Option<Arc<str>>;

/// The area that a record is about, where it is an event of a trace that a replay needs.
pub(super) fn traced(record: &Record) -> Option<&Name> {
    match record {
        Record::Start { origin: Origin::Trace, area, .. }
        | Record::Busy { origin: Origin::Trace, area, .. }
        | Record::Finish { origin: Origin::Trace, area, .. }
        | Record::Release { origin: Origin::Trace, area, .. } => Some(area),
        _ => None,
    }
}

/// The pages of an event; `None` where there are none with such numbers.
pub(super) fn run(pfn: u64, count: u64) -> Option<Run> {
    pfn.checked_add(count).filter(|_| count > 0).map(|_| Run::new(pfn, count))
}

/// What debugfs states about an area.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct Stated {
    pub(super) base_pfn: Option<u64>,
    pub(super) count: Option<u64>,
    pub(super) order_per_bit: Option<u32>,
    pub(super) bitmap: Option<Arc<[u32]>>,
    /// It has a range behind the first one.
    pub(super) ranges: bool,
}

/// What the events of an area tell.
#[derive(Default, Debug)]
pub(super) struct Traced {
    pub(super) events: u64,
    /// The lowest page seen and the page behind the highest one.
    pub(super) span: Option<(u64, u64)>,
    /// `total_count` of 6.18 on.
    pub(super) total: Option<u64>,
    /// What was given back without having been granted: it was live from the start.
    pub(super) residents: Vec<Run>,
    /// Pages whose state at the start is known from the events.
    pub(super) touched: Pages,
    calls: Calls,
    live: Live,
    granted: u64,
}

impl Traced {
    fn take(&mut self, found: &Found) {
        self.events += 1;
        let seen = match &found.record {
            Record::Start { total, .. } => {
                self.total = self.total.or(*total);
                None
            }
            Record::Busy { pfn, count, .. } | Record::Release { pfn, count, .. } => {
                pfn.zip(*count).and_then(|(pfn, count)| run(pfn, count))
            }
            // Nothing is said of a refused call's pages but that they were asked for.
            Record::Finish { page: Page::Some, pfn, count, .. } => {
                pfn.zip(*count).and_then(|(pfn, count)| run(pfn, count))
            }
            _ => None,
        };
        if let Some(run) = seen {
            let (low, high) = self.span.unwrap_or((u64::MAX, 0));
            self.span = Some((low.min(run.pfn.0), high.max(run.end().0)));
        }
        self.calls.take(found);
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(done) = self.calls.next() {
            match done {
                Done::Call { ended: Ended::Granted(pfn), count, .. } => {
                    let Some(run) = run(pfn, count) else { continue };
                    self.live.grant(self.granted, run, &mut |_| {});
                    self.granted += 1;
                    self.touched.insert(run);
                }
                Done::Call { ended: Ended::Failed { tried: Some(pfn), .. }, count, .. }
                | Done::Tried { pfn, count, .. } => {
                    let Some(run) = run(pfn, count) else { continue };
                    self.live.clear(run, &mut |_| {});
                    self.touched.insert(run);
                }
                Done::Call { .. } => {}
                Done::Release { pfn, count, .. } => {
                    let Some(run) = run(pfn, count) else { continue };
                    let unknown = self.live.give_back(run) == Released::Unknown;
                    if unknown && !self.touched.touches(run) {
                        self.residents.push(run);
                        self.touched.insert(run);
                    }
                }
                Done::Lost => self.live.forget(),
            }
        }
    }

    fn end(&mut self) {
        self.calls.end();
        self.drain();
        self.residents.sort_unstable_by_key(|run| run.pfn);
        (self.calls, self.live) = (Calls::default(), Live::default());
    }
}

/// What a text tells, apart from its calls.
#[derive(Default, Debug)]
pub(super) struct Scan {
    /// The areas that events are about.
    pub(super) areas: BTreeMap<Name, Traced>,
    /// Events of further areas.
    pub(super) others: u64,
    /// What debugfs says, by the name of the folder.
    pub(super) stated: BTreeMap<Name, Stated>,
    /// What was reserved at boot, in bytes.
    pub(super) reserved: Vec<(Name, u64, u64)>,
    /// The kernel that printed it, as it calls itself or as its events look.
    pub(super) kernel: Option<Arc<str>>,
    looks: Looks,
    /// The only folder of a snapshot: its files are meant, whatever it is called.
    meant: Option<Name>,
    /// Lines that look like the kernel's and are wrong, and the first of them.
    pub(super) odd: u64,
    pub(super) first_odd: Option<String>,
}

/// What of the events differs by kernel.
#[derive(Clone, Copy, Default, Debug)]
struct Looks {
    totals: bool,
    errno: bool,
    zero_pfn: bool,
    alone: bool,
}

impl Looks {
    /// A kernel whose events look so.
    const fn kernel(self) -> &'static str {
        match self {
            Self { totals: true, .. } => "6.18",
            Self { zero_pfn: true, .. } => "6.15",
            Self { errno: true, .. } => "6.12",
            Self { alone: true, .. } => "4.11",
            _ => "6.1",
        }
    }

    fn note(&mut self, record: &Record) {
        match record {
            Record::Start { origin: Origin::Trace, available, vendor: false, .. } => {
                self.totals |= available.is_some();
            }
            Record::Finish { origin: Origin::Trace, page, pfn, errno, alone, .. } => {
                self.errno |= errno.is_some();
                self.zero_pfn |= *page == Page::Null && *pfn == Some(0);
                self.alone |= alone;
            }
            _ => {}
        }
    }
}

impl Scan {
    /// Looks through `source` behind `snapshot`.
    pub(super) fn of(source: &Source, snapshot: Option<&Source>) -> Result<Self, IngestError> {
        let mut scan = Self::default();
        if let Some(snapshot) = snapshot {
            scan.read(snapshot, false)?;
            scan.meant = scan.stated.keys().next().filter(|_| scan.stated.len() == 1).cloned();
        }
        scan.read(source, true)?;
        for area in scan.areas.values_mut() {
            area.end();
        }
        scan.kernel = scan.kernel.or_else(|| Some(scan.looks.kernel().into()));
        Ok(scan)
    }

    fn read(&mut self, source: &Source, events: bool) -> Result<(), IngestError> {
        for found in log::open(source)? {
            match found {
                Ok(found) => self.take(&found, events),
                Err(error) => {
                    self.odd += 1;
                    self.first_odd.get_or_insert_with(|| error.to_string());
                }
            }
        }
        Ok(())
    }

    fn take(&mut self, found: &Found, events: bool) {
        if let Some(name) = traced(&found.record).filter(|_| events) {
            self.looks.note(&found.record);
            if self.areas.len() < MOST_AREAS || self.areas.contains_key(name) {
                self.areas.entry(name.clone()).or_default().take(found);
            } else {
                self.others += 1;
            }
            return;
        }
        match &found.record {
            Record::Lost { .. } if events => {
                self.areas.values_mut().for_each(|area| area.calls.take(found));
            }
            Record::Kernel(release) => self.kernel = Some(Arc::clone(release)),
            Record::Reserved { area, base, bytes } if self.reserved.len() < MOST_AREAS => {
                self.reserved.push((area.clone(), *base, *bytes));
            }
            Record::Debugfs { area, range, file }
                if self.stated.len() < MOST_AREAS || self.stated.contains_key(area) =>
            {
                let stated = self.stated.entry(area.clone()).or_default();
                stated.note(range.unwrap_or(0), file);
            }
            _ => {}
        }
    }

    /// What debugfs states about the area `name`: under its name, else the only folder there is,
    /// where one of the two has no name or the caller has given it.
    pub(super) fn stated(&self, name: &Name) -> Option<&Stated> {
        let only = || self.stated.iter().next().filter(|_| self.stated.len() == 1);
        let nameless = |(folder, _): &(&Name, &Stated)| folder.is_none() || name.is_none();
        let meant = || self.stated.get(self.meant.as_ref()?);
        let found = self.stated.get(name).or_else(meant);
        found.or_else(|| only().filter(nameless).map(|(_, stated)| stated))
    }

    /// The base_pfn and pages of area `name` that the boot log states, where `span` is inside.
    pub(super) fn reserved(&self, name: &Name, span: Option<(u64, u64)>) -> Option<(u64, u64)> {
        // A page size that is not 4 KiB shows in pages that lie elsewhere.
        let runs = self.reserved.iter().filter(|(area, ..)| area.is_none() || area == name);
        let runs = runs.map(|(_, base, bytes)| (base / 4096, bytes / 4096));
        let (low, high) = span?;
        let mut fits = runs.filter(|(base, pages)| {
            *base <= low && base.checked_add(*pages).is_some_and(|end| high <= end)
        });
        fits.next()
    }
}

impl Stated {
    /// The first of each file holds: a later one may show what the trace has changed.
    fn note(&mut self, range: u32, file: &DebugfsFile) {
        if range > 0 {
            self.ranges = true;
            return;
        }
        match file {
            DebugfsFile::BasePfn(pfn) => self.base_pfn = self.base_pfn.or(Some(*pfn)),
            DebugfsFile::Count(pages) => self.count = self.count.or(Some(*pages)),
            DebugfsFile::OrderPerBit(order) => {
                self.order_per_bit = self.order_per_bit.or(Some(*order));
            }
            DebugfsFile::Bitmap(words) => {
                self.bitmap.get_or_insert_with(|| Arc::clone(words));
            }
            DebugfsFile::Used(_) | DebugfsFile::MaxChunk(_) => {}
        }
    }
}
