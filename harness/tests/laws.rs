//! Every built-in policy under every law, as it comes and with parameters.

use cma_harness::codec::Case;
use cma_harness::law::conformance::{self, Effort, assert_conforms};
use cma_harness::seed::Seed;
use cma_policies::{Area, Run, builtin};

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

// The same by the macro, as a crate outside says it.
cma_harness::conformance!(builtin::ENTRIES[0]);
cma_harness::conformance!(the_baseline_by_a_builder, |area| {
    builtin::catalog().parse("kernel").expect("a built-in policy").build(area)
});

#[test]
fn the_last_pages_that_have_a_number_are_served_like_any_other() {
    let top = u64::MAX;
    let areas = [
        Area::single(top - 40, 40, 0),
        Area::single(top - 47, 32, 3),
        Area::single((1 << 63) - 16, 64, 2),
        Area::new("two", 0, &[Run::new(5, 20), Run::new(top - 64, 64)]),
    ];
    for (number, area) in (0..).zip(areas.into_iter().flatten()) {
        for case in 0..40 {
            let mut draws = Seed::new(4).child("top", number).child("case", case).rng();
            let acts = Case::draw(&mut draws, 60).acts;
            let case = Case::new(area.clone(), acts);
            for entry in builtin::ENTRIES {
                let spec = builtin::catalog().parse(entry.name).expect("a built-in policy");
                let judged = conformance::judge(&case, &|area| spec.build(area));
                assert_eq!(judged, Ok(()), "{spec} on {area:?}");
            }
        }
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
    size_class: "size-class:classes=2,low=1,step=1" "size-class:low=2,ratio=0.5"
        "size-class:classes=2,low=2,spill=false";
    buddy: "buddy:trim=false" "buddy:max_order=2" "buddy:max_order=3,extend=true"
        "buddy:max_order=2,extend=true,trim=false";
}
