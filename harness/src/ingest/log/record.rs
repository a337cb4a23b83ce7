//! What a line says: one piece of what a board prints.

use std::sync::Arc;

use super::boot::Boot;
use super::{Elsewhere, Frame};

/// What the reader keeps of a text, in order of the lines.
#[derive(Clone, PartialEq, Debug)]
pub struct Found {
    /// The line that it begins on, from 1 on.
    pub line: u64,
    /// Its stamp, in microseconds since boot; `None` where there is none, or only a wall clock.
    pub time_us: Option<u64>,
    /// Who printed it, where the prefix says so (pid of a trace, `[T123]`, `[2: comm: pid]`).
    pub task: Option<Task>,
    /// What it says.
    pub record: Record,
}

/// Who printed a line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Task {
    /// Its name, where it is printed.
    pub comm: Option<Arc<str>>,
    /// Its pid; for a printk caller that is a CPU (`[C2]`), none.
    pub pid: Option<u32>,
    /// The CPU, where it is printed.
    pub cpu: Option<u32>,
}

/// Where a record of a call comes from.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Origin {
    /// A `pr_debug` line.
    Debug,
    /// A trace event.
    Trace,
}

/// The shape of a failure line: what it says about the kernel that printed it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Shape {
    /// `cma_alloc: alloc failed, …`: 4.11 to 5.11.
    Unnamed,
    /// `cma_alloc: AREA: alloc failed, …`: 5.12 to 6.11.
    Named,
    /// `__cma_alloc: AREA: alloc failed, …`: 6.12 on (some vendors earlier).
    Inner,
    /// `__cma_alloc_frozen: AREA: alloc failed, …`: trees of 2026.
    Frozen,
    /// `req-size: N pages` out of its line: quoted by hand.
    Fragment,
}

