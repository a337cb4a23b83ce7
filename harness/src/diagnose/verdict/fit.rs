//! Whether a request fits into a state: the search of `cma_alloc()` on runs.

use cma_policies::Grid;

use super::super::{AreaState, GUARANTEED_ALIGN, Hole, Known};
use crate::cause::Cause;
use crate::timeline::ORDERS;

/// The largest order that is looked for in `would_fit`: 1 GiB of 4 KiB pages.
const MOST_ALIGN: u32 = 18;

/// A state as a request of some pages sees it.
#[derive(Clone, Copy, Debug)]
pub(super) struct View<'a> {
    pub(super) state: &'a AreaState,
    /// The pages asked for.
    count: u64,
    /// The same, rounded up to whole bits.
    pub(super) need: u64,
    /// Pages that the counter of the area had left, where it has one.
    pub(super) available: Option<u64>,
    /// Nothing rests on positions.
    unplaced: bool,
    /// The largest order at which some hole has room, where every base is a multiple of every
    /// order; `None`: at none.
    most_align: Option<u32>,
}

/// What a state says of a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fit {
    /// Fewer pages are free.
    Exhausted,
    /// No hole is long enough.
    Fragmentation,
    /// A hole is long enough, none from its first aligned page on.
    Alignment,
    /// It fits.
    Fits,
    /// It depends on the base of the area, which is not known.
    Base,
    /// It depends on where the holes are, which is not known.
    Positions,
    /// It depends on holes that are not known.
    Missing,
}

impl Fit {
    /// The cause of a refusal in a state without room.
    pub const fn cause(self) -> Option<Cause> {
        match self {
            Self::Exhausted => Some(Cause::Exhausted),
            Self::Fragmentation => Some(Cause::Fragmentation),
            Self::Alignment => Some(Cause::Alignment),
            Self::Fits | Self::Base | Self::Positions | Self::Missing => None,
        }
    }
}

/// A hole, and its first aligned page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    /// The number of its range, where there are several.
    pub range: Option<u32>,
    /// The hole.
    pub hole: Hole,
    /// The first aligned page, from the start of its range on; it may lie past the hole.
    pub at: u64,
}

impl<'a> View<'a> {
    /// `state` as a request of `count` pages sees it. `doubtful`: nothing rests on its positions.
    pub(super) fn new(state: &'a AreaState, count: u64, doubtful: bool) -> Self {
        let need = state.whole(count);
        let most_align = state_most_align(state, need);
        let (unplaced, available) = (!state.placed || doubtful, state.available);
        Self { state, count, need, available, unplaced, most_align }
    }

    /// Fewer pages are free than are asked for: by the counter of the area where it has one, which
    /// is asked before the bitmap (`mm/cma.c`, 6.15 on), else by the bitmap.
    fn is_exhausted(&self) -> bool {
        let state = self.state;
        match self.available {
            Some(_) if state.complete && state.known_free() == 0 => true,
            Some(available) => available < self.count,
            // A list that contradicts itself may state more than its runs have.
            None if state.complete && state.known_free() < self.need => {
                state.free.is_none_or(|free| free < self.need)
            }
            None => state.free.is_some_and(|free| free < self.need),
        }
    }

    /// Whether the alignment of a place to 2^align is known.
    pub(super) fn knows_base(&self, align: u32) -> bool {
        self.state.knows_base(align)
    }

    /// What the state says of the request at order `align`.
    pub(super) fn fit(&self, align: u32) -> Fit {
        let state = self.state;
        if self.is_exhausted() {
            return Fit::Exhausted;
        }
        let long = state.largest_run() >= self.need;
        if !long {
            let is_known = state.complete || state.longest.is_some();
            return if is_known { Fit::Fragmentation } else { Fit::Missing };
        }
        if self.unplaced {
            return if self.fits_wherever(align) { Fit::Fits } else { Fit::Positions };
        }
        let no_fit = if state.complete { Fit::Alignment } else { Fit::Missing };
        if self.knows_base(align) {
            let fits = self.most_align.is_some_and(|most| most >= align);
            return if fits { Fit::Fits } else { no_fit };
        }
        match self.bases_with_room(align) {
            Bases::All => Fit::Fits,
            Bases::None => no_fit,
            Bases::Some => Fit::Base,
        }
    }

