//! What a search asks for.

/// What a search asks for, all in bits (`bitmap_find_next_zero_area_off()`, `lib/bitmap.c`, 6.12).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Search {
    /// Bits that must be free in a row, at least 1.
    pub bits: u64,
    /// Which bits of `bit + offset` must be 0: one less than a power of two.
    pub mask: u64,
    /// How far bit 0 is past an aligned place.
    pub offset: u64,
    /// 0 at first; after a refused claim one alignment step past the place that was refused.
    pub from: u64,
}

impl Search {
    /// The place whose refused claim this search goes on from, if it does.
    pub const fn refused(&self) -> Option<u64> {
        if self.from == 0 { None } else { self.from.checked_sub(self.mask + 1) }
    }

    /// The first aligned bit at or after `bit`; the last number there is where that is larger.
    pub const fn align_up(&self, bit: u64) -> u64 {
        // The distance, not the place, which may have no number: wrapping keeps it modulo a power
        // of two.
        bit.saturating_add(bit.wrapping_add(self.offset).wrapping_neg() & self.mask)
    }

    /// The last aligned bit at or before `bit`, if there is one.
    pub const fn align_down(&self, bit: u64) -> Option<u64> {
        bit.checked_sub(bit.wrapping_add(self.offset) & self.mask)
    }
}
