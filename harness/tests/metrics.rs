//! Every metric on streams small enough to count by hand.

use cma_harness::environment::{Pinned, Quiet};
use cma_harness::metric::{Meter, Setting, Value, column, columns};
use cma_harness::op::{Op, Part, Timed};
use cma_harness::oracle::{Checks, Witness};
use cma_harness::simulate::{Observer, Step, simulate, step, warm_up};
use cma_policies::{Area, Request, Run, builtin};

fn alloc(at_us: u64, id: u64, count: u64, align: u32) -> Timed {
    let request = Request::new(count, align).unwrap();
    Timed { at_us, op: Op::Alloc { id, request, dma: false } }
}

fn free(at_us: u64, id: u64) -> Timed {
    Timed { at_us, op: Op::Free { id, part: None } }
}

/// The values of all columns after `ops` under the baseline, in an area of these pages.
fn measure(pages: u64, order_per_bit: u32, probes: &[u64], ops: &[Timed]) -> Vec<Value> {
    let area = Area::single(0, pages, order_per_bit).unwrap();
    let policy = builtin::catalog().parse("kernel").unwrap().build(area.clone()).unwrap();
    let mut witness = Witness::new(&area, policy, Checks::EVERY_OP);
    let mut meter = Meter::new(&Setting::new(probes, 8));
    let ops = ops.iter().copied();
    simulate(ops, &mut witness, &mut Pinned::default(), &mut [&mut meter]).unwrap();
    meter.values()
}

fn check(values: &[Value], expected: &[(&str, &str)]) {
    for (name, text) in expected {
        assert_eq!(values[column(name)].to_string(), *text, "{name}");
    }
}

/// 16 pages. Three buffers of 4; the middle one goes; then 8 pages do not fit into 4 + 4 free.
fn fragmented() -> Vec<Timed> {
    vec![
        alloc(0, 1, 4, 0),
        alloc(10, 2, 4, 0),
        alloc(20, 3, 4, 0),
        free(30, 2),
        alloc(40, 4, 8, 0),  // fragmentation: F = 8, L = 4
        alloc(50, 5, 9, 0),  // exhausted
        alloc(60, 6, 17, 0), // too large
        free(100, 1),
    ]
}

#[test]
fn rates_have_the_denominators_that_their_names_say() {
    let values = measure(16, 0, &[8], &fragmented());
    check(
        &values,
        &[
            ("requests", "6"),
            ("grants", "3"),
            ("refused", "3"),
            ("fragmentation", "1"),
            ("exhausted", "1"),
            ("too_large", "1"),
            ("alignment", "0"),
            ("withheld_per_request", "0.166666"),     // 1 of 6
            ("withheld_per_satisfiable", "0.250000"), // of the 3 grants and the 8 pages
            ("withheld_pages_share", "0.173913"),     // 8 of 46 pages
            ("requests_to_first_failure", "4"),
            ("requests_to_first_withheld", "4"),
            ("time_to_first_failure_us", "40"),
            ("utilisation_at_first_failure", "0.500000"),
            ("free_at_first_failure_pages", "8"),
            ("longest_run_at_first_failure_pages", "4"),
            ("live_max_pages", "12"),
            ("high_water_pages", "12"),
            ("request_max_pages", "17"),
            ("granted_max_pages", "4"),
            ("requests_1_16", "5"),
            ("refused_1_16", "2"),
            ("withheld_1_16", "1"),
            ("requests_17_256", "1"),
            ("refused_17_256", "1"),
            ("withheld_17_256", "0"),
        ],
    );
}

#[test]
fn a_state_counts_for_as_long_as_it_lasts() {
    let values = measure(16, 0, &[8], &fragmented());
    // A probe of 8 pages (align 3) would be refused with enough free while buffer 1 or 2 alone is
    // gone: from 0 on 12 are free but from page 8 on 8 are usable; at 10 the same; at 20 only 4 are
    // free; from 30 to 100 8 are free in two holes of 4. So 70 of 100 us.
    check(&values, &[("probe_unavailable_time", "0.700000")]);
    // 1 - U/F at align 3: [0, 10): U = 8 of 12; [10, 20): 8 of 8; [20, 30): U = 0 of 4, its hole
    // begins at page 12; [30, 100): 4 and 12 are free; 8 is aligned, but taken: U = 0 of 8.
    // (10 * 1/3 + 0 + 10 + 70) / 100.
    check(&values, &[("unusable_free", "0.833333")]);
}

