//! Messages of other allocators than CMA, which are taken for its own: what each is, and what of it
//! is read.

use std::sync::{Arc, LazyLock};

use regex::bytes::Regex;

use super::boot;
use super::driver::device;
use crate::ingest::log::{Record, Task, bytes, prefix};

/// Who refused, where that was not CMA.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Elsewhere {
    /// The allocator of per-CPU variables (`mm/percpu.c`).
    Percpu,
    /// The reservation for a crash kernel, at boot (`reserve_crashkernel()`).
    Crashkernel,
    /// The memory of a graphics card, or its translation table (TTM).
    Graphics,
    /// The page allocator: no block of this order (`warn_alloc()`, `mm/page_alloc.c`).
    Pages,
    /// Addresses for mappings (`mm/vmalloc.c`).
    Vmalloc,
    /// The bounce buffers for devices that do not reach all memory (`kernel/dma/swiotlb.c`).
    Swiotlb,
    /// The DMA mask of a device: without one CMA is not asked (`arch/arm/mm/dma-mapping.c`).
    Mask,
    /// The allocator of small objects (`mm/slub.c`).
    Slab,
    /// Packets of the network.
    Packet,
    /// The pool for DMA memory that is asked for where nobody may sleep (`kernel/dma/pool.c`).
    AtomicPool,
    /// Memory of every kind ran out (`mm/oom_kill.c`).
    OutOfMemory,
}

use Elsewhere::*;

impl Elsewhere {
    /// The word for it in every format.
    pub const fn name(self) -> &'static str {
        match self {
            Percpu => "percpu",
            Crashkernel => "crashkernel",
            Graphics => "graphics_memory",
            Pages => "page_allocator",
            Vmalloc => "vmalloc",
            Swiotlb => "swiotlb",
            Mask => "dma_mask",
            Slab => "slab",
            Packet => "packet",
            AtomicPool => "atomic_pool",
            OutOfMemory => "out_of_memory",
        }
    }
}

/// Words in small letters, whose they are, and whether they say by themselves that something was
/// refused: beside the others a word that says so must be in the line.
pub(super) const WORDS: &[(&str, Elsewhere, bool)] = &[
    ("invoked oom-killer", OutOfMemory, true),
    ("page allocation failure", Pages, true),
    ("coherent dma mask", Mask, true),
    ("coherent mask is unset", Mask, true),
    ("coherent allocation too big", Mask, true),
    ("swiotlb buffer is full", Swiotlb, true),
    ("swiotlb", Swiotlb, false),
    ("software io tlb", Swiotlb, false),
    ("percpu", Percpu, false),
    ("per cpu", Percpu, false),
    ("crashkernel reservation failed", Crashkernel, true),
    ("crashkernel", Crashkernel, false),
    ("crash kernel", Crashkernel, false),
    ("vmap allocation for size", Vmalloc, true),
    ("vmalloc: allocation failure", Vmalloc, true),
    ("vmalloc error", Vmalloc, true),
    ("vmalloc", Vmalloc, false),
    ("vmap alloc", Vmalloc, false),
    ("vram", Graphics, false),
    ("radeon", Graphics, false),
    ("amdgpu", Graphics, false),
    ("nouveau", Graphics, false),
    ("i915", Graphics, false),
    ("vmwgfx", Graphics, false),
    ("qxl", Graphics, false),
    ("[ttm]", Graphics, false),
    ("for atomic", AtomicPool, false),
    ("atomic pool", AtomicPool, false),
    ("atomic coherent", AtomicPool, false),
    ("slub: unable", Slab, true),
    ("slub", Slab, false),
    ("slab", Slab, false),
    ("kmalloc", Slab, false),
    ("kzalloc", Slab, false),
    ("kcalloc", Slab, false),
    ("kmem_cache", Slab, false),
    ("skb", Packet, false),
    ("sk_buff", Packet, false),
];

/// The order in `order:9, mode:…`, `order=0, …`.
static ORDER: LazyLock<Regex> =
    LazyLock::new(|| bytes::pattern(r"(?-u)order[:=]\s?(?<order>[0-9]{1,2})\b"));

/// The flags in `gfp_mask=0xcc0(GFP_KERNEL)`, `mode:0xcc1(GFP_KERNEL|GFP_DMA)`.
static FLAGS: LazyLock<Regex> =
    LazyLock::new(|| bytes::pattern(r"(?-u)(?:gfp_mask=|mode:)0x[0-9a-f]+\((?<flags>[A-Z_0-9|]+)"));

/// Bytes: `size=4096`, `(size:0x10000000)`, `(sz: 536576 bytes)`.
static BYTES: LazyLock<Regex> = LazyLock::new(|| {
    bytes::pattern(r"(?-u)\b(?:size|sz)[=:]?\s?(?:0x(?<hex>[0-9a-f]{1,16})|(?<size>[0-9]{1,20}))\b")
});

/// What a line says of an allocator that is not CMA.
pub(super) fn record(kind: Elsewhere, line: &[u8]) -> Record {
    const LONGEST: usize = 160;
    let text = |found: &[u8]| String::from_utf8_lossy(found).into_owned();
    let number = |pattern: &Regex, name: &str, radix| {
        let found = pattern.captures(line)?;
        let digits = found.name(name)?.as_bytes();
        u64::from_str_radix(str::from_utf8(digits).ok()?, radix).ok()
    };
    let size = number(&BYTES, "size", 10).or_else(|| number(&BYTES, "hex", 16));
    let flags = FLAGS.captures(line).map(|found| text(&found["flags"]));
    let body = line[prefix::body(line)..].trim_ascii_end();
    Record::Elsewhere {
        kind,
        device: device::device(line).map(Arc::from),
        bytes: size,
        order: number(&ORDER, "order", 10).and_then(|order| u32::try_from(order).ok()),
        flags: flags.map(Arc::from),
        text: Arc::from(text(&body[..body.len().min(LONGEST)])),
    }
}

