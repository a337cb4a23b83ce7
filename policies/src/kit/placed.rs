//! A whole policy out of one function that says where.

use core::fmt;

use super::area_map::AreaMap;
use super::live::Live;
use super::place::{Ask, Place};
use crate::area::Area;
use crate::error::{AllocError, ClaimError, FreeError};
use crate::mutant::mutate;
use crate::policy::{Attempt, Last, Next, Policy, Promises};
use crate::request::Request;
use crate::run::Run;

/// Vendor kernels sleep and search again where every place was busy (Android common kernels: 5
/// times 100 ms; mainline: never).
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Retry {
    /// How often to sleep; more than 1023 times is 1023 times.
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
    live: Live,
    /// `available_count`, where it is kept.
    available: Option<u64>,
}

/// Bits of a cookie that hold the pass; the first place in the range is above.
const PASS_BITS: u32 = 10;

/// A place of a request, or where its search goes on: the range, its bit, and the first place of
/// the request in that range.
#[derive(Clone, Copy)]
struct Spot {
    range: usize,
    bit: u64,
    first: Option<u64>,
}

impl<P: Place> Placed<P> {
    /// A policy over `area` that places by `place` and keeps `promises`. Any part of a grant can be
    /// given back: what is cleared is what [`AreaMap::release`] says.
    pub fn new(area: Area, promises: Promises, place: P) -> Self {
        let promises = Promises { partial_free: true, ..promises };
        Self {
            place,
            promises,
            retry: Retry::default(),
            map: AreaMap::new(area),
            live: Live::default(),
            available: None,
        }
    }

    /// The same policy, which counts the pages that nobody has, and refuses a request for more than
    /// those before each search (`available_count`, `mm/cma.c`, from 6.15 on).
    #[must_use]
    pub fn counted(self) -> Self {
        let available = Some(self.map.area().pages());
        Self { available, promises: Promises { counted: true, ..self.promises }, ..self }
    }

    /// The same policy, which sleeps and searches again.
    #[must_use]
    pub fn with_retry(self, retry: Retry) -> Self {
        let pauses = retry.pauses.min((1 << PASS_BITS) - 1);
        Self { retry: Retry { pauses, ..retry }, ..self }
    }

    /// The next place from `resume` on, over all ranges from there.
    fn find(&self, request: Request, resume: Option<Spot>) -> Option<Spot> {
        if self.available.is_some_and(|available| request.count() > available) {
            return None;
        }
        let ranges = self.map.area().ranges().len();
        let descends = self.place.descends(request);
        let in_order = |step| if descends { ranges - 1 - step } else { step };
        let first = resume.map_or(0, |spot| in_order(spot.range));
        for range in (first..ranges).map(in_order) {
            let range = mutate!(RangesAscend: range => self.map.area().ascending(range));
            let spot = match resume {
                Some(spot) if spot.range == range => spot,
                _ => Spot { range, bit: 0, first: None },
            };
            let search = self.map.search(request, range, spot.bit);
            // `bitmap_count > bitmap_maxno` in `cma_alloc()`.
            if search.bits > self.map.map(range).bits() {
                continue;
            }
            let ask = Ask { request, range, first: spot.first };
            if let Some(bit) = self.place.place(self.map.map(range), search, ask) {
                return Some(Spot { range, bit, first: spot.first.or(Some(bit)) });
            }
        }
        None
    }

    fn unmark(&mut self, run: Run) {
        let (range, ..) = self.map.bits_of(run);
        let Self { map, place, .. } = self;
        map.release(run, |bit, bits| place.unmarked(range, bit, bits));
    }

    /// So many pages are nobody's again.
    fn count_back(&mut self, pages: u64) {
        if let Some(available) = &mut self.available {
            *available += pages;
        }
    }

    /// Always: the next range is not asked either (`cma_alloc()`, `mm/cma.c`, 7.3).
    fn ends_without_memory(&self) -> bool {
        mutate!(OnWithoutMemory: true => self.map.area().ranges().len() == 1)
    }

