//! What lies where over the whole of a stream, as a grid of bounded size.
//!
//! Not in [`METRICS`](super::METRICS): it is no number, and it looks at every hole. It watches one
//! cell that is run again for its picture.

mod kinds;
mod places;
mod room;

use crate::cause::Cause;
use crate::oracle::Model;
use crate::simulate::{Observer, Step};

pub(crate) use kinds::{By, Kinds, MOST_KINDS, NOBODY};
pub(crate) use places::Places;
pub(crate) use room::Room;

/// Places of the address axis, at most: fewer where an area has fewer pages.
const ROWS: usize = 160;

/// Columns of the time axis, at most; at least half as many once a stream was longer.
const COLUMNS: usize = 480;

/// Places of the strip that shows an area at its first refusal, at most.
const STRIP: usize = 640;

/// The first request that an area refused, and what it looked like then.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Refusal {
    /// Number of the request on its board, from 1 on, as R5 counts.
    pub request: u64,
    /// When, in microseconds from the start of the stream.
    pub at_us: u64,
    /// Pages asked for.
    pub count: u64,
    /// The order of the alignment asked for.
    pub align: u32,
    /// Why.
    pub cause: Cause,
    /// Pages that were free.
    pub free_pages: u64,
    /// Pages of the longest hole.
    pub longest_run: u64,
    /// Pages of the longest free run from a start aligned as asked for.
    pub longest_usable: u64,
    /// The area then, [`STRIP`] places at most.
    pub strip: Places,
}

/// An area at a moment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Column {
    /// What lies where.
    pub places: Places,
    /// What is left then or, where it is less, at a refusal before the next column.
    pub room: Room,
}

/// A request by its size.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Asked {
    /// Pages.
    pub count: u64,
    /// The order of its alignment.
    pub align: u32,
}

/// One area over the time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Grid {
    /// Pages of the area, all ranges.
    pub pages: u64,
    /// What it is like over the time.
    pub columns: Vec<Column>,
    /// For each column, how many requests to this area were refused in it.
    pub refused: Vec<u64>,
    /// The first that was.
    pub first: Option<Refusal>,
    /// The largest request to this area, granted or not.
    pub largest: Option<Asked>,
    /// The state since a start of the board, where no column shows it yet.
    fresh: Option<Column>,
}

/// Watches where buffers lie. Memory does not grow with the stream: when the columns are full,
/// neighbours become one, and each stands for twice as many requests.
#[derive(Clone, Debug)]
pub(crate) struct Occupancy {
    areas: Vec<Grid>,
    /// Requests to any area so far.
    requests: u64,
    /// Requests that a column stands for.
    stride: u64,
    /// When each column began, in microseconds.
    began_us: Vec<u64>,
    end_us: u64,
    kinds: Kinds,
}

impl Occupancy {
    /// For a board with areas of so many pages, with clients of these kinds.
    pub(crate) fn new(areas: &[u64], kinds: Kinds) -> Self {
        let grid = |&pages: &u64| Grid {
            pages,
            columns: Vec::new(),
            refused: Vec::new(),
            first: None,
            largest: None,
            fresh: None,
        };
        Self {
            areas: areas.iter().map(grid).collect(),
            requests: 0,
            stride: 1,
            began_us: Vec::new(),
            end_us: 0,
            kinds,
        }
    }

    /// The kinds of its clients.
    pub(crate) const fn kinds(&self) -> &Kinds {
        &self.kinds
    }

    /// The areas, each with as many columns as the board has seen.
    pub(crate) fn areas(&self) -> &[Grid] {
        &self.areas
    }

    /// Requests to all areas.
    pub(crate) const fn requests(&self) -> u64 {
        self.requests
    }

    /// Requests that a column stands for; the last column may stand for fewer.
    pub(crate) const fn stride(&self) -> u64 {
        self.stride
    }

    /// When request number `request`, from 1 on, was made, in microseconds, to the column.
    pub(crate) fn time_us(&self, request: u64) -> u64 {
        let column = (request.saturating_sub(1) / self.stride) as usize;
        self.began_us.get(column).copied().unwrap_or(self.end_us)
    }

    /// The area whose first refusal is the board's; the first area where none refused.
    pub(crate) fn worst_area(&self) -> usize {
        let first = |area: &usize| self.areas[*area].first.as_ref().map(|first| first.request);
        let failed = (0..self.areas.len()).filter(|area| first(area).is_some());
        failed.min_by_key(first).unwrap_or(0)
    }

    /// Makes one column of each two.
    fn halve(&mut self) {
        self.stride *= 2;
        self.began_us = self.began_us.iter().step_by(2).copied().collect();
        for grid in &mut self.areas {
            grid.columns = grid.columns.chunks(2).map(joined).collect();
            grid.refused = grid.refused.chunks(2).map(|pair| pair.iter().sum()).collect();
        }
    }
}

