//! Traces that begin in the middle of what a board did: what was live then replays, whatever of it
//! the trace gives back.

use cma_policies::{Area, Run, dma_align};
use proptest::prelude::*;

use cma_harness::ingest::Geometry;
use cma_harness::reader::Options;

use crate::rig::{Board, Release, before, replayed};

fn areas() -> impl Strategy<Value = Area> {
    // The base of an area is a multiple of a pageblock.
    let one = (0u64..40, 1u64..6, 0u32..4).prop_map(|(base, blocks, order)| {
        let run = Run::new(0x40000 + base * 512, blocks * 512);
        Area::new("pool", order, &[run]).unwrap()
    });
    // The order of search need not be that of the pages.
    let bases = Just([0x40000, 0x60000, 0x80000, 0xa0000]).prop_shuffle();
    let blocks = prop::collection::vec(1u64..3, 2..5);
    let several = (bases, blocks, 0u32..3).prop_map(|(bases, blocks, order)| {
        let ranges = bases.iter().zip(blocks).map(|(base, blocks)| Run::new(*base, blocks * 512));
        Area::new("pool", order, &ranges.collect::<Vec<_>>()).unwrap()
    });
    prop_oneof![2 => one, 1 => several]
}

fn releases() -> impl Strategy<Value = Release> {
    prop_oneof![Just(Release::Alone), Just(Release::Errno), Just(Release::Counts)]
}

/// Whether an event names a page; else the area is not known by them.
fn places(board: &Board) -> bool {
    let base = board.map.area().ranges().iter().map(|run| run.pfn.0 >> 16).min();
    let pfns = board.text.split("pfn=").skip(1);
    let pfns = pfns.filter_map(|rest| {
        let digits = rest.trim_start_matches("0x").split(' ').next()?;
        u64::from_str_radix(digits, 16).ok()
    });
    let pfns = pfns.filter(|pfn| *pfn < u64::MAX).map(|pfn| pfn >> 16);
    pfns.max() >= base
}

fn stated(area: &Area) -> Options {
    let ranges = area.ranges().to_vec();
    let (base_pfn, pages, ranges) = match ranges[..] {
        [run] => (Some(run.pfn.0), Some(run.count), None),
        _ => (None, None, Some(cma_harness::ingest::Ranges(ranges))),
    };
    let order_per_bit = Some(area.order_per_bit());
    let geometry = Geometry { base_pfn, pages, order_per_bit, ranges };
    Options { geometry, ..Options::default() }
}

/// What a board does: asks for pages, or gives a buffer back, or a part of one.
fn run(board: &mut Board, steps: &[(u8, u64)], cap: u32) {
    for (kind, draw) in steps {
        let number = board.live.keys().nth((*draw as usize) % board.live.len().max(1)).copied();
        match (kind % 5, number) {
            (0..3, _) => {
                let count = [1, 3, 17, 32, 51, 65, 100, 161, 257, 320][(*draw % 10) as usize];
                // Some drivers name an order of their own.
                let align = [0, 1, 5, 9].get((*kind / 5) as usize);
                board.alloc(count, align.copied().unwrap_or_else(|| dma_align(count, cap)));
            }
            (3, Some(number)) if board.map.area().order_per_bit() == 0 && *kind < 64 => {
                board.free_part(number, 1 + draw % 64);
            }
            (_, Some(number)) => board.free(number),
            (_, None) => {}
        }
    }
}

/// A board of one area of 512 pages on which this is done before the trace, and that in it.
fn cut(release: Release, order: u32, unseen: &[u64], seen: &[(u64, bool)]) -> Board {
    let area = Area::new("pool", order, &[Run::new(0x40000, 512)]).unwrap();
    let mut board = Board::new(area, release);
    let asked: Vec<_> = unseen.iter().map(|count| board.alloc(*count, 0).unwrap()).collect();
    // The first one is gone when the trace begins.
    board.free(asked[0]);
    board.forget();
    for (count, is_granted) in seen {
        assert_eq!(board.alloc(*count, 0).is_some(), *is_granted, "{count}");
    }
    board
}