#[test]
fn alignment_is_told_from_fragmentation() {
    // 5 pages at 0, 11 are free from 5 on; at align 3 the 8 from page 8 on are usable.
    let values = measure(16, 0, &[], &[alloc(0, 1, 5, 0), alloc(1, 2, 9, 3), alloc(2, 3, 8, 3)]);
    check(&values, &[("alignment", "1"), ("fragmentation", "0"), ("grants", "2")]);
    check(&values, &[("probe_unavailable_time", ""), ("unusable_free", "")]);
}

#[test]
fn load_is_what_was_asked_for_whatever_was_granted() {
    let part = Timed { at_us: 3, op: Op::Free { id: 2, part: Some(Part { offset: 0, count: 4 }) } };
    let nothing =
        Timed { at_us: 4, op: Op::Free { id: 2, part: Some(Part { offset: 0, count: 4 }) } };
    let ops = [
        alloc(0, 1, 10, 0),
        alloc(1, 2, 12, 0), // refused; LOAD 22
        free(2, 1),
        part,               // of a refused buffer: 8 left
        nothing,            // gone already
        alloc(5, 3, 16, 0), // LOAD 24
        free(6, 3),
        free(7, 2),
        free(8, 2),
    ];
    let values = measure(16, 0, &[], &ops);
    check(&values, &[("load_max_pages", "24"), ("load_measured", "1.500000"), ("not_asked", "4")]);
}

#[test]
fn more_than_a_buffer_has_is_all_of_it() {
    let more = Op::Free { id: 1, part: Some(Part { offset: 0, count: 100 }) };
    let ops = [alloc(0, 1, 4, 0), Timed { at_us: 1, op: more }, alloc(2, 2, 3, 0)];
    let expected =
        [("load_max_pages", "4"), ("aligned_load_max_pages", "4"), ("live_max_pages", "7")];
    check(&measure(16, 0, &[], &ops), &expected);
}

#[test]
fn busy_claims_and_padding_are_counted() {
    let pin = Timed { at_us: 0, op: Op::Pin(Run::new(2, 1)) };
    let ops = [pin, alloc(1, 1, 3, 2), alloc(2, 2, 5, 2)];
    let values = measure(16, 2, &[], &ops);
    // The first request meets the pin at page 0 and goes to page 4; for the second the hole at page
    // 0 is too short, and it goes to page 8 at once. 3 pages take 4, 5 take 8.
    check(
        &values,
        &[
            ("grants", "2"),
            ("busy_per_grant", "0.500000"),
            ("granule_padding_max_pages", "4"),
            ("high_water_pages", "13"),
        ],
    );
}

#[test]
fn nothing_asked_gives_no_rates_and_no_panic() {
    let values = measure(16, 0, &[4], &[]);
    check(&values, &[("requests", "0"), ("withheld_per_request", ""), ("load_max_pages", "0")]);
    assert_eq!(values.len(), columns().count());
}

#[test]
fn a_stream_may_begin_at_any_time() {
    let late = |ops: Vec<Timed>| {
        let later = |Timed { at_us, op }| Timed { at_us: at_us + 1_000_000, op };
        ops.into_iter().map(later).collect::<Vec<_>>()
    };
    assert_eq!(measure(16, 0, &[8], &fragmented()), measure(16, 0, &[8], &late(fragmented())));
}

#[test]
fn the_first_failure_need_not_be_withheld() {
    let ops: Vec<_> = [alloc(0, 9, 17, 0)].into_iter().chain(fragmented()).collect();
    check(
        &measure(16, 0, &[], &ops),
        &[
            ("requests_to_first_failure", "1"),
            ("requests_to_first_withheld", "5"),
            ("request_max_pages", "17"),
        ],
    );
}

