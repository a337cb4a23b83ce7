//! A film as columns of pixels, and what was free in each.

use cma_policies::Area;

use crate::view::{Buffer, Film, State, What};

/// Shades of a colour: how much of a place is granted.
pub(super) const SHADES: usize = 4;

/// Pixels to the right, and at most upwards.
pub(super) const COLUMNS: usize = 692;
const ROWS: u64 = 240;

/// What there is of a column.
pub(super) struct Columns {
    /// The colour of each place, the lowest page first: 0 where all of it is free, else one more than
    /// its colour times [`SHADES`] and its shade.
    pub(super) pixels: Vec<Vec<u8>>,
    /// The fewest pages that were free, of the longest hole, and of the longest usable one.
    pub(super) least: Vec<[u64; 3]>,
    /// Requests that were refused.
    pub(super) refused: Vec<u64>,
}

/// From the first moment of a film to the last, by time or by ops.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) first: u64,
    pub(super) last: u64,
    pub(super) by_time: bool,
}

impl Span {
    /// The one of `film`.
    pub(super) fn of(film: &Film, by_time: bool) -> Self {
        let (first, last) = match by_time {
            true => film.span_us().unwrap_or((0, 0)),
            false => (0, film.ops.saturating_sub(1)),
        };
        Self { first, last: last.max(first + 1), by_time }
    }

    /// How far to the right an event is, from 0 to 1.
    pub(super) fn part(&self, film: &Film, event: usize) -> f64 {
        let event = &film.events[event];
        let at = if self.by_time { event.at_us } else { event.op };
        (at.saturating_sub(self.first) as f64 / (self.last - self.first) as f64).min(1.0)
    }
}

/// Looks through `film` once; `colour` says which one a buffer has, `order` what is usable.
pub(super) fn columns(
    film: &Film,
    span: Span,
    order: u32,
    colour: &dyn Fn(&Buffer) -> usize,
) -> Columns {
    let mut columns = Columns {
        pixels: Vec::with_capacity(COLUMNS),
        least: Vec::with_capacity(COLUMNS),
        refused: vec![0; COLUMNS],
    };
    let mut state = State::before(film, film.before);
    let mut next = film.before;
    for column in 0..COLUMNS {
        let mut least = room(&state, order);
        while next < film.events.len() {
            let here = (span.part(film, next) * COLUMNS as f64) as usize;
            if here.min(COLUMNS - 1) > column {
                break;
            }
            let is_refused = matches!(film.events[next].what, What::Refusal(_));
            columns.refused[column] += u64::from(is_refused);
            if state.advance() {
                let now = room(&state, order);
                least = std::array::from_fn(|at| least[at].min(now[at]));
            }
            next += 1;
        }
        columns.least.push(least);
        columns.pixels.push(pixels(film, &state, colour));
    }
    columns
}

/// Pages that are free, of the longest hole, and of the longest usable one.
fn room(state: &State<'_>, order: u32) -> [u64; 3] {
    let map = state.map();
    [map.free_pages(), map.longest_run(), map.longest_usable(order)]
}

/// The places of a column.
fn pixels(film: &Film, state: &State<'_>, colour: &dyn Fn(&Buffer) -> usize) -> Vec<u8> {
    let places = Places::of(&film.area);
    let mut taken: Vec<Vec<(usize, u64)>> = vec![Vec::new(); places.rows as usize];
    for (run, buffer) in state.live() {
        let Some(first) = film.area.page_of(run.pfn) else { continue };
        let end = first + run.count;
        let colour = colour(&film.buffers[buffer as usize]);
        for row in places.of_page(first)..=places.of_page(end - 1) {
            let pages = end.min(places.begin(row + 1)) - first.max(places.begin(row));
            let here = &mut taken[row as usize];
            match here.iter_mut().find(|(own, _)| *own == colour) {
                Some((_, sum)) => *sum += pages,
                None => here.push((colour, pages)),
            }
        }
    }
    (0..).zip(&taken).map(|(row, here)| places.pixel(row, here)).collect()
}

/// The places that a column has.
struct Places {
    pages: u64,
    rows: u64,
}

