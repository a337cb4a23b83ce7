//! What would have helped, from the state alone.

use super::{Failure, Resident};

/// One thing that would have helped, or would not.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Advice {
    /// A short name: `smaller_cap`, `shorter_buffer`, `bigger_area`, `own_pool`, `more_memory`,
    /// `collect`, `nothing`, …
    pub kind: &'static str,
    /// Whether it would have helped.
    pub helps: bool,
    /// In a sentence with the numbers.
    pub text: String,
    /// Pages that it costs (negative: saves), where that can be said.
    pub cost_pages: Option<i64>,
}

/// What would have helped with this failure, best first.
#[must_use]
pub fn advise(failure: &Failure, residents: &[Resident], cap: u32) -> Vec<Advice> {
    let _ = (failure, residents, cap);
    Vec::new()
}