    /// Where the search goes on after a refused claim: one alignment step further
    /// (`start = bitmap_no + mask + 1` in `cma_alloc()`, `mm/cma.c`).
    fn resume(&self, request: Request, refused: Attempt) -> Spot {
        let area = self.map.area();
        let range = area.range_of(refused.run).expect("an attempt is inside a range");
        let bit = area.pfn_to_bit(range, refused.run.pfn);
        let step = area.mask(request.align()) + 1;
        let step = mutate!(ResumeSkips: step => step * 2);
        let bit = mutate!(ResumeStays: bit + step => bit);
        let range = mutate!(ResumesInFirst: range => 0);
        Spot { range, bit, first: Some(refused.cookie >> PASS_BITS) }
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
        let (resume, pass) = match last {
            None => (None, 0),
            Some(Last::Paused { cookie }) => (None, cookie),
            Some(Last::Failed(_, ClaimError::NoMemory)) if self.ends_without_memory() => {
                return Next::Refuse(AllocError::NoMemory);
            }
            Some(Last::Failed(_, ClaimError::Interrupted)) => {
                return Next::Refuse(AllocError::Interrupted);
            }
            Some(Last::Failed(attempt, ClaimError::Busy | ClaimError::NoMemory)) => {
                let pass = attempt.cookie & ((1 << PASS_BITS) - 1);
                (Some(self.resume(request, attempt)), pass)
            }
        };
        if let Some(Spot { range, bit, first }) = self.find(request, resume) {
            let run = Run { pfn: self.area().bit_to_pfn(range, bit), count: request.count() };
            if mutate!(DoubleGrant: true => last.is_none()) {
                self.map.set(run);
                let (range, bit, bits) = self.map.bits_of(run);
                self.place.marked(range, bit, bits);
            }
            if let Some(available) = &mut self.available {
                *available -= request.count();
            }
            let first = first.unwrap_or(bit);
            return Next::Try(Attempt { run, cookie: first << PASS_BITS | pass });
        }
        match last {
            None => Next::Refuse(AllocError::NoMemory),
            Some(Last::Failed(..)) if pass < self.retry.pauses => {
                Next::Pause { us: self.retry.pause_us, cookie: pass + 1 }
            }
            Some(Last::Paused { .. }) => {
                Next::Refuse(mutate!(PauseForgets: AllocError::Busy => AllocError::NoMemory))
            }
            Some(_) => {
                Next::Refuse(mutate!(BusyMeansNoMemory: AllocError::Busy => AllocError::NoMemory))
            }
        }
    }

    fn settle(&mut self, attempt: Attempt, granted: bool) {
        if granted {
            let (range, bit, bits) = self.map.bits_of(attempt.run);
            self.place.granted(range, bit, bits);
            self.live.grant(attempt.run, 0);
            return;
        }
        if mutate!(LeakOnBusy: true => false) {
            self.unmark(attempt.run);
        }
        if mutate!(CounterLeak: true => false) {
            self.count_back(attempt.run.count);
        }
    }

    fn free(&mut self, run: Run) -> Result<(), FreeError> {
        match self.live.take(self.map.area(), run, self.promises.partial_free) {
            Err(FreeError::NotAllocated) => {
                return mutate!(DoubleFree: Err(FreeError::NotAllocated) => Ok(()));
            }
            taken => taken?,
        };
        let cleared = mutate!(FreeShort: run.count => {
            run.count - if self.area().order_per_bit() > 0 { run.count / 2 } else { 0 }
        });
        let cleared = mutate!(PartShort: cleared => {
            let granule = self.area().granule();
            let is_part = !run.pfn.0.is_multiple_of(granule);
            if is_part && cleared > granule { cleared / granule * granule } else { cleared }
        });
        self.unmark(Run { count: cleared, ..run });
        self.count_back(run.count);
        Ok(())
    }