impl Places {
    fn of(area: &Area) -> Self {
        let pages = area.pages();
        Self { pages, rows: pages.clamp(1, ROWS) }
    }

    /// The first page of a place.
    fn begin(&self, row: u64) -> u64 {
        (u128::from(row) * u128::from(self.pages)).div_ceil(u128::from(self.rows)) as u64
    }

    /// The place of a page.
    fn of_page(&self, page: u64) -> u64 {
        (u128::from(page) * u128::from(self.rows) / u128::from(self.pages)) as u64
    }

    /// The colour of what is most of it, and how much of it is granted.
    fn pixel(&self, row: u64, taken: &[(usize, u64)]) -> u8 {
        let Some((colour, _)) = taken.iter().rev().max_by_key(|(_, pages)| *pages) else {
            return 0;
        };
        let all: u64 = taken.iter().map(|(_, pages)| pages).sum();
        let pages = (self.begin(row + 1) - self.begin(row)).max(1);
        let shade = (all * SHADES as u64).div_ceil(pages).clamp(1, SHADES as u64) as usize;
        (colour * SHADES + shade) as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::Options;
    use crate::ingest::Source;

    /// The first eight of forty pages for ten seconds, then none; in the midst of it 36 are refused.
    const BOARD: &str = "==> cma/vpu/base_pfn <==\n4096\n\n==> cma/vpu/count <==\n40\n\n\
        ==> snapshot 10.0 cma/vpu/bitmap <==\n255 0\n\n\
        ==> snapshot 20.0 cma/vpu/bitmap <==\n0 0\n\n\
        [   15.0] cma: cma_alloc: vpu: alloc failed, req-size: 36 pages, ret: -12\n\
        [   15.0] cma: number of available pages: 32@8=> 32 free of 40 total pages\n";

    #[test]
    fn a_column_is_the_state_at_its_end_and_the_least_room_in_it() {
        let source = Source::bytes("board.txt", BOARD.as_bytes());
        let seen =
            crate::view::snapshots(&[source], &Options::default(), None).expect("it is read");
        let film = &seen.films[0];
        let span = Span::of(film, true);
        assert_eq!((span.first, span.last), (10_000_000, 20_000_000));
        let found = columns(film, span, 4, &|_| 2);
        assert_eq!((found.pixels.len(), found.pixels[0].len()), (COLUMNS, 40));
        let solid = (2 * SHADES + SHADES) as u8;
        assert_eq!(
            found.pixels[0][..9],
            [solid, solid, solid, solid, solid, solid, solid, solid, 0]
        );
        assert_eq!(found.pixels[COLUMNS - 1], [0; 40]);
        // From the first page aligned to 16 on.
        assert_eq!(found.least[0], [32, 32, 24]);
        assert_eq!(found.least[COLUMNS - 1], [32, 32, 24]);
        let refused: Vec<_> = (0..COLUMNS).filter(|column| found.refused[*column] > 0).collect();
        assert_eq!(refused, [COLUMNS / 2]);
    }

    #[test]
    fn a_place_is_as_dark_as_much_of_it_is_granted() {
        let places = Places { pages: 480, rows: 240 };
        let pixel = |taken: &[(usize, u64)]| places.pixel(0, taken);
        assert_eq!(pixel(&[]), 0);
        assert_eq!(pixel(&[(0, 1)]), 2);
        assert_eq!(pixel(&[(0, 2)]), 4);
        // Of equal parts the colour that comes first.
        assert_eq!(pixel(&[(3, 1), (0, 1)]), (3 * SHADES + SHADES) as u8);
    }

    #[test]
    fn each_page_is_in_one_place() {
        for pages in [1, 7, 240, 241, 1000, 286_720] {
            let places = Places { pages, rows: pages.clamp(1, ROWS) };
            for row in 0..places.rows {
                let (from, to) = (places.begin(row), places.begin(row + 1));
                assert!(from < to, "{pages}: {row}");
                assert_eq!((places.of_page(from), places.of_page(to - 1)), (row, row), "{pages}");
            }
            assert_eq!(places.begin(places.rows), pages);
        }
    }
}
