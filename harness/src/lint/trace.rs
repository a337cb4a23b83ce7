//! What a trace or a log shows of requests: their sizes, and the most that was live of each area.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::boot::At;
use crate::ingest::log::{Origin, Page, Record};

/// Requests of a text.
#[derive(Clone, Default, Debug)]
pub struct Trace {
    /// Requests of each number of pages, by area where it is named.
    sizes: BTreeMap<(Option<Arc<str>>, u64), Times>,
    live: BTreeMap<Option<Arc<str>>, Live>,
}

/// How often something was asked for, and where first.
#[derive(Clone, Debug)]
pub struct Times {
    /// How often.
    pub count: u64,
    /// The first time.
    pub first: At,
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
    pub(super) fn note(&mut self, record: &Record, at: &At) {
        match record {
            Record::Finish {
                origin: Origin::Trace, area, page, pfn, count: Some(count), ..
            } => {
                self.asked(area, *count, at);
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
                self.asked(area, *count, at);
            }
            _ => {}
        }
    }

    fn asked(&mut self, area: &Option<Arc<str>>, pages: u64, at: &At) {
        let new = || Times { count: 0, first: at.clone() };
        self.sizes.entry((area.clone(), pages)).or_insert_with(new).count += 1;
    }

    /// Whether there is no request.
    pub fn is_empty(&self) -> bool {
        self.sizes.is_empty()
    }

    /// The most pages that were live and asked for at a time in this area. What was live before the
    /// first call is not in it.
    pub fn most(&self, area: &str) -> Option<u64> {
        let live = self.live.iter().find(|(name, _)| name.as_deref() == Some(area));
        live.map(|(_, live)| live.most)
    }

    /// Whether so many pages were asked for in this area.
    pub fn has_size(&self, area: &str, pages: u64) -> bool {
        self.sizes.keys().any(|(name, own)| name.as_deref() == Some(area) && *own == pages)
    }

    /// Pages of each request.
    pub fn sizes(&self) -> impl Iterator<Item = (u64, &Times)> {
        self.sizes.iter().map(|((_, pages), times)| (*pages, times))
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
