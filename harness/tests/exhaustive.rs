//! Every sequence of requests, busy claims and frees up to a small size: the kernel's policy and
//! the naive reference agree on each attempt, each answer and each list of free runs. No luck.

use cma_harness::oracle::{Place, Reference};
use cma_policies::{AllocError, Area, ClaimError, Last, Next, Policy, Request, Run, builtin};

#[derive(Clone, Copy, Debug)]
enum Op {
    /// Asks for pages; so many claims are busy.
    Alloc { request: Request, busy: u32 },
    /// Gives back a live run by its number.
    Free { live: usize },
}

/// The kernel's policy and the reference, side by side.
struct Pair {
    policy: Box<dyn Policy>,
    reference: Reference,
    live: Vec<Run>,
}

impl Pair {
    fn new(area: &Area) -> Self {
        let spec = builtin::catalog().parse("kernel").expect("the baseline");
        let policy = spec.build(area.clone()).expect("it takes every area");
        Self { policy, reference: Reference::new(area), live: Vec::new() }
    }

    fn apply(&mut self, op: Op) {
        match op {
            Op::Alloc { request, busy } => self.alloc(request, busy),
            Op::Free { live } => {
                let run = self.live.remove(live);
                assert_eq!(self.policy.free(run), Ok(()));
                self.reference.clear(run);
            }
        }
    }

    fn alloc(&mut self, request: Request, busy: u32) {
        let mut last = None;
        let mut from = Place::START;
        for claim in 0.. {
            let right = self.reference.lowest_fit(request, from);
            match self.policy.propose(request, last) {
                Next::Try(attempt) => {
                    assert_eq!(Some(attempt.run), right);
                    let granted = claim >= busy;
                    self.policy.settle(attempt, granted);
                    if granted {
                        self.reference.set(attempt.run);
                        self.live.push(attempt.run);
                        return;
                    }
                    last = Some(Last::Failed(attempt, ClaimError::Busy));
                    from = self.reference.resume_after(request, attempt.run);
                }
                Next::Refuse(error) => {
                    let meant = if claim > 0 { AllocError::Busy } else { AllocError::NoMemory };
                    assert_eq!((right, error), (None, meant));
                    return;
                }
                pause @ Next::Pause { .. } => panic!("a mainline kernel never sleeps: {pause:?}"),
            }
        }
    }

    fn check(&self) {
        let mut shown = Vec::new();
        self.policy.free_runs(&mut |run| shown.push(run));
        assert_eq!(shown, self.reference.free_runs());
    }
}

/// Goes through every sequence of `depth` ops; returns how many ops that were.
fn every_sequence(area: &Area, allocs: &[Op], prefix: &mut Vec<Op>, depth: usize) -> u64 {
    let mut pair = Pair::new(area);
    prefix.iter().for_each(|op| pair.apply(*op));
    pair.check();
    if depth == 0 {
        return 1;
    }
    let frees = (0..pair.live.len()).map(|live| Op::Free { live });
    let mut ops = 1;
    for op in allocs.iter().copied().chain(frees) {
        prefix.push(op);
        ops += every_sequence(area, allocs, prefix, depth - 1);
        prefix.pop();
    }
    ops
}

/// Requests of these counts at these orders, each with so many claims busy.
fn allocs(counts: &[u64], aligns: &[u32], busy: &[u32]) -> Vec<Op> {
    let mut allocs = Vec::new();
    for &count in counts {
        for &align in aligns {
            let request = Request::new(count, align).expect("a page, a small order");
            allocs.extend(busy.iter().map(|&busy| Op::Alloc { request, busy }));
        }
    }
    allocs
}

fn check(area: &Area, allocs: &[Op], depth: usize) {
    // Where an assertion fails the prefix is the witness.
    let mut prefix = Vec::new();
    let walk = std::panic::AssertUnwindSafe(|| every_sequence(area, allocs, &mut prefix, depth));
    let done = std::panic::catch_unwind(walk);
    assert!(done.is_ok_and(|ops| ops > 10_000), "on {area:?} after {prefix:?}");
}

#[test]
fn every_size_and_order_on_four_pages() {
    for base in [0, 1, 7] {
        let area = Area::single(base, 4, 0).expect("four pages");
        check(&area, &allocs(&[1, 2, 3, 4], &[0, 1, 2], &[0]), 5);
    }
}

#[test]
fn every_size_and_order_and_busy_claim_on_six_pages() {
    for base in [0, 5] {
        let area = Area::single(base, 6, 0).expect("six pages");
        check(&area, &allocs(&[1, 2, 3, 5], &[0, 1, 2], &[0, 1, 9]), 3);
    }
}

#[test]
fn long_sequences_of_few_ops() {
    for base in [0, 1] {
        let area = Area::single(base, 5, 0).expect("five pages");
        check(&area, &allocs(&[1, 2], &[0, 1], &[0]), 7);
    }
}

#[test]
fn granules_of_two_and_four_pages_also_on_a_base_off_the_granule() {
    for (base, order_per_bit) in [(0, 1), (1, 1), (6, 2), (5, 2)] {
        let area = Area::single(base, 4 << order_per_bit, order_per_bit).expect("four granules");
        check(&area, &allocs(&[1, 2, 3, 5], &[0, 1, 2, 3], &[0, 1]), 3);
    }
}

#[test]
fn two_ranges_that_touch_and_two_that_do_not() {
    for second in [4, 6] {
        let ranges = [Run::new(1, 3), Run::new(second, 3)];
        let area = Area::new("two", 0, &ranges).expect("two ranges");
        check(&area, &allocs(&[1, 2, 3], &[0, 1, 2], &[0, 1, 9]), 3);
    }
}
