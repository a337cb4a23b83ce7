//! Which buffers are held, as the rows themselves say.

use std::collections::HashMap;

use crate::op::Part;

/// A buffer that a row asked for and no row gave back yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Buffer {
    asked: u64,
    /// Where it was put, where that is recorded.
    at: Option<u64>,
    given_back: u64,
}

/// The buffers that are held, by id.
#[derive(Default, Debug)]
pub(super) struct Held {
    buffers: HashMap<u64, Buffer>,
}

impl Held {
    /// Whether buffer `id` is held.
    pub(super) fn holds(&self, id: u64) -> bool {
        self.buffers.contains_key(&id)
    }

    /// Buffer `id` of `asked` pages is held, at offset `at` where that is known.
    pub(super) fn take(&mut self, id: u64, asked: u64, at: Option<u64>) {
        self.buffers.insert(id, Buffer { asked, at, given_back: 0 });
    }

    /// Buffer `id` is given back: `count` pages of it, `offset` pages from its start. Without
    /// `count`, or with all that is left, it is the whole (`None`); without `offset` it is the
    /// front of what is left, which is what debugfs `free` gives back (`mm/cma_debug.c`).
    ///
    /// # Errors
    /// The pages that are left, where `count` is 0 or above them.
    pub(super) fn give(
        &mut self,
        id: u64,
        count: Option<u64>,
        offset: Option<u64>,
    ) -> Result<Option<Part>, u64> {
        let Some(buffer) = self.buffers.get_mut(&id) else {
            // Nothing is held, so nothing is given back, whatever part of it the row means.
            return Ok(None);
        };
        let left = buffer.asked - buffer.given_back;
        let Some(count) = count.filter(|count| *count != left) else {
            self.buffers.remove(&id);
            return Ok(None);
        };
        if count == 0 || count > left {
            return Err(left);
        }
        let offset = offset.unwrap_or(buffer.given_back);
        buffer.given_back += count;
        Ok(Some(Part { offset, count }))
    }

    /// Where the pages at `result` are in buffer `id`, in pages from its start, if that is known
    /// and not before what is left.
    pub(super) fn offset_of(&self, id: u64, result: u64) -> Option<u64> {
        let buffer = self.buffers.get(&id)?;
        result.checked_sub(buffer.at?).filter(|offset| *offset >= buffer.given_back)
    }
}
