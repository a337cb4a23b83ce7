//! Several policies side by side in one area: zones, pools.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use super::live::Live;
use crate::area::Area;
use crate::error::{AllocError, ClaimError, FreeError};
use crate::policy::{Attempt, Last, Next, Policy, Promises};
use crate::request::Request;
use crate::run::Run;

/// Which parts a request may use, in order. It must answer the same for the same request always.
pub trait Route: Send {
    /// The part to ask at step `step`, from 0 on; `None` after the last one.
    fn part(&self, request: Request, step: usize) -> Option<usize>;
}

impl<F: Fn(Request, usize) -> Option<usize> + Send> Route for F {
    fn part(&self, request: Request, step: usize) -> Option<usize> {
        self(request, step)
    }
}

/// Bits of a cookie that hold the step of the route; the part's own cookie is above.
const STEP_BITS: u32 = 8;
/// Bits of a cookie in all, as [`Attempt`] has it.
const COOKIE_BITS: u32 = 48;

/// A policy made of parts, each a policy over its own piece of the area. A request goes through its
/// route until a part grants it; no run crosses the border of two parts.
pub struct Split<R> {
    area: Area,
    promises: Promises,
    parts: Vec<Box<dyn Policy>>,
    route: R,
    /// What all parts have granted: one of them may take back less than another.
    live: Live,
}

impl<R: Route> Split<R> {
    /// Parts in the order of the area, range by range, which together are all its granules. The
    /// route has at most 256 steps, and a part's cookies stay below 2^40.
    ///
    /// # Panics
    /// If a part's pages are not inside the area, or not in its order.
    pub fn new(area: Area, promises: Promises, parts: Vec<Box<dyn Policy>>, route: R) -> Self {
        let ranges = parts.iter().flat_map(|part| part.area().ranges());
        let place = |run: &Run| (area.range_of(*run).expect("a part inside the area"), run.pfn);
        let apart = |a: &Run, b: &Run| a.pfn > b.pfn || a.end() <= b.pfn;
        let in_order = |a: &&Run, b: &&Run| place(a) < place(b) && apart(a, b);
        assert!(ranges.is_sorted_by(in_order), "parts overlap or are out of order");
        let partial_free = parts.iter().all(|part| part.promises().partial_free);
        let promises = Promises { partial_free, ..promises };
        Self { area, promises, parts, route, live: Live::default() }
    }

    fn owner(&self, run: Run) -> Option<usize> {
        self.parts.iter().position(|part| part.area().range_of(run).is_some())
    }
}

impl<R> fmt::Debug for Split<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Split").field("parts", &self.parts).finish_non_exhaustive()
    }
}

const fn inner(cookie: u64) -> u64 {
    cookie >> STEP_BITS
}

const fn step_of(cookie: u64) -> usize {
    (cookie & ((1 << STEP_BITS) - 1)) as usize
}

fn outer(cookie: u64, step: usize) -> u64 {
    assert!(step < 1 << STEP_BITS, "step {step} of a route");
    assert!(cookie < 1 << (COOKIE_BITS - STEP_BITS), "a part's cookie is {cookie}");
    (cookie << STEP_BITS) | step as u64
}

impl<R: Route> Policy for Split<R> {
    fn area(&self) -> &Area {
        &self.area
    }

    fn promises(&self) -> Promises {
        self.promises
    }

    fn propose(&mut self, request: Request, last: Option<Last>) -> Next {
        let (mut step, mut part_last) = match last {
            None => (0, None),
            Some(Last::Failed(Attempt { run, cookie }, error)) => {
                let attempt = Attempt { run, cookie: inner(cookie) };
                (step_of(cookie), Some(Last::Failed(attempt, error)))
            }
            Some(Last::Paused { cookie }) => {
                (step_of(cookie), Some(Last::Paused { cookie: inner(cookie) }))
            }
        };
        let was_busy =
            matches!(last, Some(Last::Failed(_, ClaimError::Busy) | Last::Paused { .. }));
        let mut refusal = AllocError::NoMemory;
        while let Some(part) = self.route.part(request, step) {
            match self.parts[part].propose(request, part_last) {
                Next::Try(Attempt { run, cookie }) => {
                    return Next::Try(Attempt { run, cookie: outer(cookie, step) });
                }
                Next::Pause { us, cookie } => {
                    return Next::Pause { us, cookie: outer(cookie, step) };
                }
                Next::Refuse(error) => refusal = error,
            }
            // Another place does not help where there is no memory to migrate to, or no time left.
            if matches!(last, Some(Last::Failed(_, ClaimError::NoMemory | ClaimError::Interrupted)))
            {
                return Next::Refuse(refusal);
            }
            (step, part_last) = (step + 1, None);
        }
        Next::Refuse(if was_busy { AllocError::Busy } else { refusal })
    }

