//! What is known of each area: its geometry, and its state best and latest.

mod follow;

use std::sync::Arc;

use super::followed::Followed;
use super::same;
use super::state::{AreaState, Bitmap, Known, Layout, Stated, sizes};
use crate::ingest::Geometry;
use crate::ingest::log::DebugfsFile;
use crate::kernel::MAX_RANGES;
pub(crate) use follow::Parted;

/// The most areas that are followed: more than `CONFIG_CMA_AREAS` of any board.
const MOST_AREAS: usize = 64;

/// The most reservations at boot that are kept.
const MOST_RESERVED: usize = 64;

/// Steps of a look at a whole area that each record pays for: keeps the whole linear.
const CREDIT: usize = 64;

/// The most of it that records can save up.
const MOST_CREDIT: usize = 1 << 24;

/// Steps that one word of a bitmap pays for: it may begin 16 runs.
const CREDIT_OF_WORD: usize = 16;

/// An area.
#[derive(Debug, Default)]
struct Track {
    layout: Layout,
    /// By list, of an area without a name: told apart by its pages.
    unnamed_total: Option<u64>,
    /// The best and latest state by lists.
    listed: Option<AreaState>,
    /// The pages of the layout are stated by debugfs, sysfs or a trace.
    is_total_stated: bool,
    /// The bitmaps of its ranges, and the first one seen of each.
    bitmaps: Vec<Bitmap>,
    first: Vec<Bitmap>,
    /// The state that they show, under this layout.
    pictured: Option<(Layout, Arc<AreaState>)>,
    /// The bitmaps are newer than the events that were followed.
    fresh: bool,
    /// They are in another source than the events: the text does not say which came first.
    apart: bool,
    /// Its base is where the first buffer went, and nothing states how many ranges it has.
    inferred: bool,
    /// The least order of one bit at which first fit puts buffers where they went; 0: at any.
    seen_order: u32,
    /// A part of a buffer was given back.
    parted: bool,
    /// What debugfs states beside them.
    stated: Stated,
    live: Option<Followed>,
    /// The last state by the trace, until something changes.
    snapshot: Option<Arc<AreaState>>,
}

/// The bitmap of range `number` is this.
fn put(bitmaps: &mut Vec<Bitmap>, number: u32, words: &Arc<[u32]>) {
    bitmaps.retain(|(known, _)| *known != number);
    if bitmaps.len() < MAX_RANGES {
        bitmaps.push((number, Arc::clone(words)));
        bitmaps.sort_by_key(|(number, _)| *number);
    }
}

/// A reservation at boot.
#[derive(Debug)]
struct Reserved {
    area: Option<Arc<str>>,
    base: u64,
    pages: u64,
    /// The same in bytes.
    place: (u64, u64),
}

/// Every area, in order of appearance.
#[derive(Debug, Default)]
pub(crate) struct Areas {
    tracks: Vec<Track>,
    reserved: Vec<Reserved>,
    /// Bytes of a page, where they are known.
    page_bytes: Option<u64>,
    credit: usize,
}

impl Areas {
    /// A record was read.
    pub(crate) fn tick(&mut self) {
        self.credit = (self.credit + CREDIT).min(MOST_CREDIT).max(self.credit);
    }

    /// Another source begins.
    pub(crate) fn source(&mut self) {
        for track in &mut self.tracks {
            track.apart |= track.fresh;
        }
    }

    fn index(&self, name: Option<&str>, total: Option<u64>) -> Option<usize> {
        self.tracks.iter().position(|track| match (name, &track.layout.name) {
            (Some(name), Some(known)) => name == &**known,
            (None, None) => total.is_none() || track.unnamed_total == total,
            _ => false,
        })
    }

    /// Where the area is, which is new where it was not named before.
    fn place(&mut self, name: Option<&Arc<str>>, total: Option<u64>) -> Option<usize> {
        if let Some(index) = self.index(name.map(|name| &**name), total) {
            return Some(index);
        }
        if self.tracks.len() == MOST_AREAS {
            return None;
        }
        let layout = Layout { name: name.cloned(), ..Layout::default() };
        let unnamed_total = if name.is_none() { total } else { None };
        self.tracks.push(Track { layout, unnamed_total, ..Track::default() });
        Some(self.tracks.len() - 1)
    }

