//! Who stands in the way of a request.

use std::ops::Range;

use cma_policies::{Area, Request, Run};
use rustc_hash::FxHashMap;

use super::film::Film;
use super::state::State;

/// A place where a request would start aligned, inside one range.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// Its pages.
    pub run: Run,
    /// Pages in it that are not free, rounded out to granules.
    pub taken: u64,
    /// Those of them that nobody holds: granules that a release of a part left used
    /// (`cma_clear_bitmap()`, `mm/cma.c`).
    pub unowned: u64,
    /// The buffers that stand in it, by their indices in the film, oldest first.
    pub buffers: Vec<u32>,
}

/// The places of a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Places {
    /// How many there are.
    pub all: u64,
    /// Those with the fewest pages in the way, then with the fewest buffers, then the first ones in
    /// the kernel's order.
    pub best: Vec<Place>,
}

/// The places of `request` in `state` of `film`; of these the `most` with the least in the way.
///
/// Linear in the aligned starts and the live buffers.
pub fn places(film: &Film, state: &State<'_>, request: Request, most: usize) -> Places {
    let area = &film.area;
    let mut all = 0;
    let mut best: Vec<((u64, usize), Place)> = Vec::new();
    for range in 0..area.ranges().len() {
        let owned = owned(area, range, state);
        let unowned = unowned(&used(area, range, state), &owned);
        let mut window = Window::new(&owned, &unowned);
        for run in starts(area, range, request) {
            all += 1;
            window.go(run);
            let key = (window.taken(run), window.owners.len());
            if best.len() < most || best.last().is_some_and(|(last, _)| key < *last) {
                let at = best.partition_point(|(other, _)| *other <= key);
                best.insert(at, (key, window.place(run)));
                best.truncate(most);
            }
        }
    }
    Places { all, best: best.into_iter().map(|(_, place)| place).collect() }
}

/// A piece of a buffer, rounded out to granules.
struct Piece {
    run: Run,
    /// What of it is of no piece before it: parts of two buffers can share a granule.
    own: Run,
    buffer: u32,
}

/// Ascending runs, each of which ends no earlier than the one before, as far as they have a page of a
/// window that only goes on.
struct Slide {
    first: usize,
    after: usize,
}

impl Slide {
    /// On to `window`: the runs that come in and those that go out, by their indices.
    fn go(&mut self, window: Run, run: &dyn Fn(usize) -> Option<Run>) -> [Range<usize>; 2] {
        let (old_first, old_after) = (self.first, self.after);
        while run(self.after).is_some_and(|run| run.pfn < window.end()) {
            self.after += 1;
        }
        while self.first < self.after && run(self.first).is_some_and(|run| run.end() <= window.pfn)
        {
            self.first += 1;
        }
        [old_after..self.after, old_first..self.first]
    }
}

/// What is not free of a run that only goes on.
struct Window<'a> {
    owned: &'a [Piece],
    unowned: &'a [Run],
    of_owned: Slide,
    of_unowned: Slide,
    /// How many pieces in it each buffer has.
    owners: FxHashMap<u32, u32>,
    /// Pages of all pieces, whole.
    pages: u64,
}

impl<'a> Window<'a> {
    fn new(owned: &'a [Piece], unowned: &'a [Run]) -> Self {
        let slide = || Slide { first: 0, after: 0 };
        let (of_owned, of_unowned) = (slide(), slide());
        Self { owned, unowned, of_owned, of_unowned, owners: FxHashMap::default(), pages: 0 }
    }

    fn go(&mut self, window: Run) {
        let owned = self.owned;
        let [come, go] = self.of_owned.go(window, &|at| Some(owned.get(at)?.run));
        for piece in &owned[come] {
            self.pages += piece.own.count;
            *self.owners.entry(piece.buffer).or_default() += 1;
        }
        for piece in &owned[go] {
            self.pages -= piece.own.count;
            let left = self.owners.get_mut(&piece.buffer).expect("it came in");
            *left -= 1;
            if *left == 0 {
                self.owners.remove(&piece.buffer);
            }
        }
        let unowned = self.unowned;
        let [come, go] = self.of_unowned.go(window, &|at| unowned.get(at).copied());
        self.pages += unowned[come].iter().map(|run| run.count).sum::<u64>();
        self.pages -= unowned[go].iter().map(|run| run.count).sum::<u64>();
    }

