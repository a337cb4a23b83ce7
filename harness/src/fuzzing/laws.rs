//! The policy that a case names under every law.

use cma_policies::builtin;

use super::Target;
use crate::codec::Case;
use crate::law::conformance::judge;

pub(super) const TARGET: Target = Target::passes("laws", run);

/// The most acts of a case: more make an input slower, not more telling.
const ACTS: usize = 32;

/// Judges the built-in policy that the bytes name on the case that they are.
///
/// # Panics
/// If it breaks a law, with its name, the law and the numbers.
pub fn run(bytes: &[u8]) {
    let mut case = Case::decode(bytes);
    case.acts.truncate(ACTS);
    let spec = case.policy.spec(&builtin::catalog());
    if let Err(violation) = judge(&case, &|area| spec.build(area)) {
        panic!("policy {spec}: {violation}\n{case:?}");
    }
}
