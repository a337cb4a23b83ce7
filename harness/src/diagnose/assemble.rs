//! From records to failures: what belongs together.

mod aside;
mod clocks;
mod counters;
mod debug;
mod driver;
mod failed;
mod finish;
mod held;
mod hidden;
mod holders;
mod incident;
mod join;
mod lists;
mod reports;
mod scene;
#[cfg(test)]
pub(in crate::diagnose) mod script;
mod seen;
mod trace;
mod who;
mod window;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::bounds::Sizes;
use super::era::Shown;
use super::{AlignFrom, Diagnosis, Options};
use crate::boot::Story;
use crate::ingest::log::boot::Boot;
use crate::ingest::log::{
    DebugfsFile, Found, FreeBlocks, Knob, Origin, Record, Task, release_booted,
};
use crate::kernel::release;
use crate::timeline::{AreaState, Areas, Calls, CapShown, Orders, Parted, signs};
use aside::Said;
use clocks::Clocks;
pub use counters::Counter;
use holders::Holders;
pub use incident::{Incident, Reported};
use join::Join;
pub use lists::Beside;
use reports::Reports;
use scene::Scene;
use trace::Counts;

/// How far two clocks are apart.
fn clock_is_off(offset_us: i64) -> String {
    let how = if offset_us > 0 { "ahead of" } else { "after" };
    let us = offset_us.unsigned_abs();
    format!(
        "the clock of the trace is {}.{:03} s {how} that of the kernel log, by the failures that both \
         show; their stamps are compared so",
        us / SECOND_US,
        us % SECOND_US / 1000
    )
}

/// What a driver does to an area of which it gives parts of buffers back.
fn part_of_bits(parted: &Parted) -> String {
    let name = parted.area.as_deref().unwrap_or("an area");
    let order = parted.order_per_bit;
    let how = if parted.is_stated { "is" } else { "seems to be, by where its buffers went," };
    format!(
        "parts of buffers are given back to {name}, whose order_per_bit {how} {order}: a bit is \
         cleared while pages of it live, later claims over them are busy, and when the rest is \
         given back its bits are cleared though they may be another buffer's by then; give buffers \
         back whole, or in multiples of {} pages",
        1u64 << order.min(32)
    )
}

/// The most areas of whose calls the orders are kept.
const MOST_ORDERS: usize = 64;

/// A second, in microseconds.
const SECOND_US: u64 = 1_000_000;

/// Puts records together: what each means for the calls, the areas and what is reported, and what
/// of these is one failure.
///
/// What is kept is bounded: the last failures, for which more may follow, the calls that have
/// begun, and the areas.
#[derive(Debug)]
pub struct Assembler {
    scene: Scene,
    calls: Calls,
    areas: Areas,
    reports: Reports,
    join: Join,
    clocks: Clocks,
    holders: Holders,
    /// The orders of the traced calls of each area.
    orders: BTreeMap<Option<Arc<str>>, Orders>,
    /// The calls before one of several took this failure.
    unsure: Option<(window::Id, Calls)>,
}

impl Assembler {
    /// Nothing yet.
    pub fn new(options: &Options) -> Self {
        let mut new = Self {
            scene: Scene::new(options),
            calls: Calls::default(),
            areas: Areas::default(),
            reports: Reports::default(),
            join: Join::default(),
            clocks: Clocks::default(),
            holders: Holders::default(),
            orders: BTreeMap::new(),
            unsure: None,
        };
        new.page();
        new
    }

    /// A file of debugfs that follows in a later source: where its area lies.
    pub fn place(&mut self, area: Option<&Arc<str>>, range: Option<u32>, file: &DebugfsFile) {
        self.areas.debugfs(area, range, file);
    }

    /// What these files say beside that is of a later moment, and comes again.
    pub fn all_placed(&mut self) {
        self.areas.forget_moments();
    }