/// One piece of what a board says.
#[derive(Clone, PartialEq, Debug)]
pub enum Record {
    /// A failure line. One that names several sizes (`{256,128}`) yields one record for each.
    Failed {
        /// Its shape.
        shape: Shape,
        /// The area, where it is named.
        area: Option<Arc<str>>,
        /// Pages asked for.
        count: u64,
        /// The number after `ret:`; `None` where it is cut or not one number.
        ret: Option<i32>,
    },
    /// A list of free runs, whole or in part.
    FreeRuns(FreeRuns),
    /// A call begins.
    Start {
        /// Where this comes from.
        origin: Origin,
        /// The area, where it is named.
        area: Option<Arc<str>>,
        /// Pages asked for.
        count: u64,
        /// The order asked for.
        align: u32,
        /// Free pages of the area ([`Sign::StartTotals`](crate::kernel::Sign)).
        available: Option<u64>,
        /// All pages of the area (likewise, and some vendors).
        total: Option<u64>,
        /// Printed in the way of a vendor (Android).
        vendor: bool,
        /// The function of a debug line is `__cma_alloc…`, or it has `name:`.
        named: bool,
    },
    /// A claim of a call was busy.
    Busy {
        /// Where this comes from.
        origin: Origin,
        /// The area, where it is named.
        area: Option<Arc<str>>,
        /// First page, where it is stated.
        pfn: Option<u64>,
        /// The page pointer as printed, where it is no hash: only differences mean something.
        page: Option<u64>,
        /// Pages asked for, where stated (traces).
        count: Option<u64>,
        /// The order asked for, where stated (traces).
        align: Option<u32>,
    },
    /// A call ended: `cma_alloc_finish`, the single `cma_alloc` event of old kernels, or
    /// `returned …` of a debug line.
    Finish {
        /// Where this comes from.
        origin: Origin,
        /// The area, where it is named.
        area: Option<Arc<str>>,
        /// The page as printed.
        page: Page,
        /// The pfn as printed: -1 (all ones) or 0 too.
        pfn: Option<u64>,
        /// Pages asked for, where stated (traces).
        count: Option<u64>,
        /// The order asked for, where stated (traces).
        align: Option<u32>,
        /// `errorno=`, where it is stated ([`Sign::FinishErrno`](crate::kernel::Sign)).
        errno: Option<i32>,
        /// It is the one event of a call (`cma_alloc`, up to 5.12): no start precedes it.
        alone: bool,
    },
    /// Pages were given back.
    Release {
        /// Where this comes from.
        origin: Origin,
        /// The area, where it is named.
        area: Option<Arc<str>>,
        /// First page, where it is stated.
        pfn: Option<u64>,
        /// Pages, where stated.
        count: Option<u64>,
    },
    /// `alloc_contig_range: [start, end) PFNs busy`.
    PfnsBusy {
        /// First page.
        start: u64,
        /// The page after the last one.
        end: u64,
    },
    /// `cma_range_alloc: AREA: skipping incompatible area [0xA-0xB]`: a place whose pages lie
    /// across a hole of the memmap; no busy claim, and no event.
    Skipped {
        /// The area.
        area: Arc<str>,
        /// First page.
        start: u64,
        /// Last page.
        last: u64,
    },
    /// A developer's print of `bitmap_find_next_zero_area_off`, not of any mainline kernel.
    Search {
        /// Bits of the map.
        size: u64,
        /// Bits asked for.
        nr: u64,
        /// Alignment mask in bits.
        mask: u64,
        /// Alignment offset in bits.
        offset: u64,
        /// The aligned bit that was looked at last.
        index: u64,
        /// `index + nr`: above `size` where the search found nothing.
        end: u64,
    },
    /// A developer's print of the mask and the size of a search.
    Mask {
        /// Alignment mask in bits.
        mask: u64,
        /// Alignment offset in bits.
        offset: u64,
        /// Bits of the map.
        maxno: u64,
        /// Bits asked for.
        bits: u64,
    },
    /// The printk rate limit hid this many lines of this function.
    Suppressed {
        /// The function.
        function: Arc<str>,
        /// Lines.
        lines: u64,
    },
    /// A trace lost events.
    Lost {
        /// The CPU whose buffer overran, where stated.
        cpu: Option<u32>,
        /// Events, where stated.
        events: Option<u64>,
    },
    /// A driver says that it got no memory.
    Driver {
        /// Bytes, where stated.
        bytes: Option<u64>,
        /// It says that CMA was asked.
        cma: bool,
        /// It asks as CMA is asked: by its row, or by what it says.
        dma: bool,
        /// The driver and its device, as the line begins: `vivid vivid.0`.
        device: Option<Arc<str>>,
        /// The row of [`SHAPES`](super::SHAPES) that has its words, by name.
        shape: Option<&'static str>,
    },
    /// A piece of what a driver says that got no memory; the rest of the line is missing.
    DriverPiece,
    /// Another allocator than CMA refused.
    Elsewhere {
        /// Which.
        kind: Elsewhere,
        /// The driver and its device, as the line begins.
        device: Option<Arc<str>>,
        /// Bytes, where stated.
        bytes: Option<u64>,
        /// The order of the block, where stated.
        order: Option<u32>,
        /// How it asked: `GFP_KERNEL|GFP_DMA`.
        flags: Option<Arc<str>>,
        /// The line, as far as it is kept.
        text: Arc<str>,
    },
    /// A zone in a report of memory.
    Zone {
        /// Its name.
        zone: Arc<str>,
        /// Only what asks for movable memory or for memory without addresses of the kernel's gets
        /// some of it.
        movable: bool,
        /// Free, in kB.
        free_kb: u64,
        /// Free in CMA areas, in kB: a part of that.
        cma_kb: u64,
        /// What most requests must leave, in kB.
        high_kb: u64,
    },
    /// Pages of all CMA areas, in a report of memory.
    CmaPages(u64),
    /// A backtrace is of this task.
    Backtrace(Task),
    /// A device of V4L2 was registered.
    VideoDevice,
    /// A function of a stack that says who asked.
    Frame(&'static Frame),
    /// What a driver holds, or dma-buf exporters do; a piece of a dump.
    Held {
        /// Who counts it.
        holder: Holder,
        /// What of it this is.
        part: Part,
        /// Bytes, where stated; kb are multiplied out.
        bytes: Option<u64>,
        /// Buffers, where stated.
        buffers: Option<u64>,
    },
    /// A write to debugfs `alloc`: the request that follows has order 0.
    DebugfsAlloc {
        /// The folder of the area.
        area: Option<Arc<str>>,
        /// Pages.
        count: u64,
    },
    /// The release of the kernel, as it calls itself.
    Kernel(Arc<str>),
    /// A release of a kernel that is installed, by a path, or that a form names: mostly of the one
    /// that runs.
    Installed(Arc<str>),
    /// An area was reserved at boot.
    Reserved {
        /// Its name, where the line has one.
        area: Option<Arc<str>>,
        /// First byte.
        base: u64,
        /// Bytes.
        bytes: u64,
    },
    /// A file of debugfs `cma/AREA/`.
    Debugfs {
        /// The folder, which names the area (without `cma-` before it).
        area: Option<Arc<str>>,
        /// The range, where the path names one.
        range: Option<u32>,
        /// What it says.
        file: DebugfsFile,
    },
    /// A bitmap of debugfs as it was at some moment while `cmalab collect -t` recorded: one of many
    /// readings, which say nothing of the moment that a text is of.
    Snapshot {
        /// When it was read, in microseconds since boot.
        at_us: u64,
        /// The folder, which names the area.
        area: Option<Arc<str>>,
        /// The range, where the path names one.
        range: Option<u32>,
        /// Words of 32 bits, the least significant one first; 1 is allocated.
        words: Arc<[u32]>,
    },
    /// A counter: sysfs `mm/cma/AREA/FILE`, a line of meminfo (in bytes) or vmstat.
    Counter {
        /// The area, where it belongs to one.
        area: Option<Arc<str>>,
        /// Its name as the kernel spells it: `alloc_pages_fail`, `CmaFree`, `nr_free_cma`.
        name: Arc<str>,
        /// Its value, in the unit that the kernel uses; kB are multiplied out to bytes.
        value: u64,
    },
    /// Free blocks of the page allocator.
    FreeBlocks(FreeBlocks),
    /// `CONFIG_CMA_ALIGNMENT`, where a kernel configuration is given.
    Cap(u32),
    /// Whether the kernel was built with this.
    Config(Knob, bool),
    /// The kernel's command line.
    CommandLine(Arc<str>),
    /// What else a boot says of areas, or a device tree.
    Boot(Boot),
}

/// Who counts buffers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Holder {
    /// The driver vc4: all of its buffers are contiguous.
    Vc4,
    /// `dma_buf/bufinfo` of debugfs: what is exported, from CMA or from elsewhere.
    DmaBuf,
}

