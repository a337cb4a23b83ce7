//! An area cut into parts.

use alloc::format;
use alloc::vec::Vec;

use crate::area::Area;
use crate::error::BuildError;
use crate::run::Run;

/// The largest alignment that `CONFIG_CMA_ALIGNMENT` can make the DMA API ask for, as an order.
const LARGEST_CAP: u32 = 12;

/// Cuts `area` into one part for each share: its ranges one after the other in their order, each
/// from its first page on. Pages without a bit are in no part. Shares are weights: what counts is
/// each one's part of their sum.
///
/// A cut falls on the most aligned page, up to order 12, that moves it by at most a sixteenth of the
/// smaller of its neighbours, so that aligned buffers do not lose a place at each border; where
/// there is none, it falls on the nearest granule.
///
/// # Errors
/// [`BuildError::Policy`] where a part would be empty.
pub fn carve(area: &Area, shares: &[f64]) -> Result<Vec<Area>, BuildError> {
    let ranges = area.ranges().len();
    let total: u64 = (0..ranges).map(|range| area.bits(range)).sum();
    let sum: f64 = shares.iter().sum();
    let mut ideal = Vec::from([0]);
    let mut before = 0.0;
    for share in shares {
        before += share;
        // Adding a half and cutting off rounds to nearest; `f64::round` needs std.
        ideal.push(((total as f64 * (before / sum) + 0.5) as u64).min(total));
    }
    if let Some(part) = ideal.windows(2).position(|cut| cut[0] >= cut[1]) {
        let least = area.granule() as f64 / area.pages() as f64;
        return Err(BuildError::Policy(format!(
            "{} pages in granules of {} cut into {} parts leave part {part} (share {}) empty; \
             shares of at least {least} of all would do{}",
            area.pages(),
            area.granule(),
            shares.len(),
            shares[part] / sum,
            if total < shares.len() as u64 { ", in an area of more granules" } else { "" },
        )));
    }
    let mut cuts = ideal.clone();
    for part in 1..shares.len() {
        let smaller = (ideal[part] - ideal[part - 1]).min(ideal[part + 1] - ideal[part]);
        cuts[part] = aligned_cut(area, ideal[part], smaller / 16);
    }
    cuts.windows(2).map(|cut| part_of(area, cut[0], cut[1])).collect()
}

/// The most aligned place within `slack` bits of bit `cut`, counted over all ranges.
fn aligned_cut(area: &Area, cut: u64, slack: u64) -> u64 {
    let mut first = 0;
    for range in 0..area.ranges().len() {
        let bits = area.bits(range);
        if cut < first + bits {
            let unit = area.origin(range) + (cut - first);
            for order in (1..=LARGEST_CAP.saturating_sub(area.order_per_bit())).rev() {
                let above = unit & ((1 << order) - 1);
                let below = (1 << order) - above;
                if above <= slack.min(below).min(cut - first) {
                    return cut - above;
                }
                if below <= slack.min(first + bits - cut) {
                    return cut + below;
                }
            }
            return cut;
        }
        first += bits;
    }
    cut
}

/// The bits `[start, end)`, counted over all ranges, as an area.
fn part_of(area: &Area, start: u64, end: u64) -> Result<Area, BuildError> {
    let mut first = 0;
    let mut pieces = Vec::new();
    for range in 0..area.ranges().len() {
        let last = first + area.bits(range);
        let (from, to) = (start.max(first), end.min(last));
        if from < to {
            let count = (to - from) << area.order_per_bit();
            pieces.push(Run { pfn: area.bit_to_pfn(range, from - first), count });
        }
        first = last;
    }
    Area::new(area.name(), area.order_per_bit(), &pieces)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    fn runs(area: &Area, shares: &[f64]) -> Vec<Vec<Run>> {
        let parts = carve(area, shares).unwrap();
        parts.iter().map(|part| part.ranges().to_vec()).collect()
    }

    #[test]
    fn a_cut_moves_to_an_aligned_page_if_it_is_near() {
        let area = Area::single(0x100, 64, 0).unwrap();
        let quarter = [[Run::new(0x100, 48)], [Run::new(0x130, 16)]];
        assert_eq!(runs(&area, &[0.75, 0.25]), quarter);
        // Page 0x130 is 3 off, which is more than a sixteenth of 15.
        let area = Area::single(0x100, 60, 0).unwrap();
        assert_eq!(runs(&area, &[0.75, 0.25])[0], [Run::new(0x100, 45)]);
        // 1120 MiB and a bit: 215041 is one page past an order-11 place.
        let area = Area::single(0, 286_722, 0).unwrap();
        let parts = runs(&area, &[3.0, 1.0]);
        assert_eq!(parts[0], [Run::new(0, 217_088)]);
        assert_eq!(parts[1], [Run::new(217_088, 286_722 - 217_088)]);
    }

    #[test]
    fn parts_are_whole_granules_and_go_over_ranges() {
        let area = Area::new("two", 2, &[Run::new(6, 20), Run::new(26, 8)]).unwrap();
        assert_eq!(
            runs(&area, &[1.0, 1.0, 1.0]),
            [
                Vec::from([Run::new(6, 8)]),
                Vec::from([Run::new(14, 12)]),
                Vec::from([Run::new(26, 8)])
            ]
        );
        assert_eq!(
            runs(&area, &[0.4, 0.6]),
            [Vec::from([Run::new(6, 12)]), Vec::from([Run::new(18, 8), Run::new(26, 8)])]
        );
    }

    #[test]
    fn every_small_area_is_cut_without_loss_or_refused_with_a_remedy() {
        for pages in 1..=64 {
            for base in [0, 3, 0x40200] {
                let area = Area::single(base, pages, 0).unwrap();
                match carve(&area, &[0.75, 0.25]) {
                    Ok(parts) => {
                        let (rest, zone) = (parts[0].ranges()[0], parts[1].ranges()[0]);
                        assert_eq!((rest.pfn.0, rest.end()), (base, zone.pfn), "{area:?}");
                        assert_eq!(zone.end().0, base + pages);
                    }
                    Err(error) => {
                        assert!(pages <= 2, "{area:?}: {error}");
                        let more = error.to_string().contains("would do, in an area of more");
                        assert_eq!(more, pages == 1, "{error}");
                    }
                }
            }
        }
        let area = Area::single(0, 64, 0).unwrap();
        for shares in [[0.999, 0.001], [0.001, 0.999], [1.0, 0.0]] {
            let error = carve(&area, &shares).unwrap_err().to_string();
            assert!(error.contains("at least 0.015625 of all would do"), "{error}");
        }
    }
}