/// One or two columns as one: the state of the first, as all columns are of their first request, and
/// what refusals in both met.
fn joined(pair: &[Column]) -> Column {
    let mut column = pair[0].clone();
    if let [_, second] = pair {
        column.room.join(&second.room);
    }
    column
}

/// What `model` is like.
fn seen(model: &Model, kinds: &Kinds) -> Column {
    Column { places: Places::of(model, ROWS, kinds), room: Room::of(model) }
}

/// The least part of the places with something in them that a second kind of client has for it to be
/// seen.
const SEEN: f64 = 0.05;

impl Grid {
    /// By client where more than one kind has a part that is seen, else by size.
    pub(crate) fn by(&self) -> By {
        let mut places = [0_u64; MOST_KINDS + 1];
        for column in &self.columns {
            for kind in column.places.kinds(By::Client) {
                places[usize::from(*kind)] += 1;
            }
        }
        let places = &places[..usize::from(NOBODY)];
        let all: u64 = places.iter().sum();
        let seen = places.iter().filter(|count| **count as f64 > SEEN * all as f64);
        if seen.count() > 1 { By::Client } else { By::Size }
    }

    /// Repeats the last state until there are `columns` of them.
    fn reach(&mut self, columns: usize) {
        let pages = self.pages;
        let empty = || Column { places: Places::empty(pages, ROWS), room: Room::whole(pages) };
        while self.columns.len() < columns {
            let last = self.fresh.take().or_else(|| self.columns.last().cloned());
            self.columns.push(last.unwrap_or_else(empty));
            self.refused.push(0);
        }
    }
}

impl Observer for Occupancy {
    fn boot(&mut self, _: u64, area: usize, model: &Model) {
        let grid = &mut self.areas[area];
        // Up to now it was as before.
        grid.reach(self.began_us.len());
        grid.fresh = Some(seen(model, &self.kinds));
    }

    fn step(&mut self, step: &Step<'_>) {
        // The states of a column are those from its first request on.
        self.requests += u64::from(step.request().is_some());
        let at = |requests: u64, stride: u64| (requests.saturating_sub(1) / stride) as usize;
        while at(self.requests, self.stride) >= COLUMNS {
            self.halve();
        }
        let column = at(self.requests, self.stride);
        while self.began_us.len() <= column {
            self.began_us.push(step.at_us);
        }
        let grid = &mut self.areas[step.area];
        if grid.columns.len() <= column {
            grid.reach(column);
            grid.fresh = None;
            grid.columns.push(seen(step.model, &self.kinds));
            grid.refused.push(0);
        }
        let Some(request) = step.request() else { return };
        let asked = Asked { count: request.count(), align: request.align() };
        grid.largest = grid.largest.max(Some(asked));
        let Some(cause) = step.cause else { return };
        grid.refused[column] += 1;
        // The moment at which it does not do is one that its column shows.
        grid.columns[column].room.lower(step.model, request.align());
        let requests = self.requests;
        grid.first.get_or_insert_with(|| Refusal {
            request: requests,
            at_us: step.at_us,
            count: request.count(),
            align: request.align(),
            cause,
            free_pages: step.model.free_pages(),
            longest_run: step.model.longest_run(),
            longest_usable: step.model.longest_usable(request.align()),
            strip: Places::of(step.model, STRIP, &self.kinds),
        });
    }

    fn finish(&mut self, end_us: u64) {
        self.end_us = end_us;
        let columns = self.began_us.len();
        for grid in &mut self.areas {
            grid.reach(columns);
        }
    }
}

#[cfg(test)]
mod tests {
    use cma_policies::{Area, Request};

    use super::*;
    use crate::op::{Op, Timed};
    use crate::oracle::{Checks, Witness};
    use crate::simulate::simulate;

    fn alloc(at_us: u64, id: u64, count: u64, align: u32) -> Timed {
        let request = Request::new(count, align).unwrap();
        Timed { at_us, op: Op::Alloc { id, request, dma: false } }
    }

    fn free(at_us: u64, id: u64) -> Timed {
        Timed { at_us, op: Op::Free { id, part: None } }
    }

    fn watch(pages: u64, ops: impl IntoIterator<Item = Timed>) -> Occupancy {
        let area = Area::single(0, pages, 0).unwrap();
        let spec = cma_policies::builtin::catalog().parse("kernel").unwrap();
        let mut witness = Witness::new(&area, spec.build(area.clone()).unwrap(), Checks::SWEEP);
        let mut occupancy = Occupancy::new(&[pages], Kinds::of_clients(&[]));
        let mut pages = crate::environment::Quiet;
        simulate(ops, &mut witness, &mut pages, &mut [&mut occupancy]).unwrap();
        occupancy
    }

