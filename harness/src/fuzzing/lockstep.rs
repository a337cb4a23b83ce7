//! The policy that a case names, step by step beside naive answers, through the pipeline that
//! sweeps run: witness, model, cause and metrics.
//!
//! `laws` judges a policy with a driver of its own; here the same cases judge the driver that
//! everything else uses.

mod cma_alloc;
mod judge;
mod pages;
mod reached;
mod tally;

use cma_policies::builtin;

pub use self::reached::Reached;

use self::judge::Judge;
use super::Target;
use crate::codec::Case;

pub(super) const TARGET: Target = Target::passes("lockstep", run);

/// Granules that are looked at for one input, about: what bounds its time.
const LOOKS: u64 = 1 << 15;

/// The most ops of a case on an area of so many granules.
fn most(granules: u64) -> usize {
    (LOOKS / granules).clamp(12, 192) as usize
}

/// Runs the case that `bytes` are.
///
/// # Panics
/// Where an answer, a cause, a count or a free run is another one than it must be.
pub fn run(bytes: &[u8]) {
    let _ = reached(&Case::decode(bytes));
}

/// Runs a case and says what happened in it; nothing where its policy cannot be built for its area.
///
/// # Panics
/// As [`run`].
pub fn reached(case: &Case) -> Option<Reached> {
    let area = &case.area;
    let case = case.unfolded(most(area.pages() / area.granule()));
    let spec = case.policy.spec(&builtin::catalog());
    // What a policy is not made for it says itself, which is what `laws` looks at.
    let policy = spec.build(case.area.clone()).ok()?;
    let mut judge = Judge::new(&case, &spec, policy);
    for act in &case.acts {
        judge.act(act);
    }
    Some(judge.end())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;

    #[test]
    fn random_cases_pass_and_every_policy_is_among_them() {
        let mut draws = Seed::new(5).child("lockstep", 0).rng();
        let policies = builtin::catalog().entries().len();
        let mut built = vec![0; policies];
        for _ in 0..600 {
            let case = Case::draw(&mut draws, 40);
            let was_built = reached(&Case::decode(&case.encode())).is_some();
            built[usize::from(case.policy.which) % policies] += u32::from(was_built);
        }
        assert!(built.iter().all(|cases| *cases > 20), "{built:?}");
    }
}
