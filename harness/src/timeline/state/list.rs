//! The state that a free-run list shows.

use super::{AreaState, Asked, Hole, Known, Layout, RangeState};
use crate::ingest::log::{FreeRuns, RangeRuns};

/// The largest order per bit that is looked for: 1 GiB of 4 KiB pages, for `hugetlb_cma=`.
const MOST_ORDER_PER_BIT: u32 = 18;

/// The left numbers of a list are pages and the right ones bits, so that one order per bit explains
/// it (`cma_debug_show_areas()`, `mm/cma.c`, 5.1 on).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Units {
    order_per_bit: u32,
    /// No order per bit explains it.
    doubtful: bool,
    /// Bits of single pages would make up what its tail states, and its runs do not.
    is_missing: bool,
}

impl AreaState {
    /// What `list` shows of an area laid out as `layout`; and whether the list contradicts itself,
    /// so that nothing rests on its positions. `may_print_bits`: the kernel can be 5.0 or earlier,
    /// where the left numbers are bits and a run that is none follows the last one, for an order
    /// per bit above 0.
    pub(crate) fn of_list(list: &FreeRuns, layout: &Layout, may_print_bits: bool) -> (Self, bool) {
        let total = list.total.or(layout.total);
        let one = if layout.bases.len() > 1 { None } else { total };
        let units = units(list, layout.order_per_bit, total);
        let phantom = may_print_bits && has_phantom(list, layout.order_per_bit, total);
        let doubtful = !list.unplaced && (units.doubtful || phantom);
        let mut ranges: Vec<RangeState> = list
            .ranges
            .iter()
            .map(|runs| RangeState {
                number: runs.range,
                base_pfn: layout.base(runs.range),
                pages: if list.ranges.len() > 1 { layout.sized(runs.range) } else { one },
                holes: holes(runs, units.order_per_bit, list.unplaced),
            })
            .collect();
        if ranges.is_empty() {
            ranges.push(RangeState {
                base_pfn: layout.base(0),
                pages: total,
                ..Default::default()
            });
        }
        let is_short = list.ranged && list.ranges.len() < layout.bases.len();
        let complete = list.is_complete() && !units.is_missing && !is_short;
        // What is free is a sum of bits up to 6.14, and the counter of the area from 6.15 on.
        let tail = list.free.filter(|_| !list.ranged);
        let state = Self {
            name: layout.name.clone(),
            ranges,
            order_per_bit: units.order_per_bit,
            total,
            free: tail.or_else(|| complete.then(|| list.sum())),
            available: list.free.filter(|_| list.ranged),
            longest: None,
            shown: None,
            complete,
            placed: !list.unplaced,
            known: Known::List,
            live: None,
            asked: Asked::default(),
        };
        (state, doubtful)
    }
}

impl AreaState {
    /// What `list` shows where it is read in another way that it allows as well: at a larger order
    /// per bit than [`AreaState::of_list()`] takes, or, where `may_print_bits`, without the run
    /// that kernels up to 5.0 print past the last one. Empty where something rules these out:
    /// an odd number of pages, or a run so far up that it would end past the area.
    pub(crate) fn other_readings(
        list: &FreeRuns,
        layout: &Layout,
        may_print_bits: bool,
    ) -> Vec<Self> {
        if list.unplaced {
            return Vec::new();
        }
        let total = list.total.or(layout.total);
        let (first, _) = Self::of_list(list, layout, may_print_bits);
        let mut readings = Vec::new();
        if layout.order_per_bit.is_none() {
            let allows = |order: u32| {
                if !can_drift(list, order, total) {
                    return false;
                }
                let makes_sense = |range| makes_sense(range, order, total);
                let whole = |range| all_whole(range, order, total);
                list.ranges
                    .iter()
                    .all(|range| if list.cut { whole(range) } else { makes_sense(range) })
                    && total.is_none_or(|total| total.is_multiple_of(1 << order))
            };
            for order in (first.order_per_bit + 1..=MOST_ORDER_PER_BIT).filter(|at| allows(*at)) {
                let layout = Layout { order_per_bit: Some(order), ..layout.clone() };
                readings.push(Self::of_list(list, &layout, false).0);
            }
        }
        if may_print_bits {
            readings.extend(without_phantom(list, layout, total));
        }
        readings
    }
}

