//! Pictures of an area: which of its pages are free, in cells that begin at alignment slots.
//!
//! A picture is data; text and HTML draw it. In text a cell is one ASCII character, since logs are
//! read over serial lines and mailed:
//!
//! | | the pages of the cell |
//! | --- | --- |
//! | `#` | are all used |
//! | `+` `-` | are free in part (known to be), mostly free |
//! | `.` | are all free |
//! | `?` | are not in the list: used, or cut from it |
//! | `!` | are free, in a run that is long enough, but not from its first aligned page on |
//! | `o` | would have taken the request at a smaller order |

mod detail;

use cma_policies::Grid;

use crate::diagnose::{AreaState, Failure, Hole, Known, RangeState};
use crate::kernel::MAX_RANGES;

pub use detail::{Detail, Part, Row};

/// Cells of a picture on one line.
const STRIP: u64 = 96;
/// How cells look: those of each [`Fill`], then those that a [`Mark`] sets off.
const LOOKS: [Look; 7] = [
    Look { glyph: '#', class: "u", words: "used" },
    Look { glyph: '+', class: "mu", words: "free in part" },
    Look { glyph: '-', class: "mf", words: "mostly free" },
    Look { glyph: '.', class: "f", words: "free" },
    Look { glyph: '?', class: "q", words: "used, or not shown" },
    Look { glyph: '!', class: "bad", words: "long enough, but not from an aligned page on" },
    Look { glyph: 'o', class: "good", words: "here it would have fitted at a smaller order" },
];
/// Cells of a row of the large picture.
pub const ROW: usize = 64;
/// Cells of the large picture, of all ranges.
const SLOTS: u64 = 24 * ROW as u64;

/// How a cell looks, and what that means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Look {
    /// Its character.
    pub glyph: char,
    /// Its class in HTML.
    pub class: &'static str,
    /// What it is.
    pub words: &'static str,
}

/// The request that a picture is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Wanted {
    /// Its pages.
    pub count: u64,
    /// Its order.
    pub align: u32,
    /// The order at which it would have fitted, and the page, from the start of the range on.
    pub instead: Option<(u32, u64)>,
}

impl Wanted {
    /// The request of `failure`, where its pages and order are known, and where it would have gone
    /// at a smaller order.
    pub fn of(failure: &Failure) -> Option<Self> {
        let (count, (align, _)) = (failure.incident.count?, failure.align?);
        let fit = failure.would_fit.unwrap_or_default();
        let instead = fit.max_align.zip(fit.at).filter(|(order, _)| *order < align);
        Some(Self { count, align, instead })
    }

    /// Whether `hole` is long enough, but not from its first aligned page on.
    fn misses(&self, hole: Hole, grid: Grid) -> bool {
        let need = grid.whole(self.count);
        hole.count >= need && hole.usable(self.align, grid) < need
    }

    /// Where it would have gone in `hole` at a smaller order.
    fn instead_in(&self, hole: Hole, grid: Grid) -> Option<Hole> {
        let (order, at) = self.instead?;
        let inside = hole.start <= at && at.saturating_add(self.count) <= hole.end();
        // The same page of another range need not be aligned.
        let aligned = grid.lost(at, order) == Some(0);
        (inside && aligned).then_some(Hole { start: at, count: self.count })
    }
}

/// How many pages of a cell are free.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fill {
    /// None.
    Used,
    /// Some, at most half of them.
    MostUsed,
    /// More than half of them.
    MostFree,
    /// All.
    Free,
    /// None is known to be.
    Unknown,
}

impl Fill {
    /// How it looks.
    pub const fn look(self) -> Look {
        LOOKS[self as usize]
    }

    const fn of(free: u64, pages: u64, whole: bool) -> Self {
        if free == 0 {
            return if whole { Self::Used } else { Self::Unknown };
        }
        if free >= pages {
            Self::Free
        } else if free > pages / 2 {
            Self::MostFree
        } else {
            Self::MostUsed
        }
    }
}

/// What a cell means to the request.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Mark {
    /// Nothing.
    None,
    /// It is of a run that is long enough, but not from its first aligned page on.
    Misaligned,
    /// The request would have gone here at a smaller order.
    Instead,
}

/// Some neighbouring pages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cell {
    /// The first, from the start of the range on.
    pub start: u64,
    /// How many.
    pub pages: u64,
    /// How many of them are known to be free.
    pub free: u64,
    /// How many of them are free, in a word.
    pub fill: Fill,
    /// What they mean to the request.
    pub mark: Mark,
}

impl Cell {
    /// How it looks.
    pub const fn look(&self) -> Look {
        match self.mark {
            Mark::Misaligned => LOOKS[5],
            Mark::Instead => LOOKS[6],
            Mark::None => self.fill.look(),
        }
    }

    /// Its character.
    pub const fn glyph(&self) -> char {
        self.look().glyph
    }
}

