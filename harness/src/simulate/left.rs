//! What is left of buffers that are given back in parts.

use rustc_hash::FxHashMap;

use crate::op::Part;

/// Pages that are left of each buffer, by its id.
pub(super) type Left = FxHashMap<u64, u64>;

/// Buffer `id`, or a part of it, is given back. The pages that are left of it; none where it was
/// not here.
pub(super) fn give(buffers: &mut Left, id: u64, part: Option<Part>) -> Option<u64> {
    let held = buffers.get_mut(&id)?;
    *held = part.map_or(0, |part| held.saturating_sub(part.count));
    let left = *held;
    if left == 0 {
        buffers.remove(&id);
    }
    Some(left)
}
