//! What a trace or a log shows of requests: their sizes, and the most that was live of each area.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::ingest::log::{Origin, Page, Record};

/// Requests of a text.
#[derive(Clone, Default, Debug)]
pub struct Trace {
    /// How often each number of pages was asked for, by area where it is named.
    sizes: BTreeMap<(Option<Arc<str>>, u64), u64>,
    live: BTreeMap<Option<Arc<str>>, Live>,
}

/// What is live of an area, in pages.
#[derive(Clone, Default, Debug)]
struct Live {
    now: u64,
    most: u64,
    buffers: BTreeMap<u64, u64>,
}

impl Trace {
    /// Takes a record.
    pub(super) fn note(&mut self, record: &Record) {
        match record {
            Record::Finish {
                origin: Origin::Trace, area, page, pfn, count: Some(count), ..
            } => {
                *self.sizes.entry((area.clone(), *count)).or_default() += 1;
                let live = self.live.entry(area.clone()).or_default();
                match (page, pfn) {
                    (Page::Some, Some(pfn)) => live.granted(*pfn, *count),
                    _ => live.most = live.most.max(live.now.saturating_add(*count)),
                }
            }
            Record::Release { origin: Origin::Trace, area, pfn: Some(pfn), .. } => {
                if let Some(live) = self.live.get_mut(area) {
                    live.released(*pfn);
                }
            }
            Record::Failed { area, count, .. } => {
                *self.sizes.entry((area.clone(), *count)).or_default() += 1;
            }
            _ => {}
        }
    }

    /// The most pages that were live and asked for at a time in this area. What was live before the
    /// first call is not in it.
    pub fn most(&self, area: &str) -> Option<u64> {
        let live = self.live.iter().find(|(name, _)| name.as_deref() == Some(area));
        live.map(|(_, live)| live.most)
    }

    /// Pages of each request of this area, and how many there were.
    pub fn sizes_of(&self, area: &str) -> impl Iterator<Item = (u64, u64)> {
        let of_area = self.sizes.iter().filter(move |((name, _), _)| name.as_deref() == Some(area));
        of_area.map(|((_, pages), times)| (*pages, *times))
    }

    /// The same of all areas.
    pub fn sizes(&self) -> BTreeMap<u64, u64> {
        let mut all = BTreeMap::new();
        for ((_, pages), times) in &self.sizes {
            *all.entry(*pages).or_default() += times;
        }
        all
    }
}

impl Live {
    fn granted(&mut self, pfn: u64, count: u64) {
        self.released(pfn);
        self.buffers.insert(pfn, count);
        self.now = self.now.saturating_add(count);
        self.most = self.most.max(self.now);
    }

    fn released(&mut self, pfn: u64) {
        self.now -= self.buffers.remove(&pfn).unwrap_or(0);
    }
}
