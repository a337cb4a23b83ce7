//! `/sys/kernel/mm/cma/AREA/*` (`mm/cma_sysfs.c`, 5.13 on).

use std::sync::Arc;

use super::super::super::Format;
use super::super::{Record, Sink};
use super::{number, too_large};

pub(super) const FORMAT: Format = Format {
    name: "sysfs",
    about: "the counters of an area, in pages: mm/cma/AREA/ of sysfs",
    columns: "alloc_pages_success, alloc_pages_fail, release_pages_success (6.9 on), total_pages \
              and available_pages (6.15 on), each as ==> PATH <==, PATH:value or behind cat PATH",
    kernels: "5.13 on",
    written: false,
};

/// Reads a counter.
pub(super) fn counter(
    area: Option<&Arc<str>>,
    name: Arc<str>,
    text: &[u8],
    sink: &mut Sink<'_>,
) -> bool {
    match number(text) {
        None => return false,
        Some(Ok(value)) => {
            let area = area.map(Arc::clone);
            sink.push(None, None, Record::Counter { area, name, value });
        }
        Some(Err(())) => too_large(text, "the counter", sink),
    }
    true
}
