//! The naive reference: one byte a granule, every question answered by looking at each of them.
//!
//! It shares nothing with `cma_policies::kit`, nor with the arithmetic of [`Area`]: it divides
//! where they shift and mask, so that one slip cannot be made on both sides.

use cma_policies::{Area, Pfn, Request, Run};
use memchr::memchr;

/// A granule of an area: where a search goes on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Place {
    /// Index of the range.
    pub range: usize,
    /// Index of the granule in it. A place past the last one is legal; nothing fits there.
    pub bit: u64,
}

impl Place {
    /// Where every search begins.
    pub const START: Self = Self { range: 0, bit: 0 };
}

/// A place where a request fits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Fit {
    /// Its first granule.
    pub place: Place,
    /// The pages that were asked for, from there on.
    pub run: Run,
    /// Free granules from there on, in the same hole.
    pub room: u64,
}

/// Which granules of an area are used, as plainly as it can be said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reference {
    granule: u64,
    ranges: Vec<Range>,
    /// Granules that are free: counted along, since every law asks at every op.
    free: u64,
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Range {
    base: u64,
    /// Its pages; the last few may have no granule.
    pages: u64,
    /// [`USED`] or [`FREE`]. Bytes, since the standard library looks for one in many at once.
    granules: Vec<u8>,
}

const USED: u8 = 1;
const FREE: u8 = 0;

impl Range {
    /// Whether granules `bit` to `bit + bits` are there and free.
    fn is_free(&self, bit: u64, bits: u64) -> bool {
        let end = u128::from(bit) + u128::from(bits);
        end <= self.granules.len() as u128
            && !self.granules[bit as usize..(bit + bits) as usize].contains(&USED)
    }

    /// The free runs: first granule, granules.
    fn holes(&self) -> Vec<(u64, u64)> {
        let mut holes = Vec::new();
        let mut end = 0;
        while let Some(used) = memchr(FREE, &self.granules[end..]) {
            let start = end + used;
            let free = memchr(USED, &self.granules[start..]);
            end = free.map_or(self.granules.len(), |free| start + free);
            holes.push((start as u64, (end - start) as u64));
        }
        holes
    }
}

impl Reference {
    /// An area with everything free.
    pub fn new(area: &Area) -> Self {
        let granule = 2u64.pow(area.order_per_bit());
        let range = |run: &Run| Range {
            base: run.pfn.0,
            pages: run.count,
            granules: vec![FREE; (run.count / granule) as usize],
        };
        let ranges: Vec<_> = area.ranges().iter().map(range).collect();
        let free = ranges.iter().map(|range| range.granules.len() as u64).sum();
        Self { granule, ranges, free }
    }

    /// Whether a grant for order `align` may start at `place`, as the kernel decides it
    /// (`cma_bitmap_aligned_mask()`, `cma_bitmap_aligned_offset()`, `mm/cma.c`): the distance of
    /// the base from an aligned page counts in whole granules.
    pub(crate) fn is_aligned(&self, align: u32, place: Place) -> bool {
        let (past, step) = self.pitch(align, place.range);
        (place.bit + past).is_multiple_of(step)
    }

    /// How many whole granules the base of a range is past a page aligned to `align`, and from
    /// how many to how many granules a grant may start.
    fn pitch(&self, align: u32, range: usize) -> (u64, u64) {
        let pages = 2u64.pow(align);
        (self.ranges[range].base % pages / self.granule, (pages / self.granule).max(1))
    }

    /// Granules that `count` pages take.
    const fn bits(&self, count: u64) -> u64 {
        count / self.granule + if count.is_multiple_of(self.granule) { 0 } else { 1 }
    }

    const fn run(&self, place: Place, base: u64, count: u64) -> Run {
        Run { pfn: Pfn(base + place.bit * self.granule), count }
    }

    /// The place of page `pfn`, if it is in the area: past the last granule where it has none.
    pub(crate) fn place(&self, pfn: Pfn) -> Option<Place> {
        (0..).zip(&self.ranges).find_map(|(range, lane)| {
            let page = pfn.0.checked_sub(lane.base)?;
            (page < lane.pages).then_some(Place { range, bit: page / self.granule })
        })
    }

