//! Buffers that are live in a stream, and their ids in the changed one.

use rustc_hash::{FxHashMap, FxHashSet};

use cma_policies::Request;

use crate::op::Part;

/// What makes buffers of a client as good as each other: who, pages, and the order, where it does
/// not follow the cap.
pub(super) type Class = (u16, u64, Option<u32>);

/// The class of a request.
pub(super) fn class(request: Request, dma: bool) -> Class {
    (request.client(), request.count(), (!dma).then_some(request.align()))
}

/// A buffer that is live in the stream.
#[derive(Clone, Copy, Debug)]
pub(super) struct Buffer {
    pub(super) class: Class,
    /// Pages that are left of it.
    pub(super) left: u64,
}

impl Buffer {
    /// No part of it was given back.
    pub(super) const fn is_whole(&self) -> bool {
        self.left == self.class.1
    }
}

/// Buffers by their ids.
#[derive(Default)]
pub(super) struct Live(FxHashMap<u64, Buffer>);

impl Live {
    pub(super) fn put(&mut self, id: u64, class: Class) {
        self.0.insert(id, Buffer { class, left: class.1 });
    }

    pub(super) fn get(&self, id: u64) -> Option<Buffer> {
        self.0.get(&id).copied()
    }

    pub(super) fn remove(&mut self, id: u64) -> Option<Buffer> {
        self.0.remove(&id)
    }

    /// Buffer `id`, or a part of it, is given back. What is left of it; none where it is not here.
    pub(super) fn give(&mut self, id: u64, part: Option<Part>) -> Option<Buffer> {
        let buffer = self.0.get_mut(&id)?;
        buffer.left = part.map_or(0, |part| buffer.left.saturating_sub(part.count));
        let after = *buffer;
        if after.left == 0 {
            self.0.remove(&id);
        }
        Some(after)
    }
}

/// The ids of a changed stream in which a buffer may outlive its id in the stream.
#[derive(Default)]
pub(super) struct Names {
    /// Those of the changed stream, by those of the stream.
    names: FxHashMap<u64, u64>,
    taken: FxHashSet<u64>,
    /// Ids that were made up.
    made: u64,
}

impl Names {
    /// The name of a new buffer: its own id, or where that is taken another, from the end of all.
    pub(super) fn make(&mut self, id: u64) -> u64 {
        let mut name = id;
        while !self.taken.insert(name) {
            self.made += 1;
            name = u64::MAX - self.made;
        }
        self.names.insert(id, name);
        name
    }

    /// `id` is from now on the name of a buffer that is there.
    pub(super) fn set(&mut self, id: u64, name: u64) {
        self.names.insert(id, name);
    }

    /// The name of `id`. One that is not in use in the stream, whose free is a mistake of it, has
    /// its own, and none where that is another buffer's.
    pub(super) fn get(&self, id: u64) -> Option<u64> {
        let own = || (!self.taken.contains(&id)).then_some(id);
        self.names.get(&id).copied().or_else(own)
    }

    /// `id` is over in the stream; its buffer may still be there.
    pub(super) fn end(&mut self, id: u64) {
        self.names.remove(&id);
    }

    /// The buffer of this name has gone back.
    pub(super) fn release(&mut self, name: u64) {
        self.taken.remove(&name);
    }
}
