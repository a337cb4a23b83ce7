//! What a text says beside failures of CMA: other allocators that refused, and busy places that
//! belong to no failure.

use std::sync::Arc;

use crate::ingest::log::Elsewhere;

/// Free memory in a report of the kernel, over the zones that the request could use, in kB.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct FreeMemory {
    /// Free.
    pub free_kb: u64,
    /// Of that, in CMA areas.
    pub cma_kb: u64,
    /// What most requests must leave.
    pub high_kb: u64,
    /// Pages of all CMA areas, where stated.
    pub cma_pages: Option<u64>,
}

impl FreeMemory {
    /// Whether what is free is nearly all in CMA areas: four fifths of it, or half where the rest
    /// is below the watermark.
    pub fn is_held_by_cma(self) -> bool {
        let rest = self.free_kb.saturating_sub(self.cma_kb);
        let share = |of: u64| self.cma_kb > 0 && self.cma_kb >= self.free_kb / 10 * of;
        share(8) || share(5) && rest <= self.high_kb
    }
}

/// Requests that another allocator than CMA refused.
#[derive(Clone, PartialEq, Debug)]
pub struct NotCma {
    /// Which allocator.
    pub kind: Elsewhere,
    /// How often.
    pub count: u64,
    /// The source of the first one.
    pub source: Arc<str>,
    /// Its line there.
    pub line: u64,
    /// When, in microseconds since boot.
    pub time_us: Option<u64>,
    /// The line itself, as far as it is kept.
    pub text: Arc<str>,
    /// The driver and its device, where the line begins with them.
    pub device: Option<Arc<str>>,
    /// The order of the block, where stated.
    pub order: Option<u32>,
    /// How it asked, where stated: `GFP_KERNEL`.
    pub flags: Option<Arc<str>>,
    /// The memory that was free, where a report follows.
    pub memory: Option<FreeMemory>,
}

impl NotCma {
    /// Whether CMA holds the free memory that this request could not use: then areas are too large.
    /// What asks for movable pages may use them.
    pub fn cma_is_too_large(&self) -> Option<FreeMemory> {
        let movable = self
            .flags
            .as_deref()
            .is_some_and(|flags| flags.split('|').any(|flag| flag.contains("MOVABLE")));
        self.memory.filter(|memory| !movable && memory.is_held_by_cma())
    }
}

/// Busy places (`alloc_contig_range: [..) PFNs busy`) of requests of which no failure is in the
/// text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BusyPlaces {
    /// Pages of each request: as many at most, since a place may begin before the request does.
    pub pages: u64,
    /// The order of the requests, by the step from one place to the next.
    pub align: Option<u32>,
    /// Places.
    pub places: u64,
    /// Requests, as far as they can be told apart.
    pub requests: u64,
    /// The source of the first one.
    pub source: Arc<str>,
    /// Its line there.
    pub line: u64,
    /// When, in microseconds since boot.
    pub time_us: Option<u64>,
    /// The text ends with the last of them: whether a failure followed is not shown.
    pub at_end: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory(free_kb: u64, cma_kb: u64, high_kb: u64) -> FreeMemory {
        FreeMemory { free_kb, cma_kb, high_kb, cma_pages: None }
    }

    #[test]
    fn free_memory_is_held_by_cma_where_little_else_is_free() {
        assert!(memory(519_112, 513_592, 12_028).is_held_by_cma());
        assert!(memory(30_000, 20_000, 12_028).is_held_by_cma());
        assert!(!memory(60_000, 30_000, 12_028).is_held_by_cma());
        assert!(!memory(519_112, 0, 12_028).is_held_by_cma());
        assert!(!memory(0, 0, 0).is_held_by_cma());
    }
}
