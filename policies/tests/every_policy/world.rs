//! A policy, requests under way, and a list that says of each granule what it is.

use cma_policies::{
    AllocError, Attempt, ClaimError, FreeError, Last, Next, Pfn, Policy, Promises, Request, Run,
};

/// Any fixed sequence will do: splitmix64.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (x ^ (x >> 31)) % end
    }
}

/// A request that is under way: what it has tried since its last pause.
struct Pending {
    request: Request,
    attempt: Attempt,
    tried: Vec<Pfn>,
}

pub(crate) struct World {
    policy: Box<dyn Policy>,
    numbers: Numbers,
    live: Vec<Run>,
    pending: Vec<Pending>,
    name: String,
}

impl World {
    pub(crate) fn new(policy: Box<dyn Policy>, seed: u64) -> Self {
        let (live, pending) = (Vec::new(), Vec::new());
        Self { policy, numbers: Numbers(seed), live, pending, name: String::new() }
    }

    /// `ops` random ops, and then everything is given back.
    pub(crate) fn run(mut self, ops: u64, name: &str) {
        self.name = format!("{name} on {:?}", self.policy.area());
        let empty = self.free_runs();
        for _ in 0..ops {
            match self.numbers.below(10) {
                0..5 => self.ask(),
                5 => self.start(),
                6 => self.finish_one(),
                7 => self.free_badly(),
                _ => self.free_one(),
            }
            self.check_free_runs();
        }
        while !self.pending.is_empty() {
            self.finish_one();
        }
        while !self.live.is_empty() {
            self.free_one();
        }
        assert_eq!(self.free_runs(), empty, "{}", self.name);
    }

    fn request(&mut self) -> Request {
        let pages = self.policy.area().pages();
        let align = match self.numbers.below(20) {
            0 => self.numbers.below(64),
            _ => self.numbers.below(5),
        };
        let count = match self.numbers.below(20) {
            0 => u64::MAX - self.numbers.below(3),
            1 => 1 + self.numbers.below(2 * pages),
            _ => 1 + self.numbers.below(pages.div_ceil(3)),
        };
        let client = self.numbers.below(3) as u16;
        Request::new(count, align as u32).unwrap().with_client(client)
    }

    /// Every place that the list of pages has for `request`, at its alignment.
    fn places(&self, request: Request) -> Vec<Pfn> {
        let area = self.policy.area();
        let bits = area.pages_to_bits(request.count());
        let mask = area.mask(request.align());
        let mut places = Vec::new();
        for range in 0..area.ranges().len() {
            let offset = area.offset(range, request.align());
            let free: Vec<bool> = (0..area.bits(range))
                .map(|bit| !self.is_taken(area.bit_to_pfn(range, bit)))
                .collect();
            let starts = (area.bits(range) + 1).saturating_sub(bits);
            for bit in (0..starts).filter(|bit| (bit + offset) & mask == 0) {
                if free[bit as usize..(bit + bits) as usize].iter().all(|free| *free) {
                    places.push(area.bit_to_pfn(range, bit));
                }
            }
        }
        places
    }

    fn taken(&self) -> impl Iterator<Item = Run> {
        let pending = self.pending.iter().map(|pending| pending.attempt.run);
        let granule = self.policy.area().granule();
        self.live
            .iter()
            .copied()
            .chain(pending)
            .map(move |run| Run { count: run.count.next_multiple_of(granule), ..run })
    }

    fn is_taken(&self, pfn: Pfn) -> bool {
        self.taken().any(|run| run.contains(Run { pfn, count: 1 }))
    }

    fn check_attempt(&self, request: Request, run: Run) {
        let area = self.policy.area();
        assert_eq!(run.count, request.count(), "{}", self.name);
        let range = area.range_of(run).unwrap_or_else(|| panic!("{}: {run}", self.name));
        let bit = area.pfn_to_bit(range, run.pfn);
        assert_eq!(area.bit_to_pfn(range, bit), run.pfn, "{}: off the granule", self.name);
        if self.policy.promises().aligned {
            let aligned = bit + area.offset(range, request.align());
            assert_eq!(aligned & area.mask(request.align()), 0, "{}: {run}", self.name);
        }
        let other = self.taken().find(|other| other.overlaps(run));
        assert_eq!(other, None, "{}: {run} for {request:?}", self.name);
    }

    /// One request from start to end; all of its claims are busy, or one in three fails.
    fn ask(&mut self) {
        let request = self.request();
        let before = self.free_runs();
        let Promises { complete, aligned, .. } = self.policy.promises();
        let mut places = if complete && aligned { self.places(request) } else { Vec::new() };
        let is_busy = self.numbers.below(4) == 0;
        let (mut last, mut tried, mut failed) = (None, Vec::new(), None);
        let error = loop {
            match self.policy.propose(request, last) {
                Next::Try(attempt) => {
                    self.check_attempt(request, attempt.run);
                    let run = attempt.run;
                    assert!(!tried.contains(&run.pfn), "{}: {run} twice", self.name);
                    tried.push(run.pfn);
                    if !is_busy && self.numbers.below(3) > 0 {
                        self.policy.settle(attempt, true);
                        self.live.push(run);
                        return;
                    }
                    let error = match self.numbers.below(30) {
                        0 if !is_busy => ClaimError::NoMemory,
                        1 if !is_busy => ClaimError::Interrupted,
                        _ => ClaimError::Busy,
                    };
                    self.policy.settle(attempt, false);
                    assert_eq!(self.free_runs(), before, "{}: not unmarked", self.name);
                    failed = Some(error);
                    last = Some(Last::Failed(attempt, error));
                }
                Next::Pause { cookie, .. } => {
                    tried.clear();
                    last = Some(Last::Paused { cookie });
                }
                Next::Refuse(error) => break error,
            }
        };
        let meaning = match failed {
            Some(ClaimError::Busy) => AllocError::Busy,
            Some(ClaimError::Interrupted) => AllocError::Interrupted,
            Some(ClaimError::NoMemory) | None => AllocError::NoMemory,
        };
        assert_eq!(error, meaning, "{}: {request:?}", self.name);
        if complete && aligned && matches!(failed, None | Some(ClaimError::Busy)) {
            tried.sort_unstable();
            places.sort_unstable();
            if self.name.contains("on-demand") {
                // It may stay in its own zone, but not give up before it has tried a place.
                assert_eq!(tried.is_empty(), places.is_empty(), "{}: {request:?}", self.name);
                places.retain(|place| tried.contains(place));
            }
            assert_eq!(tried, places, "{}: the places tried for {request:?}", self.name);
        }
        assert_eq!(self.free_runs(), before, "{}: a refusal left a trace", self.name);
    }

