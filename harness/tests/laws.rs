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

/// As many names as tests, so that they run side by side and a failure names its policy.
macro_rules! so_does {
    ($($name:ident: $($text:literal)*;)*) => {
        $(#[test]
        fn $name() {
            for text in [$($text),*] {
                judge(text);
            }
        })*
    };
}

so_does! {
    kernel: "kernel:row=android" "kernel:row=android,pauses=1";
    two_ended: "two-ended:order=2" "two-ended:by=client,client=2" "two-ended:by=parity";
    zoned: "zoned:share=0.5,order=2" "zoned:share=0.5,order=1,spill=false";
    zoned_on_demand: "zoned:mode=on-demand,share=0.5,order=2"
        "zoned:mode=on-demand,share=1,order=1,spill=false" "zoned:mode=on-demand,share=0.3,order=0";
    size_class: "size-class:classes=2,low=1,step=1" "size-class:low=2,ratio=0.5" "size-class:classes=2,low=2,spill=false";
    buddy: "buddy:trim=false" "buddy:max_order=2" "buddy:max_order=3,extend=true"
        "buddy:max_order=2,extend=true,trim=false";
}
