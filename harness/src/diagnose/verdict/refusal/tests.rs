use super::super::super::assemble::script::{NO_PFN, Script, whole};
use crate::diagnose::{Fit, Hole, Options, Place, Why};
use crate::ingest::log::{FreeRuns, Origin, Page, RangeRuns, Record, Shape};

/// 300 pages at order 8 find no aligned place; 256 do.
const HOLED: &[(u64, u64)] = &[(300, 40), (511, 513), (20, 1300)];

fn one(shape: Shape, count: u64, ret: i32, runs: Option<&[(u64, u64)]>) -> String {
    let mut script = Script::new().fail(shape, count, ret);
    if let Some(runs) = runs {
        script = script.list(runs, 2048);
    }
    script.words().remove(0)
}

#[test]
fn the_line_and_the_list() {
    use Shape::{Fragment, Inner, Named, Unnamed};
    let empty: &[(u64, u64)] = &[];
    let table = [
        // Up to 6.14.
        (Named, 2000, -12, Some(HOLED), "exhausted certain"),
        (Named, 16, -12, Some(empty), "exhausted certain"),
        (Unnamed, 600, -12, Some(HOLED), "fragmentation certain"),
        // The order is what the DMA API would ask for.
        (Named, 300, -12, Some(HOLED), "alignment likely"),
        (Named, 200, -12, Some(HOLED), "migration likely"),
        (Named, 2049, -12, Some(HOLED), "too_large likely"),
        (Named, 2000, -16, Some(HOLED), "busy certain"),
        (Named, 16, -16, None, "busy certain"),
        (Named, 16, -4, None, "interrupted certain"),
        (Named, 16, -22, None, "undecidable"),
        (Named, 16, -12, None, "undecidable"),
        (Named, 1, -12, None, "undecidable"),
        // `__cma_alloc` and a list in one record: 6.12 to 6.14.
        (Inner, 600, -12, Some(HOLED), "fragmentation certain"),
        (Inner, 600, -16, Some(HOLED), "busy certain"),
        (Inner, 600, -16, None, "undecidable"),
        (Inner, 600, -12, None, "undecidable"),
        (Fragment, 600, -12, None, "undecidable"),
    ];
    for (shape, count, ret, runs, said) in table {
        assert_eq!(one(shape, count, ret, runs), said, "{shape:?} {count} {ret} {runs:?}");
    }
}

fn ranged(runs: &[(u64, u64)]) -> FreeRuns {
    FreeRuns { ranged: true, ..whole(runs, 2048) }
}

#[test]
fn from_6_15_on_the_meaning_flips() {
    let table = [
        (600, -16, Some(HOLED), "fragmentation certain"),
        (1024, -16, Some(HOLED), "exhausted certain"),
        (300, -16, Some(HOLED), "alignment likely"),
        (200, -16, Some(HOLED), "busy likely"),
        (4096, -16, Some(HOLED), "too_large certain"),
        (600, -12, Some(HOLED), "migration certain"),
        (600, -16, None, "undecidable"),
        (600, -12, None, "migration certain"),
    ];
    for (count, ret, runs, said) in table {
        let mut script = Script::new().fail(Shape::Frozen, count, ret);
        if let Some(runs) = runs {
            script = script.say(Record::FreeRuns(ranged(runs)));
        }
        assert_eq!(script.words(), [said], "{count} {ret} {runs:?}");
    }
}

#[test]
fn the_user_names_the_kernel_where_the_text_does_not() {
    for (kernel, said) in [("6.12", "busy certain"), ("6.18", "undecidable")] {
        let kernel = Some(kernel.to_string());
        let options = Options { kernel, ..Options::default() };
        let script = Script::with(&options).fail(Shape::Inner, 600, -16);
        assert_eq!(script.words(), [said], "{options:?}");
    }
}

