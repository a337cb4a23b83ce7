//! The case of the i.MX note, with its whole list: an area full of buffers of 257 pages, and a hole
//! of 511 pages that does not take 456 at order 8.
//!
//! The note says that the hole ends at 59396. It is 511@58881, and 58881 + 511 = 59392.

use cma_harness::cause::Cause;
use cma_harness::diagnose::{Confidence, Fit, Hole, Place, Why, WouldFit};

use crate::release::{Bits, Generation, Listed, Release};
use crate::score::{found, short};

const PAGES: u64 = 286_720;

/// Buffers of 257 pages on multiples of 256, and one gap of 511 pages.
fn residents() -> Vec<u64> {
    let before = (0..115).map(|slot| 256 + slot * 512);
    let after = (0..).map(|slot| 59_392 + slot * 512).take_while(|start| start + 257 <= PAGES);
    before.chain(after).collect()
}

fn free_runs() -> Vec<(u64, u64)> {
    let mut runs = Vec::new();
    let mut at = 0;
    for start in residents() {
        if start > at {
            runs.push((at, start - at));
        }
        at = start + 257;
    }
    if at < PAGES {
        runs.push((at, PAGES - at));
    }
    runs
}

fn log(with_debug: bool) -> String {
    let release = Release { generation: Generation::Unnamed, number: (4, 14), text: "4.14.98" };
    let runs = free_runs();
    assert!(runs.contains(&(58_881, 511)));
    let available = runs.iter().map(|(_, count)| count).sum();
    let ranges = vec![Bits { runs, bits: PAGES }];
    let listed = Listed { order_per_bit: 0, ranges, available, total: PAGES };
    let mut lines = Vec::new();
    if with_debug {
        lines.push("cma: cma_alloc(cma ffff0000091a4168, count 456, align 8)".to_string());
    }
    lines.push(release.failure("", 456, -12));
    lines.extend(listed.records(&release));
    if with_debug {
        lines.push(release.debug_returned(None));
    }
    let stamped = lines.iter().enumerate();
    stamped.map(|(index, line)| format!("[ 1514.{:06}] {line}\n", 301 + 17 * index)).collect()
}

#[test]
fn the_hole_ends_at_59392() {
    let (failures, diagnosis) = found(&[("note".to_string(), log(true).into_bytes())]);
    let [failure] = &failures[..] else { panic!("{} failures", failures.len()) };
    assert_eq!(failure.verdict, Some(Cause::Alignment), "{}", short(failure));
    assert_eq!(failure.confidence, Confidence::Certain, "{}", short(failure));
    assert_eq!(failure.why, Why::Room);
    let (room, hole) = (failure.room.expect("a list"), Hole { start: 58_881, count: 511 });
    assert_eq!((room.fit, room.need), (Fit::Alignment, 456));
    assert_eq!(room.place, Some(Place { range: None, hole, at: 59_136 }));
    assert_eq!((hole.end(), 59_136 + room.need), (59_392, 59_592));
    let fit = WouldFit { max_align: Some(5), at: Some(58_912), largest_count_at_this_align: 256 };
    assert_eq!(failure.would_fit, Some(fit));
    let first = diagnosis.residents.iter().flatten().next().expect("residents");
    assert_eq!((first.count, first.align), (257, 8));
    assert_eq!(first.blocks, Some(residents().len() as u64));
}

/// Without the order, it is what the DMA API asks for that decides: order 5 would have fitted.
#[test]
fn without_the_order_it_is_not_certain() {
    let (failures, _) = found(&[("note".to_string(), log(false).into_bytes())]);
    let [failure] = &failures[..] else { panic!("{} failures", failures.len()) };
    assert_eq!(failure.verdict, Some(Cause::Alignment), "{}", short(failure));
    assert_ne!(failure.confidence, Confidence::Certain, "{}", short(failure));
}
