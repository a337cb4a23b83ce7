//! What is asked again and again of one state: many failures may share it.

use std::sync::OnceLock;

/// Orders for which answers are kept: up to 1 GiB of 4 KiB pages.
pub(crate) const ORDERS: usize = 19;

/// Answers that were worked out before. The holes of a state do not change after the first one.
#[derive(Default, Debug)]
pub struct Asked {
    /// The pages of all holes, and of the longest.
    pub(super) pages: OnceLock<(u64, u64)>,
    /// The most pages that one hole has from an aligned page on, by order.
    pub(crate) usable: [OnceLock<u64>; ORDERS],
}

/// A copy may be changed before it is asked.
impl Clone for Asked {
    fn clone(&self) -> Self {
        Self::default()
    }
}

/// What was asked is no part of a state.
impl PartialEq for Asked {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Asked {}
