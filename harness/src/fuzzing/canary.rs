//! A policy with a planted defect, under the laws: a fuzzer that does not find it finds nothing.

use cma_policies::Promises;
use cma_policies::kit::{Ask, FreeMap, Placed, Search};

use super::{Expected, Target};
use crate::codec::Case;
use crate::law::conformance::judge;

pub(super) const TARGET: Target = Target { name: "canary", run, expected: Expected::Fails };

/// The most acts of a case, as in `laws`.
const ACTS: usize = 32;

/// The lowest fit, but that a buffer of at least two bits never ends with its range where it has to
/// begin past an aligned bit: a `<` for a `<=` at the one place where both seem right.
fn place(map: &FreeMap, search: Search, _: Ask) -> Option<u64> {
    let fit = map.first_fit(search)?;
    let ends = fit + search.bits == map.bits();
    (!ends || search.bits == 1 || search.mask == 0 || fit == 0).then_some(fit)
}

/// Judges the policy of this file on the case that `bytes` are.
///
/// # Panics
/// If the laws convict it.
pub fn run(bytes: &[u8]) {
    let mut case = Case::decode(bytes);
    case.acts.truncate(ACTS);
    let build = |area| -> Result<Box<dyn cma_policies::Policy>, cma_policies::BuildError> {
        Ok(Box::new(Placed::new(area, Promises::SEARCH, place)))
    };
    if let Err(violation) = judge(&case, &build) {
        panic!("the planted defect: {violation}\n{case:?}");
    }
}
