//! The pitch law: how many buffers of one size an area holds.

use cma_policies::dma_align;

/// An area filled with buffers of one size at one cap.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Pitch {
    /// `CONFIG_CMA_ALIGNMENT`.
    pub cap: u32,
    /// The order that the buffers are aligned to.
    pub align: u32,
    /// Pages from the start of one buffer to that of the next.
    pub pitch: u64,
    /// Buffers that fit.
    pub blocks: u64,
    /// Pages that are free when the next one fails.
    pub free_pages: u64,
}

impl Pitch {
    /// Buffers of `count` pages in an area of `area_pages` that begins at an aligned page: the
    /// `n`-th goes to `n` times the pitch, by every policy that aligns (aligned first fit of
    /// `cma_alloc()`, `mm/cma.c`).
    pub fn of(count: u64, area_pages: u64, cap: u32) -> Self {
        let align = dma_align(count, cap);
        let unit = 1u64.checked_shl(align).unwrap_or(u64::MAX);
        // Beyond u64 only one fits.
        let pitch = count.max(1).checked_next_multiple_of(unit).unwrap_or(u64::MAX);
        let blocks = match area_pages.checked_sub(count) {
            Some(rest) if count > 0 => rest / pitch + 1,
            _ => 0,
        };
        let free_pages = area_pages - blocks * count;
        Self { cap, align, pitch, blocks, free_pages }
    }

    /// The share of an area of `area_pages` that is free when the next buffer fails: 0 to 1.
    pub fn free_share(&self, area_pages: u64) -> f64 {
        if area_pages == 0 { 0.0 } else { self.free_pages as f64 / area_pages as f64 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAPS: [u32; 6] = [8, 7, 6, 5, 4, 0];

    #[test]
    fn a_page_more_than_a_slot_costs_half_of_the_area() {
        // The area and the buffer of the i.MX note.
        let table = CAPS.map(|cap| Pitch::of(257, 286_720, cap));
        let blocks = table.map(|pitch| pitch.blocks);
        assert_eq!(blocks, [560, 746, 896, 995, 1054, 1115]);
        let free = table.map(|pitch| format!("{:.1}", 100.0 * pitch.free_share(286_720)));
        assert_eq!(free, ["49.8", "33.1", "19.7", "10.8", "5.5", "0.1"]);
        assert_eq!(table[0].free_pages, 142_800);
        // A page less: the same slots, filled.
        assert_eq!(CAPS.map(|cap| Pitch::of(256, 286_720, cap).blocks), [1120; 6]);
    }

    #[test]
    fn edges() {
        for cap in [0, 8, 63, 64, u32::MAX] {
            for (count, area, blocks) in [
                (0, 0, 0),
                (0, 64, 0),
                (1, 0, 0),
                (1, 1, 1),
                (64, 63, 0),
                (64, 64, 1),
                (u64::MAX, u64::MAX, 1),
                (u64::MAX, 1, 0),
                (1, u64::MAX, u64::MAX),
            ] {
                assert_eq!(Pitch::of(count, area, cap).blocks, blocks, "{count} {area} {cap}");
            }
        }
        assert_eq!(Pitch::of(u64::MAX / 2 + 2, u64::MAX, 64).pitch, u64::MAX);
        assert!(Pitch::of(3, 0, 8).free_share(0).abs() < 1e-9);
    }
}
