//! The moments of which something is known: bitmaps as they come, and failures as they are diagnosed.

use std::sync::Arc;

use cma_policies::Request;

use crate::boot::Notes;
use crate::cause::Cause;
use crate::diagnose::{AreaState, Failure, Hole, Known, Options, diagnose};
use crate::ingest::log::{self, DebugfsFile, Found, Record};
use crate::ingest::{IngestError, Source};
use crate::page::Page;
use crate::timeline::{Areas, Layout};
use crate::words::{counted, is_or_are};

/// The most words of bitmaps, and the most holes of lists, that are kept: 64 MiB of each.
const MOST_WORDS: usize = 1 << 24;
const MOST_HOLES: usize = 1 << 22;

/// The most moments, with and without a state.
const MOST_MOMENTS: usize = 1 << 16;

/// What is known of a range.
#[derive(Clone, Debug)]
pub(super) enum RangeSeen {
    /// Its bitmap: words of 32 bits, the least significant one first; 1 is allocated.
    Bits(Arc<[u32]>),
    /// Its holes that are listed, and whether these are all.
    Holes(Vec<Hole>, bool),
}

/// A state of an area.
#[derive(Clone, Debug)]
pub(super) struct Picture {
    /// What is known of each range, by number.
    pub(super) ranges: Vec<(u32, RangeSeen)>,
    /// The order of one bit under which a list was read.
    pub(super) order_per_bit: Option<u32>,
    /// Pages of the area, as a list states them.
    total: Option<u64>,
}

impl Picture {
    /// The pages for which its only bitmap has bits of this order.
    pub(super) fn pages(&self, order: u32) -> Option<u64> {
        match &self.ranges[..] {
            [(_, RangeSeen::Bits(words))] => {
                (words.len() as u64 * 32).checked_mul(1 << order.min(63))
            }
            _ => None,
        }
    }
}

/// A moment of an area.
#[derive(Clone, Debug)]
pub(super) struct Moment {
    /// The number of its source, and the line there.
    at: (usize, u64),
    /// When, in microseconds since boot.
    pub(super) time_us: Option<u64>,
    area: Option<Arc<str>>,
    /// What it shows, where it shows anything.
    pub(super) picture: Option<Picture>,
    /// It is one of many readings with a stamp.
    is_reading: bool,
    /// What was refused then, and why.
    pub(super) refused: Option<(Request, Cause)>,
}

/// All of them.
pub(super) struct Moments {
    all: Vec<Moment>,
    areas: Areas,
    notes: Notes,
    cap: u32,
    words: usize,
    holes: usize,
    /// Moments for which there was no room.
    beyond: u64,
    /// Failures of which nothing can be shown.
    unknown: u64,
}

impl Moments {
    /// Those of `sources`.
    pub(super) fn read(sources: &[Source], options: &Options) -> Result<Self, IngestError> {
        let mut moments = Self {
            all: Vec::new(),
            areas: Areas::default(),
            notes: Notes::of_kernel(options.kernel.as_deref()),
            cap: options.cap,
            words: 0,
            holes: 0,
            beyond: 0,
            unknown: 0,
        };
        for (number, source) in sources.iter().enumerate() {
            moments.notes.source(source.name());
            for found in log::open(source)?.flatten() {
                moments.record(number, &found);
            }
        }
        moments.areas.page_is(moments.notes.page_bytes());
        let diagnosis = diagnose(sources, options, &mut |failure| {
            let number = sources.iter().position(|one| one.name() == &*failure.incident.source);
            moments.failure(number.unwrap_or(0), &failure);
        })?;
        moments.cap = diagnosis.cap;
        Ok(moments)
    }