    /// Whether `run` starts at the first page of a granule.
    pub(crate) fn on_granule(&self, run: Run) -> bool {
        self.place(run.pfn).is_some_and(|place| {
            (run.pfn.0 - self.ranges[place.range].base).is_multiple_of(self.granule)
        })
    }

    /// The place and the granules of `run` where they are all in one range.
    fn granules(&self, run: Run) -> Option<(Place, u64)> {
        let first = self.place(run.pfn)?;
        let last = self.place(Pfn(run.pfn.0.checked_add(run.count.checked_sub(1)?)?))?;
        (first.range == last.range).then(|| (first, last.bit - first.bit + 1))
    }

    /// Whether `run` has a page, and all its pages are in one range.
    pub(crate) fn is_inside(&self, run: Run) -> bool {
        self.granules(run).is_some()
    }

    /// Whether every page of `run`, which is inside the area, has a granule.
    pub(crate) fn has_granules(&self, run: Run) -> bool {
        self.granules(run).is_some_and(|(place, granules)| {
            place.bit + granules <= self.ranges[place.range].granules.len() as u64
        })
    }

    /// Whether every granule that `run` has a page in is in one range and free.
    pub fn is_free(&self, run: Run) -> bool {
        self.granules(run)
            .is_some_and(|(place, bits)| self.ranges[place.range].is_free(place.bit, bits))
    }

    /// Marks every granule that `run` has a page in.
    ///
    /// # Panics
    /// Where one of them is not in the area or is marked already.
    pub fn set(&mut self, run: Run) {
        let (place, bits) = self.granules(run).unwrap_or_else(|| panic!("{run} is in no range"));
        for bit in place.bit..place.bit + bits {
            let granule = &mut self.ranges[place.range].granules[bit as usize];
            assert!(*granule == FREE, "granule {bit} of range {} is marked", place.range);
            *granule = USED;
        }
        self.free -= bits;
    }

    /// Unmarks as many granules as the pages of `run` take, from that of its first page on, as the
    /// kernel does (`cma_clear_bitmap()`, `mm/cma.c`, 7.3). They may be unmarked already where a
    /// part of a buffer was given back inside one.
    ///
    /// # Panics
    /// Where one of them is not in the area, or a granule of one page is unmarked already.
    pub fn clear(&mut self, run: Run) {
        let (place, _) = self.granules(run).unwrap_or_else(|| panic!("{run} is in no range"));
        for bit in place.bit..place.bit + self.bits(run.count) {
            let granule = &mut self.ranges[place.range].granules[bit as usize];
            let was_used = *granule == USED;
            assert!(was_used || self.granule > 1, "page {bit} of range {} is free", place.range);
            *granule = FREE;
            self.free += u64::from(was_used);
        }
    }

    /// Pages of marked granules that are in none of `held`, which are disjoint.
    pub(crate) fn unheld_pages(&self, held: impl Iterator<Item = Run>) -> u64 {
        let granules: usize = self.ranges.iter().map(|range| range.granules.len()).sum();
        let marked = granules as u64 - self.free;
        marked * self.granule - held.map(|run| run.count - self.free_pages_of(run)).sum::<u64>()
    }

    /// Pages of `run`, which is inside the area, whose granules are free.
    pub(crate) fn free_pages_of(&self, run: Run) -> u64 {
        let (place, granules) = self.granules(run).expect("a run inside the area");
        let range = &self.ranges[place.range];
        let free = (place.bit..place.bit + granules)
            .filter(|bit| range.granules.get(*bit as usize) == Some(&FREE));
        let pages = free.map(|bit| {
            let first = range.base + bit * self.granule;
            run.end().0.min(first + self.granule) - run.pfn.0.max(first)
        });
        pages.sum()
    }

    /// The lowest aligned fit for `request` at or after `from`: the kernel's answer
    /// (`bitmap_find_next_zero_area_off()`, `lib/bitmap.c`), range by range.
    pub fn lowest_fit(&self, request: Request, from: Place) -> Option<Run> {
        let bits = self.bits(request.count());
        for (range, lane) in (0..).zip(&self.ranges).skip(from.range) {
            let start = if range == from.range { from.bit } else { 0 };
            let (past, step) = self.pitch(request.align(), range);
            let fits = |bit: &u64| (bit + past).is_multiple_of(step) && lane.is_free(*bit, bits);
            if let Some(bit) = (start..lane.granules.len() as u64).find(fits) {
                return Some(self.run(Place { range, bit }, lane.base, request.count()));
            }
        }
        None
    }

