//! The same questions, asked page by page.

use cma_harness::view::{Doomed, Film, What};
use cma_policies::{Area, Request};

/// Who has each page of an area, numbered as by `Area::page_of`: bits and nothing else.
#[derive(Clone)]
pub(crate) struct Owners {
    area: Area,
    /// The buffers whose granules cover the page.
    pub(crate) of: Vec<Option<u32>>,
}

impl Owners {
    /// Nobody has anything.
    pub(crate) fn new(area: &Area) -> Self {
        Self { area: area.clone(), of: vec![None; area.pages() as usize] }
    }

    /// Event number `index` of `film` takes effect. Buffers are whole: none is given back in parts.
    pub(crate) fn apply(&mut self, film: &Film, index: usize) {
        let (buffer, owner) = match film.events[index].what {
            What::Grant(buffer) => (buffer, Some(buffer)),
            What::Free(buffer) => (buffer, None),
            What::Refusal(_) => return,
            What::Part(..) => panic!("parts are not asked of here"),
        };
        let run = film.buffers[buffer as usize].run;
        let start = self.area.page_of(run.pfn).unwrap() as usize;
        let end = start + run.count.next_multiple_of(self.area.granule()) as usize;
        for page in &mut self.of[start..end] {
            assert_ne!(page.is_some(), owner.is_some(), "{run} of event {index}");
            *page = owner;
        }
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
    pub(crate) fn pages(&self, request: Request, start: usize) -> &[Option<u32>] {
        let takes = request.count().next_multiple_of(self.area.granule()) as usize;
        &self.of[start..start + takes]
    }

    /// Whether `request` has a free place.
    pub(crate) fn has_place(&self, request: Request) -> bool {
        let free = |start: &usize| self.pages(request, *start).iter().all(Option::is_none);
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
