//! The policies that come with the crate: one file and one line here for each.

mod buddy;
mod by_hole;
mod genalloc;
mod kernel_first_fit;
mod next_fit;
mod size_class;
#[cfg(test)]
mod testing;
mod two_ended;
mod zoned;

use crate::catalog::{Catalog, Entry};

/// Every built-in policy, the baseline first.
pub const ENTRIES: &[Entry] = &[
    kernel_first_fit::ENTRY,
    next_fit::ENTRY,
    by_hole::BEST_FIT,
    by_hole::WORST_FIT,
    two_ended::ENTRY,
    buddy::ENTRY,
    zoned::ENTRY,
    size_class::ENTRY,
    genalloc::BEST_FIT,
    genalloc::ORDER_ALIGN,
];

/// The built-in policies by name.
pub fn catalog() -> Catalog {
    Catalog::new(ENTRIES)
}