/// Whether runs of whole bits end within the area: of a list that is cut, no more can be asked.
fn all_whole(range: &RangeRuns, order: u32, total: Option<u64>) -> bool {
    let granule = 1u64 << order;
    let is_whole = |pages: u64| pages & (granule - 1) == 0;
    range.runs.iter().all(|(pages, bit)| {
        let end = bit.checked_mul(granule).and_then(|start| start.checked_add(*pages));
        let inside = end.is_some_and(|end| total.is_none_or(|total| end <= total));
        inside && is_whole(*pages)
    })
}

/// The list as kernels up to 5.0 print it at each order per bit above 0: all of it in bits, the
/// last run up to the pages of the area, though the map ends before.
fn without_phantom(list: &FreeRuns, layout: &Layout, total: Option<u64>) -> Vec<AreaState> {
    let (Some(total), [range]) = (total, list.ranges.as_slice()) else { return Vec::new() };
    let Some(&(bits, bit)) = range.runs.last() else { return Vec::new() };
    if bit.checked_add(bits) != Some(total) || list.cut || total == 0 {
        return Vec::new();
    }
    let orders = layout.order_per_bit.map_or(1..=4, |order| order..=order);
    let fits =
        |order: &u32| *order > 0 && total.is_multiple_of(1 << order) && bit <= total >> order;
    let reading = |order: u32| {
        let mut runs: Vec<(u64, u64)> =
            range.runs.iter().map(|(bits, bit)| (bits << order, *bit)).collect();
        if let Some(last) = runs.last_mut() {
            last.0 = ((total >> order) - bit) << order;
        }
        runs.retain(|(pages, _)| *pages > 0);
        let free = runs.iter().fold(0u64, |sum, (pages, _)| sum.saturating_add(*pages));
        let ranges = vec![RangeRuns { range: range.range, runs }];
        let list = FreeRuns { ranges, free: Some(free), ..list.clone() };
        let layout = Layout { order_per_bit: Some(order), ..layout.clone() };
        AreaState::of_list(&list, &layout, false).0
    };
    orders.filter(fits).map(reading).collect()
}

/// The smallest order per bit at which the list makes sense; `known` is not guessed.
fn units(list: &FreeRuns, known: Option<u32>, total: Option<u64>) -> Units {
    let drifts = list.drifts();
    let units = |order_per_bit, doubtful| {
        let is_missing = drifts && order_per_bit == 0;
        Units { order_per_bit, doubtful, is_missing }
    };
    // A cut list contradicts itself where it was cut, at every order.
    if list.unplaced || list.cut {
        return units(known.unwrap_or(0), false);
    }
    let fits = |order| list.ranges.iter().all(|range| makes_sense(range, order, total));
    if let Some(order_per_bit) = known {
        return units(order_per_bit, !fits(order_per_bit));
    }
    let mut orders = 0..=MOST_ORDER_PER_BIT;
    let found = orders.find(|order| can_drift(list, *order, total) && fits(*order));
    units(found.unwrap_or(0), found.is_none() && (!drifts || !fits(0)))
}

/// Whether the tail can state what it does, where a bit is 2^order pages: the counter and the
/// bitmap agree where it is one, and there are no more bits that are set than pages that are not
/// free.
fn can_drift(list: &FreeRuns, order: u32, total: Option<u64>) -> bool {
    let (Some(free), true) = (list.free, list.drifts()) else { return true };
    let has_bits =
        |total: u64| total.saturating_sub(list.sum()) >> order <= total - free.min(total);
    order > 0 && total.is_none_or(has_bits)
}