#[test]
fn an_order_that_is_stated_makes_alignment_certain() {
    let script = Script::new()
        .start(Origin::Debug, 300, 8)
        .fail(Shape::Named, 300, -12)
        .list(HOLED, 2048)
        .returned(Page::Null);
    let failure = script.only();
    assert_eq!((failure.verdict_name(), failure.confidence.name()), ("alignment", "certain"));
    let hole = Hole { start: 513, count: 511 };
    assert_eq!((failure.why, failure.room.unwrap().need), (Why::Room, 300));
    assert_eq!(failure.room.unwrap().place, Some(Place { range: None, hole, at: 768 }));
    let fit = failure.would_fit.unwrap();
    assert_eq!((fit.max_align, fit.at), (Some(7), Some(640)));
    assert_eq!(fit.largest_count_at_this_align, 256);
}

#[test]
fn a_claim_that_is_shown_to_fail_is_migration_for_certain() {
    // The list has room, and no claim was busy.
    let script = Script::new()
        .start(Origin::Debug, 200, 8)
        .fail(Shape::Named, 200, -12)
        .list(HOLED, 2048)
        .returned(Page::Null);
    assert_eq!(script.words(), ["migration certain"]);
    // One was busy, the next one got no memory.
    let script = Script::new()
        .at(7_000_100)
        .start(Origin::Debug, 200, 8)
        .busy(Origin::Debug, Some(0x40100))
        .at(7_000_900)
        .fail(Shape::Named, 200, -12);
    assert_eq!(script.words(), ["migration certain"]);
    // The page that was tried.
    let script = Script::new().start(Origin::Trace, 200, 8).finish(
        Some(0x40100),
        (200, 8),
        Some(-12),
        Page::Null,
    );
    assert_eq!(script.words(), ["migration certain"]);
}

#[test]
fn a_trace_that_tried_no_page_found_none() {
    let failed = |count: u64, align| {
        Script::new().start(Origin::Trace, count, align).finish(
            NO_PFN,
            (count, align),
            Some(-12),
            Page::Null,
        )
    };
    assert_eq!(failed(200, 8).words(), ["undecidable"]);
    assert_eq!(failed(1, 0).words(), ["exhausted certain"]);
    // Found by fuzzing: its list has free pages.
    let listed = |runs| failed(1, 0).fail(Shape::Named, 1, -12).list(runs, 2048).words();
    assert_eq!(listed(&[(4, 100)]), ["exhausted likely"]);
    assert_eq!(listed(&[(4, 5000)]), ["exhausted likely"], "past the end of the area");
    assert_eq!(listed(&[]), ["exhausted certain"]);
}

#[test]
fn android_may_say_12_after_a_busy_pass() {
    let script = |release: &str| {
        Script::new().kernel(release).fail(Shape::Named, 600, -12).list(HOLED, 2048)
    };
    assert_eq!(script("5.15.41-android13-8").words(), ["fragmentation likely"]);
    assert_eq!(script("5.15.41").words(), ["fragmentation certain"]);
    let debug = Script::new()
        .kernel("5.15.41-android13-8")
        .start(Origin::Debug, 600, 8)
        .fail(Shape::Named, 600, -12)
        .list(HOLED, 2048);
    assert_eq!(debug.words(), ["fragmentation certain"]);
    let busy = Script::new()
        .kernel("5.15.41-android13-8")
        .start(Origin::Debug, 600, 8)
        .busy(Origin::Debug, None)
        .fail(Shape::Named, 600, -12)
        .list(HOLED, 2048);
    assert_eq!(busy.words(), ["fragmentation likely"]);
}

#[test]
fn a_vendor_that_does_not_say_so_may_have_slept() {
    let script = |gap_us: u64, runs: Option<&[(u64, u64)]>| {
        let script = Script::new()
            .at(7_000_100)
            .start(Origin::Debug, 600, 8)
            .busy(Origin::Debug, Some(0x40100))
            .at(7_000_100 + gap_us)
            .fail(Shape::Named, 600, -12);
        let script = match runs {
            Some(runs) => script.list(runs, 2048),
            None => script,
        };
        script.words()
    };
    assert_eq!(script(500, Some(HOLED)), ["migration certain"]);
    assert_eq!(script(110_000, Some(HOLED)), ["fragmentation likely"]);
    assert_eq!(script(110_000, Some(&[(1001, 512)])), ["migration likely"]);
    assert_eq!(script(110_000, None), ["migration likely"]);
    // The page that was tried last was busy, and still -12: ret was set back.
    let script = Script::new()
        .start(Origin::Trace, 600, 8)
        .busy(Origin::Trace, Some(0x40100))
        .finish(Some(0x40100), (600, 8), Some(-12), Page::Null);
    assert_eq!(script.words(), ["undecidable"]);
}