    fn settle(&mut self, attempt: Attempt, granted: bool) {
        let part = self.owner(attempt.run).expect("an attempt is inside a part");
        if granted {
            self.live.grant(attempt.run, 0);
        }
        let cookie = inner(attempt.cookie);
        self.parts[part].settle(Attempt { cookie, ..attempt }, granted);
    }

    fn free(&mut self, run: Run) -> Result<(), FreeError> {
        self.live.take(&self.area, run, self.promises.partial_free)?;
        let part = self.owner(run).expect("a grant is inside a part");
        self.parts[part].free(run)
    }

    fn free_runs(&self, visit: &mut dyn FnMut(Run)) {
        for part in &self.parts {
            part.free_runs(visit);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::{Ask, FreeMap, Placed, Retry, Search};
    use crate::run::Pfn;
    use alloc::collections::VecDeque;

    type Answers = VecDeque<Result<(), ClaimError>>;

    /// Answers in turn, then grants; it notes the claims, and a pause as page 0.
    struct Script(Answers, Vec<u64>);

    impl crate::policy::Claim for Script {
        fn claim(&mut self, run: Run) -> Result<(), ClaimError> {
            self.1.push(run.pfn.0);
            self.0.pop_front().unwrap_or(Ok(()))
        }

        fn pause(&mut self, _: u64) -> Result<(), ClaimError> {
            self.1.push(0);
            Ok(())
        }
    }

    fn first_fit(map: &FreeMap, search: Search, _: Ask) -> Option<u64> {
        map.first_fit(search)
    }

    fn part(pfn: u64, pages: u64, pauses: u64) -> Box<dyn Policy> {
        let retry = Retry { pauses, pause_us: 1 };
        let area = Area::single(pfn, pages, 0).unwrap();
        Box::new(Placed::new(area, Promises::SEARCH, first_fit).with_retry(retry))
    }

    /// Pages 100 to 104 and 104 to 108; nobody has 108 to 110. Clients 0 and 1 begin in their own
    /// part and may go to the other one.
    fn two(pauses: u64) -> Split<impl Route> {
        let area = Area::single(100, 10, 0).unwrap();
        let route = |request: Request, step: usize| {
            (step < 2).then_some((step + usize::from(request.client())) % 2)
        };
        let parts = Vec::from([part(100, 4, pauses), part(104, 4, pauses)]);
        Split::new(area, Promises::SEARCH, parts, route)
    }

    fn ask(
        policy: &mut dyn Policy,
        (count, client): (u64, u16),
        answers: &[Result<(), ClaimError>],
    ) -> (Result<u64, AllocError>, Vec<u64>) {
        let request = Request::new(count, 0).unwrap().with_client(client);
        let mut pages = Script(answers.iter().copied().collect(), Vec::new());
        (policy.alloc(request, &mut pages).map(|pfn| pfn.0), pages.1)
    }

    const BUSY: Result<(), ClaimError> = Err(ClaimError::Busy);

    #[test]
    fn a_request_goes_through_its_route() {
        let mut split = two(0);
        assert_eq!(ask(&mut split, (3, 1), &[]), (Ok(104), [104].into()));
        assert_eq!(ask(&mut split, (3, 1), &[]), (Ok(100), [100].into()));
        assert_eq!(ask(&mut split, (2, 1), &[]), (Err(AllocError::NoMemory), [].into()));
        assert_eq!(split.free(Run::new(104, 3)), Ok(()));
        assert_eq!(ask(&mut split, (4, 0), &[]), (Ok(104), [104].into()));
    }

    #[test]
    fn what_is_busy_in_one_part_goes_to_the_next_and_stays_busy() {
        let mut split = two(0);
        let answer = ask(&mut split, (3, 0), &[BUSY, BUSY, BUSY]);
        assert_eq!(answer, (Ok(105), [100, 101, 104, 105].into()));
        // The other part has no place: the request was busy all the same.
        let answer = ask(&mut split, (3, 0), &[BUSY; 2]);
        assert_eq!(answer, (Err(AllocError::Busy), [100, 101].into()));
        let answer = ask(&mut split, (4, 1), &[BUSY]);
        assert_eq!(answer, (Err(AllocError::Busy), [100].into()));
    }

    #[test]
    fn other_failures_end_it_in_the_part_where_they_came() {
        for (error, meaning) in [
            (ClaimError::NoMemory, AllocError::NoMemory),
            (ClaimError::Interrupted, AllocError::Interrupted),
        ] {
            let answer = ask(&mut two(0), (3, 0), &[BUSY, Err(error)]);
            assert_eq!(answer, (Err(meaning), [100, 101].into()));
            let answer = ask(&mut two(0), (4, 0), &[BUSY, Err(error)]);
            assert_eq!(answer, (Err(meaning), [100, 104].into()));
        }
    }

    #[test]
    fn cookies_of_the_parts_come_back_through_one_split_and_through_two() {
        // Each part pauses twice, so three passes over each: the part counts them in its cookie.
        let tried = [100, 101, 0, 100, 101, 0, 100, 101, 104, 105, 0, 104, 105, 0, 104, 105];
        assert_eq!(ask(&mut two(2), (3, 0), &[BUSY; 12]), (Err(AllocError::Busy), tried.into()));

        let area = Area::single(100, 10, 0).unwrap();
        let route = |_: Request, step: usize| (step < 1).then_some(0);
        let parts: Vec<Box<dyn Policy>> = Vec::from([Box::new(two(2)) as Box<dyn Policy>]);
        let mut nested = Split::new(area, Promises::SEARCH, parts, route);
        assert_eq!(ask(&mut nested, (3, 0), &[BUSY; 12]), (Err(AllocError::Busy), tried.into()));
        assert_eq!(ask(&mut nested, (3, 1), &[BUSY; 3]).0, Ok(105));
    }

    #[test]
    fn a_run_over_the_border_was_never_granted() {
        let mut split = two(0);
        assert_eq!(ask(&mut split, (4, 0), &[]).0, Ok(100));
        assert_eq!(ask(&mut split, (4, 1), &[]).0, Ok(104));
        let before = [Run::new(102, 4), Run::new(103, 2)];
        assert_eq!(before.map(|run| split.free(run)), [Err(FreeError::Mismatch); 2]);
        assert_eq!(split.free(Run::new(104, 5)), Err(FreeError::Mismatch));
        assert_eq!(split.free(Run::new(108, 1)), Err(FreeError::NotAllocated), "nobody's page");
        assert_eq!(split.free(Run::new(109, 2)), Err(FreeError::OutsideArea));
        assert_eq!(split.free(Run::new(99, 2)), Err(FreeError::OutsideArea));
        assert_eq!(split.free(Run::new(102, 2)), Ok(()), "a part of a grant");
        assert_eq!(split.free(Run::new(103, 2)), Err(FreeError::NotAllocated));
    }

    #[test]
    fn requests_under_way_in_several_parts_do_not_meet() {
        let mut split = two(0);
        let request = |client| Request::new(3, 0).unwrap().with_client(client);
        let mut attempts = Vec::new();
        for client in [0, 1] {
            let Next::Try(attempt) = split.propose(request(client), None) else { panic!() };
            attempts.push(attempt);
        }
        assert_eq!([attempts[0].run.pfn, attempts[1].run.pfn], [Pfn(100), Pfn(104)]);
        split.settle(attempts[0], false);
        let last = Last::Failed(attempts[0], ClaimError::Busy);
        let Next::Try(second) = split.propose(request(0), Some(last)) else { panic!() };
        assert_eq!(second.run.pfn, Pfn(101));
        split.settle(second, true);
        split.settle(attempts[1], true);
        let mut free = Vec::new();
        split.free_runs(&mut |run| free.push(run));
        assert_eq!(free, [Run::new(100, 1), Run::new(107, 1)]);
    }
}
