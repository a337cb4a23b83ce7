//! The policies that come with the crate: one file and one line here for each.

mod best_fit;
mod buddy;
mod genalloc;
mod kernel_first_fit;
mod next_fit;
mod size_class;
#[cfg(test)]
mod testing;
mod two_ended;
mod worst_fit;
mod zoned;

use crate::catalog::{Catalog, Entry};

/// Every built-in policy, the baseline first.
pub const ENTRIES: &[Entry] = &[
    kernel_first_fit::ENTRY,
    next_fit::ENTRY,
    best_fit::ENTRY,
    worst_fit::ENTRY,
    two_ended::ENTRY,
    buddy::ENTRY,
    zoned::ENTRY,
    size_class::ENTRY,
    genalloc::BEST_FIT,
    genalloc::ORDER_ALIGN,
];

/// The built-in policies by name.
#[must_use]
pub fn catalog() -> Catalog {
    Catalog::new(ENTRIES)
}
