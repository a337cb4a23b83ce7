//! What areas are probed with, found out once for all cells of a place.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::failed::Failed;

/// Sizes to probe each area of a board with.
pub(super) type Sought = Arc<Vec<Vec<u64>>>;

/// A stream, a board and a LOAD: neither pages nor caps change who asks for how much.
pub(super) type Place = (usize, Option<usize>, Option<usize>);

/// What was found out.
#[derive(Clone, Default, Debug)]
pub(super) struct Probed(Arc<Mutex<BTreeMap<Place, Sought>>>);

/// Places that are remembered. Cells come place by place, so that few are enough.
const MOST_PLACES: usize = 256;

impl Probed {
    /// What `find` finds for this place, at the first time that it is asked for.
    pub(super) fn of(
        &self,
        place: Place,
        find: impl FnOnce() -> Result<Vec<Vec<u64>>, Failed>,
    ) -> Result<Sought, Failed> {
        let known = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sizes) = known().get(&place) {
            return Ok(Arc::clone(sizes));
        }
        // Two threads may both look, and find the same.
        let sizes = Arc::new(find()?);
        let mut known = known();
        if known.len() >= MOST_PLACES {
            known.pop_first();
        }
        known.insert(place, Arc::clone(&sizes));
        Ok(sizes)
    }
}
