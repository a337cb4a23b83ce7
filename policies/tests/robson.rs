//! Robson's adversary: how much area a policy needs that never moves a buffer (J. M. Robson, Bounds
//! for some functions concerning dynamic storage allocation, JACM 21(3), 1974).

use cma_policies::{Area, Policy, Quiet, Request, Run, builtin};

/// Pages that are live at once, at most.
const LOAD: u64 = 2048;
/// The area is much larger than any policy needs.
const PAGES: u64 = 1 << 20;

/// The policy under attack.
struct Attack {
    policy: Box<dyn Policy>,
    live: Vec<Run>,
    /// The highest end of a grant.
    high: u64,
}

impl Attack {
    fn alloc(&mut self, count: u64) {
        let request = Request::new(count, 0).unwrap();
        let pfn = self.policy.alloc(request, &mut Quiet).expect("the area is large enough");
        let run = Run { pfn, count };
        self.high = self.high.max(run.end().0);
        self.live.push(run);
    }

    fn live_pages(&self) -> u64 {
        self.live.iter().map(|run| run.count).sum()
    }

    fn free_all_but(&mut self, keep: impl Fn(&Run) -> bool) {
        let (kept, gone) = self.live.iter().partition(|run| keep(run));
        self.live = kept;
        let gone: Vec<Run> = gone;
        for run in gone {
            self.policy.free(run).expect("a grant");
        }
    }
}

/// Whether `run` holds a page that is `rest` past a multiple of `modulus`.
const fn covers(run: &Run, rest: u64, modulus: u64) -> bool {
    // A power of two, so that wrapping around does no harm.
    rest.wrapping_sub(run.pfn.0) % modulus < run.count
}

/// Serves sizes 1, 2, 4 … `2^k`, each time keeping the buffers that are the most in the way.
fn area_needed(name: &str, k: u32) -> u64 {
    let spec = builtin::catalog().parse(name).unwrap();
    let policy = spec.build(Area::single(0, PAGES, 0).unwrap()).unwrap();
    let mut attack = Attack { policy, live: Vec::new(), high: 0 };
    for _ in 0..LOAD {
        attack.alloc(1);
    }
    let mut rest = 0;
    for order in 1..=k {
        let size = 1 << order;
        let wasted = |rest: u64| -> u64 {
            let covering = attack.live.iter().filter(|run| covers(run, rest, size));
            covering.map(|run| size - run.count).sum()
        };
        if wasted(rest + size / 2) > wasted(rest) {
            rest += size / 2;
        }
        attack.free_all_but(|run| covers(run, rest, size));
        while attack.live_pages() + size <= LOAD {
            attack.alloc(size);
        }
    }
    attack.high
}

#[test]
fn every_search_needs_exactly_robsons_bound() {
    for k in 1..=8 {
        let bound = LOAD * u64::from(k + 2) / 2 - (1 << k) + 1;
        for name in ["kernel", "best-fit", "worst-fit"] {
            assert_eq!(area_needed(name, k), bound, "{name}, sizes up to {}", 1 << k);
        }
    }
}

#[test]
fn a_buddy_system_needs_the_rest_of_the_last_block_too() {
    for k in 1..=8 {
        assert_eq!(area_needed("buddy", k), LOAD * u64::from(k + 2) / 2, "sizes up to {}", 1 << k);
    }
}
