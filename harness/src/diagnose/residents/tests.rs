use cma_policies::Run;

use super::super::{Hole, Known, RangeState};
use super::*;

/// An area of one range with these holes (first page, pages), all there.
fn area(pages: Option<u64>, holes: &[(u64, u64)]) -> AreaState {
    let holes = holes.iter().map(|&(start, count)| Hole { start, count }).collect();
    AreaState {
        name: None,
        ranges: vec![RangeState { number: 0, base_pfn: None, pages, holes }],
        order_per_bit: 0,
        total: pages,
        free: None,
        available: None,
        longest: None,
        shown: None,
        complete: true,
        placed: true,
        known: Known::List,
        live: None,
        asked: Default::default(),
    }
}

/// `blocks` buffers of `count` pages, `pitch` apart.
fn pitched(count: u64, pitch: u64, blocks: u64) -> AreaState {
    let holes: Vec<_> = (0..blocks).map(|n| (n * pitch + count, pitch - count)).collect();
    area(Some(blocks * pitch), &holes)
}

/// Pages and blocks.
fn sizes(area: &AreaState) -> Vec<(u64, Option<u64>)> {
    residents(area, 8).iter().map(|found| (found.count, found.blocks)).collect()
}

#[test]
fn the_buffers_of_the_note() {
    let found = residents(&pitched(257, 512, 560), 8);
    let recoverable: Vec<_> = [128, 192, 224, 240, 248, 252, 254, 255]
        .into_iter()
        .zip((0..8).rev())
        .map(|(pages, cap)| (cap, pages * 560))
        .collect();
    let expected = Resident {
        count: 257,
        align: 8,
        blocks: Some(560),
        stranded_pages: 142_800,
        confidence: Confidence::Likely,
        recoverable,
    };
    assert_eq!(found, [expected]);
}

#[test]
fn what_follows_without_a_hole_is_another_buffer() {
    // 44 pages begin on a multiple of 64; 4 pages fit after them.
    let mut holes: Vec<_> = (0..40).map(|n| (n * 64 + 44, 20)).collect();
    for hole in &mut holes[30..] {
        *hole = (hole.0 + 4, 16);
    }
    // So do 4 pages that are alone.
    holes.extend((40..60).map(|n| (n * 64 + 4, 60)));
    assert_eq!(sizes(&area(Some(60 * 64), &holes)), [(44, Some(40)), (4, Some(30))]);
}

#[test]
fn edges() {
    // A full area: a buffer or many. An empty one, a page, nothing.
    for (pages, holes) in
        [(4096, &[][..]), (4096, &[(0, 4096)]), (1, &[(0, 1)]), (0, &[]), (2048, &[(1024, 1024)])]
    {
        assert_eq!(sizes(&area(Some(pages), holes)), [], "{pages} {holes:?}");
    }
    assert_eq!(sizes(&area(Some(1), &[])), []);
    assert_eq!(sizes(&area(Some(512), &[(1, 511)])), [(1, Some(1))]);
}

#[test]
fn what_is_not_known_is_no_gap() {
    // Nothing is past the last hole where the pages of the area are not known.
    let known = area(Some(2092), &[(100, 412), (612, 1180)]);
    let unknown = area(None, &[(100, 412), (612, 1180)]);
    assert_eq!(sizes(&known), [(300, Some(1)), (100, Some(2))]);
    assert_eq!(sizes(&unknown), [(100, Some(2))]);
    // Nor before the first one and past the last one where holes are missing.
    let mut cut = pitched(257, 512, 9);
    cut.complete = false;
    assert_eq!(sizes(&cut), [(257, Some(8))]);
    cut.placed = false;
    assert_eq!(sizes(&cut), []);
    // Nor in a list that lost its middle.
    let mut cut = pitched(257, 512, 40);
    cut.complete = false;
    cut.ranges[0].holes.drain(10..25);
    assert_eq!(sizes(&cut), [(257, Some(23))]);
}

#[test]
fn a_bit_of_several_pages() {
    // 4 pages a bit; the buffers have 1025 to 1028 pages.
    let mut state = pitched(1028, 1280, 12);
    state.order_per_bit = 2;
    let found = residents(&state, 8);
    assert_eq!((found.len(), found[0].count, found[0].blocks), (1, 1028, Some(12)));
    assert_eq!(found[0].stranded_pages, 12 * 252);
    // At cap 0 the next one begins at the next bit.
    assert_eq!(found[0].recoverable.last(), Some(&(0, 12 * 252)));
}

#[test]
fn alignment_counts_from_address_0() {
    // The range begins 16 pages past a multiple of 256.
    let mut state = pitched(300, 512, 10);
    state.ranges[0].base_pfn = Some(0x40010);
    for hole in &mut state.ranges[0].holes {
        hole.start -= 16;
    }
    state.ranges[0].pages = Some(5120 - 16);
    state.total = Some(5120 - 16);
    // The first gap begins with the range: 284 pages, not at a slot.
    assert_eq!(sizes(&state)[0], (300, Some(9)));
}