#[test]
fn a_refused_call_passed_over_what_lies_past_all_that_its_trace_touches() {
    let board = cut(Release::Alone, 0, &[100, 300], &[(100, true), (200, false)]);
    let options = stated(board.map.area());
    let found = replayed(&board.trace(), &options);
    assert_eq!(found.different, 0, "{:#?}\n{}", found.first, board.text);
}

#[test]
fn a_call_in_a_later_range_passed_over_all_of_an_earlier_one_that_lies_past_it() {
    let ranges = [Run::new(0x80000, 512), Run::new(0x60000, 512)];
    let mut board = Board::new(Area::new("pool", 0, &ranges).unwrap(), Release::Errno);
    board.alloc(500, 0).unwrap();
    board.forget();
    board.alloc(65, 2).unwrap();
    assert!(board.text.contains("pfn=0x60000"), "{}", board.text);
    let found = replayed(&board.trace(), &stated(board.map.area()));
    assert_eq!(found.different, 0, "{:#?}\n{}", found.first, board.text);
}

/// The first lines of a trace file whose ring has no more room for the oldest events.
const OVERRUN: &str = "# tracer: nop\n#\n# entries-in-buffer/entries-written: 5/900   #P:1\n#\n";

#[test]
fn what_a_ring_lost_before_its_first_event_is_the_beginning_of_the_trace() {
    let mut board = cut(Release::Alone, 0, &[1, 8], &[]);
    board.text.push_str(OVERRUN);
    board.alloc(4, 2).unwrap();
    assert!(board.text.contains("pfn=4000c"), "{}", board.text);
    let found = replayed(&board.trace(), &stated(board.map.area()));
    assert_eq!(found.different, 0, "{:#?}\n{}", found.first, board.text);
}

/// A call that passed over 100 pages; then events are lost, in which these are given back and so
/// many granted past it.
fn lossy(release: Release, granted: u64) -> (Board, Option<u64>) {
    let mut board = Board::new(Area::new("pool", 0, &[Run::new(0x40000, 512)]).unwrap(), release);
    let unseen = board.alloc(100, 0).unwrap();
    board.forget();
    board.alloc(300, 0).unwrap();
    let kept = board.text.len();
    let lost = board.alloc(granted, 0);
    board.free(unseen);
    board.text.truncate(kept);
    board.text.push_str("CPU:0 [LOST 4 EVENTS]\n");
    (board, lost)
}

#[test]
fn what_is_granted_after_a_loss_may_have_been_taken_before() {
    let (mut board, _) = lossy(Release::Errno, 1);
    board.alloc(32, 0).unwrap();
    assert!(board.text.contains("pfn=0x40000 "), "{}", board.text);
    let found = replayed(&board.trace(), &stated(board.map.area()));
    assert_eq!(found.different, 0, "{:#?}\n{}", found.first, board.text);
}

#[test]
fn what_is_given_back_after_a_loss_was_not_live_where_the_counter_had_less_taken() {
    for (granted, words) in
        [(110, ""), (60, "60 pages of them were given back after events were lost")]
    {
        let (mut board, lost) = lossy(Release::Counts, granted);
        board.free(lost.unwrap());
        let options = stated(board.map.area());
        let found = replayed(&board.trace(), &options);
        assert_eq!(found.different, 0, "{:#?}\n{}", found.first, board.text);
        let (runs, said) = before(&board.trace(), &options);
        assert_eq!(runs.iter().map(|run| run.count).sum::<u64>(), 100, "{said}");
        assert_eq!(said.contains("after events were lost"), !words.is_empty(), "{said}");
        assert!(said.contains(words), "{said}");
        assert_eq!(said.matches("in no event").count(), 1, "{said}");
    }
}

