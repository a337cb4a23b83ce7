//! Which planted defects the other fuzz targets see, on random cases: what they are worth beside
//! the laws.

use std::panic::{AssertUnwindSafe, catch_unwind};

use cma_harness::codec::Case;
use cma_harness::fuzzing::lockstep;
use cma_harness::seed::Seed;
use cma_policies::mutant::{ALL, Mutant, with};

/// The defects that `run` panics at on one of so many random cases, which the shipped code passes.
fn seen(run: fn(&[u8]), cases: u64) -> Vec<Mutant> {
    let cases: Vec<_> = (0..cases)
        .map(|case| Case::draw(&mut Seed::new(1).child("targets", case).rng(), 60).encode())
        .collect();
    cases.iter().for_each(|case| run(case));
    let panics = |mutant: &Mutant| {
        let all = || with(*mutant, || cases.iter().for_each(|case| run(case)));
        catch_unwind(AssertUnwindSafe(all)).is_err()
    };
    ALL.iter().copied().filter(panics).collect()
}

#[test]
fn lockstep_misses_only_what_needs_a_promise_or_a_request_under_way() {
    let seen = seen(lockstep::run, 3000);
    // Wrong answers to wrong frees, where a first attempt goes, whether all places were tried, and
    // what comes between a pause and the next pass: the laws look at these.
    let others = [
        Mutant::DoubleFree,
        Mutant::ResumeSkipsDown,
        Mutant::TieHigh,
        Mutant::RoverWraps,
        Mutant::PauseForgets,
        Mutant::BorderCrossed,
    ];
    let missed: Vec<_> = ALL.iter().filter(|mutant| !seen.contains(mutant)).collect();
    assert!(missed.iter().all(|mutant| others.contains(mutant)), "{missed:?}");
}