    /// What follows is in this source.
    pub fn source(&mut self, name: &str) {
        self.release();
        self.clocks.source();
        self.reports.source(name);
        self.scene.boot.source(name);
        self.areas.source();
        self.calls.clear();
        self.holders.clear();
    }

    /// The source that was read has so many lines.
    pub fn source_ends(&mut self, lines: u64) {
        self.reports.ends(lines);
    }

    /// What the text says beside failures.
    pub fn beside(&mut self, diagnosis: &mut Diagnosis) {
        (diagnosis.not_cma, diagnosis.busy) = self.reports.aside.take();
        diagnosis.busy_hidden = self.reports.aside.hidden;
        diagnosis.from_boot = self.scene.from_boot;
    }

    /// Takes the next record.
    pub fn push(&mut self, found: Found) {
        // What an area looked like at other moments is no matter of a failure.
        if matches!(found.record, Record::Snapshot { .. }) {
            return;
        }
        let Some(found) = self.clocks.hold(found) else {
            if self.clocks.is_full() {
                self.release();
            }
            return;
        };
        self.clocks.note_log(&found);
        self.take(found);
    }

    /// The clocks are compared, as far as may be: what waited for that is taken.
    fn release(&mut self) {
        let (held, offset) = self.clocks.release();
        if let Some(offset_us) = offset {
            self.join.compared(offset_us);
            if offset_us.unsigned_abs() >= SECOND_US / 10 {
                self.scene.warn(clock_is_off(offset_us));
            }
        }
        held.into_iter().for_each(|found| self.take(found));
    }

    fn take(&mut self, found: Found) {
        self.reports.at = self.reports.at.next(&found);
        let at = self.reports.at;
        self.areas.tick();
        // Calls and failures, which come in millions, say nothing of the machine.
        let of_calls = matches!(
            found.record,
            Record::Start { .. }
                | Record::Busy { .. }
                | Record::Finish { .. }
                | Record::Release { .. }
                | Record::Failed { .. }
                | Record::FreeRuns(_)
        );
        if of_calls {
            self.scene.boot.stamp(found.time_us);
        } else {
            self.boot(&found);
        }
        signs(&found.record).for_each(|sign| self.scene.text.note(sign));
        let Found { time_us, task, record, .. } = found;
        self.scene.sizes.note(&record, &self.reports.source, at.line);
        match record {
            Record::Failed { shape, area, count, ret } => {
                self.failed(task.as_ref(), shape, area, count, ret);
            }
            Record::FreeRuns(list) => self.list(task.as_ref(), list),
            Record::Driver { bytes, cma, dma, device, shape } => {
                let said = driver::Complaint { bytes, cma, dma, device, shape };
                // Without a stamp, a name and a number among stamped lines a program may say it.
                let is_bare = time_us.is_none() && said.is_anybodys();
                if is_bare && self.reports.is_stamped() {
                    self.reports.driver_piece();
                } else {
                    self.reports.driver(&said);
                }
            }
            Record::DriverPiece => self.reports.driver_piece(),
            Record::Elsewhere { kind, device, bytes, order, flags, text } => {
                self.reports.elsewhere(Said { kind, device, bytes, order, flags, text });
            }
            Record::Zone { movable, free_kb, cma_kb, high_kb, .. } => {
                self.reports.aside.zone(movable, free_kb, cma_kb, high_kb, at);
            }
            Record::CmaPages(pages) => self.reports.aside.cma_pages(pages, at),
            Record::Backtrace(task) => self.reports.backtrace(task),
            Record::Frame(frame) => self.reports.frame(frame),
            Record::Held { holder, part, bytes, buffers } => {
                self.reports.held(holder, part, bytes, buffers);
            }
            Record::Skipped { area, .. } => self.reports.near.skipped(area, at),
            Record::PfnsBusy { start, end } => self.reports.claimed(start, end),
            Record::Search { size, nr, mask, end, .. } => {
                self.reports.searched(driver::Search { size, nr, mask, nothing: end > size });
            }
            Record::Mask { mask, maxno, bits, .. } => self.reports.masked(mask, maxno, bits),
            Record::DebugfsAlloc { count, .. } => self.reports.near.wrote(count, at),
            Record::Suppressed { function, lines } if function.contains("cma_alloc") => {
                self.scene.hidden.suppressed(function, at.time_us, lines);
            }
            Record::Suppressed { function, lines } if function.contains("alloc_contig") => {
                let hidden = &mut self.reports.aside.hidden;
                *hidden = hidden.saturating_add(lines);
            }
            Record::Suppressed { .. } | Record::Boot(_) | Record::VideoDevice => {}
            Record::CommandLine(line) => {
                if let Some(name) = release_booted(&line) {
                    self.scene.installed.get_or_insert(name);
                }
            }
            Record::Lost { events, .. } => {
                self.scene.lost(events);
                self.calls.take(&record, None, at);
                self.areas.lost();
                self.holders.clear();
            }
            Record::Kernel(name) => self.kernel(name),
            Record::Installed(name) => {
                self.scene.installed.get_or_insert(name);
            }
            Record::Reserved { area, base, bytes } => self.areas.reserved(area, base, bytes),
            Record::Debugfs { area, range, file } => {
                self.scene.text.note_config(Knob::CmaDebugfs, true);
                self.areas.debugfs(area.as_ref(), range, &file);
            }
            Record::Counter { area, name, value } => {
                if &*name == "total_pages" && area.is_some() {
                    self.areas.pages(area.as_ref(), value);
                }
                self.scene.counters.note(area, name, value);
            }
            Record::FreeBlocks(blocks) => self.scene.note_blocks(blocks),
            Record::Config(knob, is_set) => self.scene.text.note_config(knob, is_set),
            Record::Cap(cap) => self.scene.options.cap = cap.min(63),
            call => self.call(task, &call),
        }
        self.settle(false);
    }

