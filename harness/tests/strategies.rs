//! What is made for property tests: it is well formed, of all kinds, and shrinks to what matters.

use std::collections::{BTreeMap, BTreeSet};

use cma_harness::codec::Case;
use cma_harness::environment::Pinned;
use cma_harness::op::{Op, Part, Timed};
use cma_harness::oracle::{Checks, Witness};
use cma_harness::simulate::{Answer, simulate};
use cma_harness::strategy::{Any, Areas, Stream, Streams, areas, cases, requests, streams};
use cma_policies::{Area, Request, Run, builtin, dma_align};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{TestError, TestRunner};

/// So many values, the same every time.
fn drawn<T>(strategy: &impl Strategy<Value = T>, count: usize) -> Vec<T> {
    let mut runner = TestRunner::deterministic();
    (0..count).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
}

/// What is left of the first value that is wrong.
fn shrunk<T: std::fmt::Debug>(
    strategy: &impl Strategy<Value = T>,
    is_wrong: impl Fn(&T) -> bool,
) -> T {
    let config = ProptestConfig {
        cases: 2000,
        failure_persistence: None,
        max_shrink_iters: 100_000,
        ..ProptestConfig::default()
    };
    let rng = proptest::test_runner::TestRng::deterministic_rng(config.rng_algorithm);
    let result = TestRunner::new_with_rng(config, rng).run(strategy, |value| {
        prop_assert!(!is_wrong(&value));
        Ok(())
    });
    match result {
        Err(TestError::Fail(_, value)) => value,
        other => panic!("none is wrong: {other:?}"),
    }
}

/// Panics where a stream makes a mistake. The rules are those of its documentation, counted page by
/// page.
fn check(Stream { area, ops }: &Stream, ids_again: bool) {
    assert!(ops.is_sorted_by_key(|timed| timed.at_us), "{ops:?}");
    let mut held: BTreeMap<u64, BTreeSet<u64>> = BTreeMap::new();
    let (mut ever, mut pins) = (BTreeSet::new(), Vec::<Run>::new());
    for timed in ops {
        match timed.op {
            Op::Alloc { id, request, dma } => {
                assert!(held.insert(id, (0..request.count()).collect()).is_none(), "{timed:?}");
                assert!(ever.insert(id) || ids_again, "{timed:?}");
                assert!(!dma || request.align() == dma_align(request.count(), 8), "{timed:?}");
            }
            Op::Free { id, part } => {
                let left = held.get_mut(&id).unwrap_or_else(|| panic!("{timed:?} of nothing"));
                if let Some(Part { offset, count }) = part {
                    assert!(count > 0, "{timed:?}");
                    assert!((offset..offset + count).all(|page| left.remove(&page)), "{timed:?}");
                } else {
                    left.clear();
                }
                if left.is_empty() {
                    held.remove(&id);
                }
            }
            Op::Pin(run) => {
                assert!(run.count > 0 && area.range_of(run).is_some(), "{timed:?} in {area:?}");
                assert!(pins.iter().all(|pin| !pin.overlaps(run)), "{timed:?}: {pins:?}");
                pins.push(run);
            }
            Op::Unpin(run) => {
                let at = pins.iter().position(|pin| *pin == run);
                pins.remove(at.unwrap_or_else(|| panic!("{timed:?}: {pins:?}")));
            }
        }
    }
}