    /// Every place where `request` fits, aligned, range by range and ascending in each.
    pub(crate) fn fits(&self, request: Request) -> Vec<Fit> {
        let bits = self.bits(request.count());
        let mut fits = Vec::new();
        for (range, lane) in (0..).zip(&self.ranges) {
            let (past, step) = self.pitch(request.align(), range);
            for (start, free) in lane.holes() {
                let aligned = (start..start + free).filter(|bit| (bit + past).is_multiple_of(step));
                for bit in aligned.take_while(|bit| bits <= start + free - bit) {
                    let place = Place { range, bit };
                    let run = self.run(place, lane.base, request.count());
                    fits.push(Fit { place, run, room: start + free - bit });
                }
            }
        }
        fits
    }

    /// The first granule past `run`, which is in the area.
    pub(crate) fn end_of(&self, run: Run) -> Option<Place> {
        let (first, granules) = self.granules(run)?;
        Some(Place { bit: first.bit + granules, ..first })
    }

    /// Whether one of `holes`, each inside one range, has an aligned fit for `request`.
    pub(crate) fn fits_in(&self, request: Request, holes: &[Run]) -> bool {
        let bits = self.bits(request.count());
        holes.iter().filter_map(|hole| self.granules(*hole)).any(|(place, free)| {
            (0..free).take_while(|skip| skip + bits <= free).any(|skip| {
                self.is_aligned(request.align(), Place { bit: place.bit + skip, ..place })
            })
        })
    }

    /// Where the kernel goes on after the claim of `refused` was busy: one alignment step past
    /// its start (`start = bitmap_no + mask + 1` in `cma_alloc()`, `mm/cma.c`).
    ///
    /// # Panics
    /// If `refused` is not in the area.
    pub fn resume_after(&self, request: Request, refused: Run) -> Place {
        let place = self.place(refused.pfn).expect("a refused run is in the area");
        let step = (2u64.pow(request.align()) / self.granule).max(1);
        Place { bit: place.bit.saturating_add(step), ..place }
    }

    /// The free runs in pages, range by range and ascending in each, as long as they can be there.
    pub fn free_runs(&self) -> Vec<Run> {
        let runs = |lane: &Range| {
            let pages =
                |(start, bits)| Run::new(lane.base + start * self.granule, bits * self.granule);
            lane.holes().into_iter().map(pages).collect::<Vec<_>>()
        };
        self.ranges.iter().flat_map(runs).collect()
    }

    /// What is free of `runs`, each of whole granules in one range, in their order.
    pub(crate) fn free_in(&self, runs: &[Run]) -> Vec<Run> {
        let granules = |run: &Run| {
            let (first, granule) = (run.pfn.0, self.granule);
            (0..run.count / granule).map(move |at| Run::new(first + at * granule, granule))
        };
        runs.iter().flat_map(granules).filter(|granule| self.is_free(*granule)).collect()
    }

    /// Free pages.
    pub const fn free_pages(&self) -> u64 {
        self.free * self.granule
    }

    /// Pages of the longest free run, 0 where there is none.
    pub(crate) fn longest_run(&self) -> u64 {
        self.free_runs().iter().map(|run| run.count).max().unwrap_or(0)
    }

    /// Pages of the longest free run that starts where a request of order `align` may start.
    pub(crate) fn longest_usable(&self, align: u32) -> u64 {
        let [longest] = self.longest_usables([align]);
        longest
    }