/// Whether runs of whole bits ascend, do not touch, and end within the area.
fn makes_sense(range: &RangeRuns, order: u32, total: Option<u64>) -> bool {
    let granule = 1u64 << order;
    // A division by what is not known costs more than all else here.
    let is_whole = |pages: u64| pages & (granule - 1) == 0;
    let mut last_end = None;
    range.runs.iter().all(|(pages, bit)| {
        let Some(start) = bit.checked_mul(granule) else { return false };
        let Some(end) = start.checked_add(*pages) else { return false };
        let apart = last_end.is_none_or(|end| end < start);
        last_end = Some(end);
        apart && is_whole(*pages) && total.is_none_or(|total| end <= total)
    })
}

/// Whether the last run is what kernels up to 5.0 print past the end of a bitmap: they walk one
/// bit for each page of the area, though the map has fewer.
fn has_phantom(list: &FreeRuns, order_per_bit: Option<u32>, total: Option<u64>) -> bool {
    let (Some(total), [range]) = (total, list.ranges.as_slice()) else { return false };
    let Some(&(pages, bit)) = range.runs.last() else { return false };
    if order_per_bit == Some(0) || list.cut || pages == 0 {
        return false;
    }
    // An area that is half empty looks like it too, but hardly one with many runs before.
    let enough = order_per_bit.is_some() || range.runs.len() > 2;
    let orders = order_per_bit.map_or(1..=4, |order| order..=order);
    enough
        && bit.checked_add(pages) == Some(total)
        && orders.into_iter().any(|order| total.checked_shr(order) == Some(bit))
}

