//! Who stands in the way of a request.

use cma_policies::{Area, Request, Run};

use super::film::Film;
use super::state::State;

/// A place where a request would start aligned, inside one range.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// Its pages.
    pub run: Run,
    /// Pages in it that are not free, rounded out to granules.
    pub taken: u64,
    /// The buffers that stand in it, by their indices in the film, oldest first.
    pub buffers: Vec<u32>,
}

/// The places of a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Places {
    /// How many there are.
    pub all: u64,
    /// Those with the fewest pages in the way, then with the fewest buffers, then the
    /// first ones in the kernel's order.
    pub best: Vec<Place>,
}

/// A live piece, rounded out to granules.
#[derive(Clone, Copy)]
struct Piece {
    run: Run,
    buffer: u32,
}

/// The places of `request` in `state` of `film`; of these the `most` with the least in the way.
///
/// Linear in the aligned starts and the live buffers.
pub fn places(film: &Film, state: &State<'_>, request: Request, most: usize) -> Places {
    let area = &film.area;
    let mut all = 0;
    let mut best: Vec<((u64, usize), Run, Vec<u32>)> = Vec::new();
    for range in 0..area.ranges().len() {
        let pieces = pieces(area, range, state);
        let (mut first, mut after) = (0, 0);
        for run in starts(area, range, request) {
            all += 1;
            while first < pieces.len() && pieces[first].run.end() <= run.pfn {
                first += 1;
            }
            after = after.max(first);
            while after < pieces.len() && pieces[after].run.pfn < run.end() {
                after += 1;
            }
            let inside = &pieces[first..after];
            let taken = inside.iter().map(|piece| shared(piece.run, run)).sum();
            let key = (taken, inside.len());
            if best.len() < most || best.last().is_some_and(|(last, ..)| key < *last) {
                let at = best.partition_point(|(other, ..)| *other <= key);
                best.insert(at, (key, run, inside.iter().map(|piece| piece.buffer).collect()));
                best.truncate(most);
            }
        }
    }
    let best = best.into_iter().map(|((taken, ..), run, mut buffers)| {
        // They are numbered as they were granted.
        buffers.sort_unstable();
        buffers.dedup();
        Place { run, taken, buffers }
    });
    Places { all, best: best.collect() }
}

/// The live pieces of a range, ascending.
fn pieces(area: &Area, range: usize, state: &State<'_>) -> Vec<Piece> {
    let (base, granule) = (area.ranges()[range].pfn.0, area.granule());
    let live = state.live().filter(|(run, _)| area.range_of(*run) == Some(range));
    live.map(|(run, buffer)| {
        let start = base + (run.pfn.0 - base) / granule * granule;
        let end = base + (run.end().0 - base).next_multiple_of(granule);
        Piece { run: Run::new(start, end - start), buffer }
    })
    .collect()
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