#[test]
fn the_counter_says_how_much_was_taken_where_a_bit_is_of_several_pages_too() {
    let board = cut(Release::Counts, 2, &[8, 492], &[(8, true), (32, false)]);
    let options = stated(board.map.area());
    let found = replayed(&board.trace(), &options);
    assert_eq!(found.different, 0, "{:#?}\n{}", found.first, board.text);
    assert_eq!(before(&board.trace(), &options).0.iter().map(|run| run.count).sum::<u64>(), 492);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn a_trace_that_begins_at_any_moment_replays(
        area in areas(),
        release in releases(),
        cap in 2u32..9,
        unseen in prop::collection::vec((any::<u8>(), any::<u64>()), 0..60),
        steps in prop::collection::vec((any::<u8>(), any::<u64>()), 1..150),
    ) {
        let mut board = Board::new(area.clone(), release);
        run(&mut board, &unseen, cap);
        let taken: Vec<Run> = board.live.values().copied().collect();
        board.forget();
        run(&mut board, &steps, cap);
        prop_assume!(places(&board));
        let options = stated(&area);
        let found = replayed(&board.trace(), &options);
        prop_assert_eq!(found.different, 0, "{:#?}\n{}", found.first, board.text);
        // Nothing is put where the trace shows that nothing was; the counter says how much there was.
        let (runs, words) = before(&board.trace(), &options);
        let pages = |runs: &[Run]| runs.iter().map(|run| run.count).sum::<u64>();
        let is_counted = release == Release::Counts && board.text.contains("cma_alloc_start");
        if is_counted && area.order_per_bit() == 0 {
            prop_assert_eq!(pages(&runs), pages(&taken), "{}\n{}", words, board.text);
        }
    }

    #[test]
    fn a_ring_that_was_overrun_replays_as_one_that_begins_late(
        area in areas(),
        release in releases(),
        cap in 2u32..9,
        unseen in prop::collection::vec((any::<u8>(), any::<u64>()), 0..60),
        steps in prop::collection::vec((any::<u8>(), any::<u64>()), 1..150),
    ) {
        let mut board = Board::new(area.clone(), release);
        run(&mut board, &unseen, cap);
        board.forget();
        board.text.push_str(OVERRUN);
        run(&mut board, &steps, cap);
        prop_assume!(places(&board));
        let found = replayed(&board.trace(), &stated(&area));
        prop_assert_eq!(found.different, 0, "{:#?}\n{}", found.first, board.text);
    }

    #[test]
    fn up_to_where_events_are_lost_it_replays(
        area in areas(),
        release in releases(),
        cap in 2u32..9,
        unseen in prop::collection::vec((any::<u8>(), any::<u64>()), 0..60),
        steps in prop::collection::vec((any::<u8>(), any::<u64>()), 1..80),
        lost in prop::collection::vec((any::<u8>(), any::<u64>()), 1..40),
        after in prop::collection::vec((any::<u8>(), any::<u64>()), 1..80),
    ) {
        let mut board = Board::new(area.clone(), release);
        run(&mut board, &unseen, cap);
        board.forget();
        run(&mut board, &steps, cap);
        prop_assume!(places(&board));
        let kept = board.text.len();
        let line = board.text.lines().count() as u64;
        run(&mut board, &lost, cap);
        board.text.truncate(kept);
        board.text.push_str("CPU:0 [LOST 9 EVENTS]\n");
        run(&mut board, &after, cap);
        let found = replayed(&board.trace(), &stated(&area));
        let first = found.first_different.as_ref().map(|(one, _)| one.line);
        prop_assert!(first.is_none_or(|at| at > line), "{:?} {:#?}\n{}",
            before(&board.trace(), &stated(&area)), found.first, board.text);
    }

    /// What nothing states is taken by the pages seen.
    #[test]
    fn it_replays_where_nothing_states_the_area(
        release in releases(),
        cap in 4u32..9,
        unseen in prop::collection::vec((any::<u8>(), any::<u64>()), 0..30),
        steps in prop::collection::vec((any::<u8>(), any::<u64>()), 1..150),
    ) {
        let area = Area::new("pool", 0, &[Run::new(0x7a000, 2048)]).unwrap();
        let mut board = Board::new(area, release);
        run(&mut board, &unseen, cap);
        board.forget();
        run(&mut board, &steps, cap);
        prop_assume!(places(&board));
        let found = replayed(&board.trace(), &Options::default());
        prop_assert_eq!(found.different, 0, "{:#?}\n{}", found.first, board.text);
    }
}