    /// Pages of `window` that are not free.
    fn taken(&self, window: Run) -> u64 {
        let owned = &self.owned[self.of_owned.first..self.of_owned.after];
        let unowned = &self.unowned[self.of_unowned.first..self.of_unowned.after];
        // Only those at its ends can leave it, which are one granule's where several share it.
        let ends = |len: usize| (0..len.min(ENDS)).chain(len.saturating_sub(ENDS).max(ENDS)..len);
        let of_owned = ends(owned.len()).map(|at| outside(owned[at].own, window));
        let of_unowned = ends(unowned.len()).map(|at| outside(unowned[at], window));
        self.pages - of_owned.sum::<u64>() - of_unowned.sum::<u64>()
    }

    fn place(&self, run: Run) -> Place {
        // They are numbered as they were granted.
        let mut buffers: Vec<u32> = self.owners.keys().copied().collect();
        buffers.sort_unstable();
        let unowned = self.unowned[self.of_unowned.first..self.of_unowned.after].iter();
        let unowned = unowned.map(|piece| shared(*piece, run)).sum();
        Place { run, taken: self.taken(run), unowned, buffers }
    }
}

/// Pieces at each end of a window that may leave it: the first and the last with pages of their own.
const ENDS: usize = 1;

/// Pages of `run` that are not in `window`.
fn outside(run: Run, window: Run) -> u64 {
    run.count - shared(run, window)
}

/// What is live in a range.
fn owned(area: &Area, range: usize, state: &State<'_>) -> Vec<Piece> {
    let (base, granule) = (area.ranges()[range].pfn.0, area.granule());
    let mut pieces: Vec<Piece> = Vec::new();
    for (run, buffer) in state.live().filter(|(run, _)| area.range_of(*run) == Some(range)) {
        let start = base + (run.pfn.0 - base) / granule * granule;
        let end = base + (run.end().0 - base).next_multiple_of(granule);
        let from = pieces.last().map_or(start, |last| start.max(last.run.end().0).min(end));
        let (run, own) = (Run::new(start, end - start), Run::new(from, end - from));
        pieces.push(Piece { run, own, buffer });
    }
    pieces
}

/// The used runs of a range by its bitmap, ascending.
fn used(area: &Area, range: usize, state: &State<'_>) -> Vec<Run> {
    let whole = area.ranges()[range];
    let end = whole.pfn.0 + (area.bits(range) << area.order_per_bit());
    let (mut used, mut from) = (Vec::new(), whole.pfn.0);
    state.map().map(range).for_each_run(|bit, bits| {
        let hole = area.bit_to_pfn(range, bit).0;
        if from < hole {
            used.push(Run::new(from, hole - from));
        }
        from = hole + (bits << area.order_per_bit());
    });
    if from < end {
        used.push(Run::new(from, end - from));
    }
    used
}

/// What of the `used` runs is of no piece.
fn unowned(used: &[Run], owned: &[Piece]) -> Vec<Run> {
    let (mut found, mut next) = (Vec::new(), 0);
    for run in used {
        let mut from = run.pfn.0;
        let mut say = |from: u64, end: u64| {
            if from < end {
                found.push(Run::new(from, end - from));
            }
        };
        while next < owned.len() && owned[next].run.end() <= run.pfn {
            next += 1;
        }
        for piece in owned[next..].iter().take_while(|piece| piece.run.pfn < run.end()) {
            say(from, piece.run.pfn.0);
            from = from.max(piece.run.end().0);
        }
        say(from, run.end().0);
    }
    found
}

/// Where `request` may start in a range, with the granules that it takes.
fn starts(area: &Area, range: usize, request: Request) -> impl Iterator<Item = Run> + use<> {
    let whole = area.ranges()[range];
    let bits = area.bits(range);
    let takes = area.pages_to_bits(request.count());
    let order = area.order_per_bit();
    let (mask, offset) = (area.mask(request.align()), area.offset(range, request.align()));
    let step = mask + 1;
    let first = (step - (offset & mask)) & mask;
    let mut bit = Some(first);
    std::iter::from_fn(move || {
        let at = bit.filter(|at| at.checked_add(takes).is_some_and(|end| end <= bits))?;
        bit = at.checked_add(step);
        Some(Run::new(whole.pfn.0 + (at << order), takes << order))
    })
}

/// The pages that are in both.
fn shared(a: Run, b: Run) -> u64 {
    a.end().0.min(b.end().0).saturating_sub(a.pfn.0.max(b.pfn.0))
}
