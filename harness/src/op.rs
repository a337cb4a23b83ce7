//! What happens to an area: the one vocabulary of streams, traces, fuzzers and laws.

use cma_policies::{Request, Run, dma_align};

/// A part of a buffer, in pages from its start.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Part {
    /// The first page that is given back, counted from the start of the buffer as it was granted.
    pub offset: u64,
    /// How many pages.
    pub count: u64,
}

/// One thing that happens.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Op {
    /// Somebody asks for a buffer and calls it `id`.
    Alloc {
        /// The buffer's name in this stream.
        id: u64,
        /// What is asked for.
        request: Request,
        /// The alignment follows the cap, as the DMA API's does: see [`Op::with_cap`].
        dma: bool,
    },
    /// Buffer `id` is given back, or a part of it.
    Free {
        /// Which buffer.
        id: u64,
        /// The part; `None` is all that is left of it.
        part: Option<Part>,
    },
    /// These pages are taken without the bitmap's knowledge, all or nothing: claims over them are
    /// busy.
    Pin(Run),
    /// These pages, pinned as one, are let go.
    Unpin(Run),
}

impl Op {
    /// The same op under `cap` (`CONFIG_CMA_ALIGNMENT`): a request that follows it asks for
    /// `min(ceil_log2(count), cap)`.
    #[must_use]
    pub fn with_cap(self, cap: u32) -> Self {
        match self {
            Self::Alloc { id, request, dma: true } => {
                let align = dma_align(request.count(), cap).min(63);
                let request = Request::new(request.count(), align)
                    .expect("a count above 0 and an order below 64")
                    .with_client(request.client());
                Self::Alloc { id, request, dma: true }
            }
            other => other,
        }
    }
}

/// An op and when it happens.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Timed {
    /// Microseconds from the start of the stream. Never decreases.
    pub at_us: u64,
    /// What happens.
    pub op: Op,
}