#[test]
fn what_was_live_before_is_in_use_at_the_first_failure_of_another_area() {
    let area = Area::single(0, 16, 0).unwrap();
    let witness = || {
        let policy = builtin::catalog().parse("kernel").unwrap().build(area.clone()).unwrap();
        Witness::new(&area, policy, Checks::EVERY_OP)
    };
    let (mut used, mut fresh) = (witness(), witness());
    let mut meter = Meter::new(&Setting::new(&[], 8));
    warm_up([alloc(0, 1, 8, 0).op], &mut used, &mut [&mut meter]).unwrap();
    meter.boot(0, 0, used.model());
    meter.boot(0, 1, fresh.model());
    let refused = step(0, alloc(5, 2, 17, 0), &mut fresh, &mut Quiet).unwrap();
    meter.step(&Step { area: 1, ..refused });
    check(&meter.values(), &[("utilisation_at_first_failure", "0.250000")]); // 8 of 32
    check(&meter.values(), &[("free_at_first_failure_pages", "16")]);
}

#[test]
fn a_recording_has_no_board_time() {
    let with = |has_time: bool| {
        let area = Area::single(0, 16, 0).unwrap();
        let policy = builtin::catalog().parse("kernel").unwrap().build(area.clone()).unwrap();
        let mut witness = Witness::new(&area, policy, Checks::EVERY_OP);
        let mut meter = Meter::new(&Setting::new(&[], 8).watched(has_time, false));
        simulate(fragmented(), &mut witness, &mut Quiet, &mut [&mut meter]).unwrap();
        meter.values()
    };
    check(&with(true), &[("board_time_us", "100"), ("stream_ops", "8"), ("ended_early", "0")]);
    check(&with(false), &[("board_time_us", ""), ("stream_ops", "8"), ("ended_early", "0")]);
    assert_eq!(measure(16, 0, &[], &fragmented()), with(true), "time, unless stated otherwise");
}

#[test]
fn metrics_do_not_change_what_happens() {
    let area = Area::single(0, 16, 0).unwrap();
    let run = |meter: &mut Meter, watch: bool| {
        let policy = builtin::catalog().parse("kernel").unwrap().build(area.clone()).unwrap();
        let mut witness = Witness::new(&area, policy, Checks::EVERY_OP);
        if watch {
            simulate(fragmented(), &mut witness, &mut Quiet, &mut [meter]).unwrap();
        } else {
            simulate(fragmented(), &mut witness, &mut Quiet, &mut []).unwrap();
        }
        witness.model().free_pages()
    };
    let mut meter = Meter::new(&Setting::new(&[8], 8));
    assert_eq!(run(&mut meter, false), run(&mut meter, true));
}

#[test]
fn aligned_load_counts_the_slots_that_no_two_buffers_share() {
    // Order 0: 17 pages, then 26. Order 1: 8 slots less a page, then 13. Order 2: 2 + 3 slots less
    // 3 pages, then 8 slots: 29. Order 3: 1 slot, then 3, less 7 pages: 17.
    let ops = [alloc(0, 1, 5, 3), alloc(1, 2, 3, 0), alloc(2, 3, 9, 2), alloc(3, 4, 9, 3)];
    let values = measure(64, 0, &[], &ops);
    check(&values, &[("aligned_load_max_pages", "29"), ("load_max_pages", "26")]);
    // In granules of 4 pages: 2 + 1 + 3 + 3 of them.
    let values = measure(64, 2, &[], &ops);
    check(&values, &[("aligned_load_max_pages", "36"), ("load_max_pages", "26")]);
    check(&values, &[("structural", "0"), ("granule_padding_max_pages", "10")]);
    // Whether or not they are granted, and whatever came before and after.
    let again: Vec<_> =
        [alloc(0, 9, 20, 0), free(0, 9)].into_iter().chain(ops).chain([free(9, 1)]).collect();
    let values = measure(24, 0, &[], &again);
    check(&values, &[("aligned_load_max_pages", "29"), ("structural", "1")]);
}

