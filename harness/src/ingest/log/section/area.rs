//! The files of an area: `cma/AREA/*` of debugfs (`mm/cma_debug.c`, 4.1 on with CONFIG_CMA_DEBUGFS)
//! and `/sys/kernel/mm/cma/AREA/*` (`mm/cma_sysfs.c`, 5.13 on).

use super::super::DebugfsFile::{self, BasePfn, Count, MaxChunk, OrderPerBit, Used};
use crate::ingest::Format;

pub(super) const DEBUGFS: Format = Format {
    name: "debugfs",
    about: "the state of an area: cma/AREA/ of debugfs, with ranges/N/ from 6.15 on; a directory, \
            or its files in a text",
    columns: "base_pfn, count, order_per_bit, used, maxchunk, bitmap, each as ==> PATH <==, \
              PATH:value or after cat PATH; bitmap also below ==> snapshot UPTIME PATH <==, as it \
              was at some moment",
    kernels: "4.1 on",
    written: false,
};

pub(super) const SYSFS: Format = Format {
    name: "sysfs",
    about: "the counters of an area, in pages: mm/cma/AREA/ of sysfs",
    columns: "alloc_pages_success, alloc_pages_fail, release_pages_success (6.9 on), total_pages \
              and available_pages (6.15 on), each as ==> PATH <==, PATH:value or after cat PATH",
    kernels: "5.13 on",
    written: false,
};

/// The file of debugfs that is no number.
pub(super) const BITMAP: &str = "bitmap";

/// The files of debugfs.
pub(super) const FILES: [&str; 6] =
    ["base_pfn", "count", "order_per_bit", "used", "maxchunk", BITMAP];

/// What the number in such a file is; `None` where it is too large.
pub(super) fn file(name: &str, number: u64) -> Option<DebugfsFile> {
    Some(match name {
        "base_pfn" => BasePfn(number),
        "count" => Count(number),
        "order_per_bit" => OrderPerBit(u32::try_from(number).ok()?),
        "used" => Used(number),
        _ => MaxChunk(number),
    })
}
