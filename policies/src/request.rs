//! What a client asks for.

use crate::error::BuildError;

/// `count` pages aligned to `2^align` pages, for `client`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Request {
    count: u64,
    align: u32,
    client: u16,
}

impl Request {
    /// A request of client 0.
    ///
    /// # Errors
    /// [`BuildError::Empty`] for no pages, [`BuildError::Align`] for an order of 64 or more.
    pub const fn new(count: u64, align: u32) -> Result<Self, BuildError> {
        if count == 0 {
            return Err(BuildError::Empty);
        }
        if align >= 64 {
            return Err(BuildError::Align(align));
        }
        Ok(Self { count, align, client: 0 })
    }

    /// The same request, asked by `client`.
    #[must_use]
    pub const fn with_client(self, client: u16) -> Self {
        Self { client, ..self }
    }

    /// Pages asked for, at least 1.
    pub const fn count(self) -> u64 {
        self.count
    }

    /// The alignment *order*: the first page is to be a multiple of `2^align` pages. Below 64.
    pub const fn align(self) -> u32 {
        self.align
    }

    /// Who asks.
    pub const fn client(self) -> u16 {
        self.client
    }
}

/// The alignment order that the DMA API asks for: `min(ceil_log2(count), cap)`, where `cap` is
/// `CONFIG_CMA_ALIGNMENT` (`dma_alloc_contiguous()`, `kernel/dma/contiguous.c`, 6.12).
///
/// ```
/// assert_eq!(cma_policies::dma_align(456, 8), 8);
/// assert_eq!(cma_policies::dma_align(5, 8), 3);
/// assert_eq!(cma_policies::dma_align(1, 8), 0);
/// ```
pub const fn dma_align(count: u64, cap: u32) -> u32 {
    let order = ceil_log2(count);
    if order < cap { order } else { cap }
}

/// The smallest `k` with `2^k >= count`; 0 for a count of 0. At most 64.
pub const fn ceil_log2(count: u64) -> u32 {
    if count <= 1 { 0 } else { u64::BITS - (count - 1).leading_zeros() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nonsense_cannot_be_built() {
        assert_eq!(Request::new(0, 3), Err(BuildError::Empty));
        assert_eq!(Request::new(1, 64), Err(BuildError::Align(64)));
        assert!(Request::new(1, 63).is_ok());
    }

    #[test]
    fn ceil_log2_at_its_edges() {
        let table = [(0, 0), (1, 0), (2, 1), (3, 2), (4, 2), (5, 3), (257, 9), (1 << 63, 63)];
        for (count, order) in table {
            assert_eq!(ceil_log2(count), order, "{count}");
        }
        assert_eq!(ceil_log2(u64::MAX), 64);
    }
}