#[test]
fn traces_are_exact() {
    let mut state = area(Some(2048), &[(300, 84), (390, 1658)]);
    state.ranges[0].base_pfn = Some(0x1000);
    let run = |start: u64, count: u64| Run::new(0x1000 + start, count);
    state.live = Some(vec![run(0, 300), run(384, 3), run(387, 3)]);
    let found = residents(&state, 8);
    let seen: Vec<_> =
        found.iter().map(|found| (found.count, found.blocks, found.stranded_pages)).collect();
    // After 300 pages the next order-8 request begins at 512: past the hole of 84 pages. After
    // 390 the next order-2 request begins at 392.
    assert_eq!(seen, [(300, Some(1), 84), (3, Some(2), 2)]);
    assert!(found.iter().all(|found| found.confidence == Confidence::Certain));
}

#[test]
fn no_number_is_too_large() {
    const FAR: u64 = u64::MAX;
    let holes = [&[][..], &[(FAR, FAR)], &[(0, FAR)], &[(5, 5), (3, 1), (FAR - 1, 1)], &[(1, 0)]];
    for holes in holes {
        for pages in [None, Some(0), Some(1), Some(FAR)] {
            for (base, order_per_bit) in [(0, 0), (FAR, 0), (FAR, 63), (1, 64), (7, u32::MAX)] {
                let mut state = area(pages, holes);
                state.ranges[0].base_pfn = Some(base);
                state.order_per_bit = order_per_bit;
                for cap in [0, 8, 20, 63, 64, u32::MAX] {
                    for live in [None, Some(vec![Run::new(FAR, FAR), Run::new(0, 0)])] {
                        state.live = live;
                        let found = residents(&state, cap);
                        assert!(found.iter().all(|found| found.count > 0));
                    }
                }
            }
        }
    }
}

#[test]
fn many_gaps_that_are_all_different_end_too() {
    // 100 000 gaps in 2^26 pages, no two of them alike for long.
    let mut at = 0;
    let mut holes = Vec::new();
    for n in 0..100_000u64 {
        at += 1 + n.wrapping_mul(2_654_435_761) % 640;
        holes.push((at, 1 + n % 7));
        at += 1 + n % 7;
    }
    let (found, is_cut) = search(&area(Some(1 << 26), &holes), 8);
    assert!(found.len() < 200, "{}", found.len());
    assert!(is_cut);
}

#[test]
fn what_is_searched_to_its_end_is_not_cut() {
    assert!(!search(&pitched(257, 512, 560), 8).1);
    assert!(!search(&rows(&[512, 300], 400, 70), 8).1);
    // Gaps whose pages together are more than are looked at.
    let holes: Vec<_> = (1..8).map(|n| (n * 100_000, 256 * n)).collect();
    assert!(search(&area(Some(1 << 20), &holes), 8).1);
}

#[test]
fn what_lies_between_the_parts_of_a_cut_list_is_no_buffer() {
    // Parts of a list with far more left out between them than there is in them.
    let mut cut = pitched(257, 512, 400);
    cut.complete = false;
    let holes = &mut cut.ranges[0].holes;
    let kept = [11usize, 12, 40, 41, 42, 90, 91, 170, 171, 300];
    *holes = kept.iter().map(|number| holes[*number]).collect();
    let found = residents(&cut, 8);
    assert_eq!((found[0].count, found[0].blocks), (257, Some(5)));
    assert_eq!(found.len(), 1, "{found:?}");
}

/// Rows of `sizes` without a hole between neighbours, each with the chance `stays` of being there,
/// by a fixed sequence.
fn rows(sizes: &[u64], number: u64, stays: u64) -> AreaState {
    let (mut at, mut holes) = (0, Vec::<(u64, u64)>::new());
    let mut state = 1u64;
    let mut next = |below: u64| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    for _ in 0..number {
        let count = sizes[next(sizes.len() as u64) as usize];
        let pitch = count.next_multiple_of(256);
        let free = if next(100) < stays { (at + count, pitch - count) } else { (at, pitch) };
        match holes.last_mut().filter(|last| last.0 + last.1 == free.0) {
            Some(last) => last.1 += free.1,
            None if free.1 > 0 => holes.push(free),
            None => {}
        }
        at += pitch;
    }
    area(Some(at), &holes)
}

#[test]
fn slots_in_long_rows_are_told_apart() {
    // A gap of 38 slots is made up in many ways: all of them together are likelier than a buffer
    // of 38 slots.
    for sizes in [&[768, 1280][..], &[512, 300], &[768, 1024, 300], &[456, 512], &[1024, 2025]] {
        let state = rows(sizes, 400, 70);
        let mut found: Vec<u64> = residents(&state, 8).iter().map(|found| found.count).collect();
        found.sort_unstable();
        let mut sizes = sizes.to_vec();
        sizes.sort_unstable();
        assert_eq!(found, sizes);
    }
}

#[test]
fn any_gaps_are_not_rows_of_single_pages() {
    let lengths = [263u64, 571, 341, 893, 165, 486, 243, 719];
    let hole = |(n, len): (usize, &u64)| (n as u64 * 1024 + len, 1024 - len);
    let holes: Vec<_> = lengths.iter().enumerate().map(hole).collect();
    let found = residents(&area(Some(8192), &holes), 8);
    assert!(found.iter().all(|found| found.count > 100), "{found:?}");
    assert!(found.iter().all(|found| found.confidence == Confidence::Guess), "{found:?}");
}