/// Less in them: pages are counted one by one.
fn small() -> Areas {
    Areas { most_granules: 64, most_order: 4, ..Areas::default() }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_stream_makes_no_mistake(
        new in Streams::default().within(&small()),
        again in Streams { ids_again: true, ..Streams::default() }.within(&small()),
    ) {
        check(&new, false);
        check(&again, true);
    }

    #[test]
    fn every_policy_runs_every_stream(stream in streams(), which in 0..builtin::ENTRIES.len()) {
        let Stream { area, ops } = stream;
        let spec = builtin::catalog().parse(builtin::ENTRIES[which].name).unwrap();
        // A policy may have no use for an area.
        let Ok(policy) = spec.build(area.clone()) else { return Ok(()) };
        let mut witness = Witness::new(&area, policy, Checks::EVERY_OP);
        let done = simulate(ops, &mut witness, &mut Pinned::default(), &mut []);
        prop_assert!(done.is_ok(), "{spec}: {done:?}");
    }

    #[test]
    fn a_stream_is_what_was_asked_for(
        ops in Streams {
            most_ops: 9,
            sizes: vec![5, 257],
            dma_only: true,
            clients: 2,
            longest_wait_us: 0,
            parts: false,
            pins: false,
            ..Streams::default()
        }
        .in_area(&Area::single(512, 2048, 0).unwrap()),
    ) {
        prop_assert!((1..=9).contains(&ops.len()));
        for timed in ops {
            prop_assert_eq!(timed.at_us, 0);
            match timed.op {
                Op::Alloc { request, dma, .. } => {
                    prop_assert!(dma && [5, 257].contains(&request.count()));
                    prop_assert!(request.client() < 2);
                }
                Op::Free { part, .. } => prop_assert_eq!(part, None),
                other => prop_assert!(false, "{other:?}"),
            }
        }
    }

    #[test]
    fn an_area_is_what_was_asked_for(
        plain in Areas { most_ranges: 1, most_order: 0, most_granules: 9, off_granule: false }
            .strategy(),
        whole in Areas { off_granule: false, ..Areas::default() }.strategy(),
    ) {
        prop_assert_eq!((plain.ranges().len(), plain.order_per_bit()), (1, 0));
        prop_assert!(plain.pages() <= 9);
        for range in whole.ranges() {
            prop_assert!(range.pfn.0.is_multiple_of(whole.granule()));
            prop_assert!(range.count.is_multiple_of(whole.granule()));
        }
    }

    #[test]
    fn a_case_comes_back_from_its_bytes(case in any::<Case>()) {
        prop_assert_eq!(Case::decode(&case.encode()), case);
    }
}

#[test]
fn areas_are_of_all_kinds_and_most_are_small() {
    let all = drawn(&areas(), 2000);
    let share = |which: fn(&Area) -> bool| all.iter().filter(|area| which(area)).count();
    let counts = [
        share(|area| area.pages() >> area.order_per_bit() <= 64),
        share(|area| area.pages() >> area.order_per_bit() > 300),
        share(|area| area.ranges().len() > 1),
        share(|area| !area.ranges().is_sorted_by_key(|range| range.pfn)),
        share(|area| area.ranges().windows(2).any(|two| two[0].end() == two[1].pfn)),
        share(|area| area.order_per_bit() > 0),
        share(|area| area.order_per_bit() > 8),
        share(|area| !area.ranges()[0].pfn.0.is_multiple_of(area.granule())),
        share(|area| !area.ranges()[0].count.is_multiple_of(area.granule())),
    ];
    println!("{counts:?} of 2000");
    let least = [1000, 100, 500, 300, 100, 500, 25, 100, 40];
    assert!(counts.iter().zip(least).all(|(count, least)| *count >= least), "{counts:?}");
}

#[test]
fn ops_and_requests_are_of_all_kinds() {
    let all = drawn(&streams(), 300);
    let ops: Vec<Timed> = all.iter().flat_map(|stream| stream.ops.iter().copied()).collect();
    let share = |which: fn(&Op) -> bool| ops.iter().filter(|timed| which(&timed.op)).count();
    let counts = [
        share(|op| matches!(op, Op::Alloc { dma: true, .. })),
        share(|op| matches!(op, Op::Alloc { dma: false, .. })),
        share(|op| matches!(op, Op::Free { part: None, .. })),
        share(|op| matches!(op, Op::Free { part: Some(_), .. })),
        share(|op| matches!(op, Op::Pin(_))),
        share(|op| matches!(op, Op::Unpin(_))),
    ];
    println!("{counts:?} of {}", ops.len());
    assert!(counts.iter().all(|count| count * 40 > ops.len()), "{counts:?} of {}", ops.len());
    let still = ops.windows(2).filter(|two| two[0].at_us == two[1].at_us).count();
    assert!(still * 4 > ops.len() && still * 4 < ops.len() * 3, "{still} of {}", ops.len());

    let asked = drawn(&requests(4096), 2000);
    let share = |which: fn(&Request) -> bool| asked.iter().filter(|ask| which(ask)).count();
    let counts = [
        share(|ask| ask.count() <= 4),
        share(|ask| ask.count() > 2048),
        share(|ask| ask.count() > 4096),
        share(|ask| ask.count().is_power_of_two()),
        share(|ask| ask.count() > 16 && (ask.count() - 1).is_power_of_two()),
        share(|ask| ask.align() > 8),
        share(|ask| ask.client() > 0),
    ];
    println!("{counts:?} of 2000");
    assert!(counts.iter().all(|count| *count > 0), "{counts:?}");
    assert!(counts[1] > 100 && counts[3] > 300 && counts[5] > 200, "{counts:?}");
}

