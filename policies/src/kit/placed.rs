//! A whole policy out of one function that says where.

use alloc::collections::BTreeMap;
use core::fmt;

use super::area_map::AreaMap;
use super::free_map::{FreeMap, Search};
use crate::area::Area;
use crate::error::{AllocError, ClaimError, FreeError};
use crate::mutant::mutate;
use crate::policy::{Attempt, Last, Next, Policy, Promises};
use crate::request::Request;
use crate::run::{Pfn, Run};

/// Who asks, beside the [`Search`] that says what for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ask {
    /// The request, in pages.
    pub request: Request,
    /// The range that is searched. Ranges are asked in order, each until it has nothing more.
    pub range: usize,
}

/// Says where. A plain function or closure of this shape is one; state that lasts between grants
/// (a rover) makes it a type.
pub trait Place: Send {
    /// The bit to try: `search.bits` free bits at an aligned bit, or none. `search.from` is 0 at
    /// first; after a refused claim at `search.refused()` the answer is the next place in the
    /// order of this policy, so that every place is tried at most once.
    fn place(&self, map: &FreeMap, search: Search, ask: Ask) -> Option<u64>;

    /// `bits` bits at `bit` of range `range` were granted.
    fn granted(&mut self, range: usize, bit: u64, bits: u64) {
        let _ = (range, bit, bits);
    }
}

impl<F: Fn(&FreeMap, Search, Ask) -> Option<u64> + Send> Place for F {
    fn place(&self, map: &FreeMap, search: Search, ask: Ask) -> Option<u64> {
        self(map, search, ask)
    }
}

/// Vendor kernels sleep and search again where every place was busy (Android common kernels: 5
/// times 100 ms; mainline: never).
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Retry {
    /// How often to sleep.
    pub pauses: u64,
    /// For how many microseconds.
    pub pause_us: u64,
}

/// A policy whose only decision is [`Place::place`]. It owns the map and the table of what is
/// live, goes on after busy claims, and checks what is given back.
pub struct Placed<P> {
    place: P,
    promises: Promises,
    retry: Retry,
    map: AreaMap,
    live: BTreeMap<Pfn, u64>,
}

impl<P: Place> Placed<P> {
    /// A policy over `area` that places by `place` and keeps `promises`. Parts of a grant can be
    /// given back where a bit is a page, as debugfs `free` does (`mm/cma_debug.c`).
    #[must_use]
    pub fn new(area: Area, promises: Promises, place: P) -> Self {
        let promises = Promises { partial_free: area.order_per_bit() == 0, ..promises };
        Self {
            place,
            promises,
            retry: Retry::default(),
            map: AreaMap::new(area),
            live: BTreeMap::new(),
        }
    }

    /// The same policy, which sleeps and searches again.
    #[must_use]
    pub fn with_retry(self, retry: Retry) -> Self {
        Self { retry, ..self }
    }

    /// The next place from bit `from` of range `range` on, over all further ranges.
    fn find(&self, request: Request, range: usize, mut from: u64) -> Option<(usize, u64)> {
        for range in range..self.map.area().ranges().len() {
            let search = self.map.search(request, range, from);
            let ask = Ask { request, range };
            if let Some(bit) = self.place.place(self.map.map(range), search, ask) {
                return Some((range, bit));
            }
            from = 0;
        }
        None
    }

    /// Where the search goes on after a refused claim: one alignment step further
    /// (`start = bitmap_no + mask + 1` in `cma_alloc()`, `mm/cma.c`).
    fn resume(&self, request: Request, refused: Run) -> (usize, u64) {
        let area = self.map.area();
        let range = area.range_of(refused).expect("an attempt is inside a range");
        let bit = area.pfn_to_bit(range, refused.pfn);
        let step = area.mask(request.align()) + 1;
        let step = mutate!(ResumeSkips: step => step * 2);
        (range, mutate!(ResumeStays: bit + step => bit))
    }
}

impl<P> fmt::Debug for Placed<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Placed").field("live", &self.live).finish_non_exhaustive()
    }
}

impl<P: Place> Policy for Placed<P> {
    fn area(&self) -> &Area {
        self.map.area()
    }

    fn promises(&self) -> Promises {
        self.promises
    }

    fn propose(&mut self, request: Request, last: Option<Last>) -> Next {
        let (range, from, pass) = match last {
            None => (0, 0, 0),
            Some(Last::Paused { cookie }) => (0, 0, cookie),
            Some(Last::Failed(_, ClaimError::NoMemory)) => {
                return Next::Refuse(AllocError::NoMemory);
            }
            Some(Last::Failed(_, ClaimError::Interrupted)) => {
                return Next::Refuse(AllocError::Interrupted);
            }
            Some(Last::Failed(attempt, ClaimError::Busy)) => {
                let (range, from) = self.resume(request, attempt.run);
                (range, from, attempt.cookie)
            }
        };
        if let Some((range, bit)) = self.find(request, range, from) {
            let run = Run { pfn: self.area().bit_to_pfn(range, bit), count: request.count() };
            if mutate!(DoubleGrant: true => last.is_none()) {
                self.map.set(run);
            }
            return Next::Try(Attempt { run, cookie: pass });
        }
        match last {
            None => Next::Refuse(AllocError::NoMemory),
            Some(Last::Failed(..)) if pass < self.retry.pauses => {
                Next::Pause { us: self.retry.pause_us, cookie: pass + 1 }
            }
            Some(_) => {
                Next::Refuse(mutate!(BusyMeansNoMemory: AllocError::Busy => AllocError::NoMemory))
            }
        }
    }

    fn settle(&mut self, attempt: Attempt, granted: bool) {
        if granted {
            let area = self.map.area();
            let range = area.range_of(attempt.run).expect("an attempt is inside a range");
            let bit = area.pfn_to_bit(range, attempt.run.pfn);
            self.place.granted(range, bit, area.pages_to_bits(attempt.run.count));
            self.live.insert(attempt.run.pfn, attempt.run.count);
        } else if mutate!(LeakOnBusy: true => false) {
            self.map.clear(attempt.run);
        }
    }

    fn free(&mut self, run: Run) -> Result<(), FreeError> {
        if self.area().range_of(run).is_none() {
            return Err(FreeError::OutsideArea);
        }
        let Some((&pfn, &count)) = self.live.range(..=run.pfn).next_back() else {
            return mutate!(DoubleFree: Err(FreeError::NotAllocated) => Ok(()));
        };
        let live = Run { pfn, count };
        if run.count == 0 || live.end() <= run.pfn {
            return mutate!(DoubleFree: Err(FreeError::NotAllocated) => Ok(()));
        }
        if live != run {
            if !self.promises.partial_free || !live.contains(run) {
                return Err(FreeError::Mismatch);
            }
            let (front, back) = (run.pfn.0 - live.pfn.0, live.end().0 - run.end().0);
            if front > 0 {
                self.live.insert(live.pfn, front);
            }
            if back > 0 {
                self.live.insert(run.end(), back);
            }
        }
        if live.pfn == run.pfn {
            self.live.remove(&run.pfn);
        }
        let cleared = mutate!(FreeShort: run.count => {
            run.count - if self.area().order_per_bit() > 0 { run.count / 2 } else { 0 }
        });
        self.map.clear(Run { count: cleared, ..run });
        Ok(())
    }

    fn free_runs(&self, visit: &mut dyn FnMut(Run)) {
        self.map.for_each_run(visit);
    }
}