    /// The text states its kernel: what is below is of this one.
    fn kernel(&mut self, name: Arc<str>) {
        if let Some(other) = &self.reports.release
            && release(other).zip(release(&name)).is_some_and(|(other, this)| other != this)
        {
            self.scene.warn(format!(
                "the text states kernel {other}, and in line {} kernel {name}: each failure is \
                 taken to be of the one stated last above it",
                self.reports.at.line
            ));
        }
        let at = self.reports.at;
        self.scene.from_boot |= at.time_us.is_some_and(|us| us < SECOND_US);
        self.scene.release.get_or_insert_with(|| Arc::clone(&name));
        self.reports.release = Some(name);
    }

    /// A line of a boot; what it says of the size of a page holds for all bytes.
    fn boot(&mut self, found: &Found) {
        let begins = self.scene.boot.begins(found);
        if begins || matches!(found.record, Record::Boot(Boot::Ends)) {
            self.boot_ends();
        } else if self.scene.boot.goes_back(found) {
            // What failed before is bounded by what was stated before.
            for open in self.reports.window.iter_mut() {
                let area = open.incident.area.as_ref();
                open.incident.bounds =
                    open.incident.bounds.take().or_else(|| self.scene.sizes.shared(area));
            }
        }
        self.scene.boot.note(found);
        if begins {
            self.scene.sizes = Sizes::default();
            // Of a boot without a banner some lines were read before this one.
            for (at, record) in self.scene.boot.records().filter(|(at, _)| at.line <= found.line) {
                self.scene.sizes.note(&record, &at.source, at.line);
            }
        }
        self.scene.clients.note(&found.record);
        self.page();
    }

    /// What follows is of another boot: nothing of it belongs to what failed so far.
    fn boot_ends(&mut self) {
        self.reports.forget_near();
        self.calls.clear();
        self.holders.clear();
        self.settle(true);
    }

