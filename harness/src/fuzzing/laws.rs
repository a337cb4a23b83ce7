//! Every built-in policy under every law, on the case that the bytes are.

use cma_policies::builtin;

use crate::codec::Case;
use crate::law::conformance::judge;

/// The most acts of a case: more make an input slower, not more telling.
const ACTS: usize = 32;

/// Judges every built-in policy, with its defaults, on one case.
///
/// # Panics
/// If one of them breaks a law, with its name, the law and the numbers.
pub fn run(bytes: &[u8]) {
    let mut case = Case::decode(bytes);
    case.acts.truncate(ACTS);
    let catalog = builtin::catalog();
    for entry in catalog.entries() {
        let spec = catalog.parse(entry.name).expect("an entry takes its own defaults");
        if let Err(violation) = judge(&case, &|area| spec.build(area)) {
            panic!("policy {spec}: {violation}\n{case:?}");
        }
    }
}
