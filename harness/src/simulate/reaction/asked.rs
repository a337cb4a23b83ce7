//! What a stream has asked for and not given back.

use crate::op::Part;
use rustc_hash::FxHashMap;

/// Pages that are left of each buffer, as the stream itself says.
#[derive(Default, Debug)]
pub(super) struct Asked {
    left: FxHashMap<u64, u64>,
}

impl Asked {
    pub(super) fn take(&mut self, id: u64, count: u64) {
        self.left.insert(id, count);
    }

    /// Buffer `id`, or a part of it, is given back. The pages that are left of it; none where it
    /// was not here.
    pub(super) fn give(&mut self, id: u64, part: Option<Part>) -> Option<u64> {
        let held = self.left.get_mut(&id)?;
        *held = part.map_or(0, |part| held.saturating_sub(part.count));
        let left = *held;
        if left == 0 {
            self.left.remove(&id);
        }
        Some(left)
    }

    pub(super) fn remove(&mut self, id: u64) -> Option<u64> {
        self.left.remove(&id)
    }

    pub(super) fn clear(&mut self) {
        self.left.clear();
    }
}