/// The runs as holes in pages. What does not ascend is left out: a position that was cut is too
/// small for its place.
fn holes(range: &RangeRuns, order_per_bit: u32, unplaced: bool) -> Vec<Hole> {
    let mut holes: Vec<Hole> = Vec::with_capacity(range.runs.len());
    for &(count, bit) in &range.runs {
        let start = if unplaced { 0 } else { bit.saturating_mul(1 << order_per_bit) };
        let past_the_end = start.checked_add(count).is_none();
        let ascends = holes.last().is_none_or(|last| last.end() < start) || unplaced;
        if count > 0 && ascends && !past_the_end {
            holes.push(Hole { start, count });
        }
    }
    holes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(runs: &[(u64, u64)], total: u64) -> FreeRuns {
        let free = runs.iter().fold(0u64, |sum, (pages, _)| sum.saturating_add(*pages));
        FreeRuns {
            ranges: vec![RangeRuns { range: 0, runs: runs.to_vec() }],
            free: Some(free),
            total: Some(total),
            head: true,
            ..FreeRuns::default()
        }
    }

    fn of(list: &FreeRuns) -> (AreaState, bool) {
        AreaState::of_list(list, &Layout::default(), false)
    }

    #[test]
    fn the_smallest_order_per_bit_without_a_contradiction() {
        type Row<'a> = (&'a [(u64, u64)], u64, u32, bool);
        let table: [Row<'_>; 8] = [
            (&[(4, 0), (7, 5)], 64, 0, false),
            // 16 pages from page 8 on would touch those from page 24 on.
            (&[(16, 4), (8, 12)], 64, 2, false),
            (&[(16, 4), (8, 10), (4, 15)], 64, 2, false),
            // Runs that touch are one run.
            (&[(4, 0), (4, 4)], 64, 1, false),
            (&[(8, 60)], 64, 0, true),
            (&[(3, 0), (4, 3)], 64, 0, true),
            (&[(5, 10), (5, 9)], 64, 0, true),
            (&[(u64::MAX, u64::MAX)], 64, 0, true),
        ];
        for (runs, total, order, doubtful) in table {
            let (state, odd) = of(&list(runs, total));
            assert_eq!((state.order_per_bit, odd), (order, doubtful), "{runs:?}");
        }
    }

    #[test]
    fn positions_are_bits_and_become_pages() {
        let (state, doubtful) = of(&list(&[(16, 4), (8, 10), (4, 15)], 64));
        let holes: Vec<_> = state.holes().map(|(hole, _)| (hole.count, hole.start)).collect();
        assert_eq!(holes, [(16, 16), (8, 40), (4, 60)]);
        assert!(!doubtful && state.complete);
    }

    #[test]
    fn what_is_known_is_not_guessed() {
        let layout = Layout { order_per_bit: Some(2), ..Layout::default() };
        let (state, doubtful) = AreaState::of_list(&list(&[(16, 4)], 32), &layout, false);
        assert_eq!((state.order_per_bit, doubtful), (2, false));
        let (_, doubtful) = AreaState::of_list(&list(&[(15, 4)], 32), &layout, false);
        assert!(doubtful);
    }

    #[test]
    fn a_cut_position_is_left_out() {
        let cut = FreeRuns { cut: true, ..list(&[(255, 641), (255, 90), (255, 1153)], 4096) };
        let (state, doubtful) = of(&cut);
        assert_eq!(state.ranges[0].holes.len(), 2);
        assert!(!doubtful && !state.complete);
    }

    #[test]
    fn a_run_past_the_end_of_an_old_bitmap_is_doubtful() {
        let runs = [(3, 9), (5, 40), (7, 81), (256, 256)];
        assert!(AreaState::of_list(&list(&runs, 512), &Layout::default(), true).1);
        assert!(!AreaState::of_list(&list(&runs, 512), &Layout::default(), false).1);
        // Half of it is free, and nothing is strange.
        let half = list(&[(256, 256)], 512);
        assert!(!AreaState::of_list(&half, &Layout::default(), true).1);
    }

    fn orders(list: &FreeRuns, may_print_bits: bool) -> Vec<u32> {
        let readings = AreaState::other_readings(list, &Layout::default(), may_print_bits);
        readings.iter().map(|reading| reading.order_per_bit).collect()
    }

    #[test]
    fn other_orders_per_bit_that_a_list_allows() {
        // An odd number of pages, or a run far up, leaves only one.
        assert!(orders(&list(&[(511, 100), (4, 900)], 4096), false).is_empty());
        assert!(orders(&list(&[(512, 256), (256, 2100)], 4096), false).is_empty());
        assert_eq!(orders(&list(&[(512, 256), (256, 1000)], 4096), false), [1]);
        assert_eq!(orders(&list(&[(64, 16)], 4096), false), [1, 2, 3, 4, 5, 6]);
        let known = Layout { order_per_bit: Some(0), ..Layout::default() };
        let even = list(&[(64, 16)], 4096);
        assert!(AreaState::other_readings(&even, &known, true).is_empty());
        // The rest of a cut list is in whole bits, too.
        let cut = FreeRuns { cut: true, ..list(&[(636, 706), (8, 900)], 2048) };
        assert_eq!(orders(&cut, false), [1]);
    }

    #[test]
    fn a_run_up_to_the_end_may_be_of_bits_that_are_none() {
        // Bits of two pages: the map ends at 2048, and the last run begins before.
        let bits = list(&[(3, 9), (5, 40), (2596, 1500)], 4096);
        let readings = AreaState::other_readings(&bits, &Layout::default(), true);
        let holes: Vec<_> = readings[0].holes().map(|(hole, _)| (hole.count, hole.start)).collect();
        assert_eq!(holes, [(6, 18), (10, 80), (1096, 3000)]);
        assert_eq!((readings.len(), readings[0].free), (1, Some(1112)));
        assert!(orders(&bits, false).is_empty());
        assert!(orders(&list(&[(3, 9), (5, 40), (96, 4000)], 4096), true).is_empty());
    }

    #[test]
    fn sizes_alone_are_kept() {
        let unplaced = FreeRuns { unplaced: true, ..list(&[(9, 0), (4, 0), (9, 0)], 64) };
        let (state, doubtful) = of(&unplaced);
        assert_eq!((state.largest_run(), state.known_free()), (9, 22));
        assert!(!state.placed && !doubtful);
    }
}
