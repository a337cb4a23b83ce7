//! Who goes where, and what happens when that refuses.

use cma_harness::board::{CALLERS, Caller};
use cma_harness::environment::Pinned;
use cma_harness::op::{Op, Part, Timed};
use cma_harness::oracle::{Checks, Witness};
use cma_harness::simulate::{Answer, Rig, Slot, Stage};
use cma_policies::{AllocError, Pfn};

use super::rig::{alloc, ask, board, free, run_on};

const REFUSED: Answer = Answer::Refused(AllocError::NoMemory);

fn granted(pfn: u64) -> Answer {
    Answer::Granted(Pfn(pfn))
}

#[test]
fn a_pool_refuses_although_the_default_area_has_room() {
    let board = board(&[(1024, &[]), (64, &["vpu"])], "cma-only");
    let ops = [
        ask(0, 1, 64, 1, true),
        ask(1, 2, 1, 1, true),  // the pool is full
        ask(2, 3, 65, 1, true), // and never was so large
        ask(3, 4, 65, 0, true),
    ];
    let ran = run_on(&board, &["gpu", "vpu"], &[vec![], vec![]], "drop", &ops);
    assert_eq!(ran.answers(), [granted(1024), REFUSED, REFUSED, granted(0)]);
    assert_eq!(ran.steps.iter().map(|seen| seen.area).collect::<Vec<_>>(), [1, 1, 1, 0]);
    ran.check(&[("exhausted", "1"), ("too_large", "1"), ("withheld_per_request", "0.000000")]);
}

#[test]
fn one_page_goes_past_the_default_area_but_not_past_a_pool() {
    let board = board(&[(1024, &[]), (64, &["vpu"])], "dma-direct");
    let part = Op::Free { id: 6, part: Some(Part { offset: 0, count: 1 }) };
    let ops = [
        ask(0, 1, 1, 0, true),
        ask(1, 2, 1, 1, true),
        ask(2, 3, 1, 0, false), // not through the DMA API
        ask(3, 4, 2, 0, true),
        ask(4, 1, 1, 0, true), // it is live elsewhere
        free(5, 1),
        free(6, 1),
        ask(7, 6, 1, 0, true),
        Timed { at_us: 8, op: part },
        free(9, 6),
    ];
    let ran = run_on(&board, &["gpu", "vpu"], &[vec![], vec![]], "drop", &ops);
    let expected = [
        Answer::Bypassed,
        granted(1024),
        granted(0),
        granted(1),
        Answer::IdInUse,
        Answer::FreedElsewhere,
        Answer::NothingToFree,
        Answer::Bypassed,
        Answer::FreedElsewhere,
        Answer::NothingToFree,
    ];
    assert_eq!(ran.answers(), expected);
    // Those that went past it are neither requests nor LOAD.
    ran.check(&[("requests", "3"), ("bypassed", "2"), ("load_max_pages", "4")]);
    ran.check(&[("fell_back", "0"), ("unserved", "0"), ("requests_to_first_unserved", "")]);
}

#[test]
fn a_caller_without_a_way_out_takes_one_page_from_the_area() {
    for caller in CALLERS.iter().filter(|caller| caller.fallback_pages == 0) {
        let board = board(&[(4, &[])], caller.name);
        let ops = [ask(0, 1, 1, 0, true), ask(1, 2, 4, 0, true)];
        let ran = run_on(&board, &["x"], &[vec![]], "drop", &ops);
        assert_eq!(ran.answers(), [granted(0), REFUSED], "{}", caller.name);
        ran.check(&[("unserved", "1"), ("fell_back", "0")]);
    }
    assert!(CALLERS.len() > 4);
}

