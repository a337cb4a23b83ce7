//! Usable parts of holes, coarse bitmaps, and how best fit differs from first fit.

use cma_policies::{AllocError, Area};

use crate::support::{ask, free_runs, holes, map, policy, with_holes};

#[test]
fn bits_0_to_4_and_40_of_64_are_two_holes_and_the_debugfs_words_31_and_256() {
    let map = map(64, 0, &holes("35@5+23@41"));
    let mut words = [u32::MAX; 2];
    let mut shown = Vec::new();
    map.for_each_run(|first, bits| {
        shown.push((first, bits));
        (first..first + bits).for_each(|bit| words[bit as usize / 32] &= !(1 << (bit % 32)));
    });
    assert_eq!((shown, map.free_bits()), (holes("35@5+23@41"), 58));
    assert_eq!(words, [31, 256]);
}

#[test]
fn of_the_511_pages_at_58881_an_order_can_use_this_much() {
    let map = map(286_720, 0, &[(58881, 511)]);
    let usable: Vec<u64> = (0..=9).map(|order| map.longest_usable(order)).collect();
    assert_eq!(usable, [511, 510, 508, 504, 496, 480, 448, 384, 256, 0]);
    assert_eq!(map.longest_run(), 511);
}

#[test]
fn the_nxp_list_holds_33161_pages_of_which_7168_are_the_most_at_order_8() {
    let holes = crate::support::holes(crate::search::NXP);
    let map = map(81920, 0, &holes);
    assert_eq!((map.free_bits(), map.longest_run(), map.longest_usable(8)), (33161, 7276, 7168));
}

#[test]
fn a_coarse_bitmap_lists_pages_where_the_kernel_lists_bits() {
    // opb 2, 8 bits, bits 4..8 clear: `16@4` in the kernel's list is 16 pages at page 16.
    let mut policy = policy("kernel", Area::single(0x100, 32, 2).unwrap());
    assert_eq!(ask(&mut *policy, 0x100, 13, 0), Ok(0));
    assert_eq!(free_runs(&*policy, 0x100), [(16, 16)]);
}

#[test]
fn a_seed_like_area_is_half_free_and_refuses_456_pages() {
    let mut policy = policy("kernel", Area::single(0, 286_720, 0).unwrap());
    let mut buffers = 0;
    while ask(&mut *policy, 0, 257, 8).is_ok() {
        buffers += 1;
    }
    let free: u64 = free_runs(&*policy, 0).iter().map(|&(_, count)| count).sum();
    assert_eq!((buffers, free), (560, 142_800));
    assert_eq!(ask(&mut *policy, 0, 456, 8), Err(AllocError::NoMemory));
    assert_eq!(ask(&mut *policy, 0, 1, 8), Err(AllocError::NoMemory));
    assert_eq!(ask(&mut *policy, 0, 128, 7), Ok(384));
}

#[test]
fn best_fit_measures_from_the_aligned_page_and_first_fit_does_not_measure() {
    let text = "700@256+300@1025+256@2048+600@3000";
    // (count, align), and where each policy puts it.
    let table = [
        ((256, 8), [("kernel", 256), ("best-fit", 2048), ("worst-fit", 256)]),
        ((300, 0), [("kernel", 256), ("best-fit", 1025), ("worst-fit", 256)]),
        ((300, 8), [("kernel", 256), ("best-fit", 3072), ("worst-fit", 256)]),
        ((300, 10), [("kernel", 3072), ("best-fit", 3072), ("worst-fit", 3072)]),
    ];
    for ((count, align), places) in table {
        for (name, at) in places {
            let mut policy = with_holes(name, 0, 4096, &holes(text));
            assert_eq!(ask(&mut *policy, 0, count, align), Ok(at), "{name}: {count}@{align}");
        }
    }
}
