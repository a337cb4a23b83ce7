//! law tight broken at op 3: an example, of a case on which it holds.
//! Written by `cmalab shrink`. It fails as long as the law is broken.

use cma_harness::codec::Case;
use cma_harness::law::conformance::judge;
use cma_policies::builtin;

const POLICY: &str = "kernel";
#[rustfmt::skip]
const CASE: &[u8] = &[
    0, 0, 0, 0, 0, 0, 0, 0, 8, 63, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 2, 0, 0, 0, 0, 0, 0, 14, 60, 0, 0, 3, 0, 0, 0,
    15, 5, 0, 0, 0, 0, 0, 0, 8, 7, 0, 0, 0, 0, 0, 0,
    7, 0, 0, 0, 0, 5, 0, 0, 11, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0,
    8, 3, 0, 0, 0, 0, 0, 0,
];

#[test]
fn kernel_keeps_the_law_tight() {
    let policy = builtin::catalog().parse(POLICY).unwrap();
    assert_eq!(judge(&Case::decode(CASE), &|area| policy.build(area)), Ok(()));
}
