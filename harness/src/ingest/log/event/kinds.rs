//! Which events there are.

use std::sync::Arc;

use super::payload::Payload;
use crate::ingest::log::{Origin, Record};

/// The record of an event in an area, where its fields are there.
type Read = fn(&Payload<'_>, Option<Arc<str>>) -> Option<Record>;

/// An event, by its name in the kernel.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) name: &'static str,
    /// The first field after the name of the area: the text before it is that name.
    pub(super) first: &'static [&'static [u8]],
    /// Whether all fields are there.
    pub(super) is_whole: fn(&Payload<'_>) -> bool,
    /// It has a page where the call was granted, and none where it failed.
    pub(super) ends_a_call: bool,
    /// `None` for one that is read past.
    pub(super) record: Option<Read>,
}

const PAGES: Event = Event {
    name: "",
    first: &[b"pfn"],
    is_whole: |fields| fields.page.and(fields.count).and(fields.align).is_some(),
    ends_a_call: false,
    record: None,
};

const ORIGIN: Origin = Origin::Trace;

pub(crate) static START: Event = Event {
    name: "cma_alloc_start",
    first: &[b"count", b"request_count"],
    is_whole: |fields| fields.count.and(fields.align).is_some(),
    record: Some(|fields, area| {
        let (count, align) = (fields.count?, fields.align?);
        let Payload { available, total, .. } = *fields;
        let (origin, vendor, named) = (ORIGIN, false, false);
        Some(Record::Start { origin, area, count, align, available, total, vendor, named })
    }),
    ..PAGES
};

pub(crate) static BUSY: Event = Event {
    name: "cma_alloc_busy_retry",
    record: Some(|fields, area| {
        let Payload { pfn, raw_page: page, count, align, .. } = *fields;
        Some(Record::Busy { origin: ORIGIN, area, pfn, page, count, align })
    }),
    ..PAGES
};

pub(crate) static FINISH: Event = Event {
    name: "cma_alloc_finish",
    ends_a_call: true,
    record: Some(|fields, area| finish(fields, area, false)),
    ..PAGES
};

/// The one event of a call.
pub(crate) static SINGLE: Event = Event {
    name: "cma_alloc",
    ends_a_call: true,
    record: Some(|fields, area| finish(fields, area, true)),
    ..PAGES
};

pub(crate) static RELEASE: Event = Event {
    name: "cma_release",
    is_whole: |fields| fields.page.and(fields.count).is_some(),
    record: Some(|fields, area| {
        let Payload { pfn, count, .. } = *fields;
        Some(Record::Release { origin: ORIGIN, area, pfn, count })
    }),
    ..PAGES
};

/// Of Android: how a migration went.
pub(crate) static INFO: Event = Event { name: "cma_alloc_info", is_whole: |_| true, ..PAGES };

fn finish(fields: &Payload<'_>, area: Option<Arc<str>>, alone: bool) -> Option<Record> {
    let Payload { page, pfn, count, align, errno, .. } = *fields;
    Some(Record::Finish { origin: ORIGIN, area, page: page?, pfn, count, align, errno, alone })
}