/// The cells of a range.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Strip {
    /// The number of the range.
    pub range: u32,
    /// Its cells, ascending.
    pub cells: Vec<Cell>,
}

/// A picture of an area.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Map {
    /// Pages of a cell; the first and the last one of a range may have fewer.
    pub cell_pages: u64,
    /// Its ranges.
    pub ranges: Vec<Strip>,
    /// Whether the area may go on past the last cell, for all that is known.
    pub open: bool,
}

impl Map {
    /// The area in one line, or in one for each range; `None` where nothing is known of it.
    pub fn strip(state: &AreaState, wanted: Option<&Wanted>) -> Option<Self> {
        Self::new(state, 1, STRIP, wanted)
    }

    /// The area slot by slot: a cell is 2^align pages, or a power of two times that where the area
    /// is large.
    pub fn slots(state: &AreaState, align: u32, wanted: Option<&Wanted>) -> Option<Self> {
        let slot = 1u64.checked_shl(align).unwrap_or(1 << 63);
        Self::new(state, slot, SLOTS, wanted)
    }

    fn new(state: &AreaState, least: u64, most: u64, wanted: Option<&Wanted>) -> Option<Self> {
        let longest = state.ranges.iter().map(|range| pages(state, range)).max()?;
        // Each range gets its share of the cells; a line for itself where it is only a line.
        let most = if most > STRIP { most / state.ranges.len() as u64 } else { most }.max(1);
        // One more cell where the base is not a multiple of it.
        let fits = |cell: &u64| longest.div_ceil(*cell) < most;
        let cells = (0..64).map(|order| 1u64 << order).filter(|cell| *cell >= least);
        let cell_pages = cells.clone().find(fits).or_else(|| cells.max())?;
        let strip = |range| Strip::new(state, range, cell_pages, wanted);
        let ranges: Vec<_> = state.ranges.iter().take(MAX_RANGES).map(strip).collect();
        let open = state.total.is_none() && state.ranges.iter().any(|range| range.pages.is_none());
        ranges.iter().any(|range| !range.cells.is_empty()).then_some(Self {
            cell_pages,
            ranges,
            open,
        })
    }

    /// Whether something is known of a quarter of its cells: of a list that is mostly cut away a
    /// large picture shows nothing.
    pub fn shows_much(&self) -> bool {
        let cells = || self.ranges.iter().flat_map(|range| &range.cells);
        let known = cells().filter(|cell| cell.fill != Fill::Unknown).count();
        known.saturating_mul(4) >= cells().count()
    }

    /// The looks of all cells that occur in one of `maps`, each once, in the order of the table
    /// above.
    pub fn looks<'a>(maps: &'a [&Self]) -> impl Iterator<Item = Look> + 'a {
        let cells = move || maps.iter().flat_map(|map| &map.ranges).flat_map(|range| &range.cells);
        LOOKS.into_iter().filter(move |look| cells().any(|cell| cell.look() == *look))
    }
}

/// Pages of `range` as far as known: to the end of its last hole at least.
fn pages(state: &AreaState, range: &RangeState) -> u64 {
    let known = range.holes.iter().map(|hole| hole.end()).max().unwrap_or(0);
    let total = state.total.filter(|_| state.ranges.len() == 1);
    range.pages.or(total).unwrap_or(known)
}

