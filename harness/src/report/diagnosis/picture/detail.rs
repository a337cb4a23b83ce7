//! One free run under a glass: why a request does not fit into it.

use cma_policies::Grid;

use super::{Fill, ROW, Wanted, pages};
use crate::diagnose::{AreaState, Hole, Known, RangeState};

/// Rows of a run that is long: its first ones and its last ones.
const HEAD: u64 = 4;
const TAIL: u64 = 4;

/// What the pages of a small cell are to the request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    /// Of the area outside the run.
    Other(Fill),
    /// Free, before the first aligned page of the run.
    Lost,
    /// Free, and the request would take them from the first aligned page on.
    Taken,
    /// The request would need them too, and they are not free.
    Missing,
    /// Outside of the area.
    Nothing,
}

impl Part {
    /// Its character.
    pub const fn glyph(self) -> char {
        match self {
            Self::Other(fill) => fill.look().glyph,
            Self::Lost => '!',
            Self::Taken => '=',
            Self::Missing => 'X',
            Self::Nothing => ' ',
        }
    }
}

/// Some neighbouring slots.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// Its first page, from the start of the range on; below 0 where the base is not aligned.
    pub start: i128,
    /// Its cells.
    pub parts: Vec<Part>,
    /// The cell that the request would have begun in at a smaller order.
    pub begins: Option<usize>,
    /// The cell that it would have ended in.
    pub ends: Option<usize>,
}

/// A free run that is long enough and misaligned, drawn in rows of slots.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Detail {
    /// The number of its range, where the area has several.
    pub range: Option<u32>,
    /// The run.
    pub hole: Hole,
    /// Its first aligned page, which may be past its end.
    pub aligned: u64,
    /// Where the request would have gone at a smaller order, and that order.
    pub instead: Option<(u32, Hole)>,
    /// Pages of a row: a slot, or several where slots are small.
    pub row_pages: u64,
    /// Pages of a cell.
    pub cell_pages: u64,
    /// The first rows, and the last ones where those between are left out.
    pub rows: [Vec<Row>; 2],
}

/// A range and what is wanted in it.
struct Scene<'a> {
    wanted: &'a Wanted,
    range: &'a RangeState,
    grid: Grid,
    pages: u64,
    whole: bool,
    hole: Hole,
    aligned: u64,
}

impl Detail {
    /// The longest run that is long enough for the request but not from its first aligned page on;
    /// of several the one that would have taken it at a smaller order, else the lowest.
    pub fn of(state: &AreaState, wanted: &Wanted) -> Option<Self> {
        let (range, hole) = closest(state, wanted)?;
        let grid = state.grid(range);
        let aligned = grid.first_aligned(hole.start, wanted.align)?;
        let reach = aligned.checked_add(wanted.count)?;
        let slot = 1u64.checked_shl(wanted.align)?;
        let row_pages = slot.max(ROW as u64);
        let cell_pages = row_pages / ROW as u64;
        let whole = state.complete || state.known != Known::List;
        let pages = pages(state, range);
        let scene = Scene { wanted, range, grid, pages, whole, hole, aligned };
        let before = grid.base() & (row_pages - 1);
        let first = hole.start.checked_add(before)? / row_pages;
        let last = (hole.end().max(reach) - 1).checked_add(before)? / row_pages;
        let rows = last - first + 1;
        let row = |index: u64| {
            let start = i128::from(index) * i128::from(row_pages) - i128::from(before);
            scene.row(start, cell_pages)
        };
        let rows = if rows <= HEAD + TAIL {
            [(first..=last).map(row).collect(), Vec::new()]
        } else {
            let head = (first..first + HEAD).map(row).collect();
            [head, (last + 1 - TAIL..=last).map(row).collect()]
        };
        let several = state.ranges.len() > 1;
        let instead = wanted.instead_in(hole, grid);
        Some(Self {
            range: several.then_some(range.number),
            hole,
            aligned,
            instead: instead.and_then(|place| Some((wanted.instead?.0, place))),
            row_pages,
            cell_pages,
            rows,
        })
    }

    /// All rows.
    pub fn all_rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().flatten()
    }
}

fn closest<'a>(state: &'a AreaState, wanted: &Wanted) -> Option<(&'a RangeState, Hole)> {
    let holes = |range: &'a RangeState| range.holes.iter().map(move |hole| (range, *hole));
    let all = state.ranges.iter().flat_map(holes);
    let missed = all.filter(|(range, hole)| wanted.misses(*hole, state.grid(range)));
    let instead = |range, hole| wanted.instead_in(hole, state.grid(range)).is_some();
    // The first of equals.
    missed.rev().max_by_key(|(range, hole)| (hole.count, instead(range, *hole)))
}

