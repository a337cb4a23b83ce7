use std::sync::Arc;

use super::super::{
    AlignFrom, AreaState, Confidence, Failure, Hole, Incident, Known, RangeState, Reported, Why,
    residents,
};
use super::*;

/// That of a kernel that is not known.
const STEP: Step = Step { bytes: 4 << 20, page_bytes: 4096, is_known: false };

/// An area of `pages` with these holes (first page, pages).
fn area(pages: u64, holes: &[(u64, u64)]) -> AreaState {
    let holes: Vec<Hole> = holes.iter().map(|&(start, count)| Hole { start, count }).collect();
    AreaState {
        name: None,
        free: Some(holes.iter().map(|hole| hole.count).sum()),
        available: None,
        longest: None,
        shown: None,
        ranges: vec![RangeState { number: 0, base_pfn: None, pages: Some(pages), holes }],
        order_per_bit: 0,
        total: Some(pages),
        complete: true,
        placed: true,
        known: Known::List,
        live: None,
        asked: Default::default(),
    }
}

/// A request for `count` pages that failed in `area` with order `align`.
fn failure(area: AreaState, count: u64, align: u32, verdict: Option<Cause>) -> Failure {
    let incident = Incident {
        line: 1,
        count: Some(count),
        ret: Some(-12),
        state: Some(Arc::new(area)),
        ..Incident::new(Arc::from("log"), Reported::List)
    };
    Failure {
        incident: Arc::new(incident),
        align: Some((align, AlignFrom::Cap)),
        list: None,
        verdict,
        confidence: Confidence::Likely,
        why: Why::Room,
        room: None,
        would_fit: None,
    }
}

fn advised(failure: &Failure) -> Vec<Advice> {
    let area = failure.incident.state.as_deref().unwrap();
    advise(failure, &residents(area, 8), 8, STEP)
}

fn find<'a>(advice: &'a [Advice], kind: &str) -> &'a Advice {
    advice.iter().find(|advice| advice.what.name() == kind).unwrap_or_else(|| panic!("{advice:#?}"))
}

/// Twenty buffers of 258 pages on slots, one of them gone: the hole of 766 at 2305 and tails.
fn padded() -> AreaState {
    let mut holes: Vec<_> = (0..20).filter(|n| *n != 5).map(|n| (n * 512 + 258, 254)).collect();
    holes[4].1 += 512;
    area(20 * 512, &holes)
}

#[test]
fn a_request_that_is_misaligned() {
    // From 2306 on 766 pages: aligned to 256 from 2560 on, 512 pages; to 64 from 2368 on, 704.
    let failure = failure(padded(), 700, 8, Some(Cause::Alignment));
    let advice = advised(&failure);
    let cap = find(&advice, "smaller_cap");
    assert_eq!(advice[0], *cap);
    let strands = Some(Strands { now: 4826, left: Pages(1178), worst: 258, whole: true });
    let fits = Cap::Fits { cap: 6, now: 8, count: Pages(700), at: 2368, strands };
    assert_eq!((cap.helps, cap.what), (true, What::SmallerCap(fits)));
    // In front of the first multiple of 64 there are 62 pages, in 19 holes.
    assert_eq!(cap.cost_pages, Some(-19 * (254 - 62)));
    let size = find(&advice, "resident_size");
    let (over, room, back) = (Pages(2), 512, Pages(19 * 256));
    let shorter = What::ResidentSize { over, count: 258, room, slot: 256, back, blocks: 19 };
    assert_eq!((size.helps, size.what), (true, shorter));
    assert_eq!(size.cost_pages, Some(-19 * 256));
    let short = find(&advice, "shorter_buffer");
    let shorter = What::ShorterBuffer { over: Pages(188), largest: 512, align: 8 };
    assert_eq!((short.helps, short.what), (false, shorter));
    let pool = find(&advice, "own_pool");
    assert_eq!((pool.helps, pool.cost_pages), (true, Some(1024)));
    // The last hole begins at 9986: from 9984 + 256 = 10240 on, which is the end.
    let bigger = find(&advice, "bigger_area");
    assert_eq!((bigger.helps, bigger.cost_pages), (false, Some(700)));
    assert!(matches!(advice.last().unwrap().what, What::Collect(_)));
}

/// 300 pages take two slots of 256. Two of these are free, apart: longer by one, the area has two side by
/// side. Where one is free alignment has cost the rest, and does so in a longer one.
#[test]
fn a_bigger_area_helps_where_slots_are_free_and_not_where_alignment_has_cost_them() {
    let advised = |holes: &[(u64, u64)]| {
        let failure = failure(area(4096, holes), 300, 8, Some(Cause::Fragmentation));
        *find(&advised(&failure), "bigger_area")
    };
    let apart = advised(&[(256, 256), (1024, 256)]);
    let grow = Grow::ForLoad { more: Pages(300), at_end: true, size: Some(5120) };
    assert_eq!((apart.helps, apart.what), (true, What::BiggerArea(grow)));
    // What it costs is what such an area has more: whole steps of 4 MiB.
    assert_eq!(apart.cost_pages, Some(1024));
    for holes in [&[(256, 256), (1025, 255), (2817, 255)][..], &[(1, 255), (257, 255)]] {
        let eaten = advised(holes);
        assert!(!eaten.helps, "{eaten:?}");
        assert!(matches!(eaten.what, What::BiggerArea(Grow::ForOne { .. })), "{eaten:?}");
    }
}