#[test]
fn an_area_shrinks_to_one_page_at_page_0_and_what_matters() {
    let left = |is_wrong: fn(&Area) -> bool| shrunk(&areas(), is_wrong);
    assert_eq!(left(|_| true), Area::single(0, 1, 0).unwrap());
    let two = [Run::new(0, 1), Run::new(1, 1)];
    assert_eq!(left(|area| area.ranges().len() > 1).ranges(), two);
    assert_eq!(left(|area| area.pages() > 40), Area::single(0, 41, 0).unwrap());
    let off = left(|area| area.span().pfn.0 % area.granule() > 0);
    assert!(off.ranges().len() == 1 && off.pages() == off.granule(), "{off:?}");
    assert!(off.ranges()[0].pfn.0 < 512 && off.order_per_bit() <= 4, "{off:?}");
}

#[test]
fn a_stream_shrinks_to_the_ops_that_matter() {
    let is_part = |timed: &Timed| matches!(timed.op, Op::Free { part: Some(_), .. });
    let left = shrunk(&streams(), |stream| stream.ops.iter().any(is_part));
    let first = Request::new(1, 0).unwrap();
    let part = Some(Part { offset: 0, count: 1 });
    let ops = [Op::Alloc { id: 0, request: first, dma: true }, Op::Free { id: 0, part }];
    assert_eq!(left.area, Area::single(0, 1, 0).unwrap());
    assert_eq!(left.ops, ops.map(|op| Timed { at_us: 0, op }));
    let held = |stream: &Stream| {
        let allocs = stream.ops.iter().filter(|timed| matches!(timed.op, Op::Alloc { .. }));
        allocs.count() > 4
    };
    let left = shrunk(&streams(), held);
    let asked = |id| Op::Alloc { id, request: first, dma: true };
    assert_eq!(left.ops, [0, 1, 2, 3, 4].map(|id| Timed { at_us: 0, op: asked(id) }));
}

/// A refusal of the kernel's policy although pages are free: as short as one is by hand.
#[test]
fn a_refusal_shrinks_to_a_buffer_and_a_request() {
    struct Refused(bool);
    impl cma_harness::simulate::Observer for Refused {
        fn step(&mut self, step: &cma_harness::simulate::Step<'_>) {
            let fits = step.request().is_some_and(|asked| asked.count() <= step.model.free_pages());
            self.0 |= matches!(step.answer, Answer::Refused(_)) && fits;
        }
    }
    let buffers = Streams { parts: false, pins: false, ..Streams::default() };
    let kernel = builtin::catalog().parse("kernel").unwrap();
    let left = shrunk(&buffers.within(&Areas::default()), |Stream { area, ops }| {
        let policy = kernel.build(area.clone()).unwrap();
        let mut witness = Witness::new(area, policy, Checks::SWEEP);
        let mut seen = Refused(false);
        let ops = ops.iter().copied();
        simulate(ops, &mut witness, &mut Pinned::default(), &mut [&mut seen]).unwrap();
        seen.0
    });
    println!("{left:?}");
    assert!(left.ops.len() <= 2 && left.area.pages() <= 8, "{left:?}");
}

#[test]
fn a_case_shrinks_to_one_act() {
    let left = shrunk(&cases(0..40), |case| !case.acts.is_empty());
    assert_eq!((left.area, left.acts.len()), (Area::single(0, 1, 0).unwrap(), 1));
    let Any(area) = shrunk(&any::<Any<Area>>(), |_| true);
    let Any(request) = shrunk(&any::<Any<Request>>(), |_| true);
    assert_eq!((area.pages(), request.count()), (1, 1));
    assert!(shrunk(&any::<Stream>(), |_| true).ops.len() == 1);
}