    fn track(&mut self, name: Option<&Arc<str>>, total: Option<u64>) -> Option<&mut Track> {
        let index = self.place(name, total)?;
        self.tracks.get_mut(index)
    }

    /// An area was reserved at boot.
    pub(crate) fn reserved(&mut self, area: Option<Arc<str>>, base: u64, bytes: u64) {
        let page = self.page_bytes.unwrap_or(4096);
        let reserved =
            Reserved { area, base: base / page, pages: bytes / page, place: (base, bytes) };
        let known = |other: &Reserved| other.area == reserved.area && other.base == reserved.base;
        if self.reserved.len() < MOST_RESERVED && !self.reserved.iter().any(known) {
            self.reserved.push(reserved);
        }
    }

    /// A page has so many bytes: boots and counters of memory state bytes.
    pub(crate) fn page_is(&mut self, bytes: u64) {
        if bytes == 0 || self.page_bytes == Some(bytes) {
            return;
        }
        self.page_bytes = Some(bytes);
        for reserved in &mut self.reserved {
            let (base, size) = reserved.place;
            (reserved.base, reserved.pages) = (base / bytes, size / bytes);
        }
    }

    /// Bytes of a page; 4096 where nothing says so.
    pub(crate) fn page_bytes(&self) -> u64 {
        self.page_bytes.unwrap_or(4096)
    }

    /// How many reservations at boot have so many pages.
    pub(crate) fn reserved_of(&self, pages: u64) -> usize {
        self.reserved.iter().filter(|reserved| reserved.pages == pages).count()
    }

    /// Whether the area of this name can have a list of so many pages in all.
    pub(crate) fn can_have(&self, name: Option<&str>, total: Option<u64>) -> bool {
        let track = name.and_then(|name| self.index(Some(name), total));
        let stated = track.map(|index| &self.tracks[index]).filter(|track| track.is_total_stated);
        let pages = stated.and_then(|track| track.layout.total);
        pages.is_none_or(|pages| total.is_none_or(|total| total == pages))
    }

    /// What is known of the geometry of an area of which a list or an event names so much.
    pub(crate) fn layout(
        &self,
        name: Option<&Arc<str>>,
        total: Option<u64>,
        caller: &Geometry,
    ) -> Layout {
        let mut layout = self.by_files(name.map(|name| &**name), total);
        if layout.name.is_none() {
            layout.name = name.cloned();
        }
        let total = layout.total.or(total);
        layout = layout.or(&self.booted(name, total));
        let bases = caller.base_pfn.map(|base| (0, base)).into_iter().collect();
        layout.or(&Layout {
            name: None,
            order_per_bit: caller.order_per_bit,
            total: caller.pages,
            bases,
            sizes: Vec::new(),
        })
    }

    /// By debugfs and traces.
    fn by_files(&self, name: Option<&str>, total: Option<u64>) -> Layout {
        if let Some(name) = name {
            let index = self.index(Some(name), total);
            return index.map(|index| self.tracks[index].layout.clone()).unwrap_or_default();
        }
        // The only area that has so many pages is the one that the line does not name.
        let mut same = self.tracks.iter().filter(|track| {
            total.is_some() && track.layout.name.is_some() && track.layout.total == total
        });
        match (same.next(), same.next()) {
            (Some(track), None) => track.layout.clone(),
            _ => Layout::default(),
        }
    }

    /// By the lines of the boot.
    fn booted(&self, name: Option<&Arc<str>>, total: Option<u64>) -> Layout {
        let named =
            |area: &Option<Arc<str>>| area.is_none() || name.is_none() || area.as_ref() == name;
        let mut fitting = self.reserved.iter().filter(|reserved| {
            named(&reserved.area) && total.is_none_or(|total| total == reserved.pages)
        });
        match (fitting.next(), fitting.next()) {
            (Some(reserved), None) if reserved.area.is_some() || self.is_alone(name, total) => {
                Layout {
                    total: Some(reserved.pages),
                    bases: vec![(0, reserved.base)],
                    ..Layout::default()
                }
            }
            _ => Layout::default(),
        }
    }

