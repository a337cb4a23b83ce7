//! A shipped target over policies with a planted defect: how long does it take to find it?
//!
//! `CMALAB_MUTANT` names the defect, or `none` for the shipped code, and `CMALAB_TARGET` the target,
//! which is `laws` where it is not set.

use std::env;
use std::sync::OnceLock;

use cma_harness::fuzzing::TARGETS;
use cma_policies::mutant::{ALL, Mutant, with};

/// What a target does with an input.
type Run = fn(&[u8]);

/// Runs the target on `bytes` with the defect on.
///
/// # Panics
/// As the target does, and where the environment names no target or no defect.
pub fn run(bytes: &[u8]) {
    static CHOICE: OnceLock<(Run, Option<Mutant>)> = OnceLock::new();
    let (run, mutant) = *CHOICE.get_or_init(|| (target(), mutant()));
    match mutant {
        Some(mutant) => with(mutant, || run(bytes)),
        None => run(bytes),
    }
}

fn target() -> Run {
    let name = env::var("CMALAB_TARGET").unwrap_or_else(|_| "laws".into());
    let found = TARGETS.iter().find(|target| target.name == name);
    let names = TARGETS.iter().map(|target| target.name).collect::<Vec<_>>().join(", ");
    found.unwrap_or_else(|| panic!("CMALAB_TARGET={name} is no target; there are {names}")).run
}

fn mutant() -> Option<Mutant> {
    let named = |mutant: &Mutant| format!("{mutant:?}");
    let names = ALL.iter().map(named).collect::<Vec<_>>().join(", ");
    let name = env::var("CMALAB_MUTANT").unwrap_or_default();
    let found = ALL.iter().copied().find(|mutant| named(mutant) == name);
    let is_said = found.is_some() || name == "none";
    assert!(is_said, "CMALAB_MUTANT={name:?} is no defect; there are {names}, and none");
    found
}