impl Strip {
    fn new(state: &AreaState, range: &RangeState, cell: u64, wanted: Option<&Wanted>) -> Self {
        let (pages, grid) = (pages(state, range), state.grid(range));
        let whole = state.complete || state.known != Known::List;
        // Of a bitmap that was cut the pages past its words are not known.
        let known_to = match state.shown {
            None => u64::MAX,
            Some(shown) if state.ranges.len() == 1 => shown,
            Some(_) => 0,
        };
        let before = grid.base() & (cell - 1);
        let index = |page: u64| ((page.saturating_add(before)) / cell) as usize;
        let count = if pages == 0 { 0 } else { index(pages - 1) + 1 };
        let mut free = vec![(0u64, Mark::None); count];
        let mut mark_all = |hole: Hole, mark: Mark, adds: bool| {
            let end = hole.end().min(pages);
            if hole.start >= end {
                return;
            }
            for (at, (free, marked)) in
                free.iter_mut().enumerate().take(index(end - 1) + 1).skip(index(hole.start))
            {
                let from = (at as u64 * cell).saturating_sub(before).max(hole.start);
                let to = (at as u64 + 1).saturating_mul(cell).saturating_sub(before).min(end);
                *free += if adds { to.saturating_sub(from) } else { 0 };
                *marked = mark.max(*marked);
            }
        };
        for hole in range.holes.iter().copied() {
            let missed = wanted.is_some_and(|wanted| wanted.misses(hole, grid));
            mark_all(hole, if missed { Mark::Misaligned } else { Mark::None }, true);
            if let Some(instead) = wanted.and_then(|wanted| wanted.instead_in(hole, grid)) {
                mark_all(instead, Mark::Instead, false);
            }
        }
        let cells = free.into_iter().enumerate().map(|(at, (free, mark))| {
            let start = (at as u64 * cell).saturating_sub(before);
            let end = (at as u64 + 1).saturating_mul(cell).saturating_sub(before).min(pages);
            let (pages, free) = (end - start, free.min(end - start));
            let fill = Fill::of(free, pages, whole && end <= known_to);
            Cell { start, pages, free, fill, mark }
        });
        Self { range: range.number, cells: cells.collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::state;
    use super::*;

    const WANTED: Wanted = Wanted { count: 300, align: 8, instead: Some((6, 576)) };

    fn glyphs(map: &Map) -> String {
        map.ranges.iter().flat_map(|range| &range.cells).map(Cell::glyph).collect()
    }

    #[test]
    fn cells_say_how_much_is_free() {
        let state = state(Some(512), true, &[(64, 64), (1, 128), (63, 193), (128, 320)]);
        let map = Map::new(&state, 64, 80, None).unwrap();
        assert_eq!((map.cell_pages, glyphs(&map).as_str()), (64, "#.+-#..#"));
        let looks = Map::looks(&[&map]).map(|look| look.glyph).collect::<String>();
        assert_eq!(looks, "#+-.");
    }

    #[test]
    fn what_a_cut_list_does_not_show_is_no_use_nor_free() {
        let state = state(None, false, &[(64, 64), (1, 130)]);
        let map = Map::new(&state, 64, 80, None).unwrap();
        assert_eq!((glyphs(&map).as_str(), map.open), ("?.+", true));
        let pages: Vec<_> = map.ranges[0].cells.iter().map(|cell| cell.pages).collect();
        assert_eq!(pages, [64, 64, 3], "to the end of what is known");
        assert!(map.shows_much());
        let cut = self::state(Some(1 << 16), false, &[(64, 64)]);
        assert!(!Map::slots(&cut, 8, None).unwrap().shows_much());
    }

    #[test]
    fn a_run_that_is_long_enough_and_misaligned_is_marked() {
        let state = state(Some(2048), true, &[(255, 257), (500, 513), (100, 1500)]);
        let map = Map::slots(&state, 8, Some(&WANTED)).unwrap();
        assert_eq!((map.cell_pages, glyphs(&map).as_str()), (256, "#-oo#++#"));
        let other = Wanted { instead: None, ..WANTED };
        let map = Map::slots(&state, 8, Some(&other)).unwrap();
        assert_eq!(glyphs(&map), "#-!!#++#");
    }

    #[test]
    fn cells_begin_at_slots_where_the_base_is_not_aligned() {
        let mut state = state(Some(256), true, &[(64, 64)]);
        state.ranges[0].base_pfn = Some(0x1_0040);
        let map = Map::new(&state, 128, 80, None).unwrap();
        let starts: Vec<_> =
            map.ranges[0].cells.iter().map(|cell| (cell.start, cell.pages)).collect();
        assert_eq!(starts, [(0, 64), (64, 128), (192, 64)]);
        assert_eq!(glyphs(&map), "#+#");
    }

    #[test]
    fn large_areas_have_larger_cells() {
        let state = state(Some(1 << 40), true, &[(1 << 39, 0)]);
        let map = Map::slots(&state, 8, Some(&WANTED)).unwrap();
        let cells = map.ranges[0].cells.len() as u64;
        assert!(cells <= SLOTS && cells > SLOTS / 4, "{cells}");
        assert!(map.cell_pages.is_power_of_two());
        assert!(Map::strip(&state, None).unwrap().ranges[0].cells.len() <= 96);
    }

    #[test]
    fn numbers_without_bounds_are_drawn_or_not_but_never_panic() {
        let most = u64::MAX;
        let pages = [None, Some(0), Some(1), Some(most)];
        let holes: [&[(u64, u64)]; 4] =
            [&[], &[(1, most)], &[(most, most), (most, 0)], &[(5, 3), (most, 4), (2, 1)]];
        for total in pages {
            for holes in holes {
                for base in [None, Some(most), Some(1)] {
                    let mut state = state(total, true, holes);
                    state.ranges[0].base_pfn = base;
                    for (count, align) in [(1, 0), (most, 63), (2, 64), (300, 8)] {
                        let wanted = Wanted { count, align, instead: Some((0, most)) };
                        let slots = Map::slots(&state, align, Some(&wanted));
                        let strip = Map::strip(&state, Some(&wanted));
                        for map in slots.iter().chain(&strip) {
                            let cells = &map.ranges[0].cells;
                            assert!(!cells.is_empty() && cells.len() as u64 <= SLOTS);
                            assert!(cells.iter().all(|cell| cell.free <= cell.pages));
                        }
                        let detail = Detail::of(&state, &wanted);
                        assert!(detail.is_none_or(|detail| detail.all_rows().count() <= 8));
                    }
                }
            }
        }
    }
}