#[test]
fn the_page_allocator_helps_out_up_to_order_10_and_only_through_the_dma_api() {
    for (pool, client) in [(false, 0), (true, 1)] {
        let board = board(&[(512, &[]), (512, &["vpu"])], "dma-direct");
        let ops = [
            ask(0, 1, 1024, client, true),
            ask(10, 2, 1025, client, true),
            ask(20, 3, 1024, client, false),
            free(30, 1),
        ];
        let ran = run_on(&board, &["gpu", "vpu"], &[vec![], vec![]], "drop", &ops);
        assert_eq!(ran.answers(), [REFUSED, REFUSED, REFUSED, Answer::FreedElsewhere], "{pool}");
        let fell_back: Vec<_> = ran.steps.iter().map(|seen| seen.fell_back).collect();
        assert_eq!(fell_back, [true, false, false, false]);
        ran.check(&[
            ("refused", "3"),
            ("fell_back", "1"),
            ("unserved", "2"),
            ("requests_to_first_failure", "1"),
            ("time_to_first_failure_us", "0"),
            ("requests_to_first_unserved", "2"),
            ("time_to_first_unserved_us", "10"),
        ]);
    }
}

#[test]
fn a_request_that_the_page_allocator_serves_is_no_failure() {
    let board = board(&[(8, &[])], "dma-direct");
    let ops = [ask(0, 1, 8, 0, true), ask(0, 2, 8, 0, true), free(5, 1), free(6, 2)];
    for after_failure in ["drop", "retry:every_ms=1,times=3", "session", "next:back=1", "reboot"] {
        let ran = run_on(&board, &["x"], &[vec![]], after_failure, &ops);
        let freed = Answer::Freed(cma_policies::Run::new(0, 8));
        let expected = [granted(0), REFUSED, freed, Answer::FreedElsewhere];
        assert_eq!(ran.answers(), expected, "{after_failure}");
    }
}

#[test]
fn the_more_exact_name_of_a_client_wins() {
    let mut board = board(&[(8, &[]), (8, &["camera"]), (8, &["camera1"])], "cma-only");
    let direct = Caller::find("dma-direct").unwrap();
    let heap = Caller::find("dma-heap").unwrap();
    board.callers = vec![("camera".into(), heap), ("camera1".into(), direct)];
    let way = |client: &str| {
        let way = board.way(client);
        (way.area, way.private, way.caller.name)
    };
    assert_eq!(way("camera0"), (1, true, "dma-heap"));
    assert_eq!(way("camera"), (1, true, "dma-heap"));
    assert_eq!(way("camera1"), (2, true, "dma-direct"));
    assert_eq!(way("camera12"), (1, true, "dma-heap"));
    assert_eq!(way("cam"), (0, false, "cma-only"));
    let clients = ["camera7".to_string()].into();
    assert_eq!(board.unknown_clients(&clients).collect::<Vec<_>>(), ["camera1"]);
}

/// Two areas of 16 pages. The first is that of `metrics.rs`: three buffers of 4, the middle one
/// goes, then 8 pages do not fit; in the second 16 pages are live from 5 to 90.
#[test]
fn each_area_is_measured_for_itself() {
    let board = board(&[(16, &[]), (16, &["vpu"])], "cma-only");
    let ops = [
        alloc(0, 1, 4),
        ask(5, 9, 16, 1, false),
        alloc(10, 2, 4),
        alloc(20, 3, 4),
        free(30, 2),
        alloc(40, 4, 8),  // fragmentation: F = 8, L = 4
        alloc(50, 5, 9),  // exhausted
        alloc(60, 6, 17), // too large
        free(90, 9),
        free(100, 1),
    ];
    let ran = run_on(&board, &["gpu", "vpu"], &[vec![8], vec![4]], "drop", &ops);
    ran.check(&[
        // 70 of 100 us for the first, never for the second: nothing or everything is free there.
        ("probe_unavailable_time", "0.350000"),
        // 0.833333 and 0.
        ("unusable_free", "0.416666"),
        ("utilisation_at_first_failure", "0.750000"), // 8 + 16 of 32
        ("free_at_first_failure_pages", "8"),
        ("longest_run_at_first_failure_pages", "4"),
        ("requests_to_first_failure", "5"),
        ("live_max_pages", "28"),
        ("high_water_pages", "28"),
        ("load_max_pages", "58"), // 4 + 4 + 8 + 9 + 17 + 16
        ("load_measured", "1.812500"),
        ("aligned_load_max_pages", "58"), // 42 and 16
        ("structural", "1"),
        ("withheld_per_request", "0.142857"),
    ]);
}

