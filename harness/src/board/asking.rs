//! How those ask whom a text names, as far as it shows it.

use std::fmt;

use super::{CALLERS, Caller};
use crate::page::Page;

/// What shows how somebody asks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CallerBy {
    /// A stack of one of its requests.
    Stack,
    /// A driver got nothing for a request that the page allocator can serve.
    LeftAlone,
    /// A driver that asks the DMA API got nothing, on a kernel whose page allocator is asked next.
    Driver,
    /// What says that it got nothing is a heap.
    Heap,
    /// A heap of the area's name exports its buffers, and no driver of the DMA API does.
    Exporter,
    /// A heap has the name of the area, which no device's node names.
    HeapAlone,
    /// It asks the default area for single pages, as the DMA API does not (5.3 on).
    OnePage,
    /// The name of the area.
    Gigantic,
    /// 32-bit Arm: whoever asks has no way out.
    Arm,
    /// 64-bit Arm before 5.0: likewise.
    OldArm64,
    /// 64-bit Arm from 5.0 on without heaps: the DMA API is who asks.
    NoHeaps,
}

impl fmt::Display for CallerBy {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Stack => "by the stack of a request",
            Self::LeftAlone => {
                "a driver got nothing for a request that the page allocator could have served"
            }
            Self::Driver => "by the driver that got nothing",
            Self::Heap => "a heap says that it got nothing",
            Self::Exporter => "a heap exports the buffers",
            Self::HeapAlone => "a heap has the area's name, and no device's node names it",
            Self::OnePage => "it asks for single pages, as the DMA API does not",
            Self::Gigantic => "by the name of the area",
            Self::Arm => "32-bit Arm has no other way",
            Self::OldArm64 => "64-bit Arm before 5.0 has no other way",
            Self::NoHeaps => "a kernel of 64-bit Arm without heaps",
        })
    }
}

/// How somebody asks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Inferred {
    /// The way.
    pub caller: &'static Caller,
    /// What shows it.
    pub by: CallerBy,
}

/// How those ask whom a text names.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Asking {
    /// Everybody who is not in the list.
    pub all: Option<Inferred>,
    /// Others, by client.
    pub of: Vec<(String, Inferred)>,
}

impl Asking {
    /// How `client` asks, where it is known.
    pub fn of(&self, client: &str) -> Option<Inferred> {
        let named = self.of.iter().find(|(name, _)| name == client);
        named.map(|(_, inferred)| *inferred).or(self.all)
    }
}

/// The most pages of this size that the page allocator serves to a caller that has it to fall back on.
pub fn largest_fallback(page: Page) -> u64 {
    CALLERS.iter().map(|caller| caller.fallback_on(page)).max().unwrap_or(0)
}
