//! Every built-in policy under every law, as it comes and with parameters.

use cma_harness::codec::{Act, Case, RECORD};
use cma_harness::law::conformance::{self, Effort, assert_conforms};
use cma_harness::seed::{Draws, Seed};
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

/// The same by the macro, as a crate outside says it.
mod by_macro {
    use cma_policies::{Entry, builtin};

    const BASELINE: Entry = builtin::ENTRIES[0];
    static SECOND: Entry = builtin::ENTRIES[1];

    cma_harness::conformance!(BASELINE);
    cma_harness::conformance!(SECOND);
    cma_harness::conformance!(builtin::ENTRIES[0]);
    cma_harness::conformance!(named: builtin::ENTRIES[1]);
    cma_harness::conformance!(the_baseline_by_a_builder, |area| {
        builtin::catalog().parse("kernel").expect("a built-in policy").build(area)
    });
}

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

/// Areas of 1, 2, 3 and 8 ranges in each order, apart and touching, of whole granules and not.
fn areas_of_ranges() -> Vec<Area> {
    let mut areas = Vec::new();
    for (ranges, order_per_bit, gap) in [1, 2, 3, 8].iter().flat_map(|ranges| {
        [0, 2, 5].into_iter().flat_map(move |order| [(*ranges, order, 0), (*ranges, order, 70)])
    }) {
        let mut pfn = 0x40203;
        let ascending: Vec<Run> = (0..ranges)
            .map(|range| {
                // The second of them has fewer bits than many a request, the last one a tail.
                let granules = [24, 3, 17, 9][range % 4];
                let tail = if range + 1 == ranges { (1 << order_per_bit) / 2 } else { 0 };
                let run = Run::new(pfn, (granules << order_per_bit) + tail);
                pfn = run.end().0 + gap;
                run
            })
            .collect();
        let (mut descending, mut mixed) = (ascending.clone(), ascending.clone());
        descending.reverse();
        mixed.rotate_left(ranges / 2);
        mixed.swap(0, ranges - 1);
        let orders = [ascending, descending, mixed];
        areas.extend(orders.iter().map(|runs| Area::new("x", order_per_bit, runs)));
    }
    areas.into_iter().map(|area| area.expect("ranges that are apart")).collect()
}

/// So many random acts, of counts that matter in `area`.
fn acts_on(area: &Area, draws: &mut Draws, acts: usize) -> Vec<Act> {
    let mut bytes = Case::new(area.clone(), Vec::new()).encode();
    bytes.extend((0..acts * RECORD).map(|_| draws.below(256) as u8));
    Case::decode(&bytes).acts
}

#[test]
fn every_policy_keeps_the_laws_on_ranges_in_any_order() {
    let catalog = builtin::catalog();
    let variants = [
        "kernel:row=6.15",
        "two-ended:order=2",
        "buddy:max_order=2,extend=true",
        "zoned:share=0.5,order=2",
        "zoned:mode=on-demand,share=0.5,order=3",
        "size-class:low=1,step=1",
    ];
    let mut judged = 0;
    for text in builtin::ENTRIES.iter().map(|entry| entry.name).chain(variants) {
        let spec = catalog.parse(text).unwrap_or_else(|error| panic!("{error}"));
        for (number, area) in (0..).zip(areas_of_ranges()) {
            if spec.build(area.clone()).is_err() {
                continue;
            }
            for case in 0..6 {
                let mut draws = Seed::new(15).child("ranges", number).child("case", case).rng();
                let case = Case::new(area.clone(), acts_on(&area, &mut draws, 40));
                let answer = conformance::judge(&case, &|area| spec.build(area));
                assert_eq!(answer, Ok(()), "{spec} on {area:?}: {:?}", case.acts);
                judged += 1;
            }
        }
    }
    // Only policies of zones and pools are not built for the smallest of these.
    assert!(judged > 6000, "{judged} cases");
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
