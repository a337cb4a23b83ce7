//! What a boot says of areas of memory, beside where they were reserved.

use std::sync::Arc;

use super::dts::{Node, Region};
use crate::kernel::Arch;

/// A piece of a boot; the functions are of `mm/cma.c` ("cma"), `kernel/dma/contiguous.c`
/// ("contiguous") and `drivers/of/of_reserved_mem.c` ("of"), as of 6.12 where nothing else is said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Boot {
    /// No memory was found for a node (of, `__reserved_mem_alloc_size()`).
    NotPlaced {
        /// The node.
        node: Arc<str>,
        /// Bytes asked for, where stated.
        bytes: Option<u64>,
    },
    /// The memory of a node with `reg` is not free (of, `__reserved_mem_reserve_reg()`).
    Taken {
        /// The node.
        node: Arc<str>,
    },
    /// Base or size of the node that is named next is off the step (contiguous,
    /// `rmem_cma_setup()`).
    Misaligned,
    /// The node that is named next was refused (likewise).
    NotSetUp,
    /// No driver of reserved memory took a node.
    NoMatch {
        /// The node.
        node: Arc<str>,
    },
    /// `cma=` is used in place of a node: up to 6.x by its name, in 7.x without one.
    Bypassed {
        /// The node.
        node: Option<Arc<str>>,
    },
    /// A pool without `reusable`: it is no area (`kernel/dma/coherent.c`).
    DmaPool {
        /// First byte.
        base: u64,
        /// Bytes.
        bytes: u64,
    },
    /// A pool of that kind needs `no-map` on this architecture (likewise).
    NeedsNoMap,
    /// A driver of reserved memory took a node.
    Initialized {
        /// The node.
        node: Arc<str>,
    },
    /// A property of a node has the wrong number of cells.
    Invalid {
        /// The node.
        node: Arc<str>,
        /// The property.
        property: Arc<str>,
    },
    /// A node and its memory (from 6.4 on).
    Node {
        /// The node.
        node: Arc<str>,
        /// First byte.
        base: u64,
        /// Bytes.
        bytes: u64,
        /// It has `reusable`.
        reusable: bool,
    },
    /// Of several entries of `reg` only the first is used.
    FirstEntry {
        /// The node.
        node: Arc<str>,
    },
    /// Two nodes have the same memory.
    Overlap {
        /// One.
        node: Arc<str>,
        /// The other.
        with: Arc<str>,
    },
    /// The area that was reserved last is none of a device tree (cma,
    /// `cma_declare_contiguous_nid()`).
    Declared {
        /// The node of memory that it was asked for on, where stated (6.6 to 6.14); -1 is any.
        node: Option<i32>,
    },
    /// An area of several ranges was reserved (from 6.15 on).
    Ranges {
        /// Bytes.
        bytes: u64,
        /// Ranges.
        ranges: u64,
    },
    /// No memory was found for an area of the command line or the configuration (cma).
    Failed {
        /// Bytes.
        bytes: u64,
    },
    /// A fixed place is off the step (cma).
    Unaligned {
        /// Where it should begin.
        base: u64,
        /// The step in bytes.
        step: u64,
    },
    /// A fixed place lies across the end of low memory (cma).
    Crosses {
        /// Where it should begin.
        base: u64,
        /// The end of low memory.
        boundary: u64,
    },
    /// A place ends above the limit (cma).
    OverLimit {
        /// Bytes.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// There are as many areas as `CONFIG_CMA_AREAS` allows (cma).
    NoSlots,
    /// An area could not be used after all: it lies in two zones (cma, `cma_activate_area()`).
    Dead {
        /// The area.
        area: Arc<str>,
    },
    /// `hugetlb_cma=` is below a gigantic page, or none of its multiples (`mm/hugetlb.c`, later
    /// `mm/hugetlb_cma.c`): bytes of that.
    HugetlbOff(u64),
    /// It is a share of the memory that is above 100 % or below a gigantic page.
    HugetlbShare,
    /// It names this node of memory, which is not there.
    HugetlbNode(u32),
    /// Its area on a node of memory was reserved.
    HugetlbPlaced {
        /// Bytes.
        bytes: u64,
        /// The node.
        node: u32,
    },
    /// No memory was found for it on a node of memory.
    HugetlbFailed {
        /// The node.
        node: u32,
        /// Memory was found, which lies in two zones.
        zones: bool,
    },
    /// The architecture has no `hugetlb_cma=`.
    HugetlbUnknown,
    /// What `hugetlb_cma=` asks for in all, in bytes.
    Hugetlb(u64),
    /// What became of `crashkernel=…,cma` (`reserve_crashkernel_cma()`, `kernel/crash_reserve.c`,
    /// from 6.17 on): the areas that were reserved before this line.
    Crash {
        /// Bytes asked for, where they are not what was reserved.
        asked: Option<u64>,
        /// Bytes reserved.
        bytes: u64,
        /// Areas.
        ranges: u64,
    },
    /// The architecture has no `crashkernel=…,cma`.
    CrashUnknown,
    /// A block of memory (`free_area_init()`, "Early memory node ranges").
    Memory {
        /// First byte.
        start: u64,
        /// The byte after the last one.
        end: u64,
    },
    /// A zone (`free_area_init()`, "Zone ranges").
    Zone {
        /// First byte.
        start: u64,
        /// The byte after the last one.
        end: u64,
    },
    /// Bytes of memory in all (`mem_init_print_info()`).
    AllMemory(u64),
    /// A device could not use the memory that its `memory-region` names.
    DeviceRefused {
        /// What the line begins with: mostly driver and device.
        device: Arc<str>,
    },
    /// A device was given the memory of a node (of, `of_reserved_mem_device_init_by_idx()`).
    Assigned {
        /// What the line begins with: driver and device.
        device: Arc<str>,
        /// The node.
        node: Arc<str>,
    },
    /// `cma=` is none of the kernel's parameters: `CONFIG_DMA_CMA` is off.
    CmaUnknown,
    /// The banner of a kernel: its release, how often it was built and when.
    Began {
        /// That text.
        banner: Arc<str>,
        /// The architecture, by the compiler.
        arch: Option<Arch>,
    },
    /// Another boot follows: a line of `journalctl`, or the end of the boot before.
    Ends,
    /// `CONFIG_DMA_CMA`: whether it is set.
    DmaCma(bool),
    /// Whether the kernel has CMA heaps of dma-buf, by its configuration (`CONFIG_DMABUF_HEAPS_CMA`);
    /// as a module it says nothing.
    Heaps(bool),
    /// A heap of dma-buf, by its name: a CMA heap has that of its area
    /// (`drivers/dma-buf/heaps/cma_heap.c`).
    Heap(Arc<str>),
    /// The architecture is stated.
    Arch(Arch),
    /// Bytes of a page are stated, or follow from a number that depends on them.
    PageBytes(u64, PageFrom),
    /// Pages of a pageblock, as an order (`/proc/pagetypeinfo`).
    BlockOrder(u32),
    /// The kernel is configured for blocks of at most this order: `ARCH_FORCE_MAX_ORDER`, or
    /// `FORCE_MAX_ZONEORDER` less one, or `PAGE_BLOCK_MAX_ORDER`.
    MaxOrder(u32, OrderFrom),
    /// The model of the board.
    Model(Arc<str>),
    /// A node of `reserved-memory`, as text or as a listing of `/proc/device-tree`.
    Dts(Box<Node>),
    /// A device and its `memory-region`.
    Region(Region),
    /// All memory by a device tree, which a boot loader may change: first byte and bytes of each
    /// piece.
    TreeMemory(Vec<(u64, u64)>),
    /// A pool for atomic DMA has its memory, mostly out of the default area
    /// (`__dma_atomic_pool_init()`, `kernel/dma/pool.c`, from 5.8 on; before, one by
    /// `dma_atomic_pool_init()`, `kernel/dma/remap.c`, or `atomic_pool_init()`,
    /// `arch/arm/mm/dma-mapping.c`).
    AtomicPool {
        /// Bytes.
        bytes: u64,
        /// The zone that it is for.
        zone: PoolZone,
    },
}

/// The zone that a pool for atomic DMA is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PoolZone {
    /// Any.
    Any,
    /// `ZONE_DMA`.
    Dma,
    /// `ZONE_DMA32`: what ends below 4 GiB.
    Dma32,
}

/// What the size of a page is known from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PageFrom {
    /// `getconf PAGESIZE`.
    Getconf,
    /// `Hugepagesize` of `/proc/meminfo`: a table of pages is one page.
    HugePage,
    /// `CONFIG_ARM64_16K_PAGES` and its like.
    Config,
    /// The release: `-16k`, `-64k`, `rpi-2712`.
    Release,
    /// An area's bytes and its pages.
    Pages,
    /// The architecture has pages of one size.
    Arch,
}

/// Which option of the configuration says how large blocks are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OrderFrom {
    /// Blocks of the page allocator: `ARCH_FORCE_MAX_ORDER`, `FORCE_MAX_ZONEORDER`.
    Blocks,
    /// Pageblocks: `PAGE_BLOCK_MAX_ORDER` (from 6.17 on).
    Pageblocks,
}