    #[test]
    fn a_column_is_what_lies_there_and_the_first_refusal_is_kept() {
        // 8 pages: 3 at 0, 2 at 4 (aligned to 4), then 4 aligned to 4 find no place.
        let seen = watch(8, [alloc(10, 1, 3, 0), alloc(20, 2, 2, 2), alloc(30, 3, 4, 2)]);
        let grid = &seen.areas()[0];
        assert_eq!(grid.columns[0].places.shares, [255, 255, 255, 0, 0, 0, 0, 0]);
        assert_eq!(grid.columns[1].places.shares, [255, 255, 255, 0, 255, 255, 0, 0]);
        assert_eq!((grid.columns.len(), grid.refused.as_slice()), (3, [0, 0, 1].as_slice()));
        let first = grid.first.as_ref().unwrap();
        assert_eq!((first.request, first.at_us, first.count, first.align), (3, 30, 4, 2));
        assert_eq!((first.free_pages, first.longest_run, first.longest_usable), (3, 2, 0));
        assert_eq!(first.cause, Cause::Exhausted);
        assert_eq!((seen.requests(), seen.stride(), seen.time_us(2)), (3, 1, 20));
    }

    #[test]
    fn a_place_of_several_pages_has_a_share() {
        // 640 pages in 160 places of 4: pages 0 to 9 are 2 and a half of them.
        let seen = watch(640, [alloc(0, 1, 10, 0)]);
        assert_eq!(seen.areas()[0].columns[0].places.shares[..4], [255, 255, 128, 0]);
    }

    #[test]
    fn a_long_stream_halves_and_loses_no_refusal() {
        // One buffer lives for ever; 2000 requests for the whole area are refused.
        let ops = (0..2000).map(|n| alloc(n, n + 2, 8, 0));
        let seen = watch(8, std::iter::once(alloc(0, 1, 1, 0)).chain(ops));
        let grid = &seen.areas()[0];
        assert_eq!((seen.stride(), grid.columns.len()), (8, 2001_usize.div_ceil(8)));
        assert!(grid.columns.len() <= COLUMNS && grid.refused.len() == grid.columns.len());
        assert_eq!(grid.refused.iter().sum::<u64>(), 2000);
        assert!(
            grid.columns.iter().all(|column| column.places.shares == [255, 0, 0, 0, 0, 0, 0, 0])
        );
    }

    #[test]
    fn an_area_that_nobody_asks_after_a_start_is_empty() {
        let area = Area::single(0, 4, 0).unwrap();
        let spec = cma_policies::builtin::catalog().parse("kernel").unwrap();
        let witness = || Witness::new(&area, spec.build(area.clone()).unwrap(), Checks::SWEEP);
        let (mut first, mut second, empty) = (witness(), witness(), witness());
        let mut occupancy = Occupancy::new(&[4, 4], Kinds::of_clients(&[]));
        let ask = |occupancy: &mut Occupancy, area, witness: &mut Witness, timed| {
            let mut quiet = crate::environment::Quiet;
            let step = crate::simulate::step(0, timed, witness, &mut quiet).unwrap();
            occupancy.step(&Step { area, ..step });
        };
        ask(&mut occupancy, 0, &mut first, alloc(0, 1, 4, 0));
        ask(&mut occupancy, 1, &mut second, alloc(1, 2, 4, 0));
        ask(&mut occupancy, 0, &mut first, alloc(2, 3, 1, 0));
        for area in [0, 1] {
            occupancy.boot(2, area, empty.model());
        }
        let mut first = witness();
        for id in 4..6 {
            ask(&mut occupancy, 0, &mut first, alloc(id, id, 1, 0));
        }
        occupancy.finish(6);
        let columns = |area: usize| -> Vec<u32> {
            let columns = &occupancy.areas()[area].columns;
            columns
                .iter()
                .map(|column| column.places.shares.iter().map(|&share| u32::from(share)).sum())
                .collect()
        };
        assert_eq!(columns(0), [1020, 1020, 1020, 255, 510]);
        assert_eq!(columns(1), [0, 1020, 1020, 0, 0], "it was full until the start");
    }

    #[test]
    fn of_neighbours_the_first_stays_and_no_refusal_is_lost() {
        // Full at each even request; freed, and then a request that is too large, at each odd one.
        let pair = |n: u64| [alloc(n, n, 4, 0), free(n, n), alloc(n, n, 9, 0)];
        let seen = watch(4, (0..COLUMNS as u64 / 2 + 1).flat_map(pair));
        assert_eq!((seen.stride(), seen.areas()[0].columns.len()), (2, COLUMNS / 2 + 1));
        // The last one has seen one request so far.
        let columns = &seen.areas()[0].columns;
        assert!(columns.iter().all(|column| column.places.shares == [255; 4]));
        assert_eq!(seen.areas()[0].refused, [1; COLUMNS / 2 + 1]);
        // 4 pages are free where 9 are asked for, none where 4 are.
        let room = &columns[0].room;
        assert_eq!((room.free_pages, room.longest_run, room.longest_usable(0)), (0, 0, Some(0)));
    }
}
