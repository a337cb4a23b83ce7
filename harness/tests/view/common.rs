//! The same questions, asked page by page.

use cma_harness::view::{Doomed, Film, What};
use cma_policies::{Area, Request};

/// Who has each page of an area, numbered as by `Area::page_of`, and which of them the bitmap has as
/// used: pages and nothing else.
#[derive(Clone)]
pub(crate) struct Owners {
    area: Area,
    /// The buffers that have the pages.
    pub(crate) of: Vec<Option<u32>>,
    /// Whether the bit of the page is set.
    pub(crate) used: Vec<bool>,
}

impl Owners {
    /// Nobody has anything.
    pub(crate) fn new(area: &Area) -> Self {
        let pages = area.pages() as usize;
        Self { area: area.clone(), of: vec![None; pages], used: vec![false; pages] }
    }

    /// Event number `index` of `film` takes effect.
    pub(crate) fn apply(&mut self, film: &Film, index: usize) {
        match film.events[index].what {
            What::Grant(buffer) => {
                let run = film.buffers[buffer as usize].run;
                let start = self.area.page_of(run.pfn).unwrap() as usize;
                let pages = start..start + run.count as usize;
                assert!(self.of[pages.clone()].iter().all(Option::is_none), "event {index}");
                self.of[pages.clone()].fill(Some(buffer));
                self.bits(pages.start, pages.len(), true);
            }
            What::Free(buffer) => {
                while let Some(start) = self.of.iter().position(|owner| *owner == Some(buffer)) {
                    let own = self.of[start..].iter().take_while(|owner| **owner == Some(buffer));
                    let count = own.count();
                    self.release(start, count);
                }
            }
            What::Part(buffer, part) => {
                let first = film.buffers[buffer as usize].run.pfn;
                let start = self.area.page_of(first).unwrap() + part.offset;
                self.release(start as usize, part.count as usize);
            }
            What::Refusal(_) => {}
        }
    }

    fn release(&mut self, start: usize, count: usize) {
        assert!(self.of[start..start + count].iter().all(Option::is_some));
        self.of[start..start + count].fill(None);
        self.bits(start, count, false);
    }

    /// So many bits as `count` pages take, from that of page `start` on (`cma_clear_bitmap()`).
    fn bits(&mut self, start: usize, count: usize, is_used: bool) {
        let granule = self.area.granule() as usize;
        let mut first = 0;
        for range in self.area.ranges() {
            let end = first + range.count as usize;
            if start < end {
                let from = first + (start - first) / granule * granule;
                let pages = count.next_multiple_of(granule);
                self.used[from..(from + pages).min(end)].fill(is_used);
                return;
            }
            first = end;
        }
        unreachable!("a page of a range");
    }

    /// The first pages of each place of `request`, in pages of the area.
    pub(crate) fn starts(&self, request: Request) -> Vec<usize> {
        let granule = self.area.granule();
        let takes = request.count().next_multiple_of(granule);
        let (mut starts, mut before) = (Vec::new(), 0);
        for range in self.area.ranges() {
            // `cma_bitmap_aligned_offset()` and `bitmap_find_next_zero_area_off()`: what is
            // aligned is the bit with the bits of the base below that order added.
            let base = range.pfn.0;
            let mask = (1_u64 << request.align().saturating_sub(self.area.order_per_bit())) - 1;
            let offset = (base & ((1 << request.align()) - 1)) / granule;
            for bit in 0..range.count / granule {
                let fits = bit * granule + takes <= range.count / granule * granule;
                if (bit + offset) & mask == 0 && fits {
                    starts.push((before + bit * granule) as usize);
                }
            }
            before += range.count;
        }
        starts
    }

    /// The pages that `request` takes from a start on.
    pub(crate) fn pages(&self, request: Request, start: usize) -> std::ops::Range<usize> {
        start..start + request.count().next_multiple_of(self.area.granule()) as usize
    }

    /// Pages of these, which are whole granules, that are not free: whose bit is set, or in whose
    /// granule somebody has a page.
    pub(crate) fn taken(&self, pages: std::ops::Range<usize>) -> usize {
        let granule = self.area.granule() as usize;
        let granules = pages.step_by(granule).map(|start| start..start + granule);
        let held = granules.filter(|one| {
            self.used[one.clone()].contains(&true)
                || self.of[one.clone()].iter().any(Option::is_some)
        });
        held.count() * granule
    }

    /// Whether `request` has a free place.
    pub(crate) fn has_place(&self, request: Request) -> bool {
        let free = |start: &usize| !self.used[self.pages(request, *start)].contains(&true);
        self.starts(request).iter().any(free)
    }
}

/// Since when refusal `number` of `film` had no place: asked at each point of the stream.
pub(crate) fn doomed(film: &Film, number: usize) -> Doomed {
    let refusal = film.refusals[number];
    let mut owners = Owners::new(&film.area);
    (0..film.before).for_each(|index| owners.apply(film, index));
    let mut has = owners.has_place(refusal.request);
    let mut since = if has { Doomed::Never } else { Doomed::Always };
    for index in film.before..refusal.event as usize {
        owners.apply(film, index);
        let had = std::mem::replace(&mut has, owners.has_place(refusal.request));
        match (had, has) {
            (_, true) => since = Doomed::Never,
            (true, false) => since = Doomed::Since(index as u32),
            (false, false) => {}
        }
    }
    since
}