    /// Starts a request and leaves it under way.
    fn start(&mut self) {
        let request = self.request();
        if let Next::Try(attempt) = self.policy.propose(request, None) {
            self.check_attempt(request, attempt.run);
            self.pending.push(Pending { request, attempt, tried: vec![attempt.run.pfn] });
        }
    }

    /// Goes on with a request under way until it is granted or refused.
    fn finish_one(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        let index = self.numbers.below(self.pending.len() as u64) as usize;
        let Pending { request, mut attempt, mut tried } = self.pending.remove(index);
        while self.numbers.below(3) == 0 {
            self.policy.settle(attempt, false);
            let mut last = Last::Failed(attempt, ClaimError::Busy);
            attempt = loop {
                match self.policy.propose(request, Some(last)) {
                    Next::Try(attempt) => break attempt,
                    Next::Pause { cookie, .. } => {
                        tried.clear();
                        last = Last::Paused { cookie };
                    }
                    Next::Refuse(error) => {
                        assert_eq!(error, AllocError::Busy, "{}", self.name);
                        return;
                    }
                }
            };
            self.check_attempt(request, attempt.run);
            let pfn = attempt.run.pfn;
            assert!(!tried.contains(&pfn), "{}: {} twice", self.name, attempt.run);
            tried.push(pfn);
        }
        self.policy.settle(attempt, true);
        self.live.push(attempt.run);
    }

    fn free_one(&mut self) {
        if !self.live.is_empty() {
            let index = self.numbers.below(self.live.len() as u64) as usize;
            let run = self.live.swap_remove(index);
            assert_eq!(self.policy.free(run), Ok(()), "{}: {run}", self.name);
            assert_eq!(self.policy.free(run), Err(FreeError::NotAllocated), "{}", self.name);
        }
    }

    /// A free of something that is no grant, and a part of one in whole granules: what a part
    /// inside a granule leaves is the laws' to say.
    fn free_badly(&mut self) {
        let area = self.policy.area();
        let (span, granule) = (area.span(), area.granule());
        let pfn = (span.pfn.0 + self.numbers.below(span.count + 4)).saturating_sub(2);
        let run = Run::new(pfn, self.numbers.below(6));
        let before = self.free_runs();
        let is_live = self.live.iter().any(|live| live.contains(run) && run.count > 0);
        let whole = self.live.iter().position(|live| *live == run);
        let in_granules = |live: &Run| {
            (run.pfn.0 - live.pfn.0).is_multiple_of(granule)
                && (run.end() == live.end() || run.count.is_multiple_of(granule))
        };
        if self.live.iter().any(|live| live.contains(run) && !in_granules(live)) {
            return;
        }
        match self.policy.free(run) {
            Ok(()) if whole.is_some() => {
                self.live.swap_remove(whole.unwrap());
            }
            Ok(()) => {
                assert!(is_live && self.policy.promises().partial_free, "{}: {run}", self.name);
                let index = self.live.iter().position(|live| live.contains(run)).unwrap();
                let live = self.live.swap_remove(index);
                let front = Run { count: run.pfn.0 - live.pfn.0, ..live };
                let back = Run { pfn: run.end(), count: live.end().0 - run.end().0 };
                self.live.extend([front, back].into_iter().filter(|rest| rest.count > 0));
            }
            Err(_) => {
                assert!(whole.is_none(), "{}: {run}", self.name);
                assert!(!is_live || !self.policy.promises().partial_free, "{}", self.name);
                assert_eq!(self.free_runs(), before, "{}", self.name);
            }
        }
    }

    fn free_runs(&self) -> Vec<Run> {
        let mut runs = Vec::new();
        self.policy.free_runs(&mut |run| runs.push(run));
        runs
    }

    fn check_free_runs(&self) {
        let runs = self.free_runs();
        let area = self.policy.area();
        let range = |run: &Run| area.range_of(*run).expect("a hole is inside a range");
        let in_order = |a: &Run, b: &Run| range(a) < range(b) || a.end() <= b.pfn;
        assert!(runs.is_sorted_by(|a, b| range(a) <= range(b) && in_order(a, b)), "{}", self.name);
        for run in &runs {
            assert!(run.count > 0 && run.count.is_multiple_of(area.granule()), "{}", self.name);
            assert!(area.range_of(*run).is_some(), "{}: {run}", self.name);
            assert!(!self.taken().any(|taken| taken.overlaps(*run)), "{}: {run}", self.name);
        }
        if self.policy.promises().tight {
            let free: u64 = runs.iter().map(|run| run.count).sum();
            let held: u64 = self.taken().map(|run| run.count).sum();
            let bits: u64 = (0..area.ranges().len()).map(|range| area.bits(range)).sum();
            assert_eq!(free + held, bits * area.granule(), "{}: {runs:?}", self.name);
        }
    }
}