    /// Whether it fits wherever the holes are.
    fn fits_wherever(&self, align: u32) -> bool {
        let slack = if align <= self.state.order_per_bit { 0 } else { span(align) - 1 };
        self.state.largest_run() >= self.need.saturating_add(slack)
    }

    /// For which bases of the area it fits, where the base is not known.
    fn bases_with_room(&self, align: u32) -> Bases {
        let unit = GUARANTEED_ALIGN.max(self.state.order_per_bit);
        // Bases are multiples of 2^unit: so are the aligned pages, modulo 2^align.
        let places = span(align.saturating_sub(unit));
        let mut room: Vec<(u64, u64)> = Vec::new();
        for (hole, _) in self.state.holes() {
            let Some(last) = hole.end().checked_sub(self.need) else { continue };
            let (first, last) = (hole.start.div_ceil(span(unit)), last / span(unit));
            if first > last {
                continue;
            }
            if last - first + 1 >= places {
                return Bases::All;
            }
            let (first, last) = (first % places, last % places);
            if first <= last {
                room.push((first, last));
            } else {
                room.push((first, places - 1));
                room.push((0, last));
            }
        }
        if room.is_empty() {
            return Bases::None;
        }
        room.sort_unstable();
        let mut next = 0;
        for (first, last) in room {
            if first > next {
                return Bases::Some;
            }
            next = next.max(last + 1);
        }
        if next >= places { Bases::All } else { Bases::Some }
    }

    /// The largest order at which it fits for sure.
    pub(super) fn most_align(&self) -> Option<u32> {
        if self.unplaced {
            return None;
        }
        let most = if self.knows_base(MOST_ALIGN) { MOST_ALIGN } else { GUARANTEED_ALIGN };
        self.most_align.map(|align| align.min(most))
    }

    /// Where it goes by first fit at order `align`, which must be known to fit.
    pub(super) fn place(&self, align: u32) -> Option<Place> {
        self.places(align).find(|place| place.at.saturating_add(self.need) <= place.hole.end())
    }

    /// The hole that comes closest to taking it at order `align`, of those that are long enough.
    pub(super) fn best_of_the_long(&self, align: u32) -> Option<Place> {
        let mut best: Option<Place> = None;
        for place in self.places(align).filter(|place| place.hole.count >= self.need) {
            if best.is_none_or(|best| usable(place) > usable(best)) {
                best = Some(place);
            }
        }
        best
    }

    /// Every hole with its first page that is aligned to 2^align.
    fn places(&self, align: u32) -> impl Iterator<Item = Place> {
        let several = self.state.ranges.len() > 1;
        self.state.ranges.iter().flat_map(move |range| {
            let grid = self.state.grid(range);
            range.holes.iter().map(move |hole| {
                let at = grid.first_aligned(hole.start, align).unwrap_or(u64::MAX);
                Place { range: several.then_some(range.number), hole: *hole, at }
            })
        })
    }

    /// The most pages that fit at order `align` for sure.
    pub(super) fn most_count(&self, align: u32) -> u64 {
        let known = self.knows_base(align);
        if let Some(usable) = shared_usable(self.state, align).filter(|_| known) {
            return usable;
        }
        let sure = if known { align } else { GUARANTEED_ALIGN.max(self.state.order_per_bit) };
        // A base that is not known may move the first aligned page by this much.
        let slack = if known { 0 } else { span(align) - span(sure) };
        self.state.largest_usable(sure).saturating_sub(slack)
    }
}