    /// Whether a reservation without a name, the only one of so many pages, can be of no other area
    /// than this: others that may be as large have reservations of their own in the text.
    fn is_alone(&self, name: Option<&Arc<str>>, total: Option<u64>) -> bool {
        if name.is_none() {
            return true;
        }
        let rivals = self.tracks.iter().filter(|track| {
            let other = track.layout.name.is_some() && track.layout.name.as_ref() != name;
            let has_own = self
                .reserved
                .iter()
                .any(|reserved| reserved.area.is_some() && reserved.area == track.layout.name);
            other && !has_own && same(track.layout.total, total)
        });
        let spare = self.reserved.iter().filter(|reserved| {
            reserved.area.is_none() && total.is_some_and(|total| total != reserved.pages)
        });
        spare.count() >= rivals.count()
    }

    /// What debugfs states about area `name`, before anything in the text changed it: its geometry
    /// and the bitmaps of its ranges, by number. Found under its name, else under the only folder
    /// there is, where one of the two has no name or the caller means that folder.
    pub(crate) fn stated(
        &self,
        name: Option<&Arc<str>>,
        is_meant: bool,
    ) -> Option<(&Layout, &[Bitmap])> {
        let named = self.tracks.iter().find(|track| track.layout.name.as_ref() == name);
        let track = named.or(match &self.tracks[..] {
            [only] if is_meant || only.layout.name.is_none() || name.is_none() => Some(only),
            _ => None,
        })?;
        Some((&track.layout, &track.first))
    }

    /// The first page and the pages of the reservation at boot that can be of area `name` and has
    /// all of `span` in it.
    pub(crate) fn reserved_around(
        &self,
        name: Option<&Arc<str>>,
        span: (u64, u64),
    ) -> Option<(u64, u64)> {
        let mut fitting = self.reserved.iter().filter(|reserved| {
            let end = reserved.base.saturating_add(reserved.pages);
            let is_named = reserved.area.is_none() || reserved.area.as_ref() == name;
            is_named && reserved.base <= span.0 && span.1 <= end
        });
        fitting.next().map(|reserved| (reserved.base, reserved.pages))
    }

    /// An area is named.
    pub(crate) fn met(&mut self, area: &Arc<str>) {
        self.track(Some(area), None);
    }

    /// The pages of an area, where they are known.
    pub(crate) fn pages_of(&self, area: &str) -> Option<u64> {
        let booted = || {
            let named = |reserved: &&Reserved| reserved.area.as_deref() == Some(area);
            self.reserved.iter().find(named).map(|reserved| reserved.pages)
        };
        let index = self.index(Some(area), None);
        index.and_then(|index| self.tracks[index].layout.total).or_else(booted)
    }

    /// Whether some area is known to have so many pages.
    pub(crate) fn any_of(&self, total: u64) -> bool {
        self.tracks.iter().any(|track| track.layout.total == Some(total))
    }

    /// A list of an area of so many pages was found after a failure in this one.
    pub(crate) fn learned(&mut self, area: &Arc<str>, total: u64) {
        if let Some(track) = self.track(Some(area), None) {
            track.layout.total = track.layout.total.or(Some(total));
        }
    }

    /// A file of debugfs.
    pub(crate) fn debugfs(
        &mut self,
        area: Option<&Arc<str>>,
        range: Option<u32>,
        file: &DebugfsFile,
    ) {
        if let DebugfsFile::Bitmap(words) = file {
            self.credit = self.credit.saturating_add(CREDIT_OF_WORD * words.len());
        }
        let Some(track) = self.track(area, None) else { return };
        let number = range.unwrap_or(0);
        track.snapshot = None;
        track.pictured = None;
        track.stated.is_ranged |= range.is_some();
        match file {
            DebugfsFile::BasePfn(base) => {
                track.layout.set_base(number, *base);
                track.inferred = false;
            }
            DebugfsFile::Count(pages) => {
                track.layout.total = Some(*pages);
                track.is_total_stated = true;
            }
            DebugfsFile::OrderPerBit(order) if *order < 64 => {
                track.layout.order_per_bit = Some(*order);
            }
            DebugfsFile::Used(used) => track.stated.used = Some(*used),
            DebugfsFile::MaxChunk(pages) => track.stated.max_chunk = Some(*pages),
            DebugfsFile::OrderPerBit(_) => {}
            DebugfsFile::Bitmap(words) => {
                if !track.first.iter().any(|(known, _)| *known == number) {
                    put(&mut track.first, number, words);
                }
                put(&mut track.bitmaps, number, words);
                track.fresh = true;
                track.apart = false;
            }
        }
        track.layout.sizes = sizes(&track.bitmaps, &track.layout, track.stated.max_chunk);
    }

