//! Gathers what another allocator refused, and busy places that no failure follows.

use std::sync::Arc;

use super::driver::Claims;
use crate::diagnose::aside::{BusyPlaces, FreeMemory, NotCma};
use crate::ingest::log::Elsewhere;
use crate::timeline::Place;

/// The most kinds of busy places that are kept apart.
const MOST_BUSY: usize = 16;

/// Lines within which a report of memory goes on.
const REPORT_LINES: u64 = 256;

/// What a line of another allocator says.
#[derive(Clone, Debug)]
pub(super) struct Said {
    pub(super) kind: Elsewhere,
    pub(super) device: Option<Arc<str>>,
    pub(super) bytes: Option<u64>,
    pub(super) order: Option<u32>,
    pub(super) flags: Option<Arc<str>>,
    pub(super) text: Arc<str>,
}

/// A report of memory that goes on.
#[derive(Debug)]
struct Report {
    /// The row that it belongs to.
    row: usize,
    memory: FreeMemory,
    /// What asks for memory without addresses of the kernel's may use every zone.
    any_zone: bool,
    last: Place,
}

/// What is beside failures.
#[derive(Debug, Default)]
pub(super) struct Aside {
    rows: Vec<NotCma>,
    report: Option<Report>,
    /// The last line of another allocator, which a driver may complain about.
    last: Option<(Said, Place)>,
    busy: Vec<(BusyPlaces, Place)>,
    /// Lines about busy places that the rate limit hid.
    pub(super) hidden: u64,
}

impl Aside {
    /// Another allocator refused at `at`.
    pub(super) fn elsewhere(&mut self, said: Said, source: &Arc<str>, at: Place) {
        self.close();
        let known = self.rows.iter().position(|row| row.kind == said.kind);
        let row = known.unwrap_or(self.rows.len());
        if known.is_none() {
            self.rows.push(row_of(&said, source, at));
        } else {
            self.rows[row].count += 1;
        }
        if matches!(said.kind, Elsewhere::OutOfMemory | Elsewhere::Pages) {
            let flags = said.flags.as_deref().unwrap_or_default();
            let any_zone = flags.contains("HIGH") || flags.contains("MOVABLE");
            let memory = FreeMemory::default();
            self.report = Some(Report { row, memory, any_zone, last: at });
        }
        self.last = Some((said, at));
    }

    /// A zone of a report of memory.
    pub(super) fn zone(
        &mut self,
        movable: bool,
        free_kb: u64,
        cma_kb: u64,
        high_kb: u64,
        at: Place,
    ) {
        if !self.goes_on(at) {
            return;
        }
        let Some(report) = self.report.as_mut().filter(|report| report.any_zone || !movable) else {
            return;
        };
        report.last = at;
        let memory = &mut report.memory;
        memory.free_kb = memory.free_kb.saturating_add(free_kb);
        memory.cma_kb = memory.cma_kb.saturating_add(cma_kb);
        memory.high_kb = memory.high_kb.saturating_add(high_kb);
    }

    /// The pages of all areas, by a report of memory.
    pub(super) fn cma_pages(&mut self, pages: u64, at: Place) {
        if self.goes_on(at)
            && let Some(report) = &mut self.report
        {
            report.memory.cma_pages = Some(pages);
        }
    }

    fn goes_on(&self, at: Place) -> bool {
        let near = |report: &Report| report.last.is_near(at, REPORT_LINES, 10_000_000);
        self.report.as_ref().is_some_and(near)
    }

    /// The report is whole: the first one that shows that CMA holds the free memory counts, else
    /// the first.
    fn close(&mut self) {
        let Some(report) = self.report.take() else { return };
        let row = &mut self.rows[report.row];
        let shows = report.memory.is_held_by_cma();
        let known = row.memory.is_some_and(FreeMemory::is_held_by_cma);
        if report.memory.free_kb > 0 && (row.memory.is_none() || shows && !known) {
            row.memory = Some(report.memory);
        }
    }

    /// Whether a driver that got nothing at `at` complains about what another allocator refused just
    /// before: the same driver, or as many bytes.
    pub(super) fn is_of(&self, device: Option<&str>, bytes: Option<u64>, at: Place) -> bool {
        let Some((said, place)) = &self.last else { return false };
        let absorbs = matches!(said.kind, Elsewhere::Mask | Elsewhere::Swiotlb);
        let driver = |name: &str| name.split([' ', ':']).next().unwrap_or_default().to_string();
        let same = said.device.as_deref().zip(device).is_some_and(|(one, other)| {
            driver(one) == driver(other) || one.split(' ').any(|part| part == driver(other))
        });
        let sized = said.bytes.is_some() && said.bytes == bytes;
        absorbs && (same || sized) && place.is_near(at, 12, 1_000_000)
    }

    /// Busy places that no failure follows.
    pub(super) fn busy(&mut self, claims: Claims, source: &Arc<str>, first: Place, last: Place) {
        let alike = |row: &&mut (BusyPlaces, Place)| {
            row.0.pages == claims.pages && (row.0.align == claims.align || claims.align.is_none())
        };
        let full = self.busy.len() >= MOST_BUSY;
        if let Some((row, at)) = self.busy.iter_mut().find(alike) {
            row.places += claims.count;
            row.requests += 1;
            *at = last;
        } else if full {
            // Of more sizes than are kept apart the last row counts all.
            let (row, at) = &mut self.busy[MOST_BUSY - 1];
            row.pages = row.pages.max(claims.pages);
            (row.places, row.requests, row.align) =
                (row.places + claims.count, row.requests + 1, None);
            *at = last;
        } else {
            let row = BusyPlaces {
                pages: claims.pages,
                align: claims.align,
                places: claims.count,
                requests: 1,
                source: Arc::clone(source),
                line: first.line,
                time_us: first.time_us,
                at_end: false,
            };
            self.busy.push((row, last));
        }
    }

    /// The source number `source` has so many lines.
    pub(super) fn ends(&mut self, source: u32, lines: u64) {
        for (row, last) in &mut self.busy {
            row.at_end |= last.source == source && last.line + 4 > lines;
        }
    }

    /// What was gathered.
    pub(super) fn take(&mut self) -> (Vec<NotCma>, Vec<BusyPlaces>) {
        self.close();
        let busy = std::mem::take(&mut self.busy).into_iter().map(|(row, _)| row).collect();
        (std::mem::take(&mut self.rows), busy)
    }
}

fn row_of(said: &Said, source: &Arc<str>, at: Place) -> NotCma {
    NotCma {
        kind: said.kind,
        count: 1,
        source: Arc::clone(source),
        line: at.line,
        time_us: at.time_us,
        text: Arc::clone(&said.text),
        device: said.device.clone(),
        order: said.order,
        flags: said.flags.clone(),
        memory: None,
    }
}