    fn record(&mut self, source: usize, found: &Found) {
        self.notes.note(found);
        let at = (source, found.line);
        match &found.record {
            Record::Debugfs { area, range, file } => {
                self.areas.debugfs(area.as_ref(), *range, file);
                if let DebugfsFile::Bitmap(words) = file {
                    self.bitmap(at, None, area.as_ref(), (range.unwrap_or(0), words));
                }
            }
            Record::Snapshot { at_us, area, range, words } => {
                let file = DebugfsFile::Bitmap(Arc::clone(words));
                self.areas.debugfs(area.as_ref(), *range, &file);
                self.bitmap(at, Some(*at_us), area.as_ref(), (range.unwrap_or(0), words));
            }
            Record::Reserved { area, base, bytes } => {
                self.areas.reserved(area.clone(), *base, *bytes);
            }
            Record::Counter { area: Some(area), name, value } if &**name == "total_pages" => {
                self.areas.pages(Some(area), *value);
            }
            _ => {}
        }
    }

    /// The bitmap of a range: of the same moment as the one before, where that has another range of
    /// the same area.
    fn bitmap(
        &mut self,
        at: (usize, u64),
        time_us: Option<u64>,
        area: Option<&Arc<str>>,
        (range, words): (u32, &Arc<[u32]>),
    ) {
        let seen = RangeSeen::Bits(Arc::clone(words));
        let last = self.all.iter_mut().rev().find(|moment| moment.area.as_ref() == area);
        if let Some(last) = last
            && (last.time_us, last.at.0) == (time_us, at.0)
            && let Some(picture) = &mut last.picture
            && picture.ranges.iter().all(|(number, _)| *number < range)
        {
            self.words += words.len();
            picture.ranges.push((range, seen));
            return;
        }
        if self.words + words.len() > MOST_WORDS || self.all.len() == MOST_MOMENTS {
            self.beyond += 1;
            return;
        }
        self.words += words.len();
        let picture = Picture { ranges: vec![(range, seen)], order_per_bit: None, total: None };
        self.all.push(Moment {
            at,
            time_us,
            area: area.cloned(),
            picture: Some(picture),
            is_reading: time_us.is_some(),
            refused: None,
        });
    }

    /// A failure: what is known of it is its state by its own list, what was asked for, and why not.
    fn failure(&mut self, source: usize, failure: &Failure) {
        let incident = &failure.incident;
        let state = incident.state.as_deref();
        let listed = state.filter(|state| {
            state.known == Known::List && state.placed && !incident.doubtful && has_holes(state)
        });
        let request = incident.count.zip(failure.align);
        let request = request.and_then(|(count, (align, _))| Request::new(count, align).ok());
        let refused = request.zip(failure.verdict);
        if listed.is_none() && refused.is_none() {
            self.unknown += 1;
            return;
        }
        let holes = listed.map_or(0, |state| state.holes().count());
        if self.holes + holes > MOST_HOLES || self.all.len() == MOST_MOMENTS {
            self.beyond += 1;
            return;
        }
        self.holes += holes;
        let name = state.and_then(|state| state.name.clone());
        self.all.push(Moment {
            at: (source, incident.line),
            time_us: incident.time_us,
            area: incident.area.clone().or(name),
            picture: listed.map(picture),
            is_reading: false,
            refused,
        });
    }

    /// The size of a page, where the text states it.
    pub(super) fn page(&self) -> Option<Page> {
        self.notes.page_stated().map(|(page, _)| page)
    }

    /// `CONFIG_CMA_ALIGNMENT`, as stated or as given.
    pub(super) const fn cap(&self) -> u32 {
        self.cap
    }