    /// What debugfs said was of another moment: it says where areas lie, and not what is free.
    pub(crate) fn forget_moments(&mut self) {
        for track in &mut self.tracks {
            track.bitmaps.clear();
            track.first.clear();
            track.fresh = false;
            (track.stated.used, track.stated.max_chunk) = (None, None);
        }
    }

    /// sysfs or a trace states the pages of an area.
    pub(crate) fn pages(&mut self, area: Option<&Arc<str>>, total: u64) {
        if let Some(track) = self.track(area, None) {
            track.layout.total = Some(total);
            track.is_total_stated = true;
            track.snapshot = None;
        }
    }

    /// The state that a list shows; the latest whole one is kept.
    pub(crate) fn listed(&mut self, area: Option<&Arc<str>>, state: &AreaState) {
        let name = area.or(state.name.as_ref());
        let Some(track) = self.track(name, state.total) else { return };
        if state.complete || track.listed.as_ref().is_none_or(|known| !known.complete) {
            track.listed = Some(state.clone());
        }
        if track.layout.total.is_none() && track.layout.name.is_some() {
            track.layout.total = state.total;
        }
    }

    /// The snapshot of debugfs, where there is one.
    pub(crate) fn snapshot(
        &mut self,
        area: Option<&Arc<str>>,
        caller: &Geometry,
    ) -> Option<Arc<AreaState>> {
        let index = match area {
            Some(name) => self.index(Some(name), None)?,
            // A line without a name can mean the only area that there is.
            None if self.tracks.len() == 1 => 0,
            None => return None,
        };
        let track = &self.tracks[index];
        if track.bitmaps.is_empty() {
            return None;
        }
        let layout = self.layout(track.layout.name.as_ref(), track.layout.total, caller);
        let kept = track.pictured.as_ref().filter(|(known, _)| *known == layout);
        if let Some((_, state)) = kept {
            return Some(Arc::clone(state));
        }
        let state = Arc::new(AreaState::of_bitmaps(&track.bitmaps, &layout, &track.stated));
        self.tracks[index].pictured = Some((layout, Arc::clone(&state)));
        Some(state)
    }

    /// The areas as they were known best and latest.
    pub(crate) fn into_states(self, caller: &Geometry) -> Vec<AreaState> {
        let state = |track: &Track| {
            let total = track.layout.total.or(track.unnamed_total);
            let layout = self.layout(track.layout.name.as_ref(), total, caller);
            let exact = track.live.as_ref().and_then(|live| live.state(&layout));
            if exact.is_some() {
                return exact;
            }
            let whole = |state: &AreaState| state.complete;
            let bitmap = (!track.bitmaps.is_empty())
                .then(|| AreaState::of_bitmaps(&track.bitmaps, &layout, &track.stated));
            let listed = track.listed.clone();
            if let Some(state) = listed.clone().filter(whole).or(bitmap.clone().filter(whole)) {
                return Some(state);
            }
            if listed.is_some() || bitmap.is_some() {
                return listed.or(bitmap);
            }
            let used = track.stated.used.filter(|_| !track.stated.is_ranged);
            let free = used.zip(layout.total).map(|(used, all)| all.saturating_sub(used));
            let mut rest = layout.state(free, Known::Bitmap);
            rest.available = track.stated.available(layout.total);
            if let Some(live) = &track.live {
                // Of these it is known that they are there, not that no other is.
                rest.known = Known::Trace;
                rest.live = Some(live.runs()).filter(|runs| !runs.is_empty());
            }
            (rest.total.is_some() || rest.live.is_some()).then_some(rest)
        };
        self.tracks.iter().filter_map(state).collect()
    }
}