impl Scene<'_> {
    fn row(&self, start: i128, cell_pages: u64) -> Row {
        let instead = self.wanted.instead_in(self.hole, self.grid);
        let cell = |page: Option<u64>| {
            let at = (i128::from(page?) - start) / i128::from(cell_pages);
            let inside = i128::from(page?) >= start;
            usize::try_from(at).ok().filter(|at| inside && *at < ROW)
        };
        let parts = (0..ROW).map(|at| {
            let from = start + at as i128 * i128::from(cell_pages);
            let to = from + i128::from(cell_pages);
            match (u64::try_from(from.max(0)), u64::try_from(to)) {
                (Ok(from), Ok(to)) if from < to.min(self.pages) => {
                    self.part(from, to.min(self.pages))
                }
                _ => Part::Nothing,
            }
        });
        Row {
            start,
            parts: parts.collect(),
            begins: cell(instead.map(|place| place.start)),
            ends: cell(instead.map(|place| place.end() - 1)),
        }
    }

    /// What the pages from `from` to `to` are: what most of them are, but none is overlooked that
    /// is in the way.
    fn part(&self, from: u64, to: u64) -> Part {
        let overlap = |start: u64, end: u64| to.min(end).saturating_sub(from.max(start));
        let reach = self.aligned.saturating_add(self.wanted.count);
        let free = self.free(from, to);
        if overlap(self.aligned, reach) > 0
            && self.free(from.max(self.aligned), to.min(reach)) < overlap(self.aligned, reach)
        {
            return Part::Missing;
        }
        let half = (to - from) / 2;
        if overlap(self.hole.start, self.hole.end().min(self.aligned)) > half {
            Part::Lost
        } else if overlap(self.aligned, reach) > half {
            Part::Taken
        } else {
            Part::Other(Fill::of(free, to - from, self.whole))
        }
    }

    fn free(&self, from: u64, to: u64) -> u64 {
        let holes = &self.range.holes;
        let first = holes.partition_point(|hole| hole.end() <= from);
        let near = holes[first..].iter().take_while(|hole| hole.start < to);
        near.map(|hole| hole.end().min(to).saturating_sub(hole.start.max(from))).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::sample::state;
    use super::*;

    fn drawn(detail: &Detail) -> Vec<String> {
        let draw = |row: &Row| row.parts.iter().map(|part| part.glyph()).collect::<String>();
        detail.all_rows().map(draw).collect()
    }

    #[test]
    fn the_run_that_would_have_taken_it_is_drawn_before_another_as_long() {
        let state = state(Some(4096), true, &[(300, 300), (300, 1025), (300, 3070)]);
        let wanted = Wanted { count: 300, align: 8, instead: Some((0, 1025)) };
        let detail = Detail::of(&state, &wanted).unwrap();
        assert_eq!((detail.hole.start, detail.aligned), (1025, 1280));
        assert_eq!(detail.instead, Some((0, Hole { start: 1025, count: 300 })));
        let rows: Vec<_> = detail.all_rows().map(|row| (row.start, row.begins, row.ends)).collect();
        assert_eq!(rows, [(1024, Some(0), None), (1280, None, Some(11)), (1536, None, None)]);
        assert_eq!(drawn(&detail)[1], format!("{:=<11}{:X<53}", "", ""));
    }

    #[test]
    fn the_middle_of_a_long_run_is_left_out() {
        let state = state(Some(40_000), true, &[(8190, 257)]);
        let wanted = Wanted { count: 8000, align: 8, instead: None };
        let detail = Detail::of(&state, &wanted).unwrap();
        assert_eq!(detail.rows.each_ref().map(Vec::len), [4, 4]);
        assert_eq!(detail.rows[1][3].start, 8448);
    }

    #[test]
    fn rows_begin_at_slots_of_a_base_that_is_not_aligned() {
        let mut state = state(Some(1024), true, &[(300, 0)]);
        state.ranges[0].base_pfn = Some(64);
        let wanted = Wanted { count: 300, align: 8, instead: None };
        let detail = Detail::of(&state, &wanted).unwrap();
        assert_eq!((detail.aligned, detail.all_rows().next().unwrap().start), (192, -64));
        assert_eq!(drawn(&detail)[0], format!("{: <16}{:!<48}", "", ""));
        assert_eq!(drawn(&detail)[1], format!("{:=<27}{:X<37}", "", ""));
    }

    #[test]
    fn a_request_that_fits_or_is_too_long_has_no_such_run() {
        let state = state(Some(1024), true, &[(300, 256)]);
        for (count, align) in [(300, 8), (301, 0)] {
            assert_eq!(Detail::of(&state, &Wanted { count, align, instead: None }), None);
        }
    }
}