#[test]
fn one_page_of_an_order_is_more_than_one_page() {
    let failed = |align| {
        let script = Script::new().start(Origin::Trace, 1, align);
        script.finish(NO_PFN, (1, align), Some(-12), Page::Null)
    };
    assert_eq!(failed(0).words(), ["exhausted certain"]);
    assert_eq!(failed(4).words(), ["undecidable"]);
}

#[test]
fn a_list_that_another_order_per_bit_explains_too() {
    // At order 1, 18@24 are pages 48 to 65.
    let script = |runs: &[(u64, u64)]| {
        let script = Script::new().start(Origin::Debug, 16, 4);
        script.fail(Shape::Named, 16, -12).list(runs, 256).returned(Page::Null)
    };
    assert_eq!(script(&[(8, 3), (18, 24)]).words(), ["alignment likely"]);
    assert_eq!(script(&[(7, 3), (18, 24)]).words(), ["alignment certain"]);
    assert_eq!(script(&[(8, 3), (18, 232)]).words(), ["alignment certain"]);
    assert_eq!(script(&[(8, 3), (14, 24)]).words(), ["fragmentation certain"]);
}

#[test]
fn pages_that_move_before_the_list_is_printed() {
    let released = || {
        let (origin, area, pfn, count) = (Origin::Debug, None, None, Some(1024));
        Record::Release { origin, area, pfn, count }
    };
    let room: &[(u64, u64)] = &[(1025, 512)];
    let script = |before: bool, after: bool| {
        let mut script = Script::new();
        if before {
            script = script.say(released());
        }
        script = script.task(1).start(Origin::Debug, 200, 8);
        if after {
            script = script.task(2).say(released()).task(1);
        }
        script.fail(Shape::Named, 200, -12).list(room, 2048).returned(Page::Null).words()
    };
    assert_eq!(script(false, false), ["migration certain"]);
    assert_eq!(script(true, false), ["migration certain"]);
    assert_eq!(script(false, true), ["migration likely"]);
    let granted = Script::new()
        .task(1)
        .start(Origin::Debug, 200, 8)
        .fail(Shape::Named, 200, -12)
        .task(2)
        .start(Origin::Debug, 900, 8)
        .returned(Page::Some)
        .task(1)
        .list(&[(125, 512)], 2048);
    assert_eq!(granted.words(), ["exhausted likely"]);
}

#[test]
fn a_cut_list_shows_what_fits_and_never_what_does_not() {
    let cut = |count, ret| {
        let list = FreeRuns { cut: true, free: Some(9000), ..whole(HOLED, 20_000) };
        Script::new().fail(Shape::Named, count, ret).say(Record::FreeRuns(list)).words()
    };
    assert_eq!(cut(200, -12), ["migration likely"]);
    assert_eq!(cut(600, -12), ["undecidable"]);
    assert_eq!(cut(300, -12), ["undecidable"]);
    assert_eq!(cut(9001, -12), ["exhausted certain"]);
}