/// What went past the area is no request: it does not count up to the first that nobody served.
#[test]
fn requests_are_counted_up_to_the_first_that_nobody_serves() {
    let board = board(&[(8, &[])], "dma-direct");
    let ops = [
        ask(5, 1, 1, 0, true), // past the area
        ask(6, 2, 8, 0, true),
        ask(7, 3, 2, 0, true), // falls back
        ask(8, 4, 2, 0, false),
    ];
    let ran = run_on(&board, &["x"], &[vec![]], "drop", &ops);
    assert_eq!(ran.answers(), [Answer::Bypassed, granted(0), REFUSED, REFUSED]);
    ran.check(&[
        ("requests", "3"),
        ("bypassed", "1"),
        ("fell_back", "1"),
        ("requests_to_first_failure", "2"),
        ("requests_to_first_unserved", "3"),
        ("time_to_first_unserved_us", "3"),
    ]);
}

#[test]
fn what_goes_back_to_a_pool_is_there_for_the_next() {
    let board = board(&[(64, &[]), (64, &["vpu"])], "dma-direct");
    let part = Op::Free { id: 2, part: Some(Part { offset: 0, count: 24 }) };
    let ops = [
        ask(0, 1, 64, 1, true),
        free(1, 1),
        ask(2, 2, 64, 1, true),
        Timed { at_us: 3, op: part },
        ask(4, 3, 24, 1, true),
        // Elsewhere, where a part may go back too.
        ask(5, 4, 100, 0, true),
        Timed { at_us: 6, op: Op::Free { id: 4, part: Some(Part { offset: 0, count: 60 }) } },
        free(7, 4),
        free(8, 4),
    ];
    let ran = run_on(&board, &["gpu", "vpu"], &[vec![], vec![]], "drop", &ops);
    let freed = |pfn, count| Answer::Freed(cma_policies::Run::new(pfn, count));
    let expected = [
        granted(64),
        freed(64, 64),
        granted(64),
        freed(64, 24),
        granted(64),
        REFUSED,
        Answer::FreedElsewhere,
        Answer::FreedElsewhere,
        Answer::NothingToFree,
    ];
    assert_eq!(ran.answers(), expected);
    assert_eq!(ran.steps[1].area, 1);
}

/// Each start makes its areas anew, and knows which it is.
#[test]
fn every_start_has_its_number_and_begins_without_what_came_from_elsewhere() {
    let made = std::cell::RefCell::new(Vec::new());
    let area = cma_policies::Area::single(0, 8, 0).unwrap();
    let make = |index: usize, boot: u64| {
        made.borrow_mut().push((index, boot));
        let policy = cma_policies::builtin::catalog().parse("kernel").unwrap();
        let policy = policy.build(area.clone()).unwrap();
        let witness = Witness::new(&area, policy, Checks::EVERY_OP);
        Slot { witness, pages: Box::new(Pinned::default()) }
    };
    let way = board(&[(8, &[])], "dma-direct").way("x");
    let mut rig = Rig::new(1, vec![way], make);
    let mut step = |op: Timed| rig.step(0, op).unwrap().answer;
    assert_eq!(step(ask(0, 1, 1, 0, true)), Answer::Bypassed);
    rig.reboot().unwrap();
    rig.reboot().unwrap();
    let mut step = |op: Timed| rig.step(0, op).unwrap().answer;
    // The id is free again, and what went past the area before is not given back.
    assert_eq!(step(free(1, 1)), Answer::NothingToFree);
    assert_eq!(step(ask(1, 1, 1, 0, true)), Answer::Bypassed);
    assert_eq!(*made.borrow(), [(0, 0), (0, 1), (0, 2)]);
}
