//! The header of a case: the area.
//!
//! Bytes: order_per_bit, number of ranges, base (4 bytes and a shift), one spare; then for each of
//! three ranges the scale of its granules, the granules (2 bytes), and the gap before it.

use cma_policies::{Area, Run};

/// Bytes of the header.
pub(super) const BYTES: usize = 8 + 4 * RANGES;

const RANGES: usize = 3;

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

pub(super) fn decode(header: [u8; BYTES]) -> Area {
    let order_per_bit = match header[0].checked_sub(HIGH) {
        None => ORDERS[usize::from(header[0] % 16)],
        Some(more) => HIGH_ORDER + u32::from(more),
    };
    let ranges = COUNTS[usize::from(header[1] % 8)];
    let base = u32::from_le_bytes([header[2], header[3], header[4], header[5]]);
    let mut pfn = u64::from(base) << (header[6] % SHIFTS);
    let mut runs = Vec::with_capacity(ranges);
    let (fields, _) = header[8..].as_chunks::<4>();
    for [scale, low, high, gap] in fields.iter().take(ranges) {
        let granules = u64::from(u16::from_le_bytes([*low, *high]));
        let granules = 1 + granules % SCALES[usize::from(scale % 16)];
        // Before the first range there is nothing to be apart from.
        pfn += if runs.is_empty() { 0 } else { u64::from(*gap) };
        let run = Run::new(pfn, granules << order_per_bit);
        pfn = run.end().0;
        runs.push(run);
    }
    Area::new("cma", order_per_bit, &runs).expect("ascending ranges of whole granules")
}

pub(super) fn encode(area: &Area) -> [u8; BYTES] {
    let position = |found: Option<usize>| found.unwrap_or(0) as u8;
    let mut header = [0; BYTES];
    header[0] = match area.order_per_bit() {
        order @ HIGH_ORDER.. => HIGH + (order - HIGH_ORDER).min(u32::from(u8::MAX - HIGH)) as u8,
        order => position(ORDERS.iter().position(|other| *other == order)),
    };
    header[1] = position(COUNTS.iter().position(|count| *count == area.ranges().len()));
    let base = area.ranges()[0].pfn.0;
    let fits =
        |shift: &u8| base >> shift <= u64::from(u32::MAX) && (base >> shift) << shift == base;
    let shift = (0..SHIFTS).find(fits).unwrap_or(SHIFTS - 1);
    header[2..6].copy_from_slice(&((base >> shift) as u32).to_le_bytes());
    header[6] = shift;
    let mut end = base;
    for (range, run) in area.ranges().iter().enumerate() {
        resize(&mut header, range, run.count >> area.order_per_bit());
        header[11 + 4 * range] = (run.pfn.0 - end).min(u64::from(u8::MAX)) as u8;
        end = run.end().0;
    }
    header
}

/// Gives a range so many granules, or as many as can be said.
pub(super) fn resize(header: &mut [u8; BYTES], range: usize, granules: u64) {
    let scale = SCALES.iter().position(|most| granules <= *most).unwrap_or(SCALES.len() - 1);
    let [low, high] = (granules.min(SCALES[scale]) as u16 - 1).to_le_bytes();
    header[8 + 4 * range..][..3].copy_from_slice(&[scale as u8, low, high]);
}

/// Brings the base down to a page that is aligned to 2^16 pages and to what its shift says.
pub(super) fn align(header: &mut [u8; BYTES]) {
    header[2..4].fill(0);
}