#[test]
fn an_order_of_its_own_does_not_follow_the_cap() {
    let failure = failure(padded(), 700, 10, Some(Cause::Alignment));
    let advice = advised(&failure);
    let cap = find(&advice, "smaller_cap");
    assert_eq!(*cap, Advice::no(What::SmallerCap(Cap::OwnOrder { align: 10 })));
}

#[test]
fn exhausted_needs_memory_and_nothing_else() {
    let failure = failure(area(1024, &[(1000, 24)]), 300, 8, Some(Cause::Exhausted));
    let advice = advised(&failure);
    let bigger = find(&advice, "bigger_area");
    assert_eq!((bigger.helps, bigger.cost_pages), (true, Some(1024)));
    assert!(!find(&advice, "nothing").helps);
    assert!(advice.iter().all(|advice| !matches!(advice.what, What::SmallerCap(_))));
}

#[test]
fn where_there_was_a_place_it_is_not_the_area() {
    let empty = area(1024, &[(0, 1024)]);
    for (verdict, first) in [(Cause::Migration, "more_memory"), (Cause::Busy, "retry")] {
        let advice = advised(&failure(empty.clone(), 300, 8, Some(verdict)));
        assert_eq!(advice[0].what.name(), first);
        assert!(!find(&advice, "bigger_area").helps);
        assert!(!find(&advice, "smaller_cap").helps);
    }
}

#[test]
fn fragments_do_not_join_at_any_cap() {
    let failure = failure(padded(), 800, 8, Some(Cause::Fragmentation));
    let advice = advised(&failure);
    let cap = find(&advice, "smaller_cap");
    // In the area as it is none does; from boot on the tails would have been one hole.
    let What::SmallerCap(Cap::FromBoot { cap: 4, now: 8, strands }) = cap.what else {
        panic!("{cap:?}")
    };
    assert!(cap.helps && strands.left.0 < strands.now);
    assert!(find(&advice, "own_pool").helps && find(&advice, "keep_allocated").helps);
}

#[test]
fn undecidable_says_what_to_switch_on() {
    let mut unknown = failure(area(1024, &[]), 300, 8, None);
    let mut incident = (*unknown.incident).clone();
    incident.state = None;
    unknown.incident = Arc::new(incident);
    let advice = advise(&unknown, &[], 8, STEP);
    assert_eq!(advice.len(), 1, "{advice:#?}");
    let missing =
        Missing { runs: true, order: true, busy: true, kernel: true, ..Missing::default() };
    assert_eq!(advice[0], Advice::no(What::Collect(missing)));
    // Without a count there is nothing to reckon with.
    let mut incident = (*unknown.incident).clone();
    incident.count = None;
    unknown.incident = Arc::new(incident);
    unknown.verdict = Some(Cause::Busy);
    assert_eq!(advise(&unknown, &[], 8, STEP).len(), 1);
}

#[test]
fn too_large_needs_a_range_as_long() {
    let failure = failure(area(1024, &[(0, 1024)]), 1025, 8, Some(Cause::TooLarge));
    let costs = |step| find(&advise(&failure, &[], 8, step), "bigger_area").cost_pages;
    assert_eq!(costs(STEP), Some(1024), "4 MiB more");
    let mainline = Step { bytes: 2 << 20, page_bytes: 4096, is_known: true };
    assert_eq!(costs(mainline), Some(512), "2 MiB more");
    let large = Step { bytes: 32 << 20, page_bytes: 16384, is_known: true };
    assert_eq!(costs(large), Some(1024), "32 MiB of pages of 16 KiB, where it has 16");
}

#[test]
fn no_number_is_too_large() {
    let far = u64::MAX;
    for verdict in Cause::ALL.into_iter().map(Some).chain([None]) {
        for (count, align) in [(far, 8), (far, 63), (1, 0), (far, 64), (far / 2, u32::MAX)] {
            for holes in [&[(far - 1, far)][..], &[], &[(0, far)]] {
                for total in [0, 1, far] {
                    let mut state = area(total, &[]);
                    state.ranges[0].holes =
                        holes.iter().map(|&(start, count)| Hole { start, count }).collect();
                    state.ranges[0].base_pfn = Some(far);
                    for cap in [0, 8, 64, u32::MAX] {
                        let found = residents(&state, cap);
                        let advice = advise(
                            &failure(state.clone(), count, align, verdict),
                            &found,
                            cap,
                            STEP,
                        );
                        assert!(advice.is_sorted_by_key(|advice| !advice.helps));
                    }
                }
            }
        }
    }
}
