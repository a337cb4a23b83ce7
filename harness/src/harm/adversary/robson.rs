//! The adversary that no policy escapes.

use cma_policies::Run;

use super::Adversary;
use crate::harm::field::Field;
use crate::harm::goal::Goal;

pub(super) const ADVERSARY: Adversary = Adversary {
    name: "robson",
    about: "twice the size each time; of the buffers those stay that are in the way of most",
    source: "J. M. Robson, Bounds for some functions concerning dynamic storage allocation, \
             JACM 21(3), 1974",
    variants: |goal: &Goal| u64::from(goal.largest.ilog2()),
    play: |field, variant| play(field, variant as u32 + 1),
};

/// Whether `run` holds a page that is `rest` past a multiple of `modulus`, a power of two.
const fn covers(run: &Run, rest: u64, modulus: u64) -> bool {
    rest.wrapping_sub(run.pfn.0) % modulus < run.count
}

/// Serves 1, 2, 4 … `2^orders` pages.
fn play(field: &mut Field<'_>, orders: u32) {
    field.fill(1, u64::MAX);
    let mut rest = 0;
    for size in (1..=orders).map(|order| 1 << order) {
        let wasted = |rest: u64| -> u64 {
            let covering = field.live().filter(|run| covers(run, rest, size));
            covering.map(|run| size - run.count).sum()
        };
        if wasted(rest + size / 2) > wasted(rest) {
            rest += size / 2;
        }
        field.keep(|run| covers(run, rest, size));
        field.fill(size, u64::MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::Quiet;
    use crate::op::Op;
    use crate::oracle::{Checks, Witness};
    use crate::simulate::{Answer, Observer, Step, simulate};
    use cma_policies::builtin;

    /// Pages up to the end of the highest grant.
    struct Highest(u64);

    impl Observer for Highest {
        fn step(&mut self, step: &Step<'_>) {
            if let (Op::Alloc { request, .. }, Answer::Granted(pfn)) = (step.op, step.answer) {
                self.0 = self.0.max(pfn.0 + request.count());
            }
        }
    }

    /// The highest page granted, with 2048 pages live at most and room for everything.
    fn area_needed(policy: &str, orders: u32) -> u64 {
        let text = format!("{policy},65536,256");
        let goal = Goal::parse(&text, &builtin::catalog()).unwrap();
        let mut field = Field::logged(&goal, 2048);
        play(&mut field, orders);
        assert_eq!(field.refusal, None);
        let policy = goal.policy.build(goal.area()).unwrap();
        let mut witness = Witness::new(&goal.area(), policy, Checks::SWEEP);
        let (stream, mut highest) = (field.into_log(), Highest(0));
        simulate(stream, &mut witness, &mut Quiet, &mut [&mut highest]).unwrap();
        highest.0
    }

    #[test]
    fn it_forces_what_is_published() {
        for k in 1..=8 {
            let bound = 2048 * u64::from(k + 2) / 2;
            for policy in ["kernel", "best-fit", "worst-fit"] {
                assert_eq!(area_needed(policy, k), bound - (1 << k) + 1, "{policy}, k = {k}");
            }
            assert_eq!(area_needed("buddy", k), bound, "k = {k}");
        }
    }
}
