//! Which places `cma_alloc()` (`mm/cma.c`) tries, and how it ends: W1 to W7. What a kernel prints
//! then is not a policy's business; what it means is.

use cma_policies::{AllocError, Area, ClaimError, Request};

use crate::search::NXP;
use crate::support::{Script, ask, free_runs, holes, policy, with_holes};

const BUSY: Result<(), ClaimError> = Err(ClaimError::Busy);

fn request(count: u64, align: u32) -> Request {
    Request::new(count, align).unwrap()
}

/// Every attempt is busy: the first bits that `kernel` tries in an empty area of one range.
fn walk(area: &Area, count: u64, align: u32) -> Vec<u64> {
    let mut policy = policy("kernel", area.clone());
    let mut pages = Script::always(BUSY);
    assert_eq!(policy.alloc(request(count, align), &mut pages), Err(AllocError::Busy));
    assert_eq!(pages.pauses, [0; 0]);
    let base = area.ranges()[0].pfn.0;
    assert_eq!(free_runs(&*policy, base), [(0, area.pages())], "a refusal leaves no marks");
    assert!(pages.passes[0].iter().all(|run| run.count == count), "claims are exact");
    pages.bits(0, base, area.order_per_bit())
}

#[test]
fn a_busy_place_moves_the_search_one_alignment_step_on_w1_to_w4() {
    assert_eq!(walk(&Area::single(0, 1024, 0).unwrap(), 266, 8), [0, 256, 512], "W1");
    assert_eq!(walk(&Area::single(0x40200, 2048, 0).unwrap(), 300, 10), [512, 1536], "W2");
    for count in 5..=8 {
        let area = Area::single(0x100, 32 << 2, 2).unwrap();
        assert_eq!(walk(&area, count, 4), [0, 4, 8, 12, 16, 20, 24, 28], "W3, {count} pages");
    }
    let every: Vec<u64> = (0..1024).collect();
    assert_eq!(walk(&Area::single(0, 1024, 0).unwrap(), 1, 0), every, "W4");
}

#[test]
fn the_nxp_list_has_120_places_to_be_busy_in_v20() {
    let mut policy = with_holes("kernel", 0x10000, 81920, &holes(NXP));
    let mut pages = Script::always(BUSY);
    assert_eq!(policy.alloc(request(148, 8), &mut pages), Err(AllocError::Busy));
    let tried = pages.bits(0, 0x10000, 0);
    assert_eq!((tried.len(), tried[0]), (120, 44288));
    assert!(tried.is_sorted_by(|a, b| a < b));
    assert_eq!(free_runs(&*policy, 0x10000), holes(NXP));
}

#[test]
fn no_memory_to_migrate_to_ends_it_at_once_w5() {
    for (error, meaning) in [
        (ClaimError::NoMemory, AllocError::NoMemory),
        (ClaimError::Interrupted, AllocError::Interrupted),
    ] {
        let mut policy = policy("kernel", Area::single(0, 1024, 0).unwrap());
        let mut pages = Script::new(&[BUSY, Err(error)], BUSY);
        assert_eq!(policy.alloc(request(1, 0), &mut pages), Err(meaning));
        assert_eq!(pages.bits(0, 0, 0), [0, 1]);
        assert_eq!(free_runs(&*policy, 0), [(0, 1024)]);

        let mut pages = Script::always(Err(error));
        assert_eq!(policy.alloc(request(1, 0), &mut pages), Err(meaning));
        assert_eq!(pages.bits(0, 0, 0), [0], "W5");
        assert_eq!(free_runs(&*policy, 0), [(0, 1024)]);
    }
}

#[test]
fn more_than_the_area_is_never_tried_w6() {
    let mut policy = policy("kernel", Area::single(0, 1024, 0).unwrap());
    for count in [1025, 1 << 40, u64::MAX] {
        for align in [0, 8, 63] {
            let mut pages = Script::always(Ok(()));
            let answer = policy.alloc(request(count, align), &mut pages);
            assert_eq!(answer, Err(AllocError::NoMemory), "{count}@{align}");
            assert_eq!(pages.passes, [[]], "{count}@{align}");
        }
    }
}

#[test]
fn android_sleeps_five_times_and_walks_again_w7() {
    let area = || Area::single(0, 1024, 0).unwrap();
    let mut android = policy("kernel:row=android", area());
    let mut pages = Script::always(BUSY);
    assert_eq!(android.alloc(request(266, 8), &mut pages), Err(AllocError::Busy));
    assert_eq!(pages.pauses, [100_000; 5]);
    assert_eq!(pages.passes.len(), 6);
    for pass in 0..6 {
        assert_eq!(pages.bits(pass, 0, 0), [0, 256, 512], "pass {pass}");
    }

    // Its parameters count and time the sleeps; a place that has become free is found by the next
    // pass.
    let mut brief = policy("kernel:row=android,pauses=2,pause_us=7", area());
    let mut pages = Script::new(&[BUSY; 4], Ok(()));
    assert_eq!(brief.alloc(request(266, 8), &mut pages).map(|pfn| pfn.0), Ok(256));
    assert_eq!(pages.pauses, [7]);
    assert_eq!((pages.bits(0, 0, 0), pages.bits(1, 0, 0)), (vec![0, 256, 512], vec![0, 256]));

    // Where the first search finds nothing it was not busy, and there is nothing to sleep for.
    let mut full = policy("kernel:row=android", area());
    ask(&mut *full, 0, 1024, 0).unwrap();
    let mut pages = Script::always(BUSY);
    assert_eq!(full.alloc(request(1, 0), &mut pages), Err(AllocError::NoMemory));
    assert_eq!(pages.pauses, [0; 0]);
}

#[test]
fn a_busy_range_hands_on_to_the_next_one() {
    let ranges = [cma_policies::Run::new(0x100, 64), cma_policies::Run::new(0x200, 64)];
    let mut policy = policy("kernel", Area::new("two", 0, &ranges).unwrap());
    let mut pages = Script::new(&[BUSY; 4], Ok(()));
    assert_eq!(policy.alloc(request(17, 4), &mut pages).map(|pfn| pfn.0), Ok(0x210));
    let tried: Vec<u64> = pages.passes[0].iter().map(|run| run.pfn.0).collect();
    assert_eq!(tried, [0x100, 0x110, 0x120, 0x200, 0x210]);
}