    fn free_runs(&self, visit: &mut dyn FnMut(Run)) {
        self.map.for_each_run(visit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::{FreeMap, Search};
    use crate::policy::Quiet;
    use alloc::vec::Vec;

    fn first_fit(map: &FreeMap, search: Search, _: Ask) -> Option<u64> {
        map.first_fit(search)
    }

    fn placed(pages: u64, order_per_bit: u32) -> impl Policy {
        let area = Area::single(100 << order_per_bit, pages, order_per_bit).unwrap();
        Placed::new(area, Promises::SEARCH, first_fit)
    }

    fn request(count: u64) -> Request {
        Request::new(count, 0).unwrap()
    }

    fn free_runs(policy: &dyn Policy) -> Vec<Run> {
        let mut runs = Vec::new();
        policy.free_runs(&mut |run| runs.push(run));
        runs
    }

    #[test]
    fn a_grant_is_given_back_in_any_parts_where_a_bit_is_a_page() {
        let mut policy = placed(64, 0);
        assert!(policy.promises().partial_free);
        for count in [10, 5] {
            policy.alloc(request(count), &mut Quiet).unwrap();
        }
        assert_eq!(policy.free(Run::new(104, 3)), Ok(()), "from the middle");
        assert_eq!(policy.free(Run::new(104, 3)), Err(FreeError::NotAllocated));
        assert_eq!(policy.free(Run::new(103, 2)), Err(FreeError::Mismatch), "half is free");
        assert_eq!(policy.free(Run::new(109, 2)), Err(FreeError::Mismatch), "of two grants");
        assert_eq!(free_runs(&policy), [Run::new(104, 3), Run::new(115, 49)]);
        assert_eq!(policy.alloc(request(2), &mut Quiet), Ok(crate::Pfn(104)), "used again");
        assert_eq!(policy.free(Run::new(103, 3)), Err(FreeError::Mismatch), "neighbours now");
        for (pfn, count) in [(107, 3), (100, 4), (104, 2), (110, 5)] {
            assert_eq!(policy.free(Run::new(pfn, count)), Ok(()), "{count}@{pfn}");
        }
        assert_eq!(free_runs(&policy), [Run::new(100, 64)]);
    }

    #[test]
    fn a_piece_clears_the_bits_of_its_pages_rounded_up_from_its_first_one_on() {
        let mut policy = placed(64, 2);
        policy.alloc(request(10), &mut Quiet).unwrap();
        assert_eq!(free_runs(&policy), [Run::new(412, 52)]);
        assert_eq!(policy.free(Run::new(400, 12)), Err(FreeError::Mismatch), "10 were granted");
        assert_eq!(policy.free(Run::new(410, 1)), Err(FreeError::NotAllocated), "the padding");
        assert_eq!(policy.free(Run::new(401, 1)), Ok(()));
        assert_eq!(free_runs(&policy), [Run::new(400, 4), Run::new(412, 52)], "400 is live");
        // Three pages over two bits: one bit is cleared, and that of the last page stays.
        assert_eq!(policy.free(Run::new(407, 3)), Ok(()));
        assert_eq!(free_runs(&policy), [Run::new(400, 8), Run::new(412, 52)]);
        for run in [Run::new(400, 1), Run::new(402, 5)] {
            assert_eq!(policy.free(run), Ok(()), "{run}");
        }
        assert_eq!(free_runs(&policy), [Run::new(400, 8), Run::new(412, 52)], "408 is nobody's");
    }

    #[test]
    fn a_request_above_the_pages_that_nobody_has_is_not_tried() {
        let area = Area::single(0, 16, 2).unwrap();
        let mut policy = Placed::new(area, Promises::SEARCH, first_fit).counted();
        assert_eq!(policy.alloc(request(4), &mut Quiet), Ok(crate::Pfn(0)));
        // The bitmap has 16 pages free now, of which 15 are.
        assert_eq!(policy.free(Run::new(0, 3)), Ok(()));
        assert_eq!(policy.propose(request(16), None), Next::Refuse(AllocError::NoMemory));
        let Next::Try(attempt) = policy.propose(request(8), None) else { panic!() };
        assert_eq!(policy.propose(request(8), None), Next::Refuse(AllocError::NoMemory));
        policy.settle(attempt, false);
        let last = Some(Last::Failed(attempt, ClaimError::Busy));
        let Next::Try(next) = policy.propose(request(8), last) else { panic!() };
        assert_eq!((attempt.run, next.run), (Run::new(0, 8), Run::new(4, 8)));
    }

    #[test]
    fn a_walk_keeps_its_start_while_others_move_the_rover() {
        struct Rover(u64);
        impl Place for Rover {
            fn place(&self, map: &FreeMap, search: Search, ask: Ask) -> Option<u64> {
                let ahead = Search { from: self.0, ..search };
                ask.first.map_or_else(|| map.first_fit(ahead), |_| ask.round(map, search))
            }

            fn granted(&mut self, _: usize, bit: u64, bits: u64) {
                self.0 = bit + bits;
            }
        }
        let area = Area::single(0, 8, 0).unwrap();
        let mut policy = Placed::new(area, Promises::NONE, Rover(3));
        let Next::Try(mut attempt) = policy.propose(request(1), None) else { panic!() };
        let mut tried = Vec::from([attempt.run.pfn.0]);
        let Next::Try(other) = policy.propose(request(2), None) else { panic!() };
        policy.settle(other, true);
        assert_eq!((other.run, policy.place.0), (Run::new(4, 2), 6));
        let refusal = loop {
            policy.settle(attempt, false);
            match policy.propose(request(1), Some(Last::Failed(attempt, ClaimError::Busy))) {
                Next::Try(next) => attempt = next,
                end => break end,
            }
            tried.push(attempt.run.pfn.0);
        };
        assert_eq!(refusal, Next::Refuse(AllocError::Busy));
        assert_eq!(tried, [3, 6, 7, 0, 1, 2]);
    }

    #[test]
    fn passes_are_counted_for_each_request_by_itself() {
        let area = Area::single(0, 4, 0).unwrap();
        let retry = Retry { pauses: 5000, pause_us: 9 };
        let mut policy = Placed::new(area, Promises::SEARCH, first_fit).with_retry(retry);
        let (mut pauses, mut last) = (0, None);
        loop {
            match policy.propose(request(3), last) {
                Next::Try(attempt) => {
                    policy.settle(attempt, false);
                    last = Some(Last::Failed(attempt, ClaimError::Busy));
                }
                Next::Pause { us, cookie } => {
                    assert_eq!(us, 9);
                    pauses += 1;
                    last = Some(Last::Paused { cookie });
                }
                Next::Refuse(error) => {
                    assert_eq!(error, AllocError::Busy);
                    break;
                }
            }
        }
        assert_eq!(pauses, 1023, "as many as a cookie can count");
        let Next::Try(attempt) = policy.propose(request(3), None) else { panic!() };
        assert_eq!(attempt.cookie, 0);
    }
}
