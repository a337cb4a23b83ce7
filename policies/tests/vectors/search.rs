//! Where `bitmap_find_next_zero_area_off()` (`lib/bitmap.c`) finds a place: V1 to V27.

use cma_policies::{AllocError, Area};

use crate::support::{ask, free_runs, holes, map, policy, search, with_holes};

/// The free-run list of an i.MX6 board with 81920 pages (v5.15 report, linux-mm, December 2021).
pub(crate) const NXP: &str = "3@125+20@172+12@236+4@380+32@736+17@2287+23@2473+20@36076+99@40477\
    +108@40852+44@41108+20@41196+108@41364+108@41620+108@42900+108@43156+483@44061+1763@45341\
    +1440@47712+20@49324+20@49388+5076@49452+2304@55040+35@58141+20@58220+20@58284+7188@58348\
    +84@66220+7276@66452+227@74525+6371@75549";

/// Free runs of a nearly full area of 2048 pages.
const SCATTERED: &str = "4@572+7@585+7@601+8@632+38@730+166@1114+127@1921";

/// An area whose bit is a page, with these holes; a request; the mask, the offset and the bit that
/// the kernel comes to.
struct Vector {
    id: &'static str,
    bits: u64,
    holes: &'static str,
    base: u64,
    count: u64,
    align: u32,
    mask: u64,
    offset: u64,
    bit: Option<u64>,
}

#[rustfmt::skip]
const VECTORS: &[Vector] = &[
    v("V1", 286_720, "511@58881", 0, (456, 8), 255, 0, None),
    v("V3", 286_720, "511@58881", 0, (456, 5), 31, 0, Some(58912)),
    v("V4", 286_720, "511@58881", 0, (456, 6), 63, 0, None),
    v("V5", 286_720, "511@58881", 0, (456, 0), 0, 0, Some(58881)),
    v("V11", 4096, "4096@0", 0x40200, (1, 10), 1023, 512, Some(512)),
    v("V12", 4096, "2584@1512", 0x40200, (1000, 10), 1023, 512, Some(1536)),
    v("V13", 4096, "4096@0", 0x40200, (1, 9), 511, 0, Some(0)),
    v("V14", 2048, "2048@0", 0x40200, (512, 11), 2047, 512, Some(1536)),
    v("V15", 2048, "2048@0", 0x40200, (513, 11), 2047, 512, None),
    v("V20", 81920, NXP, 0x10000, (148, 8), 255, 0, Some(44288)),
    v("V21 order 9", 81920, NXP, 0x10000, (148, 9), 511, 0, Some(45568)),
    v("V21 order 10", 81920, NXP, 0x10000, (148, 10), 1023, 0, Some(46080)),
    v("V21 order 13", 81920, NXP, 0x10000, (148, 13), 8191, 0, None),
    v("V22", 2048, SCATTERED, 0, (256, 8), 255, 0, None),
    v("V23", 2048, SCATTERED, 0, (166, 0), 0, 0, Some(1114)),
    v("V23 order 4", 2048, SCATTERED, 0, (166, 4), 15, 0, None),
    v("V24", 2048, SCATTERED, 0, (128, 7), 127, 0, Some(1152)),
    v("V25", 512, "256@256", 0, (256, 8), 255, 0, Some(256)),
    v("V25 one more", 512, "256@256", 0, (257, 8), 255, 0, None),
    v("V26", 1024, "10@0+289@11+723@301", 0, (256, 8), 255, 0, Some(512)),
    v("V26 order 4", 1024, "10@0+289@11+723@301", 0, (256, 4), 15, 0, Some(16)),
];

#[expect(clippy::too_many_arguments, reason = "the columns of a table, in its order")]
const fn v(
    id: &'static str,
    bits: u64,
    holes: &'static str,
    base: u64,
    (count, align): (u64, u32),
    mask: u64,
    offset: u64,
    bit: Option<u64>,
) -> Vector {
    Vector { id, bits, holes, base, count, align, mask, offset, bit }
}

#[test]
fn an_area_makes_the_kernel_s_mask_and_offset_of_an_align() {
    for Vector { id, bits, base, align, mask, offset, .. } in VECTORS {
        let area = Area::single(*base, *bits, 0).unwrap();
        assert_eq!((area.mask(*align), area.offset(0, *align)), (*mask, *offset), "{id}");
    }
}

