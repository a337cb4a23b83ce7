//! The one decision that a search policy makes.

use super::free_map::FreeMap;
use super::search::Search;
use crate::request::Request;

/// Who asks, beside the [`Search`] that says what for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ask {
    /// The request, in pages.
    pub request: Request,
    /// The range that is searched. Ranges are asked in order, each until it has nothing more.
    pub range: usize,
    /// The place in this range that this request tried first, since its last pause.
    pub first: Option<u64>,
}

impl Ask {
    /// The next aligned fit on the way round: up from the refused place to the end of the range,
    /// then from bit 0 up to the first place that was tried. None where nothing was tried yet.
    ///
    /// Every place comes once on it, whatever other requests change in the meantime. An order that
    /// depends on the holes cannot say that: a hole that grows comes again.
    pub fn round(&self, map: &FreeMap, search: Search) -> Option<u64> {
        let (first, refused) = (self.first?, search.refused()?);
        let is_round = refused < first;
        if !is_round && let Some(bit) = map.first_fit(search) {
            return Some(bit);
        }
        let from = if is_round { search.from } else { 0 };
        map.first_fit(Search { from, ..search }).filter(|&bit| bit < first)
    }
}

/// Says where. A plain function or closure of this shape is one; state that lasts between grants
/// (a rover) makes it a type.
pub trait Place: Send {
    /// The bit to try: `search.bits` free bits at an aligned bit, or none. They are never more than
    /// the range has. `search.from` is 0 at first; after a refused claim at `search.refused()` the
    /// answer is the next place in an order that other requests cannot disturb, so that each place
    /// is tried at most once: up, down, or [round](Ask::round).
    fn place(&self, map: &FreeMap, search: Search, ask: Ask) -> Option<u64>;

    /// Whether `request` goes through the ranges from the last to the first.
    fn descends(&self, request: Request) -> bool {
        let _ = request;
        false
    }

    /// `bits` bits at `bit` of range `range` were marked for an attempt. For places that keep an
    /// index beside the map; nothing else may change with a mark, which a refusal takes back.
    fn marked(&mut self, range: usize, bit: u64, bits: u64) {
        let _ = (range, bit, bits);
    }

    /// `bits` bits at `bit` of range `range` are free again, after a refused claim or a free.
    fn unmarked(&mut self, range: usize, bit: u64, bits: u64) {
        let _ = (range, bit, bits);
    }

    /// `bits` bits at `bit` of range `range` were granted.
    fn granted(&mut self, range: usize, bit: u64, bits: u64) {
        let _ = (range, bit, bits);
    }
}

impl<F: Fn(&FreeMap, Search, Ask) -> Option<u64> + Send> Place for F {
    fn place(&self, map: &FreeMap, search: Search, ask: Ask) -> Option<u64> {
        self(map, search, ask)
    }
}
