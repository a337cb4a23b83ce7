//! The policies that come with the crate: one file and one line here for each.

mod kernel_first_fit;

use crate::catalog::{Catalog, Entry};

/// Every built-in policy, the baseline first.
pub const ENTRIES: &[Entry] = &[kernel_first_fit::ENTRY];

/// The built-in policies by name.
#[must_use]
pub fn catalog() -> Catalog {
    Catalog::new(ENTRIES)
}