/// The largest order at which `need` pages fit into a hole.
fn state_most_align(state: &AreaState, need: u64) -> Option<u32> {
    if state.largest_run() < need {
        return None;
    }
    let each = || {
        let most =
            |(hole, grid): (Hole, Grid)| grid.most_align(hole.start, hole.count.checked_sub(need)?);
        state.holes().filter_map(most).max()
    };
    let fits = |order: &u32| shared_usable(state, *order).is_some_and(|usable| usable >= need);
    match (0..ORDERS as u32).rev().find(fits) {
        Some(order) if order + 1 < ORDERS as u32 => Some(order),
        None if is_shared(state) => None,
        _ => each(),
    }
}

/// Whether many failures may look at one state: a list is of one failure.
fn is_shared(state: &AreaState) -> bool {
    state.known != Known::List
}

/// The most pages of one hole from a page aligned to 2^order on, kept where the state is shared.
fn shared_usable(state: &AreaState, order: u32) -> Option<u64> {
    let kept = state.asked.usable.get(order as usize).filter(|_| is_shared(state))?;
    Some(*kept.get_or_init(|| state.largest_usable(order)))
}

/// Pages of a hole from its first aligned page on.
fn usable(place: Place) -> u64 {
    place.hole.end().saturating_sub(place.at)
}

/// Some, all or none of the bases that an area can have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Bases {
    None,
    Some,
    All,
}

/// 2^order, or all pages there are.
pub(super) const fn span(order: u32) -> u64 {
    if order < 64 { 1 << order } else { u64::MAX }
}

#[cfg(test)]
mod tests {
    use super::super::super::RangeState;
    use super::*;

    pub(in crate::diagnose::verdict) fn state(
        runs: &[(u64, u64)],
        total: u64,
        base_pfn: Option<u64>,
        order_per_bit: u32,
    ) -> AreaState {
        let holes: Vec<Hole> = runs.iter().map(|&(count, start)| Hole { start, count }).collect();
        let free = holes.iter().map(|hole| hole.count).sum();
        AreaState {
            name: None,
            ranges: vec![RangeState { number: 0, base_pfn, pages: Some(total), holes }],
            order_per_bit,
            total: Some(total),
            free: Some(free),
            available: None,
            longest: None,
            shown: None,
            complete: true,
            placed: true,
            known: Known::List,
            live: None,
            asked: Default::default(),
        }
    }

    const NXP: &[(u64, u64)] = &[
        (3, 125),
        (20, 172),
        (12, 236),
        (4, 380),
        (32, 736),
        (17, 2287),
        (23, 2473),
        (20, 36076),
        (99, 40477),
        (108, 40852),
        (44, 41108),
        (20, 41196),
        (108, 41364),
        (108, 41620),
        (108, 42900),
        (108, 43156),
        (483, 44061),
        (1763, 45341),
        (1440, 47712),
        (20, 49324),
        (20, 49388),
        (5076, 49452),
        (2304, 55040),
        (35, 58141),
        (20, 58220),
        (20, 58284),
        (7188, 58348),
        (84, 66220),
        (7276, 66452),
        (227, 74525),
        (6371, 75549),
    ];
    const SAMSUNG: &[(u64, u64)] =
        &[(4, 572), (7, 585), (7, 601), (8, 632), (38, 730), (166, 1114), (127, 1921)];

    #[test]
    fn a_state_that_is_shared_answers_as_a_list_does() {
        for base in [None, Some(0), Some(0x40200), Some(0x106)] {
            for order_per_bit in [0, 1, 2] {
                let runs = &[(4, 4), (40, 12), (300, 772), (512, 1536), (1 << 20, 1 << 20)];
                for most in 1..=runs.len() {
                    let list = state(&runs[..most], 1 << 22, base, order_per_bit);
                    let shared = AreaState { known: Known::Trace, ..list.clone() };
                    for count in [1, 3, 4, 5, 256, 300, 301, 512, 513, 1 << 20] {
                        let views = [&list, &shared].map(|state| View::new(state, count, false));
                        for align in (0..=20).chain([40, 63]) {
                            let [one, other] = views.map(|view| {
                                (view.fit(align), view.most_align(), view.most_count(align))
                            });
                            assert_eq!(one, other, "{base:?} {order_per_bit} {count} {align}");
                        }
                    }
                }
            }
        }
    }