    /// A page has as many bytes as is known by now.
    fn page(&mut self) {
        let page = self.scene.boot.page_bytes();
        self.reports.page_bytes = page;
        self.scene.page_is(page);
        self.areas.page_is(page);
    }

    /// A line of a call: by whoever printed it.
    fn call(&mut self, task: Option<Task>, record: &Record) {
        let (origin, area) = match record {
            Record::Start { origin, area, .. }
            | Record::Busy { origin, area, .. }
            | Record::Finish { origin, area, .. }
            | Record::Release { origin, area, .. } => (*origin, area.as_ref()),
            _ => return,
        };
        let mut counts = Counts::default();
        if let Record::Start { vendor, available, total, .. } = record {
            counts = Counts { available: *available, total: *total };
            if *vendor {
                self.scene.text.note_vendor();
            }
        }
        if self.ends_unsaid(record) {
            return;
        }
        let heard = self.calls.take(record, task.as_ref(), self.reports.at);
        self.calls.forget_unended();
        match origin {
            Origin::Debug => self.debug(heard),
            Origin::Trace => {
                self.reports.last_task = task;
                self.event(heard, area, counts);
            }
        }
    }

    /// Whether `record` is the debug line of a call that claims nothing, and that mostly ends
    /// without a word: one for no pages in every kernel, one for more than the area has up to 6.14.
    /// Later ones have a failure line that says all there is to say.
    fn ends_unsaid(&self, record: &Record) -> bool {
        let Record::Start { origin: Origin::Debug, area, count, .. } = record else {
            return false;
        };
        let all = || area.as_ref().and_then(|area| self.areas.pages_of(area));
        *count == 0 || all().is_some_and(|all| *count > all) && !self.prints_too_large()
    }

    /// Whether the kernel has a failure line for what asks for more than there is.
    fn prints_too_large(&self) -> bool {
        let stated = self.scene.stated().map(|name| &**name);
        let asked = self.scene.options.kernel.as_deref();
        let (era, _) = self.scene.text.era(Shown::default(), stated, asked);
        era.flipped == Some(true)
    }

    /// No record follows.
    pub fn end(&mut self) {
        self.release();
        self.settle(true);
    }

    /// The next failure to which nothing more can belong.
    pub fn next_incident(&mut self) -> Option<Arc<Incident>> {
        self.reports.ready.pop_front()
    }

    /// What the caller said, and what the text says in its place.
    pub const fn options(&self) -> &Options {
        &self.scene.options
    }

    /// Failure lines that the rate limit of the kernel hid.
    pub fn hidden(&self) -> u64 {
        self.scene.hidden.lines()
    }

    /// Those of them of whose failures nothing is known: neither a list nor a trace shows them.
    pub fn suppressed(&self) -> u64 {
        self.scene.hidden.unknown()
    }

    /// The counters of the board, in order of appearance.
    pub fn counters(&self) -> &[Counter] {
        self.scene.counters.all()
    }

    /// Free blocks of the page allocator, by zone, as they were seen last.
    pub fn free_blocks(&self) -> &[FreeBlocks] {
        &self.scene.blocks
    }

    /// What the boot says of areas, where requests failed in the areas of these names.
    pub fn boot_story(&self, failed: &[Arc<str>]) -> Story {
        self.scene.boot.story(failed)
    }

    /// What is strange.
    pub fn warnings(&mut self) -> Vec<String> {
        let mut warnings = self.scene.take_warnings();
        warnings.extend(self.areas.parted().map(|parted| part_of_bits(&parted)));
        warnings
    }

    /// What the traced calls of each area show of the cap.
    pub fn caps(&self) -> Vec<(Option<Arc<str>>, CapShown)> {
        self.orders.iter().map(|(area, orders)| (area.clone(), orders.shown())).collect()
    }

    /// The areas as they were known best and latest.
    pub fn into_areas(self) -> Vec<AreaState> {
        self.areas.into_states(&self.scene.options.geometry)
    }
}
