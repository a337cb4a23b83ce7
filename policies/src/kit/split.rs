//! Several policies side by side in one area: zones, pools.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use crate::area::Area;
use crate::error::{AllocError, ClaimError, FreeError};
use crate::policy::{Attempt, Last, Next, Policy, Promises};
use crate::request::Request;
use crate::run::Run;

/// Which parts a request may use, in order. It must answer the same for the same request always.
pub trait Route: Send {
    /// The part to ask at step `step`, from 0 on; `None` behind the last one.
    fn part(&self, request: Request, step: usize) -> Option<usize>;
}

impl<F: Fn(Request, usize) -> Option<usize> + Send> Route for F {
    fn part(&self, request: Request, step: usize) -> Option<usize> {
        self(request, step)
    }
}

/// Bits of a cookie that hold the step of the route; the part's own cookie is above.
const STEP_BITS: u32 = 8;

/// A policy made of parts, each a policy over its own piece of the area. A request goes through its
/// route until a part grants it; no run crosses the border of two parts.
pub struct Split<R> {
    area: Area,
    promises: Promises,
    parts: Vec<Box<dyn Policy>>,
    route: R,
}

impl<R: Route> Split<R> {
    /// Parts in the order of their pages, which together are `area`. The route has at most 256
    /// steps, and a part's cookies stay below 2^40.
    ///
    /// # Panics
    /// If a part's pages are not inside the area or do not ascend.
    #[must_use]
    pub fn new(area: Area, promises: Promises, parts: Vec<Box<dyn Policy>>, route: R) -> Self {
        let ranges = parts.iter().flat_map(|part| part.area().ranges());
        assert!(ranges.clone().is_sorted_by(|a, b| a.end() <= b.pfn), "parts overlap");
        assert!(ranges.clone().all(|run| area.range_of(*run).is_some()), "part outside the area");
        let partial_free = parts.iter().all(|part| part.promises().partial_free);
        Self { area, promises: Promises { partial_free, ..promises }, parts, route }
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

const fn outer(cookie: u64, step: usize) -> u64 {
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
        let cookie = inner(attempt.cookie);
        self.parts[part].settle(Attempt { cookie, ..attempt }, granted);
    }

    fn free(&mut self, run: Run) -> Result<(), FreeError> {
        if self.area.range_of(run).is_none() {
            return Err(FreeError::OutsideArea);
        }
        if let Some(part) = self.owner(run) {
            return self.parts[part].free(run);
        }
        // It crosses a border, or begins where no part is: no grant does. The first page decides
        // whether it is not granted at all.
        let first = Run { count: 1, ..run };
        let Some(part) = self.owner(first) else { return Err(FreeError::NotAllocated) };
        let mut is_free = false;
        self.parts[part].free_runs(&mut |hole| is_free |= hole.contains(first));
        Err(if is_free { FreeError::NotAllocated } else { FreeError::Mismatch })
    }

    fn free_runs(&self, visit: &mut dyn FnMut(Run)) {
        for part in &self.parts {
            part.free_runs(visit);
        }
    }
}
