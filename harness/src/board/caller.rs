//! How drivers ask, and what they do without the area.

use crate::page::Page;

/// A way to ask for memory. New ones go to the end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Caller {
    /// Its name.
    pub name: &'static str,
    /// What it does, in one line.
    pub about: &'static str,
    /// The kernel's function and file.
    pub source: &'static str,
    /// Requests of one page do not go to the default area, but to the page allocator.
    pub skips_one_page: bool,
    /// The most pages of 4 KiB of a request that the page allocator serves where the area refuses; 0:
    /// the driver fails.
    pub fallback_pages: u64,
}

/// Asks the area, and fails where that refuses.
const PLAIN: Caller =
    Caller { name: "", about: "", source: "", skips_one_page: false, fallback_pages: 0 };

/// Every way to ask. Alignment is not among what they differ in: a request follows the cap, or the
/// stream states its own, as for hugetlb, whose order no cap bounds.
pub const CALLERS: &[Caller] = &[
    Caller {
        name: "cma-only",
        about: "every request goes to the area, and fails where that refuses",
        source: "cma_alloc (mm/cma.c), for whatever asks it without a way out: arm64 up to 4.20, \
                 debugfs",
        ..PLAIN
    },
    Caller {
        name: "dma-direct",
        about: "one page comes from the page allocator unless the device has its own area; where \
                the area refuses, up to 4 MiB (order 10) do",
        source: "dma_alloc_contiguous (kernel/dma/contiguous.c), __dma_direct_alloc_pages \
                 (kernel/dma/direct.c), 5.3 to 6.12; callers that may sleep, \
                 CONFIG_ARCH_FORCE_MAX_ORDER as it is: with pages of 16 KiB up to 32 MiB (order \
                 11), of 64 KiB up to 512 MiB (order 13)",
        skips_one_page: true,
        fallback_pages: 1024,
    },
    Caller {
        name: "arm-dma",
        about: "32-bit Arm (i.MX6/7): one page goes to the area as any other request, and where it \
                refuses the driver fails",
        source: "__dma_alloc (arch/arm/mm/dma-mapping.c), 6.12; callers that may sleep",
        ..PLAIN
    },
    Caller {
        name: "dma-heap",
        about: "the CMA heap of dma-buf: where the area refuses, the ioctl fails",
        source: "cma_heap_allocate (drivers/dma-buf/heaps/cma_heap.c), 6.12",
        ..PLAIN
    },
    Caller {
        name: "ion",
        about: "the CMA heap of ION: where the area refuses, the ioctl fails",
        source: "ion_cma_allocate (drivers/staging/android/ion/ion_cma_heap.c), 4.14",
        ..PLAIN
    },
    Caller {
        name: "hugetlb",
        about: "gigantic pages: what alloc_contig_pages finds outside of all areas is not modelled",
        source: "alloc_gigantic_folio (mm/hugetlb.c), 6.12",
        ..PLAIN
    },
];

/// Whether an area of this name is of gigantic pages: `hugetlb0` (`mm/hugetlb_cma.c`).
pub(crate) fn is_gigantic(area: &str) -> bool {
    let node = area.strip_prefix("hugetlb").unwrap_or_default();
    !node.is_empty() && node.bytes().all(|byte| byte.is_ascii_digit())
}

impl Caller {
    /// The most pages of this size of a request that the page allocator serves: a block of the largest
    /// order that arm64 has with them, where it serves any.
    pub const fn fallback_on(&self, page: Page) -> u64 {
        match page {
            _ if self.fallback_pages == 0 => 0,
            Page::Kib4 => self.fallback_pages,
            Page::Kib16 => 1 << 11,
            Page::Kib64 => 1 << 13,
        }
    }

    /// The way of this name.
    pub fn find(name: &str) -> Option<&'static Self> {
        CALLERS.iter().find(|caller| caller.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_allocator_serves_its_largest_block() {
        let on = |name: &str| Page::ALL.map(|page| Caller::find(name).unwrap().fallback_on(page));
        // 4, 32 and 512 MiB.
        assert_eq!(on("dma-direct"), [1024, 2048, 8192]);
        assert_eq!(on("dma-heap"), [0; 3]);
    }
}