    /// The rows of `policies/tests/vectors/search.rs` that a list can show: pages, runs, request,
    /// and where it goes.
    #[test]
    fn the_vectors_that_can_be_printed_as_lists() {
        type Row<'a> = (u64, &'a [(u64, u64)], u64, u32, Result<u64, Fit>);
        let one = &[(511, 58881)][..];
        let rows: [Row<'_>; 18] = [
            (286_720, one, 456, 8, Err(Fit::Alignment)),
            (286_720, &[(255, 286_465)], 456, 8, Err(Fit::Exhausted)),
            (286_720, one, 456, 5, Ok(58912)),
            (286_720, one, 456, 6, Err(Fit::Alignment)),
            (286_720, one, 456, 0, Ok(58881)),
            (81_920, NXP, 148, 8, Ok(44288)),
            (81_920, NXP, 148, 9, Ok(45568)),
            (81_920, NXP, 148, 10, Ok(46080)),
            (81_920, NXP, 148, 13, Err(Fit::Alignment)),
            (2048, SAMSUNG, 256, 8, Err(Fit::Fragmentation)),
            (2048, SAMSUNG, 358, 8, Err(Fit::Exhausted)),
            (2048, SAMSUNG, 166, 0, Ok(1114)),
            (2048, SAMSUNG, 166, 4, Err(Fit::Alignment)),
            (2048, SAMSUNG, 128, 7, Ok(1152)),
            (512, &[(256, 256)], 256, 8, Ok(256)),
            (512, &[(256, 256)], 257, 8, Err(Fit::Exhausted)),
            (512, &[], 1, 0, Err(Fit::Exhausted)),
            (512, &[(512, 0)], 512, 9, Ok(0)),
        ];
        for (total, runs, count, align, expected) in rows {
            let state = state(runs, total, Some(0), 0);
            let view = View::new(&state, count, false);
            let place = view.place(align).map(|place| place.at);
            let found = match view.fit(align) {
                Fit::Fits => Ok(place.expect("it fits")),
                fit => Err(fit),
            };
            assert_eq!(found, expected, "{count} at {align}");
        }
    }

    #[test]
    fn the_base_moves_aligned_pages() {
        // V11, V12, V14 and V15 of the same rows.
        type Row<'a> = (u64, &'a [(u64, u64)], u64, u32, Option<u64>);
        let rows: [Row<'_>; 4] = [
            (4096, &[(4096, 0)], 1, 10, Some(512)),
            (4096, &[(2584, 1512)], 1000, 10, Some(1536)),
            (2048, &[(2048, 0)], 512, 11, Some(1536)),
            (2048, &[(2048, 0)], 513, 11, None),
        ];
        for (total, runs, count, align, expected) in rows {
            let state = state(runs, total, Some(0x40200), 0);
            let view = View::new(&state, count, false);
            assert_eq!(view.place(align).map(|place| place.at), expected, "{count} at {align}");
            assert_eq!(view.fit(align) == Fit::Fits, expected.is_some());
        }
    }

    #[test]
    fn bits_of_several_pages() {
        // V16 to V19 of the same rows.
        let rows = [
            (64, 15u64 << 2, 1u64 << 2, 0x100, 2, 5, 4, Some(4u64 << 2)),
            (64, 15 << 2, 1 << 2, 0x100, 2, 5, 2, Some(1 << 2)),
            (64 << 9, 63 << 9, 1 << 9, 0x40000, 9, 513, 5, Some(1 << 9)),
            (32, 32, 0, 0x106, 1, 4, 3, Some(2)),
        ];
        for (total, count, start, base, order, pages, align, expected) in rows {
            let state = state(&[(count, start)], total, Some(base), order);
            let view = View::new(&state, pages, false);
            assert_eq!(view.place(align).map(|place| place.at), expected, "{pages} at {align}");
        }
        // 513 pages take 1024.
        let state = state(&[(1023, 0)], 4096, None, 9);
        assert_eq!(View::new(&state, 513, false).fit(0), Fit::Exhausted);
    }

    #[test]
    fn an_order_above_the_pageblock_needs_the_base() {
        type Row<'a> = (&'a [(u64, u64)], u64, u32, Fit);
        let table: [Row<'_>; 5] = [
            // One place in two: 512 or 0 past a multiple of 1024.
            (&[(600, 512)], 100, 10, Fit::Base),
            (&[(600, 512), (600, 2048)], 100, 10, Fit::Fits),
            (&[(2048, 0)], 100, 10, Fit::Fits),
            (&[(600, 513)], 500, 10, Fit::Alignment),
            (&[(600, 512)], 100, 9, Fit::Fits),
        ];
        for (runs, count, align, fit) in table {
            let state = state(runs, 4096, None, 0);
            assert_eq!(View::new(&state, count, false).fit(align), fit, "{runs:?}");
        }
    }

    #[test]
    fn the_base_that_is_not_known_agrees_with_every_base() {
        let mut seed = 1u64;
        for _ in 0..2000 {
            let mut next = |most: u64| {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(99_991);
                (seed >> 33) % most
            };
            let runs = [(1 + next(1500), next(900)), (1 + next(1500), 2500 + next(900))];
            let (count, align) = (1 + next(700), 10 + next(3) as u32);
            let fits = |base| {
                let state = state(&runs, 8192, Some(base), 0);
                View::new(&state, count, false).fit(align) == Fit::Fits
            };
            let bases: Vec<bool> = (0..16).map(|base| fits(base * 512)).collect();
            let unknown = state(&runs, 8192, None, 0);
            let view = View::new(&unknown, count, false);
            let fit = view.fit(align);
            let all = bases.iter().all(|fits| *fits);
            let none = !bases.iter().any(|fits| *fits);
            assert_eq!(fit == Fit::Fits, all, "{runs:?} {count} {align}");
            assert_eq!(fit == Fit::Base, !all && !none, "{runs:?} {count} {align}");
        }
    }

    #[test]
    fn the_largest_order_is_the_last_one_that_fits() {
        let mut seed = 7u64;
        for _ in 0..2000 {
            let mut next = |most: u64| {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(99_991);
                (seed >> 33) % most
            };
            let order = next(3) as u32;
            let runs = [(1 + next(600)) << order, (next(900)) << order];
            let state = state(&[(runs[0], runs[1])], 1 << 14, Some(next(4096)), order);
            let view = View::new(&state, 1 + next(400), false);
            let last = (0..=MOST_ALIGN).rev().find(|align| view.place(*align).is_some());
            assert_eq!(view.most_align(), last, "{state:?} {}", view.need);
        }
    }

    #[test]
    fn numbers_without_end_are_no_panic() {
        let mut state = state(&[(u64::MAX, 0)], u64::MAX, Some(u64::MAX), 63);
        state.ranges[0].holes.push(Hole { start: u64::MAX, count: u64::MAX });
        for align in [0, 9, 10, 63, 64, u32::MAX] {
            for count in [1, u64::MAX] {
                let view = View::new(&state, count, false);
                let _ = (view.fit(align), view.place(align), view.most_count(align));
                state.ranges[0].base_pfn = None;
                let view = View::new(&state, count, false);
                let _ = (view.fit(align), view.best_of_the_long(align), view.most_align());
            }
        }
    }
}
