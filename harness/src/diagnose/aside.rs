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
    /// Free, and in no CMA area.
    pub const fn rest_kb(self) -> u64 {
        self.free_kb.saturating_sub(self.cma_kb)
    }

    /// Whether what is free is nearly all in CMA areas: four fifths of it, or half where the rest
    /// is below the watermark.
    pub fn is_held_by_cma(self) -> bool {
        let share = |of: u64| self.cma_kb > 0 && self.cma_kb >= self.free_kb / 10 * of;
        share(8) || share(5) && self.rest_kb() <= self.high_kb
    }

    /// Whether the rest is more than what most requests must leave, several times over: memory is
    /// not what was missing.
    pub const fn is_plenty(self) -> bool {
        self.high_kb > 0 && self.rest_kb() / 4 > self.high_kb
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
    /// What asks for movable pages may use them. A block of several pages may be missing for want of
    /// a place in the rest, unless the rest is below the watermark.
    pub fn cma_is_too_large(&self) -> Option<FreeMemory> {
        let is_block = self.order.is_some_and(|order| order > 0);
        self.memory.filter(|memory| {
            let is_low = memory.high_kb == 0 || memory.rest_kb() <= memory.high_kb;
            !self.is_movable() && memory.is_held_by_cma() && (is_low || !is_block)
        })
    }

    /// Whether it asked for pages that can be moved, which CMA lends.
    pub fn is_movable(&self) -> bool {
        let flags = self.flags.as_deref().unwrap_or_default();
        flags.split('|').any(|flag| flag.contains("MOVABLE"))
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
        assert!(memory(519_112, 8_000, 12_028).is_plenty());
        assert!(!memory(519_112, 500_000, 12_028).is_plenty());
    }

    #[test]
    fn a_block_may_be_missing_in_the_rest() {
        let one = |order, free_kb| NotCma {
            kind: Elsewhere::OutOfMemory,
            count: 1,
            source: "a.log".into(),
            line: 1,
            time_us: None,
            text: "it".into(),
            device: None,
            order: Some(order),
            flags: Some("GFP_KERNEL|__GFP_COMP".into()),
            memory: Some(memory(free_kb, 513_592, 12_028)),
        };
        assert!(one(0, 519_112).cma_is_too_large().is_some());
        assert!(one(4, 519_112).cma_is_too_large().is_some());
        assert!(one(4, 600_000).cma_is_too_large().is_none());
        assert!(one(0, 600_000).cma_is_too_large().is_some());
        let movable = NotCma { flags: Some("GFP_HIGHUSER_MOVABLE".into()), ..one(0, 519_112) };
        assert!(movable.cma_is_too_large().is_none());
    }
}