/// A piece of what is held.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Part {
    /// Nothing yet: the line before the pieces, of a request that was refused.
    Head,
    /// All of it.
    All,
    /// What has this label, or is of this exporter.
    Of(Arc<str>),
    /// Of all, what was freed and is kept to be used again.
    Cached,
    /// Counted under its label still, but given back already.
    Purged,
}

/// A switch of the kernel's configuration: what it decides is which files and lines there are.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Knob {
    /// CONFIG_CMA_DEBUGFS.
    CmaDebugfs,
    /// CONFIG_CMA_DEBUG, up to 6.8.
    CmaDebug,
    /// CONFIG_DYNAMIC_DEBUG.
    DynamicDebug,
}

/// Free blocks of the page allocator in one zone: of CMA alone, or of every type.
///
/// Where they are of CMA, no area has given their pages to anybody: each block is a free run, or a
/// part of one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FreeBlocks {
    /// The zone with its node: `node 0 DMA`.
    pub zone: Arc<str>,
    /// They are those of CMA.
    pub cma: bool,
    /// How many there are of each order, from 0 on.
    pub blocks: Vec<u64>,
}

impl FreeBlocks {
    /// Their pages.
    pub fn pages(&self) -> u64 {
        let pages = |(order, blocks): (u32, &u64)| blocks.saturating_mul(1 << order);
        (0..).zip(&self.blocks).map(pages).fold(0, u64::saturating_add)
    }

    /// The pages of the largest blocks, and how many of these there are.
    pub fn largest(&self) -> Option<(u64, u64)> {
        let order = self.blocks.iter().rposition(|blocks| *blocks > 0)?;
        Some((1 << order, self.blocks[order]))
    }
}

/// A page pointer as printed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Page {
    /// NULL: the call failed.
    Null,
    /// A pointer, or a hash of one: the call was granted.
    Some,
}

/// A file of debugfs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DebugfsFile {
    /// `base_pfn`.
    BasePfn(u64),
    /// `count`, in pages.
    Count(u64),
    /// `order_per_bit`.
    OrderPerBit(u32),
    /// `used`, in pages.
    Used(u64),
    /// `maxchunk`, in pages.
    MaxChunk(u64),
    /// `bitmap`: words of 32 bits, the least significant one first; 1 is allocated.
    Bitmap(Arc<[u32]>),
}

/// `number of available pages: …`
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct FreeRuns {
    /// The runs of each range in the order of the text; one range, number 0, up to 6.14.
    pub ranges: Vec<RangeRuns>,
    /// The list has `range N:` lines (6.15 on).
    pub ranged: bool,
    /// The free pages that the tail states.
    pub free: Option<u64>,
    /// The total pages that the tail states.
    pub total: Option<u64>,
    /// The head (`number of available pages`) is there.
    pub head: bool,
    /// It is not whole, and runs follow the head on its line, as they do up to 6.14.
    pub inline: bool,
    /// A piece is known to be missing: an ellipsis, a number cut, no tail, runs that do not
    /// ascend.
    pub cut: bool,
    /// The runs have no `@position` (a patch before 4.11).
    pub unplaced: bool,
    /// Quoted whole by hand, without head and tail.
    pub quoted: bool,
}

/// The free runs of a range.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct RangeRuns {
    /// Its number.
    pub range: u32,
    /// Pages, and the bit that they begin at (0 where the list is unplaced), as printed.
    pub runs: Vec<(u64, u64)>,
}

impl FreeRuns {
    /// The pages of all runs that are there.
    pub fn sum(&self) -> u64 {
        let runs = self.ranges.iter().flat_map(|range| &range.runs);
        runs.fold(0, |sum, (pages, _)| sum.saturating_add(*pages))
    }

    /// Whether nothing is missing, as far as the text shows: head and tail are there, and the runs
    /// make up what the tail states. From 6.15 on the tail has the counter of the area, which the
    /// runs need not make up where a bit is of several pages: then each range has its record.
    pub fn is_complete(&self) -> bool {
        let adds_up = || self.free == Some(self.sum()) || self.drifts();
        !self.cut && (self.quoted || self.head && adds_up())
    }

    /// Whether the tail states other pages than the runs have, which are of whole bits of several
    /// pages.
    pub fn drifts(&self) -> bool {
        let runs = || self.ranges.iter().flat_map(|range| &range.runs);
        let numbers = self.ranges.iter().map(|range| range.range);
        self.ranged
            && self.free.is_some_and(|free| free != self.sum())
            && numbers.eq(0..self.ranges.len() as u32)
            && runs().all(|(pages, _)| pages.is_multiple_of(2))
    }
}
