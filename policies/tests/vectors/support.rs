//! An area with given holes, and pages that answer from a script.

use std::collections::VecDeque;

use cma_policies::kit::{FreeMap, Search};
use cma_policies::{AllocError, Area, Claim, ClaimError, Policy, Request, Run, builtin};

/// A fresh policy by name.
pub(crate) fn policy(name: &str, area: Area) -> Box<dyn Policy> {
    let spec = builtin::catalog().parse(name).expect("a policy of this crate");
    spec.build(area).expect("a policy for this area")
}

/// Holes as the kernel's list prints them: `511@58881+255@286465`.
pub(crate) fn holes(text: &str) -> Vec<(u64, u64)> {
    let parse = |number: &str| number.parse().expect("a number");
    text.split('+')
        .map(|hole| {
            let (count, start) = hole.split_once('@').expect("count@start");
            (parse(start), parse(count))
        })
        .collect()
}

/// A map of `bits` bits with these holes and nothing else free.
pub(crate) fn map(bits: u64, origin: u64, holes: &[(u64, u64)]) -> FreeMap {
    let mut map = FreeMap::new(bits, origin);
    map.set(0, bits);
    for &(start, count) in holes {
        map.clear(start, count);
    }
    map
}

/// The policy `name` on one range at `base`, with these holes and nothing else free.
///
/// One grant over everything, of which the holes are given back: a bit must be a page.
pub(crate) fn with_holes(
    name: &str,
    base: u64,
    pages: u64,
    holes: &[(u64, u64)],
) -> Box<dyn Policy> {
    let mut policy = policy(name, Area::single(base, pages, 0).expect("an area"));
    let all = Request::new(pages, 0).expect("a request");
    policy.alloc(all, &mut cma_policies::Quiet).expect("an empty area");
    for &(start, count) in holes {
        policy.free(Run::new(base + start, count)).expect("a part of what was granted");
    }
    assert_eq!(free_runs(&*policy, base), holes);
    policy
}

/// The free runs as first page from `base` on, and pages.
pub(crate) fn free_runs(policy: &dyn Policy, base: u64) -> Vec<(u64, u64)> {
    let mut runs = Vec::new();
    policy.free_runs(&mut |run| runs.push((run.pfn.0 - base, run.count)));
    runs
}

/// Asks for `count` pages at order `align` on quiet pages; the answer counted in pages from `base`.
pub(crate) fn ask(
    policy: &mut dyn Policy,
    base: u64,
    count: u64,
    align: u32,
) -> Result<u64, AllocError> {
    let request = Request::new(count, align).expect("a request");
    policy.alloc(request, &mut cma_policies::Quiet).map(|pfn| pfn.0 - base)
}

/// A search for `bits` bits at a place aligned to `mask + 1`, from bit `from` on.
pub(crate) const fn search(bits: u64, mask: u64, offset: u64, from: u64) -> Search {
    Search { bits, mask, offset, from }
}

/// Pages that answer from a script, and with `then` after its end; they note what was asked.
#[derive(Debug)]
pub(crate) struct Script {
    answers: VecDeque<Result<(), ClaimError>>,
    then: Result<(), ClaimError>,
    /// The claims, in passes: a pause begins a new one.
    pub(crate) passes: Vec<Vec<Run>>,
    /// Microseconds of each pause.
    pub(crate) pauses: Vec<u64>,
}

impl Script {
    /// Pages that answer each claim with `then`.
    pub(crate) fn always(then: Result<(), ClaimError>) -> Self {
        Self { answers: VecDeque::new(), then, passes: vec![Vec::new()], pauses: Vec::new() }
    }

    /// Pages that answer `answers`, and each later claim with `then`.
    pub(crate) fn new(answers: &[Result<(), ClaimError>], then: Result<(), ClaimError>) -> Self {
        Self { answers: answers.iter().copied().collect(), ..Self::always(then) }
    }

    /// The first bit of each claim of pass `pass`, in an area at `base`.
    pub(crate) fn bits(&self, pass: usize, base: u64, order_per_bit: u32) -> Vec<u64> {
        self.passes[pass].iter().map(|run| (run.pfn.0 - base) >> order_per_bit).collect()
    }
}

impl Claim for Script {
    fn claim(&mut self, run: Run) -> Result<(), ClaimError> {
        self.passes.last_mut().expect("a pass").push(run);
        self.answers.pop_front().unwrap_or(self.then)
    }

    fn pause(&mut self, us: u64) -> Result<(), ClaimError> {
        self.pauses.push(us);
        self.passes.push(Vec::new());
        Ok(())
    }
}