    /// What was left out on the way.
    pub(super) fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.beyond > 0 {
            let moments = counted(self.beyond, "moment");
            let are = is_or_are(self.beyond);
            notes.push(format!("{moments} more than there is room for {are} left out"));
        }
        if self.unknown > 0 {
            let failures = counted(self.unknown, "failure");
            let are = is_or_are(self.unknown);
            notes.push(format!(
                "{failures} {are} not drawn, since neither a state nor what was asked for and why it \
                 was refused is known; `cmalab diagnose` lists them"
            ));
        }
        notes
    }

    /// Puts them in the order in which they were, and says whether that is by their stamps. What has
    /// no place in it is left out, with a note.
    pub(super) fn put_in_order(&mut self, notes: &mut Vec<String>) -> bool {
        self.name_areas();
        let has_readings = self.all.iter().any(|moment| moment.is_reading);
        if has_readings {
            // What debugfs showed before the first reading is what that shows.
            self.all.retain(|moment| moment.time_us.is_some() || moment.refused.is_some());
            let with_stamps = self.all.len();
            self.all.retain(|moment| moment.time_us.is_some());
            if self.all.len() < with_stamps {
                let left_out = (with_stamps - self.all.len()) as u64;
                let (failures, are) = (counted(left_out, "failure"), is_or_are(left_out));
                notes.push(format!("{failures} without a stamp {are} left out"));
            }
        }
        let has_time = self.all.iter().all(|moment| moment.time_us.is_some());
        if has_time {
            self.all.sort_by_key(|moment| moment.time_us);
        } else {
            self.all.sort_by_key(|moment| moment.at);
            notes
                .push("moments are numbered in the order of the text: not all have a stamp".into());
        }
        // Over what was refused before the first state is not known.
        let mut known: Vec<Option<Arc<str>>> = Vec::new();
        let before = self.all.len();
        self.all.retain(|moment| {
            if moment.picture.is_some() && !known.contains(&moment.area) {
                known.push(moment.area.clone());
            }
            known.contains(&moment.area)
        });
        if self.all.len() < before {
            let left_out = (before - self.all.len()) as u64;
            let (failures, are) = (counted(left_out, "failure"), is_or_are(left_out));
            notes.push(format!("{failures} {are} left out: no state of the area is known by then"));
        }
        has_time
    }

    /// What does not name its area is of the one that has as many pages, or of the only one.
    fn name_areas(&mut self) {
        let mut names: Vec<Arc<str>> = Vec::new();
        for name in self.all.iter().filter_map(|moment| moment.area.as_ref()) {
            if !names.contains(name) {
                names.push(Arc::clone(name));
            }
        }
        for moment in self.all.iter_mut().filter(|moment| moment.area.is_none()) {
            let total = moment.picture.as_ref().and_then(|picture| picture.total);
            let named = self.areas.layout(None, total, &Default::default()).name;
            let only = if let [only] = &names[..] { Some(only) } else { None };
            let can_be = |name: &&Arc<str>| {
                let known = self.areas.pages_of(name).zip(total);
                known.is_none_or(|(known, total)| known == total)
            };
            moment.area = named.or_else(|| only.filter(can_be).cloned());
        }
    }

    /// The moments of each area, in order of appearance.
    pub(super) fn take_by_area(&mut self) -> Vec<(Option<Arc<str>>, Vec<Moment>)> {
        let mut areas: Vec<(Option<Arc<str>>, Vec<Moment>)> = Vec::new();
        for moment in std::mem::take(&mut self.all) {
            match areas.iter_mut().find(|(name, _)| *name == moment.area) {
                Some((_, moments)) => moments.push(moment),
                None => areas.push((moment.area.clone(), vec![moment])),
            }
        }
        areas
    }

    /// Where an area lies, as far as anything says so.
    pub(super) fn layout(
        &self,
        name: Option<&Arc<str>>,
        moments: &[Moment],
        options: &Options,
    ) -> Layout {
        let mut totals = moments.iter().filter_map(|moment| moment.picture.as_ref()?.total);
        let total = totals.next_back();
        let mut layout = self.areas.layout(name, total, &options.geometry);
        layout.total = layout.total.or(total);
        layout
    }
}

/// Whether anything of it is listed: that it is full is something, too.
fn has_holes(state: &AreaState) -> bool {
    state.complete || state.holes().next().is_some()
}

fn picture(state: &AreaState) -> Picture {
    let ranges = state.ranges.iter();
    let ranges = ranges
        .map(|range| (range.number, RangeSeen::Holes(range.holes.clone(), state.complete)))
        .collect();
    Picture { ranges, order_per_bit: Some(state.order_per_bit), total: state.total }
}
