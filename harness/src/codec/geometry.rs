//! The header of a case: the area.
//!
//! Bytes: order_per_bit, number of ranges, base (4 bytes and a shift), the layout; then for each of
//! three ranges the scale of its granules, the granules (2 bytes), and the gap before it. Ranges
//! from the fourth one on are as the first three again. A layout of 0 is up to three ranges,
//! ascending, of whole granules.

use cma_policies::{Area, Run};

/// Bytes of the header.
pub(super) const BYTES: usize = 8 + 4 * FIELDS;

/// Ranges that are said one by one.
const FIELDS: usize = 3;

/// Where the byte of the layout is. Its low four bits say the number of ranges, where they are
/// [`MORE`] or above; then two bits the order, one that ranges touch, and one that each has a tail.
const LAYOUT: usize = 7;
/// The low bits of a layout of more ranges than [`COUNTS`] has.
const MORE: usize = 11;
const TOUCHING: u8 = 1 << 6;
const TAILS: u8 = 1 << 7;

/// order_per_bit by the low four bits of its byte: 0 as a rule, as in most kernels. Bytes from
/// [`HIGH`] on say the orders above those.
const ORDERS: [u32; 16] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 2, 3, 4, 9, 10];

/// The first byte of the orders from [`HIGH_ORDER`] on: areas of enormous granules.
const HIGH: u8 = 240;
const HIGH_ORDER: u32 = 11;

/// Number of ranges by the low three bits of its byte.
const COUNTS: [usize; 8] = [1, 1, 1, 1, 1, 1, 2, 3];

/// The most granules of a range, by the low four bits of its scale.
const SCALES: [u64; 16] = [4, 8, 8, 16, 16, 16, 32, 32, 64, 64, 64, 66, 130, 200, 520, 4100];

/// A base is 32 bits shifted by less than this.
const SHIFTS: u8 = 31;

/// `runs`, which ascend, in the order of a layout: as they are, descending, descending but for the
/// last two (as `cma_declare_contiguous_multi()` of 7.3 makes them), or the upper half first.
fn ordered(runs: &[Run], layout: u8) -> Vec<Run> {
    let (mut runs, count) = (runs.to_vec(), runs.len());
    match layout >> 4 & 3 {
        0 => {}
        3 => runs.rotate_left(count / 2),
        order => {
            runs.reverse();
            if order == 2 && count > 1 {
                runs.swap(count - 2, count - 1);
            }
        }
    }
    runs
}

/// The four bytes of range number `range`, from the lowest one on.
fn field(header: &mut [u8; BYTES], range: usize) -> &mut [u8] {
    &mut header[8 + 4 * (range % FIELDS)..][..4]
}

pub(super) fn decode(mut header: [u8; BYTES]) -> Area {
    let order_per_bit = match header[0].checked_sub(HIGH) {
        None => ORDERS[usize::from(header[0] % 16)],
        Some(more) => HIGH_ORDER + u32::from(more),
    };
    let layout = header[LAYOUT];
    let more = usize::from(layout % 16).checked_sub(MORE);
    let ranges = more.map_or(COUNTS[usize::from(header[1] % 8)], |more| FIELDS + 1 + more);
    let base = u32::from_le_bytes([header[2], header[3], header[4], header[5]]);
    let mut pfn = u64::from(base) << (header[6] % SHIFTS);
    let mut runs = Vec::with_capacity(ranges);
    for range in 0..ranges {
        let [scale, low, high, gap] = *field(&mut header, range) else { unreachable!() };
        let granules = u64::from(u16::from_le_bytes([low, high]));
        let granules = 1 + granules % SCALES[usize::from(scale % 16)];
        // Before the first range there is nothing to be apart from.
        let apart = range > 0 && layout & TOUCHING == 0;
        pfn += if apart { u64::from(gap) } else { 0 };
        let tail = if layout & TAILS == 0 { 0 } else { (1 << order_per_bit) - 1 };
        let run = Run::new(pfn, (granules << order_per_bit) + tail);
        pfn = run.end().0;
        runs.push(run);
    }
    let runs = ordered(&runs, layout);
    Area::new("cma", order_per_bit, &runs).expect("ranges of at least a granule that are apart")
}

