//! From traces: every buffer is known.

use std::collections::BTreeMap;

use cma_policies::Run;

use super::super::{AreaState, Confidence};
use super::{Size, Tally};

/// The live buffers by size, each with what it strands.
pub(super) fn tally(area: &AreaState, live: &[Run]) -> Vec<Tally> {
    let unit = area.order_per_bit;
    if unit >= u64::BITS {
        return Vec::new();
    }
    // Holes by the bit that they begin at, counted from address 0.
    let mut holes: Vec<(u64, u64)> = Vec::new();
    for (hole, grid) in area.holes() {
        holes.push(((grid.base() >> unit).saturating_add(hole.start >> unit), hole.count >> unit));
    }
    holes.sort_unstable();
    let mut tallies: BTreeMap<u64, Tally> = BTreeMap::new();
    for run in live.iter().filter(|run| run.count > 0) {
        let granule = 1u64 << unit;
        let start = run.pfn.0 >> unit;
        let bits = run.count.div_ceil(granule);
        let size = Size { count: run.count, blocks: 0, confidence: Confidence::Certain };
        let tally = tallies.entry(run.count).or_insert_with(|| Tally::new(size));
        tally.blocks = tally.blocks.saturating_add(1);
        let end = start.saturating_add(bits);
        if let Ok(at) = holes.binary_search_by_key(&end, |(start, _)| *start) {
            tally.strand(end, holes[at].1);
        }
    }
    tallies.into_values().collect()
}
