//! How much pages are, by the size of a page of the kernel that failed.

use crate::diagnose::Failure;
use crate::page::Page;
use crate::report::diagnosis::plain::percent;
use crate::words::{pages, pages_of, size_of};

/// Pages of the kernel of a failure, and how much that is: `456 pages (1.8 MiB)`.
pub(super) fn sized(failure: &Failure, count: u64) -> String {
    pages_of(count, page(failure))
}

/// `96 of 128 pages (75.0 % of 512 KiB)`.
pub(super) fn share_of(failure: &Failure, free: u64, total: u64) -> String {
    let size = size_of(total, page(failure));
    format!("{free} of {} ({} of {size})", pages(total), percent(free, total))
}

/// The size of its pages.
fn page(failure: &Failure) -> Page {
    let bytes = failure.incident.bounds.as_deref().map(|bounds| bounds.page_bytes);
    bytes.and_then(Page::of_bytes).unwrap_or_default()
}