#[test]
fn a_part_that_was_given_back_frees_the_slots_that_it_leaves_empty() {
    let part = |at_us, offset, count| Timed {
        at_us,
        op: Op::Free { id: 1, part: Some(Part { offset, count }) },
    };
    // 24 pages at order 3 are 3 slots; without pages 2 to 12 the first and two others' rests: 3;
    // without 13 to 15 2 slots, and 2 more come: 4 * 8 - 7.
    let ops = [alloc(0, 1, 24, 3), part(1, 2, 11), part(2, 13, 3), alloc(3, 2, 16, 3)];
    check(&measure(64, 0, &[], &ops), &[("aligned_load_max_pages", "26")]);
    let ops = [alloc(0, 1, 24, 3), part(1, 2, 11), alloc(3, 2, 16, 3)];
    check(&measure(64, 0, &[], &ops), &[("aligned_load_max_pages", "33")]);
}

/// The pitch law: buffers of 257 pages at cap 8 take two slots of 256 each.
#[test]
fn the_area_of_the_imx_note_holds_560_buffers_of_257_pages_and_no_policy_holds_more() {
    let buffers = |count| (0..count).map(|id| alloc(id, id, 257, 8)).collect::<Vec<_>>();
    let values = measure(286_720, 0, &[], &buffers(560));
    check(&values, &[("aligned_load_max_pages", "286465"), ("structural", "0"), ("refused", "0")]);
    let values = measure(286_720, 0, &[], &buffers(561));
    check(&values, &[("aligned_load_max_pages", "286977"), ("structural", "1"), ("refused", "1")]);
    check(&values, &[("load_max_pages", "144177"), ("load_measured", "0.502849")]);
    check(&values, &[("alignment", "0"), ("fragmentation", "1"), ("unserved", "1")]);
}

#[test]
fn what_was_live_before_counts_from_the_first_op_on_and_what_held_its_place_does_not() {
    let area = Area::single(0, 64, 0).unwrap();
    let policy = builtin::catalog().parse("kernel").unwrap().build(area.clone()).unwrap();
    let mut witness = Witness::new(&area, policy, Checks::EVERY_OP);
    let mut meter = Meter::new(&Setting::new(&[], 8));
    let before = [alloc(0, 1, 40, 0), alloc(0, 2, 9, 3), free(0, 1)].map(|timed| timed.op);
    warm_up(before, &mut witness, &mut [&mut meter]).unwrap();
    let ops = [free(0, 2), alloc(1, 3, 4, 2)];
    simulate(ops, &mut witness, &mut Quiet, &mut [&mut meter]).unwrap();
    // 9 pages are 2 slots of 8 pages: 2 * 8 - 7 = 9; at order 2 they are 3: 12 - 3 = 9.
    check(&meter.values(), &[("load_max_pages", "9"), ("aligned_load_max_pages", "9")]);
    check(&meter.values(), &[("requests", "1"), ("live_max_pages", "4")]);
}

#[test]
fn pages_and_parts_of_what_is_free_stand_beside_the_counts() {
    let values = measure(16, 0, &[8], &fragmented());
    check(
        &values,
        &[
            ("requested_pages_1_16", "29"), // 4 + 4 + 4 + 8 + 9
            ("withheld_pages_1_16", "8"),
            ("requested_pages_17_256", "17"),
            ("withheld_pages_17_256", "0"),
            ("requested_pages_2049_up", "0"),
            // 4 of 16; 4 of 12; 4 of 8 and 8 of 8; 9 and 17 of 8 are more than there is.
            ("requests_0_25pct_of_free", "1"),
            ("withheld_0_25pct_of_free", "0"),
            ("requests_25_50pct_of_free", "2"),
            ("withheld_25_50pct_of_free", "0"),
            ("requests_50_100pct_of_free", "1"),
            ("withheld_50_100pct_of_free", "1"),
            ("unserved", "3"),
            ("requests_to_first_unserved", "4"),
            ("time_to_first_unserved_us", "40"),
        ],
    );
    // In granules a grant takes more than it asks for: 5 of 16 pages free, then 3 of 8.
    let values = measure(16, 2, &[], &[alloc(0, 1, 5, 0), alloc(1, 2, 3, 0)]);
    check(&values, &[("requests_25_50pct_of_free", "2")]);
}

