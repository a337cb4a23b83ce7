//! Cases of a fuzzer.

use cma_harness::cause::Cause;
use cma_harness::codec::{Act, Case, Ending, Script};
use cma_harness::op::Op;
use cma_harness::shrink::{Goal, Limits, Seen, from_case};
use cma_policies::{Area, Pfn, Request, Run};

use super::{LIMITS, Setup, assert_minimal};

pub(crate) fn alloc(count: u64) -> Act {
    let request = Request::new(count, 0).unwrap();
    Act::Alloc { request, script: Script::default(), linger: 0 }
}

/// 64 pages one by one, every second given back, then two together; and things that do not matter.
pub(crate) fn comb() -> Case {
    let area = Area::single(0, 64, 0).unwrap();
    let request = Request::new(1, 0).unwrap();
    let acts = vec![
        alloc(3),
        Act::Pin { at: 60, more: 3 },
        Act::Unpin { victim: 5 },
        Act::Free { victim: 7 },
        Act::Fill { request, times: 64 },
        Act::FreeEvery { stride: 2, phase: 0, class: None },
        alloc(1),
        alloc(2),
        Act::Free { victim: 3 },
    ];
    Case::new(area, acts)
}

#[test]
fn a_case_becomes_a_stream_and_shrinks() {
    let setup = Setup::new("kernel", 8);
    let subject = from_case(&comb(), &setup.policy).unwrap();
    let refused = setup.goal(&subject).expect("two pages do not fit");
    let shrunk = setup.shrunk(&subject, refused, LIMITS);
    assert_minimal(&setup, &shrunk, refused);
    let Seen::Refused(refusal) = &shrunk.seen else { panic!("{:?}", shrunk.seen) };
    // 64 pages, of which 31 were free when two were refused: a comb of so many teeth is left.
    assert_eq!((refusal.cause, refusal.request.count()), (Cause::Fragmentation, 2));
    assert!(refusal.free_pages >= 31, "{refusal:?}");
    assert!(refusal.holes.iter().all(|hole| hole.count == 1), "{refusal:?}");
}

/// One from the last page of a range on, and one that begins between two: a recording says only pages
/// of ranges. A pin of no such page is none.
#[test]
fn a_pin_of_a_case_that_leaves_a_range_is_recorded_as_what_is_in_it() {
    let area = Area::new("lab", 0, &[Run::new(0, 8), Run::new(16, 8)]).unwrap();
    let pins = [(7, 3), (10, 0), (14, 3), (0, 0)].map(|(at, more)| Act::Pin { at, more });
    let ends = [0, 0, 1].map(|victim| Act::Unpin { victim });
    let case = Case::new(area, [&pins[..], &[alloc(1)], &ends[..]].concat());
    let setup = Setup::new("kernel", 8);
    let subject = from_case(&case, &setup.policy).unwrap();
    let ops: Vec<_> = subject.items.iter().map(|item| item.timed.op).collect();
    let asked = Request::new(1, 0).unwrap();
    assert_eq!(
        ops,
        [
            Op::Pin(Run::new(7, 1)),
            Op::Pin(Run::new(16, 2)),
            Op::Pin(Run::new(0, 1)),
            Op::Alloc { id: 3, request: asked, dma: false },
            Op::Unpin(Run::new(7, 1)),
            Op::Unpin(Run::new(16, 2)),
            Op::Unpin(Run::new(0, 1)),
        ]
    );
    let mut text = Vec::new();
    cma_harness::shrink::write(&subject, &setup.under(), &[], &mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    assert_eq!(text.lines().filter(|line| line.contains("pin,")).count(), 6, "{text}");
}

#[test]
fn the_load_limit_of_a_case_is_kept() {
    let case = Case { load_limit: 10, ..comb() };
    let subject = from_case(&case, &Setup::new("kernel", 8).policy).unwrap();
    let most = subject
        .items
        .iter()
        .filter(|item| matches!(item.timed.op, cma_harness::op::Op::Alloc { .. }));
    // Three that go, ten pages of which every second goes, one and two.
    assert_eq!(most.count(), 1 + 10 + 2);
}

#[test]
fn a_pinned_page_is_busy_whatever_the_script_says() {
    let request = Request::new(1, 0).unwrap();
    let script = Script { busy: 1, ending: Ending::Granted };
    let acts = vec![
        Act::Pin { at: 0, more: 0 },
        Act::Pin { at: 1, more: 0 },
        Act::Alloc { request, script, linger: 0 },
    ];
    let setup = Setup::new("kernel", 8);
    let case = Case::new(Area::single(0, 4, 0).unwrap(), acts);
    let subject = from_case(&case, &setup.policy).unwrap();
    // Page 0 is busy by the script too, page 1 by its pin alone.
    assert_eq!(subject.places(&setup.under()).last(), Some(&Some(Pfn(2))));
}

#[test]
fn each_range_of_an_area_becomes_smaller() {
    let area = Area::new("lab", 0, &[Run::new(0, 8), Run::new(20, 16), Run::new(40, 1)]).unwrap();
    let setup = Setup::new("kernel", 8);
    // Six of four and two free pages are refused as three of two and two are.
    let case = Case::new(area, vec![alloc(14), alloc(6), alloc(3)]);
    let subject = from_case(&case, &setup.policy).unwrap();
    let goal = Goal::Refusal {
        cause: Cause::Fragmentation,
        free_pages: 0,
        area_pages: subject.area.pages(),
        tolerance_ppm: 0,
    };
    let shrunk = setup.shrunk(&subject, goal, Limits { area: true, sizes: false, ..LIMITS });
    assert_eq!(shrunk.subject.area.ranges(), [Run::new(0, 4), Run::new(20, 16)]);
}
