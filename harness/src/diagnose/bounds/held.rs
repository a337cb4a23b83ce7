//! What drivers say that they hold.

use std::sync::Arc;

use crate::ingest::log::{Holder, Part};

/// The most labels that are kept of a dump.
const MOST_LABELS: usize = 64;

/// Buffers that are held under one label, or by one exporter.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Holding {
    /// The label, or the exporter.
    pub label: Arc<str>,
    /// Bytes.
    pub bytes: u64,
    /// Buffers.
    pub buffers: u64,
}

/// What a driver holds, or what is exported as dma-buf, as one dump counts it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Held {
    /// Who counts.
    pub holder: Holder,
    /// The source of its first line.
    pub source: Arc<str>,
    /// Its first line.
    pub line: u64,
    /// The labels, as printed.
    pub of: Vec<Holding>,
    /// Bytes and buffers in all, where one line counts them.
    pub all: (Option<u64>, Option<u64>),
    /// Bytes and buffers that were freed, and are kept to be used again.
    pub cached: (Option<u64>, Option<u64>),
    /// Bytes and buffers that are counted under a label, and were given back.
    pub purged: (u64, u64),
}

impl Held {
    /// A dump that begins here.
    pub const fn new(holder: Holder, source: Arc<str>, line: u64) -> Self {
        let none = (None, None);
        Self { holder, source, line, of: Vec::new(), all: none, cached: none, purged: (0, 0) }
    }

    /// Whether `part` is in it already: then it is of the next dump.
    pub(in crate::diagnose) fn has(&self, part: &Part, bytes: Option<u64>) -> bool {
        let set = |(known, count): (Option<u64>, Option<u64>)| match bytes {
            Some(_) => known.is_some(),
            None => count.is_some(),
        };
        match part {
            Part::Head => true,
            Part::All => set(self.all),
            Part::Cached => set(self.cached),
            Part::Purged => self.purged != (0, 0),
            Part::Of(label) => self.of.iter().any(|of| of.label == *label),
        }
    }

    /// Takes a piece in.
    pub(in crate::diagnose) fn add(
        &mut self,
        part: Part,
        bytes: Option<u64>,
        buffers: Option<u64>,
    ) {
        let counts = |known: (Option<u64>, Option<u64>)| (bytes.or(known.0), buffers.or(known.1));
        match part {
            Part::Head => {}
            Part::All => self.all = counts(self.all),
            Part::Cached => self.cached = counts(self.cached),
            Part::Purged => self.purged = (bytes.unwrap_or(0), buffers.unwrap_or(0)),
            Part::Of(label) if self.of.len() < MOST_LABELS => {
                let (bytes, buffers) = (bytes.unwrap_or(0), buffers.unwrap_or(0));
                self.of.push(Holding { label, bytes, buffers });
            }
            Part::Of(_) => {}
        }
    }

    /// Bytes and buffers in all.
    pub fn sum(&self) -> (Option<u64>, Option<u64>) {
        if self.all != (None, None) {
            return self.all;
        }
        let cached = match self.holder {
            Holder::Vc4 => self.cached,
            Holder::DmaBuf => (None, None),
        };
        let of =
            |count: fn(&Holding) -> u64| self.of.iter().map(count).fold(0, u64::saturating_add);
        let bytes = of(|of| of.bytes).saturating_add(cached.0.unwrap_or(0));
        let buffers = of(|of| of.buffers).saturating_add(cached.1.unwrap_or(0));
        let left = (bytes.saturating_sub(self.purged.0), buffers.saturating_sub(self.purged.1));
        let some = !self.of.is_empty() || cached != (None, None);
        if some { (Some(left.0), Some(left.1)) } else { (None, None) }
    }

    /// Bytes of CMA that are held at least: all of vc4, whose buffers are contiguous; of dma-bufs
    /// those of an exporter that is known to take them from there.
    pub fn cma_bytes(&self) -> Option<u64> {
        if self.holder == Holder::Vc4 {
            return self.sum().0;
        }
        let of_cma = self.of.iter().filter(|of| is_of_cma(&of.label));
        Some(of_cma.map(|of| of.bytes).fold(0, u64::saturating_add)).filter(|sum| *sum > 0)
    }

    /// Of dma-bufs those of exporters that may take them from CMA, or from elsewhere.
    pub fn maybe_of_cma(&self) -> impl Iterator<Item = &Holding> {
        let is_table = self.holder == Holder::DmaBuf;
        self.of.iter().filter(move |of| is_table && !is_of_cma(&of.label) && &*of.label != "system")
    }
}

/// Whether an exporter has its buffers from CMA: the heap of an area, or vb2's contiguous allocator.
fn is_of_cma(exporter: &str) -> bool {
    exporter == "reserved" || exporter.contains("cma") || exporter.contains("dma_contig")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(holder: Holder) -> Held {
        Held::new(holder, "a.log".into(), 1)
    }

    #[test]
    fn labels_sum_up_and_what_was_purged_is_no_more_there() {
        let mut dump = held(Holder::Vc4);
        dump.add(Part::Of("V3D".into()), Some(126_112 << 10), Some(389));
        dump.add(Part::Of("dumb".into()), Some(8116 << 10), Some(2));
        dump.add(Part::Cached, Some(64 << 10), Some(16));
        assert_eq!(dump.sum(), (Some(134_292 << 10), Some(407)));
        dump.add(Part::Purged, Some(1544 << 10), Some(7));
        assert_eq!(dump.sum(), (Some(132_748 << 10), Some(400)));
        assert_eq!(dump.cma_bytes(), Some(132_748 << 10));
    }

    #[test]
    fn what_is_counted_in_all_needs_no_sum() {
        let mut dump = held(Holder::Vc4);
        assert_eq!((dump.sum(), dump.cma_bytes()), ((None, None), None));
        dump.add(Part::All, None, Some(64));
        dump.add(Part::All, Some(62328 << 10), None);
        dump.add(Part::Cached, Some(8160 << 10), None);
        assert_eq!(dump.sum(), (Some(62328 << 10), Some(64)));
        assert!(dump.has(&Part::All, Some(1)) && !dump.has(&Part::Cached, None));
    }

    #[test]
    fn of_dma_bufs_those_of_cma_count() {
        let mut table = held(Holder::DmaBuf);
        table.add(Part::Of("system".into()), Some(1 << 30), Some(9));
        assert_eq!(table.cma_bytes(), None);
        table.add(Part::Of("linux,cma".into()), Some(4096 * 3), Some(2));
        table.add(Part::Of("videobuf2_dma_contig".into()), Some(4096), Some(1));
        assert_eq!(table.cma_bytes(), Some(4096 * 4));
    }
}