pub(super) fn encode(area: &Area) -> [u8; BYTES] {
    let position = |found: Option<usize>| found.unwrap_or(0) as u8;
    let mut header = [0; BYTES];
    header[0] = match area.order_per_bit() {
        order @ HIGH_ORDER.. => HIGH + (order - HIGH_ORDER).min(u32::from(u8::MAX - HIGH)) as u8,
        order => position(ORDERS.iter().position(|other| *other == order)),
    };
    let mut runs = area.ranges().to_vec();
    runs.sort_by_key(|run| run.pfn);
    header[1] = position(COUNTS.iter().position(|count| *count == runs.len()));
    let more = runs.len().checked_sub(FIELDS + 1).map_or(0, |more| MORE + more.min(15 - MORE));
    let order =
        (0..4).map(|order| order << 4).find(|order| ordered(&runs, *order) == area.ranges());
    let has_tail = |run: &Run| !run.count.is_multiple_of(area.granule());
    let tails = if runs.iter().any(has_tail) { TAILS } else { 0 };
    header[LAYOUT] = more as u8 | order.unwrap_or(0) | tails;
    let base = runs[0].pfn.0;
    let fits =
        |shift: &u8| base >> shift <= u64::from(u32::MAX) && (base >> shift) << shift == base;
    let shift = (0..SHIFTS).find(fits).unwrap_or(SHIFTS - 1);
    header[2..6].copy_from_slice(&((base >> shift) as u32).to_le_bytes());
    header[6] = shift;
    for (range, run) in runs.iter().enumerate() {
        if range < FIELDS {
            resize(&mut header, range, run.count >> area.order_per_bit());
        }
        // The gap of the first field is that before the fourth range.
        if (1..=FIELDS).contains(&range) {
            let gap = run.pfn.0 - runs[range - 1].end().0;
            field(&mut header, range)[3] = gap.min(u64::from(u8::MAX)) as u8;
        }
    }
    header
}

/// Gives a range so many granules, or as many as can be said.
pub(super) fn resize(header: &mut [u8; BYTES], range: usize, granules: u64) {
    let scale = SCALES.iter().position(|most| granules <= *most).unwrap_or(SCALES.len() - 1);
    let [low, high] = (granules.min(SCALES[scale]) as u16 - 1).to_le_bytes();
    field(header, range)[..3].copy_from_slice(&[scale as u8, low, high]);
}

/// Brings the base down to a page that is aligned to 2^16 pages and to what its shift says.
pub(super) fn align(header: &mut [u8; BYTES]) {
    header[2..4].fill(0);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of 2, 1, 3, 2, … granules of four pages, from page 100 on, by this layout.
    fn runs(layout: u8) -> Vec<(u64, u64)> {
        let mut header = [0; BYTES];
        (header[0], header[1], header[2]) = (11, 7, 100);
        header[LAYOUT] = layout;
        header[8..20].copy_from_slice(&[0, 1, 0, 9, 0, 0, 0, 5, 0, 2, 0, 0]);
        let area = decode(header);
        assert_eq!(decode(encode(&area)), area);
        area.ranges().iter().map(|run| (run.pfn.0, run.count)).collect()
    }

    #[test]
    fn a_layout_says_the_order_of_ranges_their_number_tails_and_borders() {
        assert_eq!(runs(0), [(100, 8), (113, 4), (117, 12)]);
        assert_eq!(runs(1 << 4), [(117, 12), (113, 4), (100, 8)]);
        assert_eq!(runs(2 << 4), [(117, 12), (100, 8), (113, 4)]);
        assert_eq!(runs(3 << 4), [(113, 4), (117, 12), (100, 8)]);
        assert_eq!(runs(TOUCHING), [(100, 8), (108, 4), (112, 12)]);
        assert_eq!(runs(TAILS), [(100, 11), (116, 7), (123, 15)]);
        assert_eq!(runs(MORE as u8)[3..], [(138, 8)], "four ranges");
        assert_eq!(runs(15 | 1 << 4 | TOUCHING | TAILS).len(), 8);
    }
}
