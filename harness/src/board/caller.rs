//! How drivers ask, and what they do without the area.

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
    /// The most pages of a request that the page allocator serves where the area refuses; 0: the
    /// driver fails.
    pub fallback_pages: u64,
}

/// Every way to ask.
pub const CALLERS: &[Caller] = &[
    Caller {
        name: "cma-only",
        about: "every request goes to the area, and fails where that refuses",
        source: "__dma_alloc (arch/arm/mm/dma-mapping.c), cma_heap_allocate \
                 (drivers/dma-buf/heaps/cma_heap.c)",
        skips_one_page: false,
        fallback_pages: 0,
    },
    Caller {
        name: "dma-direct",
        about: "one page comes from the page allocator unless the device has its own area; where \
                the area refuses, up to 4 MiB do",
        source: "dma_alloc_contiguous (kernel/dma/contiguous.c), __dma_direct_alloc_pages \
                 (kernel/dma/direct.c), 5.3 to 6.12",
        skips_one_page: true,
        fallback_pages: 1024,
    },
];

impl Caller {
    /// The way of this name.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Self> {
        CALLERS.iter().find(|caller| caller.name == name)
    }
}
