//! The streams of `corpora/regressions/` that came out of shrinking, by name.

use std::fs;

use cma_harness::cause::Cause;
use cma_harness::ingest::Source;
use cma_harness::op::{Op, Timed};
use cma_harness::shrink::{Goal, Item, Limits, Refusal, Seen, Subject, find, stream_test};
use cma_policies::{Area, Request};

use super::{LIMITS, Setup, assert_minimal, corpora};

const KEEPS_SIZES: Limits = Limits { area: true, sizes: false, ..LIMITS };

/// The goal that is to keep the refusal at `line`.
fn goal_at(setup: &Setup, subject: &Subject, line: u64) -> Goal {
    let (found, _) = find(subject, &setup.under(), 1 << 20).unwrap();
    let found = found.iter().find(|found| found.line == line).expect("a refusal");
    Goal::Refusal {
        cause: found.cause,
        free_pages: found.free_pages,
        area_pages: subject.area.pages(),
        tolerance_ppm: 0,
    }
}

/// What the committed stream ends with: the one that `subject` shrinks to, to the byte, and of
/// which no op can go.
fn check(name: &str, setup: &Setup, subject: &Subject, goal: Goal, limits: Limits) -> Refusal {
    let path = corpora().join("regressions").join(name);
    let text = fs::read_to_string(&path).unwrap();
    let shrunk = setup.shrunk(subject, goal, limits);
    assert_eq!(setup.written(&shrunk), text, "{name}");
    assert_minimal(setup, &shrunk, goal);
    let again = setup.read(&Source::file(&path));
    assert!(again.items.len() <= 12, "{name} has {} ops", again.items.len());
    let refusal = again.last_refusal(&setup.under()).unwrap().expect("it is refused");
    assert_eq!(Seen::Refused(refusal.clone()), shrunk.seen);
    refusal
}

fn shown(refusal: &Refusal) -> (Cause, u64, u32, u64, u64) {
    let Refusal { cause, request, free_pages, area_pages, .. } = refusal;
    (*cause, request.count(), request.align(), *free_pages, *area_pages)
}

/// As many buffers of 257 pages as NXP's area has room for, and more.
fn imx() -> Subject {
    let request = Request::new(257, 8).unwrap();
    let item = |id| {
        let op = Op::Alloc { id, request, dma: true };
        Item { timed: Timed { at_us: id, op }, ending: None, line: id + 1 }
    };
    let area = Area::single(0, 286_720, 0).unwrap();
    Subject { area, clients: vec!["resident".into()], items: (0..600).map(item).collect() }
}

#[test]
fn half_of_an_area_of_buffers_of_257_pages_is_of_no_use() {
    let (setup, subject) = (Setup::new("kernel", 8), imx());
    let goal = setup.goal(&subject).unwrap();
    // 286720 - 560 * 257 pages.
    let Goal::Refusal { cause, free_pages, .. } = goal else { unreachable!() };
    assert_eq!((cause, free_pages), (Cause::Fragmentation, 142_800));
    let refusal = check("257-pages-at-cap-8.csv", &setup, &subject, goal, KEEPS_SIZES);
    // Two slots of 512 pages; with one, fewer pages would be free than are asked for.
    assert_eq!(shown(&refusal), (Cause::Fragmentation, 257, 8, 2 * 255, 1024));
}

#[test]
fn one_buffer_between_two_holes_keeps_65_pages_out_of_128() {
    let setup = Setup::new("kernel", 8);
    let subject = setup.read(&Source::file(&corpora().join("recordings/6.12/text/frag.csv.gz")));
    let goal = setup.goal(&subject).unwrap();
    let refusal = check("comb-of-64-pages.csv", &setup, &subject, goal, KEEPS_SIZES);
    assert_eq!(shown(&refusal), (Cause::Fragmentation, 65, 0, 128, 256));
}

#[test]
fn a_buddy_has_no_block_for_3038_pages_of_3328_in_a_row() {
    let setup = Setup::new("buddy", 8);
    let subject = setup.read(&Source::file(&corpora().join("recordings/6.12/mix-a1-dma8.csv.gz")));
    let goal = goal_at(&setup, &subject, 222);
    let name = "buddy-has-no-block-for-3038-pages.csv";
    let refusal = check(name, &setup, &subject, goal, KEEPS_SIZES);
    // 4096 - 765 pages are free, those from 768 on in a row; the other half of 4096 has 2048.
    assert_eq!(shown(&refusal), (Cause::Policy, 3038, 8, 4096 - 765, 4096));
}

#[test]
fn the_test_that_is_written_is_the_one_that_runs_here() {
    let setup = Setup::new("kernel", 8);
    let path = corpora().join("regressions/257-pages-at-cap-8.csv");
    let refusal = setup.read(&Source::file(&path)).last_refusal(&setup.under()).unwrap().unwrap();
    let text = fs::read_to_string(path).unwrap();
    let test = stream_test(&text, &setup.under(), ("pinned", 0), &Seen::Refused(refusal));
    assert_eq!(test, include_str!("../shrunk_257_pages_at_cap_8.rs"));
}