#[test]
fn each_range_of_an_area_may_end_with_the_first_page_of_a_slot() {
    let area = Area::new("cma", 0, &[Run::new(0, 64), Run::new(128, 64)]).unwrap();
    let policy = builtin::catalog().parse("kernel").unwrap().build(area.clone()).unwrap();
    let mut witness = Witness::new(&area, policy, Checks::EVERY_OP);
    let mut meter = Meter::new(&Setting::new(&[], 8));
    let ops = (0..3).map(|id| alloc(id, id, 1, 3));
    simulate(ops, &mut witness, &mut Quiet, &mut [&mut meter]).unwrap();
    // 3 slots of 8 pages, of two of which only the first page is needed: 24 - 2 * 7.
    check(&meter.values(), &[("aligned_load_max_pages", "10"), ("load_max_pages", "3")]);
}

#[test]
fn an_area_as_large_as_its_aligned_load_is_not_short() {
    // Two slots of 8 pages less 7: 9 pages do, 8 do not.
    let ops = [alloc(0, 1, 1, 3), alloc(1, 2, 1, 3)];
    check(&measure(9, 0, &[], &ops), &[("aligned_load_max_pages", "9"), ("structural", "0")]);
    check(&measure(8, 0, &[], &ops), &[("aligned_load_max_pages", "9"), ("structural", "1")]);
}

#[test]
fn sizes_at_the_ends_of_classes() {
    let sizes = [16, 17, 256, 257, 2048, 2049];
    let ops: Vec<_> = (0..).zip(sizes).map(|(id, pages)| alloc(id, id, pages, 0)).collect();
    let expected = [
        ("requested_pages_1_16", "16"),
        ("requested_pages_17_256", "273"),
        ("requested_pages_257_2048", "2305"),
        ("requested_pages_2049_up", "2049"),
        ("requests_1_16", "1"),
        ("requests_17_256", "2"),
        ("requests_257_2048", "2"),
        ("requests_2049_up", "1"),
    ];
    check(&measure(8192, 0, &[], &ops), &expected);
}

#[test]
fn what_is_unusable_is_told_at_the_align_of_each_class_and_no_align_is_above_the_cap() {
    // Page 0 is taken: 16 pages and more begin at 16, those above 128 at 256, whatever their size.
    let values = measure(1024, 0, &[], &[alloc(0, 1, 1, 0), free(100, 1)]);
    let expected = [
        ("unusable_free_1_16", "0.014662"),   // 15 of 1023
        ("unusable_free_17_256", "0.249266"), // 255 of 1023
        ("unusable_free_257_2048", "0.249266"),
        ("unusable_free_2049_up", "0.249266"),
    ];
    check(&values, &expected);
}

#[test]
fn a_request_meets_what_its_grant_took_in_granules() {
    // 12 of 16 pages, then 1 of the last 4, of which it takes all.
    let values = measure(16, 2, &[], &[alloc(0, 1, 12, 0), alloc(1, 2, 1, 0)]);
    check(&values, &[("requests_0_25pct_of_free", "1"), ("requests_50_100pct_of_free", "1")]);
    check(&values, &[("request_max_pages", "12"), ("granted_max_pages", "12")]);
}

#[test]
fn the_most_busy_claims_of_one_request_are_kept() {
    let pin = Timed { at_us: 0, op: Op::Pin(Run::new(0, 1)) };
    // The walk steps over the pinned page; the next request finds what is past the first.
    let ops = [pin, alloc(1, 1, 1, 0), alloc(2, 2, 8, 3)];
    check(&measure(64, 0, &[], &ops), &[("grants", "2"), ("busy_per_request_max", "1")]);
}