#[test]
fn a_print_of_the_search_shows_that_nothing_is_left() {
    let script = |search: bool, runs: &[(u64, u64)]| {
        let mut script = Script::new().start(Origin::Debug, 300, 8);
        if search {
            let (size, nr, mask, offset) = (20_000, 300, 255, 0);
            let (index, end) = (19_968, 20_268);
            script = script.say(Record::Search { size, nr, mask, offset, index, end });
        }
        let ranges = vec![RangeRuns { range: 0, runs: runs.to_vec() }];
        let list = FreeRuns { cut: true, head: true, ranges, ..FreeRuns::default() };
        script.fail(Shape::Unnamed, 300, -12).say(Record::FreeRuns(list))
    };
    let failure = script(true, HOLED).only();
    assert_eq!((failure.verdict_name(), failure.confidence.name()), ("alignment", "certain"));
    assert_eq!(failure.list.unwrap().total, Some(20_000));
    assert_eq!(script(true, &[(20, 1300)]).words(), ["undecidable"]);
    assert_eq!(script(false, HOLED).words(), ["undecidable"]);
}

#[test]
fn sizes_without_positions_decide_what_needs_none() {
    let unplaced = |count| {
        let list = FreeRuns { unplaced: true, ..whole(&[(4, 0), (166, 0), (127, 0)], 2048) };
        Script::new().fail(Shape::Unnamed, count, -12).say(Record::FreeRuns(list)).words()
    };
    assert_eq!(unplaced(256), ["fragmentation certain"]);
    assert_eq!(unplaced(300), ["exhausted certain"]);
    assert_eq!(unplaced(100), ["undecidable"]);
    assert_eq!(unplaced(1), ["migration likely"]);
    assert_eq!(unplaced(5), ["migration likely"]);
}

#[test]
fn an_order_above_the_pageblock_needs_the_base() {
    let script = |base: Option<u64>| {
        let mut script = Script::new();
        if let Some(base) = base {
            script = script.debugfs(crate::ingest::log::DebugfsFile::BasePfn(base));
        }
        script
            .start(Origin::Debug, 100, 10)
            .fail(Shape::Named, 100, -12)
            .list(&[(600, 512), (3, 1200)], 2048)
    };
    let failure = script(None).only();
    assert_eq!(failure.verdict, None);
    assert_eq!((failure.why, failure.room.unwrap().fit), (Why::Room, Fit::Base));
    assert_eq!(script(Some(0x40000)).words(), ["alignment certain"]);
    assert_eq!(script(Some(0x40200)).words(), ["migration certain"]);
}

#[test]
fn a_count_in_whole_bits() {
    // order_per_bit 2: 16@4 and 8@10 are pages 16 to 31 and 40 to 47.
    let script =
        |count| Script::new().fail(Shape::Named, count, -12).list(&[(16, 4), (8, 10), (4, 15)], 64);
    assert_eq!(script(17).words(), ["fragmentation certain"]);
    let failure = script(25).only();
    assert_eq!(failure.verdict_name(), "fragmentation");
    assert_eq!(script(29).words(), ["exhausted certain"]);
    assert_eq!(script(29).only().room.unwrap().need, 32);
}

/// In bits of two pages, 636@706 begins at page 1412: then 513 pages at order 8 do not fit.
#[test]
fn a_list_in_bits_of_another_size_is_not_certain() {
    let script = |runs: &[(u64, u64)]| {
        Script::new()
            .start(Origin::Debug, 513, 8)
            .fail(Shape::Named, 513, -12)
            .list(runs, 2048)
            .returned(Page::Null)
    };
    assert_eq!(script(&[(4, 12), (636, 706)]).words(), ["migration likely"]);
    assert_eq!(script(&[(3, 12), (636, 706)]).words(), ["migration certain"]);
    // How much is free, and in how long runs, is the same in all of them.
    assert_eq!(script(&[(4, 12), (36, 706)]).words(), ["exhausted certain"]);
    assert_eq!(script(&[(400, 12), (400, 506)]).words(), ["fragmentation certain"]);
}

#[test]
fn a_line_that_is_cut_and_a_list() {
    let script = |runs: &[(u64, u64)]| {
        let area = Some("reserved".into());
        let line = Record::Failed { shape: Shape::Named, area, count: 600, ret: None };
        Script::new().say(line).list(runs, 2048)
    };
    assert_eq!(script(HOLED).words(), ["fragmentation likely"]);
    assert_eq!(script(&[(1024, 0)]).words(), ["undecidable"]);
}
