//! What a boot says of areas: each that the kernel was asked for, and what became of it.
//!
//! ```text
//! Found ─► Notes (bounded) ─► Story: size of a page, architecture, step; Asked, an area each
//! ```
//! Facts only: `report/diagnosis` has the words.

mod asked;
mod command;
mod cure;
mod kind;
mod machine;
mod notes;
mod reason;
mod recommended;
pub(crate) mod step;
mod tell;
#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use asked::{Asked, Fate, Note, Off, Origin, Reason};
pub use command::{Command, Misread, Size, Slip};
pub use cure::{Border, Cure};
pub(crate) use machine::Machine;
pub use notes::Notes;
pub(crate) use reason::COMMAND_FIRST;
pub use recommended::{Recommended, RecommendedArea};
pub use step::{Stride, StrideFrom};

use crate::ingest::log::boot::PageFrom;
use crate::kernel::Arch;

/// A line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct At {
    /// The source it is in.
    pub source: Arc<str>,
    /// Its number there, from 1 on.
    pub line: u64,
}

/// What a text says of a boot.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Story {
    /// Bytes of a page, and what says so.
    pub page: Option<(u64, PageFrom)>,
    /// The architecture.
    pub arch: Option<Arch>,
    /// The release.
    pub release: Option<Arc<str>>,
    /// Base and size of each area are multiples of this.
    pub stride: Stride,
    /// The longest block of memory: first byte, and the byte after the last one.
    pub longest_block: Option<(u64, u64)>,
    /// All memory in bytes.
    pub memory: Option<u64>,
    /// `CmaTotal`, in bytes.
    pub cma_total: Option<u64>,
    /// What was marked as of areas when memory was counted, in bytes.
    pub cma_reserved: Option<u64>,
    /// `CONFIG_CMA_ALIGNMENT`, as configurations of the text state it: each value once.
    pub caps: Vec<(u32, At)>,
    /// Boots in the text; the rest is of the last one.
    pub boots: u64,
    /// `CONFIG_DMA_CMA` is off: the kernel makes no default area.
    pub no_dma_cma: bool,
    /// Every area that was asked for, in order of appearance.
    pub areas: Vec<Asked>,
}

impl Default for Story {
    fn default() -> Self {
        Notes::default().story(&[])
    }
}

impl Story {
    /// Bytes of a page; 4096 where nothing says so.
    pub fn page_bytes(&self) -> u64 {
        self.page.map_or(4096, |(bytes, _)| bytes)
    }

    /// Whether `CmaTotal` counts areas that could not be activated, where the release says it.
    pub fn counts_dead(&self) -> Option<bool> {
        tell::counts_dead(self.release.as_deref())
    }

    /// The areas with which something is wrong, the worst first.
    pub fn troubles(&self) -> impl Iterator<Item = &Asked> {
        let mut troubles: Vec<_> = self.areas.iter().filter(|asked| asked.is_trouble()).collect();
        troubles.sort_by_key(|asked| asked.rank());
        troubles.into_iter()
    }
}
