//! Every built-in policy under every law, as it comes and with parameters.

use cma_harness::law::conformance::{Effort, assert_conforms};
use cma_policies::builtin;

fn judge(text: &str) {
    let spec = builtin::catalog().parse(text).unwrap_or_else(|error| panic!("{error}"));
    assert_conforms(text, &|area| spec.build(area), Effort::TEST);
}

#[test]
fn every_built_in_policy_keeps_every_law_that_it_promised() {
    for entry in builtin::ENTRIES {
        judge(entry.name);
    }
}

#[test]
fn so_do_their_parameters() {
    for text in ["kernel:row=android", "kernel:row=android,pauses=1"] {
        judge(text);
    }
}