    /// The same for several orders, with one look for the holes.
    pub(crate) fn longest_usables<const N: usize>(&self, aligns: [u32; N]) -> [u64; N] {
        let mut longest = [0; N];
        for (range, lane) in self.ranges.iter().enumerate() {
            let holes = lane.holes();
            for (align, longest) in aligns.into_iter().zip(&mut longest) {
                let (past, step) = self.pitch(align, range);
                for &(start, bits) in &holes {
                    let first = (start + past).next_multiple_of(step) - past;
                    *longest = (*longest).max((start + bits).saturating_sub(first));
                }
            }
        }
        longest.map(|bits| bits * self.granule)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(count: u64, align: u32) -> Request {
        Request::new(count, align).unwrap()
    }

    /// A single range of `bits` granules of which only `free` (first, granules) are free.
    fn with_free(base: u64, bits: u64, order_per_bit: u32, free: &[(u64, u64)]) -> Reference {
        let area = Area::single(base, bits << order_per_bit, order_per_bit).unwrap();
        let mut reference = Reference::new(&area);
        reference.ranges[0].granules.fill(USED);
        reference.free = 0;
        for &(start, count) in free {
            reference.ranges[0].granules[start as usize..(start + count) as usize].fill(FREE);
            reference.free += count;
        }
        reference
    }

    fn first_bit(reference: &Reference, count: u64, align: u32) -> Option<u64> {
        let run = reference.lowest_fit(request(count, align), Place::START)?;
        reference.place(run.pfn).map(|place| place.bit)
    }

    #[test]
    fn the_kernel_s_vectors_by_hand() {
        // The i.MX note's 511 pages at 58881, moved down by whole 256s: the same remainders.
        let note = with_free(0, 1024, 0, &[(1, 511)]);
        assert_eq!(first_bit(&note, 456, 8), None);
        assert_eq!(first_bit(&note, 456, 5), Some(32));
        assert_eq!(first_bit(&note, 456, 0), Some(1));
        let usable: Vec<_> = (0..10).map(|align| note.longest_usable(align)).collect();
        assert_eq!(usable, [511, 510, 508, 504, 496, 480, 448, 384, 256, 0]);
        // A base of 512 modulo 1024 and 2048.
        let skewed = with_free(0x40200, 2048, 0, &[(0, 2048)]);
        assert_eq!(first_bit(&skewed, 1, 10), Some(512));
        assert_eq!(first_bit(&skewed, 512, 11), Some(1536));
        assert_eq!(first_bit(&skewed, 513, 11), None);
        // Granules of 4 pages, of 2 pages on a base that is not aligned to the order.
        let coarse = with_free(0x100, 16, 2, &[(1, 15)]);
        assert_eq!((first_bit(&coarse, 5, 4), first_bit(&coarse, 5, 2)), (Some(4), Some(1)));
        let odd = with_free(0x106, 16, 1, &[(0, 16)]);
        assert_eq!(first_bit(&odd, 4, 3), Some(1));
    }

    #[test]
    fn a_busy_walk_steps_by_the_alignment_not_by_the_count() {
        let reference = with_free(0, 1024, 0, &[(0, 1024)]);
        let asked = request(266, 8);
        let mut from = Place::START;
        let mut tried = Vec::new();
        while let Some(run) = reference.lowest_fit(asked, from) {
            tried.push(run.pfn.0);
            from = reference.resume_after(asked, run);
        }
        assert_eq!(tried, [0, 256, 512]);
    }

    #[test]
    fn ranges_are_searched_in_order_and_no_run_spans_two() {
        let area = Area::new("two", 0, &[Run::new(8, 4), Run::new(12, 8)]).unwrap();
        let mut reference = Reference::new(&area);
        assert_eq!(reference.lowest_fit(request(5, 0), Place::START), Some(Run::new(12, 5)));
        assert!(!reference.is_inside(Run::new(11, 2)));
        reference.set(Run::new(9, 1));
        assert_eq!(reference.free_runs(), [Run::new(8, 1), Run::new(10, 2), Run::new(12, 8)]);
        assert_eq!((reference.free_pages(), reference.longest_run()), (11, 8));
    }

    #[test]
    fn the_last_granule_counts_whole() {
        let mut reference = with_free(6, 4, 1, &[(0, 4)]);
        reference.set(Run::new(6, 3));
        assert!(!reference.is_free(Run::new(9, 1)));
        assert!(reference.is_free(Run::new(10, 4)));
        assert!(!reference.is_free(Run::new(10, 5)));
        assert!(!reference.on_granule(Run::new(9, 1)) && reference.on_granule(Run::new(10, 1)));
    }
}
