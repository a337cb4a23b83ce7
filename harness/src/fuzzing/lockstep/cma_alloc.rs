//! `cma_alloc()` (`mm/cma.c`, 4.11 to 7.3 and the Android common kernels) by its rules, in plain
//! loops over `bool`s: which places it tries, and what it prints; and what a release clears.

use cma_policies::{Area, ClaimError, Request, Run};

use crate::kernel::{EBUSY, EINTR, ENOMEM, Errno};

/// What a kernel prints, by its release.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Row {
    /// Up to 6.14: `ret` begins as -12.
    Before615,
    /// From 6.15 on: `ret` begins as -16, and `available_count` is asked before each search.
    From615,
    /// Android common kernels: as the former, and they sleep and search again so often.
    Android {
        /// How often.
        pauses: u64,
    },
}

impl Row {
    /// The row of a kernel by its name in the table: a release, or `android`.
    pub(super) fn of(name: &str, pauses: u64) -> Self {
        if name == "android" {
            return Self::Android { pauses };
        }
        let mut numbers = name.split('.').map(|part| part.parse::<u32>().expect("a release"));
        let release = (numbers.next(), numbers.next());
        if release >= (Some(6), Some(15)) { Self::From615 } else { Self::Before615 }
    }
}

/// What came of a call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Said {
    /// The places that were tried, in order.
    pub(super) tried: Vec<Run>,
    /// How often it slept.
    pub(super) pauses: u64,
    /// The place that was granted, or what is printed; nothing where nothing is.
    pub(super) end: Result<Run, Option<Errno>>,
}

/// A bitmap for each range of an area, in its order: `true` is set.
#[derive(Clone, Debug)]
pub(super) struct Bitmaps {
    granule: u64,
    ranges: Vec<(u64, Vec<bool>)>,
    /// `available_count`, in pages.
    available: u64,
}

impl Bitmaps {
    pub(super) fn new(area: &Area) -> Self {
        let granule = 2u64.pow(area.order_per_bit());
        let range = |run: &Run| (run.pfn.0, vec![false; (run.count / granule) as usize]);
        let available = area.ranges().iter().map(|run| run.count).sum();
        Self { granule, ranges: area.ranges().iter().map(range).collect(), available }
    }

    /// Sets the bits of `run`, which was granted.
    pub(super) fn grant(&mut self, run: Run) {
        for bit in self.bits_of(run) {
            assert!(!*bit, "a bit of {run} is set");
            *bit = true;
        }
        self.available -= run.count;
    }

    /// `cma_clear_bitmap()` of 7.3: as many bits as the pages of `run` fill, rounded up, from the
    /// one of its first page on, whatever they are.
    pub(super) fn release(&mut self, run: Run) {
        self.bits_of(run).iter_mut().for_each(|bit| *bit = false);
        self.available += run.count;
    }

    fn bits_of(&mut self, run: Run) -> &mut [bool] {
        let bits = run.count.div_ceil(self.granule) as usize;
        for (base, range) in &mut self.ranges {
            let end = *base + range.len() as u64 * self.granule;
            if (*base..end).contains(&run.pfn.0) {
                let first = ((run.pfn.0 - *base) / self.granule) as usize;
                return &mut range[first..first + bits];
            }
        }
        panic!("{run} is in no range");
    }

    /// The call, whose claims end by `claim`.
    pub(super) fn alloc(
        &self,
        request: Request,
        row: Row,
        claim: &mut dyn FnMut(usize, Run) -> Result<(), ClaimError>,
    ) -> Said {
        let pages: u64 = self.ranges.iter().map(|(_, bits)| bits.len() as u64 * self.granule).sum();
        let mut said = Said { tried: Vec::new(), pauses: 0, end: Err(None) };
        if request.count() > pages {
            said.end = Err((row == Row::From615).then_some(EBUSY));
            return said;
        }
        loop {
            let first = if row == Row::From615 { EBUSY } else { ENOMEM };
            match self.pass(request, (row, first), claim, &mut said) {
                Ok(run) => said.end = Ok(run),
                // Only a pass that ended after a busy claim is tried again.
                Err(EBUSY) if matches!(row, Row::Android { pauses } if said.pauses < pauses) => {
                    said.pauses += 1;
                    continue;
                }
                Err(errno) => said.end = Err(Some(errno)),
            }
            return said;
        }
    }