/// A zone of a report of memory: `DMA free:519112kB … free_cma:513592kB` (`show_free_areas()`,
/// `mm/show_mem.c`).
static ZONE: LazyLock<Regex> = LazyLock::new(|| {
    bytes::pattern(
        r"(?-u)(?<zone>DMA32|DMA|Normal|HighMem|Movable|Device) free:(?<free>[0-9]{1,15})kB\b.*?\bfree_cma:(?<cma>[0-9]{1,15})kB",
    )
});

/// The watermark that the page allocator leaves alone for most.
static HIGH: LazyLock<Regex> = LazyLock::new(|| bytes::pattern(r"(?-u)\bhigh:([0-9]{1,15})kB"));

/// A line with `free_cma:`.
pub(crate) fn zone(line: &[u8], _: usize) -> Vec<Record> {
    zone_of(line).into_iter().collect()
}

fn zone_of(line: &[u8]) -> Option<Record> {
    const LONGEST: usize = 2048;
    let line = &line[..line.len().min(LONGEST)];
    let found = ZONE.captures(line)?;
    let kb = |digits: &[u8]| bytes::number::<u64>(digits);
    let high = HIGH.captures(line).and_then(|found| kb(&found[1]));
    let zone = String::from_utf8_lossy(&found["zone"]).into_owned();
    Some(Record::Zone {
        movable: matches!(&*zone, "HighMem" | "Movable" | "Device"),
        zone: Arc::from(zone),
        free_kb: kb(&found["free"])?,
        cma_kb: kb(&found["cma"])?,
        high_kb: high.unwrap_or(0),
    })
}

/// `131072 pages cma reserved`, which ends a report of memory.
pub(crate) fn pages(line: &[u8], _: usize) -> Vec<Record> {
    static PAGES: LazyLock<Regex> =
        LazyLock::new(|| bytes::pattern(r"(?-u)(?:^|\s)([0-9]{1,15}) pages cma reserved"));
    let found = PAGES.captures(line).and_then(|found| bytes::number(&found[1]));
    found.map(Record::CmaPages).into_iter().collect()
}

/// `PID: 3722 Comm: insmod Tainted: G …`: whose backtrace follows (`dump_stack_print_info()`,
/// `lib/dump_stack.c`).
static TASK: LazyLock<Regex> = LazyLock::new(|| {
    bytes::pattern(
        r"(?-u)PID: (?<pid>[0-9]{1,9}),? (?:c|C)omm: (?<comm>.{1,15}?)(?:,| Not tainted| Tainted| Kdump|\s*$)",
    )
});

/// The task of a backtrace, and the kernel that prints it.
pub(crate) fn task(line: &[u8], at: usize) -> Vec<Record> {
    let Some(task) = task_of(line) else { return Vec::new() };
    let release = memchr::memmem::find(&line[at..], b"ainted");
    let release = release.and_then(|tainted| boot::tainted(&line[at + tainted + 6..]));
    std::iter::once(Record::Backtrace(task)).chain(release).collect()
}

fn task_of(line: &[u8]) -> Option<Task> {
    let found = TASK.captures(line)?;
    let comm = String::from_utf8_lossy(found["comm"].trim_ascii()).into_owned();
    Some(Task { comm: Some(Arc::from(comm)), pid: bytes::number(&found["pid"]), cpu: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_of_every_release_are_read() {
        let read = |text: &str| match zone_of(text.as_bytes()) {
            Some(Record::Zone { zone, movable, free_kb, cma_kb, high_kb }) => {
                Some((zone.to_string(), movable, free_kb, cma_kb, high_kb))
            }
            _ => None,
        };
        let expected = |zone: &str, movable, free, cma, high| {
            Some((zone.to_string(), movable, free, cma, high))
        };
        assert_eq!(
            read(
                "[ 4.6] DMA free:519112kB boost:0kB min:1kB low:2kB high:12028kB free_cma:513592kB"
            ),
            expected("DMA", false, 519_112, 513_592, 12_028)
        );
        assert_eq!(
            read(
                "Node 0 DMA32 free:18620kB min:16384kB high:20kB present:9kB free_pcp:0kB free_cma:4kB"
            ),
            expected("DMA32", false, 18_620, 4, 20)
        );
        assert_eq!(
            read("HighMem free:5401252kB min:512kB free_cma:0kB"),
            expected("HighMem", true, 5_401_252, 0, 0)
        );
        assert_eq!(read(" free:1995964 free_pcp:0 free_cma:129151"), None);
    }

    #[test]
    fn the_task_of_a_backtrace_is_read() {
        for (line, pid, comm) in [
            ("CPU: 3 PID: 3722 Comm: insmod Tainted: G  O 4.19.0 #1", 3722, "insmod"),
            ("CPU: 0 UID: 0 PID: 1 Comm: swapper/0 Not tainted 6.12.9 #1", 1, "swapper/0"),
            ("CPU: 2 PID: 77 Comm: my task Kdump: loaded Tainted: G", 77, "my task"),
        ] {
            let task = task_of(line.as_bytes()).unwrap();
            assert_eq!((task.pid, task.comm.as_deref()), (Some(pid), Some(comm)), "{line}");
        }
        assert_eq!(task_of(b"PID: 12"), None);
    }
}