#[test]
fn the_map_finds_the_kernel_s_place() {
    for Vector { id, bits, holes: text, base, count, mask, offset, bit, .. } in VECTORS {
        let map = map(*bits, *base, &holes(text));
        assert_eq!(map.first_fit(search(*count, *mask, *offset, 0)), *bit, "{id}");
    }
}

#[test]
fn the_kernel_policy_grants_the_kernel_s_place() {
    for Vector { id, bits, holes: text, base, count, align, bit, .. } in VECTORS {
        let mut policy = with_holes("kernel", *base, *bits, &holes(text));
        let answer = ask(&mut *policy, *base, *count, *align);
        assert_eq!(answer, bit.ok_or(AllocError::NoMemory), "{id}");
    }
}

#[test]
fn a_search_from_the_middle_v2_and_v27() {
    let tail = map(286_720, 0, &[(286_465, 255)]);
    assert_eq!(tail.first_fit(search(456, 255, 0, 286_209)), None, "V2");
    assert_eq!(tail.first_fit(search(255, 0, 0, 286_209)), Some(286_465), "V2, unaligned");
    let empty = map(64, 0, &[(0, 64)]);
    assert_eq!(empty.first_fit(search(1, 7, 0, 57)), None, "V27");
    assert_eq!(empty.first_fit(search(1, 7, 0, 64)), None, "V27, from the end");
    assert_eq!(empty.first_fit(search(1, 7, 0, 56)), Some(56), "V27, one before");
}

/// 257-page buffers until the area is full: where they are.
fn fill(align: u32) -> (Box<dyn cma_policies::Policy>, Vec<u64>) {
    let mut policy = policy("kernel", Area::single(0, 2048, 0).unwrap());
    let mut at = Vec::new();
    while let Ok(page) = ask(&mut *policy, 0, 257, align) {
        at.push(page);
    }
    (policy, at)
}

fn free_pages(policy: &dyn cma_policies::Policy) -> u64 {
    free_runs(policy, 0).iter().map(|&(_, count)| count).sum()
}

#[test]
fn a_page_above_a_power_of_two_strands_half_the_area_v6_to_v10() {
    let (mut policy, at) = fill(8);
    assert_eq!(at, [0, 512, 1024, 1536], "V6");
    assert_eq!(free_pages(&*policy), 1020, "V6");
    assert_eq!(ask(&mut *policy, 0, 255, 8), Err(AllocError::NoMemory), "V9");
    assert_eq!(free_runs(&*policy, 0), [(257, 255), (769, 255), (1281, 255), (1793, 255)], "V9");
    assert_eq!(ask(&mut *policy, 0, 128, 7), Ok(384), "V8");
    assert_eq!(ask(&mut *policy, 0, 1, 0), Ok(257), "V10");

    let (policy, at) = fill(0);
    assert_eq!(at, [0, 257, 514, 771, 1028, 1285, 1542], "V7");
    assert_eq!(free_pages(&*policy), 249, "V7");
}

#[test]
fn bits_of_several_pages_v16_to_v19() {
    // Name, base, bits, order_per_bit, whether bit 0 is taken, (count, align), mask, offset, bit.
    #[rustfmt::skip]
    let table = [
        ("V16", 0x100, 16, 2, true, (5, 4), 3, 0, 4),
        ("V17", 0x100, 16, 2, true, (5, 2), 0, 0, 1),
        ("V18", 0x40000, 64, 9, true, (513, 5), 0, 0, 1),
        ("V19", 0x106, 16, 1, false, (4, 3), 3, 3, 1),
    ];
    for (id, base, bits, order_per_bit, taken, (count, align), mask, offset, bit) in table {
        let area = Area::single(base, bits << order_per_bit, order_per_bit).unwrap();
        assert_eq!((area.mask(align), area.offset(0, align)), (mask, offset), "{id}");
        let mut policy = policy("kernel", area);
        if taken {
            assert_eq!(ask(&mut *policy, base, 1, 0), Ok(0), "{id}");
        }
        assert_eq!(ask(&mut *policy, base, count, align), Ok(bit << order_per_bit), "{id}");
        let held = u64::from(taken) + count.div_ceil(1 << order_per_bit);
        assert_eq!(free_pages(&*policy), (bits - held) << order_per_bit, "{id}");
    }
}