    /// One pass over the ranges; `ret` begins as `ret`.
    fn pass(
        &self,
        request: Request,
        (row, mut ret): (Row, Errno),
        claim: &mut dyn FnMut(usize, Run) -> Result<(), ClaimError>,
        said: &mut Said,
    ) -> Result<Run, Errno> {
        let count = request.count().div_ceil(self.granule);
        let pages = 2u64.pow(request.align());
        // Bits from one aligned place to the next: mask + 1.
        let step = (pages / self.granule).max(1);
        for (base, bits) in &self.ranges {
            // The distance of the base from an aligned page, cut off to whole bits.
            let offset = base % pages / self.granule;
            let mut start = 0;
            while row != Row::From615 || request.count() <= self.available {
                let Some(bit) = find(bits, start, count, step, offset) else { break };
                let run = Run::new(base + bit * self.granule, request.count());
                said.tried.push(run);
                match claim(said.tried.len() - 1, run) {
                    Ok(()) => return Ok(run),
                    Err(ClaimError::Busy) => ret = EBUSY,
                    Err(ClaimError::NoMemory) => return Err(ENOMEM),
                    Err(ClaimError::Interrupted) => return Err(EINTR),
                }
                // start = bitmap_no + mask + 1
                start = bit + step;
            }
        }
        Err(ret)
    }
}

/// `bitmap_find_next_zero_area_off()` (`lib/bitmap.c`): the lowest aligned place at or past
/// `start` with `count` clear bits.
fn find(bits: &[bool], start: u64, count: u64, step: u64, offset: u64) -> Option<u64> {
    let size = bits.len() as u64;
    let mut start = start;
    loop {
        let clear = (start..size).find(|bit| !bits[*bit as usize])?;
        let place = (clear + offset).next_multiple_of(step) - offset;
        if place.checked_add(count)? > size {
            return None;
        }
        match (place..place + count).find(|bit| bits[*bit as usize]) {
            None => return Some(place),
            Some(set) => start = set + 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(area: &Area, count: u64, align: u32, row: Row, end: ClaimError) -> (Vec<u64>, Said) {
        let request = Request::new(count, align).unwrap();
        let base = area.ranges()[0].pfn.0;
        let said = Bitmaps::new(area).alloc(request, row, &mut |_, _| Err(end));
        (said.tried.iter().map(|run| (run.pfn.0 - base) / area.granule()).collect(), said)
    }

    #[test]
    fn the_walks_by_hand() {
        let area = |base, pages, order| Area::single(base, pages, order).unwrap();
        let (busy, old) = (ClaimError::Busy, Row::of("6.12", 5));
        let (tried, w1) = said(&area(0, 1024, 0), 266, 8, old, busy);
        assert_eq!((tried, w1.end), (vec![0, 256, 512], Err(Some(EBUSY))));
        assert_eq!(
            said(&area(0x40200, 2048, 0), 300, 10, old, busy).0,
            [512, 1536],
            "off the base"
        );
        assert_eq!(
            said(&area(0x100, 128, 2), 7, 4, old, busy).0,
            [0, 4, 8, 12, 16, 20, 24, 28],
            "bits of 4 pages"
        );
        let (tried, w5) = said(&area(0, 1024, 0), 266, 8, old, ClaimError::NoMemory);
        assert_eq!((tried, w5.end), (vec![0], Err(Some(ENOMEM))));
        let w6 = |row| said(&area(0, 1024, 0), 1025, 0, Row::of(row, 5), busy).1.end;
        assert_eq!(
            (w6("6.12"), w6("6.15"), w6("android")),
            (Err(None), Err(Some(EBUSY)), Err(None))
        );
        let (tried, w7) = said(&area(0, 1024, 0), 266, 8, Row::of("android", 5), busy);
        assert_eq!((tried.len(), w7.pauses, w7.end), (18, 5, Err(Some(EBUSY))));
    }
}
