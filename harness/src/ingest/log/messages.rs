//! Every message that is read, one row each: the words that lead to it, its reader, the releases
//! that print it, and an example.
//!
//! A line without any of the words is passed over in bulk. The others are shown to the readers of
//! files and of traces, which take whole lines; in the kernel log a word leads to its rows.

#[cfg(test)]
mod tests;

use super::dmesg::boot::{self, says};
use super::dmesg::{
    self, Cursor, Function, Stop, Tools, calls, driver, elsewhere, failed, release, runs, stack,
};
use super::event::kinds::{self, Event};
use super::event::{ftrace, perf, trace_cmd};
use super::{Record, Sink};
use crate::kernel::Sign;

use First::{Begins, Calls, Name, Piece, Says, Word};
use Function::{Alloc, Release};
use Numbers::{Meminfo, Sysfs, Vmstat};
use Reader::*;
use Sign::*;

/// What a message of the kernel log begins with; `cma:` before it counts for nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum First {
    /// This word, which others follow: where a line ends after it, it is not broken.
    Word(&'static [u8]),
    /// This name.
    Name(&'static [u8]),
    /// A name that begins so.
    Begins(&'static [u8]),
    /// A function of the allocator and `:`.
    Says,
    /// A function of the allocator and `(`.
    Calls(Function),
    /// `cma:` and what is no name.
    Piece,
}

/// Reads a message of the kernel log, after what it begins with.
pub(super) type Read = fn(&mut Cursor<'_>, &mut Tools) -> Result<dmesg::Message, Stop>;

/// Reads a line of a trace that is no event: `true` where it is used up.
pub(super) type Around = fn(&[u8], &mut Sink<'_>) -> bool;

/// Reads what is before a phrase of a boot, and what follows it.
pub(super) type Said = fn(&[u8], &[u8]) -> Option<Record>;

/// Where a number is that has a name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Numbers {
    /// In the file of an area in sysfs, which is called so.
    Sysfs,
    /// In a line of `/proc/meminfo`.
    Meminfo,
    /// In a line of `/proc/vmstat`.
    Vmstat,
}

/// Who reads a message.
#[derive(Clone, Copy, Debug)]
pub(super) enum Reader {
    /// A reader of the kernel log, for messages that begin with one of these; it may be broken over
    /// lines. Of several rows with the same beginning, the first one that reads it has it.
    Line(&'static [First], Read),
    /// Free runs without a head.
    Runs,
    /// What follows the word, to the end of its line.
    Boot(fn(&[u8]) -> Option<Record>),
    /// A line that has the word, and where the name around it begins: what it says.
    Words(fn(&[u8], usize) -> Vec<Record>),
    /// A phrase in a line with one of the words, out of which nothing else was read: what is before
    /// it, and what follows.
    Phrase(&'static str, Said),
    /// A command that prints the release on the next line.
    Uname,
    /// The stamp of the record that follows.
    Stamp,
    /// A driver's words, anywhere in a line.
    Driver,
    /// A trace event.
    Trace(&'static Event),
    /// A line of a trace that is no event; where it is set, in a text of perf alone.
    Around(bool, Around),
    /// A piece of a device tree, over several lines.
    Tree,
    /// Numbers of this kind, by these names.
    Named(Numbers, &'static [&'static str]),
    /// The content of a file, by its path.
    File,
}

/// A message that is read.
#[derive(Clone, Copy, Debug)]
pub struct Message {
    /// What it is called.
    pub name: &'static str,
    /// One as it is printed; several lines where it needs them.
    pub example: &'static str,
    words: &'static [&'static str],
    reader: Reader,
    sign: Option<Sign>,
}

impl First {
    /// A word that others follow.
    pub(super) const fn word(self) -> Option<&'static [u8]> {
        if let Word(word) = self { Some(word) } else { None }
    }

    /// A word or the beginning of a name.
    pub(super) const fn name(self) -> Option<&'static [u8]> {
        if let Word(name) | Name(name) | Begins(name) = self { Some(name) } else { None }
    }

    /// Whether `word` is it.
    pub(super) fn is_named(self, word: &[u8]) -> bool {
        match self {
            Word(name) | Name(name) => name == word,
            Begins(name) => word.starts_with(name),
            Says | Calls(_) | Piece => false,
        }
    }
}

impl Message {
    /// The releases that print it; `None` where every one does, or nobody but vendors.
    pub fn releases(&self) -> Option<String> {
        self.sign.and_then(|sign| sign.span().name())
    }
}

const fn row(
    name: &'static str,
    words: &'static [&'static str],
    reader: Reader,
    sign: Option<Sign>,
    example: &'static str,
) -> Message {
    Message { name, example, words, reader, sign }
}

/// Every message. Where one word leads to several, the first row says who reads what it leads to.
#[rustfmt::skip]
pub const MESSAGES: &[Message] = &[
    row("failed-quoted", &["alloc failed,"], Line(&[Word(b"alloc")], failed::quoted), None,
        "alloc failed, req-size: 456 pages, ret: -12"),
    row("size-quoted", &["req-size", "req size"], Line(&[Name(b"req")], failed::size), None,
        "the kernel says req-size: 456 pages"),
    row("suppressed", &["cma", "alloc_contig_"],
        Line(&[Says, Begins(b"alloc_contig_")], calls::suppressed), Some(LineLimited),
        "cma_alloc: 29 callbacks suppressed"),
    row("list", &["number of a"], Line(&[Word(b"number")], runs::head), Some(ListInOneRecord),
        "cma: number of available pages: 4@572+7@585=> 11 free of 2048 total pages"),
    row("list-of-function", &["cma"], Line(&[Says], runs::head_of_function), None,
        "cma_alloc: number of available pages: 4@572=> 4 free of 2048 total pages"),
    row("list-of-ranges", &["cma"], Line(&[Piece], runs::piece), Some(ListOfRanges),
        "cma: number of available pages: \ncma: range 0: 255@257+255@769\ncma: \n\
         => 510 free of 1024 total pages"),
    row("list-piece-of-function", &["cma"], Line(&[Says], runs::piece_of_function), None,
        "cma_alloc: number of available pages: 4@572\n\
         cma_alloc: +7@585=> 11 free of 2048 total pages"),
    row("list-quoted", &["0@", "1@", "2@", "3@", "4@", "5@", "6@", "7@", "8@", "9@"], Runs, None,
        "4@572+7@585+7@601=> 18 free of 2048 total pages"),
    row("start", &["cma", "alloc_from_contig"], Line(&[Calls(Alloc)], calls::start), None,
        "cma: cma_alloc(cma ffff0000091a4168, count 456, align 8)"),
    row("start-named", &["cma"], Line(&[Calls(Alloc)], calls::start), Some(DebugNamed),
        "cma: __cma_alloc(cma 00000000d0b1a2c3, name: linux,cma, count 456, align 8)"),
    row("returned", &["cma"], Line(&[Calls(Alloc), Calls(Release)], calls::returned), None,
        "cma: cma_alloc(): returned           (null)"),
    row("busy", &["cma"], Line(&[Calls(Alloc), Calls(Release)], calls::busy), None,
        "cma: cma_alloc(): memory range at pfn 0x8ad00 000000004f1e9d2c is busy, retrying"),
    row("masks", &["cma"], Line(&[Calls(Alloc)], calls::masks), None,
        "cma_alloc(mask 0xff, offset 0, maxno 286720, count 456)"),
    row("start-by-vendor", &["cma"], Line(&[Calls(Alloc)], calls::by_vendor), None,
        "cma_alloc([77][init]:cma(ffffffff00b50000:total 4096) linux,cma(ffffffe89d084cf0), \
         count 2, align 1)"),
    row("release", &["cma", "release_from_contig"], Line(&[Calls(Release)], calls::released), None,
        "cma: cma_release(page 000000004f1e9d2c, count 456)"),
    row("release-by-vendor", &["cma"], Line(&[Calls(Release)], calls::released_by_vendor), None,
        "cma_release([77]:page ffffffbf00b50000, pfn 0x8ad00, count 2)"),
    row("mask", &["cma"], Line(&[Says], calls::mask), None,
        "cma_alloc: mask=255, offset=0, bitmap_maxno=286720, bitmap_count=456"),
    row("bit", &["cma"], Line(&[Says], calls::bitmap_no), None, "cma_alloc: bitmap_no 257"),
    row("skipped", &["cma"], Line(&[Says], calls::skipped), None,
        "cma: cma_range_alloc: reserved: skipping incompatible area [0x12fe00-0x1300ff]"),
    // The name of an area may be anything: what else follows a function is looked for before.
    row("failed-unnamed", &["cma"], Line(&[Says], failed::line), Some(LineUnnamed),
        "cma: cma_alloc: alloc failed, req-size: 456 pages, ret: -12"),
    row("failed-named", &["cma"], Line(&[Says], failed::line), Some(LineNamed),
        "cma: cma_alloc: linux,cma: alloc failed, req-size: 148 pages, ret: -16"),
    row("failed-inner", &["cma"], Line(&[Says], failed::line), Some(LineInner),
        "cma: __cma_alloc: linux,cma: alloc failed, req-size: 456 pages, ret: -12"),
    row("failed-frozen", &["cma"], Line(&[Says], failed::line), Some(LineFrozen),
        "cma: __cma_alloc_frozen: reserved: alloc failed, req-size: 456 pages, ret: -16"),
    row("search", &["bitmap_find_next_z"],
        Line(&[Name(b"bitmap_find_next_zero_area_off")], calls::search), None,
        "bitmap_find_next_zero_area_off: size=286720, start=0, nr=456, align_mask=255, \
         align_offset=0, sindex=3, index=256, end=712"),
    row("pfns-busy", &["alloc_contig_"], Line(&[Begins(b"alloc_contig_")], calls::pfns_busy), None,
        "alloc_contig_range: [2ef00, 2f00a) PFNs busy"),
    row("pfns-busy-old", &["alloc_contig_"], Line(&[Begins(b"alloc_contig_")], calls::pfns_busy), None,
        "alloc_contig_range test_pages_isolated(2ef00, 2f00a) failed"),
    row("reserved", &["cma"], Line(&[Word(b"reserved")], boot::reserved), None,
        "cma: Reserved 64 MiB at 0x2b000000"),
    row("reserved-ranges", &["cma"], Line(&[Word(b"reserved")], boot::reserved_ranges), None,
        "cma: Reserved 800 MiB in 3 ranges"),
    row("reserved-old", &["CMA: reserved "], Phrase("CMA: reserved ", says::reserved), None,
        "cma: CMA: reserved 320 MiB at 3c000000"),
    row("reserved-pool", &["CMA"], Phrase("CMA memory pool", says::pool), None,
        "Reserved memory: created CMA memory pool at 0x0000000090000000, size 640 MiB"),
    row("reserved-node", &["eserved mem"], Boot(boot::node), None,
        "OF: reserved mem: 0x90000000..0xafffffff (524288 KiB) map reusable linux,cma"),
    row("node-not-placed", &["eserved mem"], Phrase("to allocate memory for node ", says::not_placed),
        None, "OF: reserved mem: failed to allocate memory for node 'linux,cma': size 960 MiB"),
    row("node-taken", &["eserved mem"], Phrase("ailed to reserve memory for node ", says::taken), None,
        "Reserved memory: failed to reserve memory for node 'vpu': base 0x9000000, size 16 MiB"),
    row("node-misaligned", &["CMA"], Phrase("incorrect alignment of CMA region", says::misaligned),
        None, "Reserved memory: incorrect alignment of CMA region"),
    row("node-not-set-up", &["CMA"], Phrase("unable to setup CMA region", says::not_set_up), None,
        "Reserved memory: unable to setup CMA region"),
    row("node-without-driver", &["eserved mem"], Phrase(" compatible matching fail", says::no_match),
        None, "OF: reserved mem: node linux,cma compatible matching fail"),
    row("node-bypassed", &["CMA"],
        Phrase(" node, using cmdline CMA params instead", says::bypassed), None,
        "Reserved memory: bypass linux,cma node, using cmdline CMA params instead"),
    row("node-skipped", &["cma"], Phrase("-default node in favor ", says::skipped), None,
        "Skipping dt linux,cma-default node in favor for \"cma=\" kernel param."),
    row("dma-pool", &["eserved mem"], Phrase("created DMA memory pool", says::dma_pool), None,
        "Reserved memory: created DMA memory pool at 0x7e000000, size 32 MiB"),
    row("dma-pool-refused", &["eserved mem"],
        Phrase("regions without no-map are not yet supported", says::needs_no_map), None,
        "Reserved memory: regions without no-map are not yet supported"),
    row("node-initialized", &["eserved mem"], Phrase("initialized node ", says::initialized), None,
        "OF: reserved mem: initialized node vpu_pool, compatible id shared-dma-pool"),
    row("node-invalid", &["eserved mem"], Phrase(" property in '", says::invalid), None,
        "OF: reserved mem: invalid size property in 'linux,cma' node."),
    row("node-first-entry", &["eserved mem"],
        Phrase("entries, only the first is used", says::first_entry), None,
        "Reserved memory: node 'vpu' has 2 <base size> entries, only the first is used"),
    row("node-entries-ignored", &["eserved mem"],
        Phrase(" regions in node '", says::ignored_entries), None,
        "OF: reserved mem: fdt_scan_reserved_mem_reg_nodes() ignores 1 regions in node 'vpu'"),
    row("node-overlap", &["cma"], Phrase(" overlaps with ", says::overlap), None,
        "linux,cma (0x000000007e000000--0x0000000080000000) overlaps with vpu_pool \
         (0x000000007e800000--0x0000000080000000)"),
    row("area-not-reserved", &["cma"], Phrase("ailed to reserve ", says::failed), None,
        "cma: Failed to reserve 2048 MiB on node -1"),
    row("area-misplaced", &["cma"], Phrase("cma: Region at ", says::region), None,
        "cma: Region at 0x0000000050100000 must be aligned to 0x0000000000200000 bytes"),
    row("area-above-limit", &["cma"], Phrase("cma: Size (", says::over_limit), None,
        "cma: Size (0x0000000080000000) of region at 0x0000000000000000 exceeds limit \
         (0x0000000080000000)"),
    row("area-without-slot", &["CMA"],
        Phrase("Not enough slots for CMA reserved regions", says::no_slots), None,
        "cma: Not enough slots for CMA reserved regions!"),
    row("area-dead", &["CMA"], Phrase(" could not be activated", says::dead), None,
        "cma: CMA area hugetlb1 could not be activated"),
    row("hugetlb", &["cma"], Phrase("hugetlb_cma: ", says::hugetlb), None,
        "hugetlb_cma: cma area should be at least 1024 MiB"),
    row("crashkernel", &["CMA"], Phrase("crashkernel CMA reserv", says::crash), None,
        "crashkernel CMA reserved: 256 MB in 1 ranges"),
    row("memory-block", &[": [mem 0x"], Phrase(": [mem 0x", says::memory), None,
        "  node   0: [mem 0x0000000050000000-0x000000005fffffff]"),
    row("zone-dma", &["DMA      [mem 0x"], Phrase("DMA      [mem 0x", says::zone), None,
        "  DMA      [mem 0x0000000040000000-0x00000000ffffffff]"),
    row("zone-dma32", &["DMA32    [mem 0x"], Phrase("DMA32    [mem 0x", says::zone), None,
        "  DMA32    [mem 0x0000000040000000-0x00000000ffffffff]"),
    row("zone-normal", &["Normal   [mem 0x"], Phrase("Normal   [mem 0x", says::zone), None,
        "  Normal   [mem 0x0000000040000000-0x00000000ffffffff]"),
    row("zone-highmem", &["HighMem  [mem 0x"], Phrase("HighMem  [mem 0x", says::zone), None,
        "  HighMem  [mem 0x0000000040000000-0x00000000ffffffff]"),
    row("device-refused", &["eserved_mem"],
        Phrase("of_reserved_mem_device_init", says::device_refused), None,
        "u-dma-buf udmabuf@0: of_reserved_mem_device_init failed. return=-22"),
    row("device-assigned", &["eserved mem"],
        Phrase("assigned reserved memory node ", says::assigned), None,
        "vpu 1e700000.video: assigned reserved memory node jpegbuffer"),
    row("model", &["Machine model"], Phrase("Machine model: ", says::model), None,
        "OF: fdt: Machine model: Freescale i.MX6 Quad Board"),
    row("huge-page", &["Hugepagesize"], Phrase("Hugepagesize:", says::huge_page), None,
        "Hugepagesize:      32768 kB"),
    row("block-order", &["Page block order"], Phrase("Page block order:", says::block_order), None,
        "Page block order: 9"),
    row("page-size-of-list", &["PAGESIZE"], Phrase("PAGESIZE ", says::page_size), None,
        "PAGESIZE                           16384"),
    row("device-tree", &["reserved-memory", "shared-dma-pool", "memory-region", "{\n"],
        Reader::Tree, None,
        "linux,cma {\ncompatible = \"shared-dma-pool\";\nreusable;\nsize = <0x4000000>;\n};"),
    row("atomic-pool", &["DMA: preallocated "], Boot(boot::atomic_pool), None,
        "DMA: preallocated 128 KiB GFP_KERNEL|GFP_DMA32 pool for atomic allocations"),
    row("memory-of-boot", &["K available ("], Boot(boot::memory), None,
        "Memory: 915908K/1048576K available (63924K reserved, 65536K cma-reserved)"),
    row("memory-in-all", &["K available ("], Phrase("K available (", says::all_memory), None,
        "Memory: 929696K/1048576K available (15808K kernel code, 49360K reserved)"),
    row("kernel", &["Linux version "], Boot(boot::release), None,
        "Linux version 6.12.117-foo (me@here) (gcc) #1 SMP"),
    row("compiler", &["Linux version "], Phrase("Linux version ", says::compiler), None,
        "Linux version 6.12.117-foo (me@here) (aarch64-linux-gnu-gcc) #1 SMP"),
    row("boot-of-journal", &["-- Boot "], Phrase("-- Boot ", says::another_boot), None,
        "-- Boot 0123456789abcdef0123456789abcdef --"),
    row("reboot-of-journal", &["-- Reboot --"], Phrase("-- Reboot ", says::another_boot), None,
        "-- Reboot --"),
    row("restart", &["reboot: Restarting system"],
        Phrase("reboot: Restarting system", says::restarts), None,
        "reboot: Restarting system"),
    row("arm64-cpu", &["Linux on physical CPU"],
        Phrase("Linux on physical CPU", says::physical_cpu), None,
        "Booting Linux on physical CPU 0x0000000000 [0x410fd034]"),
    row("arm-cpu", &[" (ARMv"], Phrase(" (ARMv", says::arm_cpu), None,
        "CPU: ARMv7 Processor [412fc09a] revision 10 (ARMv7), cr=10c5387d"),
    row("kernel-of-configuration", &["Linux/"], Boot(release::configured), None,
        "# Linux/arm64 6.17.3 Kernel Configuration"),
    row("machine-of-configuration", &["Linux/"], Phrase("Linux/", says::configured), None,
        "# Linux/arm64 6.17.3 Kernel Configuration"),
    row("kernel-of-trace", &["ainted"], Boot(boot::tainted), None,
        "Comm: x Not tainted 6.12.9-foo #1"),
    row("kernel-of-shell", &["uname "], Uname, None, "$ uname -r\n6.12.9-foo"),
    row("kernel-of-tool", &["Kernel: ", "KernelRelease"], Boot(release::shown), None,
        "          Kernel: Linux 6.6.31"),
    row("kernel-of-usb", &["Manufacturer: Linux "], Boot(release::root_hub), None,
        "usb usb1: Manufacturer: Linux 6.1.0-rpi7-rpi-v8 dwc_otg_hcd"),
    row("kernel-of-uname", &["Linux "], Boot(release::linux), None,
        "Linux h 6.17.0-8-foo #8 SMP PREEMPT_DYNAMIC x aarch64 GNU/Linux"),
    row("machine-of-uname", &["Linux "], Phrase("Linux ", says::machine), None,
        "Linux h 5.10.72 #1 SMP PREEMPT x aarch64 GNU/Linux"),
    row("kernel-of-form", &["Kernel version:", "Kernel Version:", "Kernel**:", "Kernel:**"],
        Boot(release::form), None,
        "**Kernel version:** 5.15.71-foo"),
    row("kernel-of-module", &["vermagic"], Boot(release::form), None,
        "vermagic:       6.17.3 SMP preempt mod_unload aarch64"),
    row("kernel-of-path", &["/lib/modules/", "vmlinuz-"], Boot(release::path), None,
        "/lib/modules/6.1.0-rpi7-rpi-v8/kernel/drivers/x.ko"),
    row("command-line", &["ernel command line:"], Boot(boot::command_line), None,
        "Kernel command line: console=ttyS0 cma=640M"),
    row("command-line-early", &["Command line:"], Boot(boot::early_command_line), None,
        "Command line: BOOT_IMAGE=/boot/vmlinuz root=/dev/sda1 cma=640M"),
    row("parameter-unknown", &["kernel command line parameters"],
        Phrase("kernel command line parameters", says::unknown), None,
        "Unknown kernel command line parameters \"cma=256M\", will be passed to user space."),
    row("alloc-of-shell", &["echo "], Boot(boot::debugfs_alloc), None,
        "# echo 77 > /sys/kernel/debug/cma/cma-reserved/alloc"),
    row("dma-alloc", &["dma alloc"], Line(&[Word(b"dma")], driver::dma_alloc), None,
        "dma alloc of size 65536 failed"),
    row("driver",
        &["llocat", "lloc f", "lloc F", "to alloc", "dma_alloc"],
        Driver, None, "mydrv 1000.x: failed to allocate buffer with size 1036288"),
    row("elsewhere",
        &["oom-killer", "swiotlb buffer", "DMA mask is", "DMA mask 0x",
            "crashkernel reservation", "alloc_skb", "vmalloc error"],
        Driver, None, "foo foo: coherent DMA mask is unset"),
    row("memory-of-zone", &[" free_cma:"], Words(elsewhere::zone), None,
        "DMA free:519112kB boost:0kB min:10428kB low:11228kB high:12028kB free_cma:513592kB"),
    row("memory-of-areas", &["pages cma res"], Words(elsewhere::pages), None,
        "131072 pages cma reserved"),
    row("backtrace", &["PID: "], Words(elsewhere::task), None,
        "CPU: 0 PID: 12 Comm: vpud Tainted: G  O  6.12.9-foo #1"),
    row("video-device", &["registered as video0", "as /dev/video0"],
        Words(|_, _| vec![Record::VideoDevice]), None,
        "vivid-000: V4L2 capture device registered as video0"),
    row("stack",
        &["vb2_dc_alloc", "drm_gem_dma_create", "drm_gem_cma_create", "snd_dma_alloc_dir_pages",
            "dma_direct_alloc", "arm_dma_alloc", "heap_allocate", "ion_cma_allocate",
            "alloc_gigantic_folio", "hugetlb_cma_alloc", "alloc_write", "kmalloc_large_node",
            "kmalloc_order"],
        Words(stack::frame), None, " => vb2_dc_alloc"),
    row("held-begins", &["ate from "], Driver, None,
        "[drm:vc4_bo_create [vc4]] *ERROR* Failed to allocate from CMA:"),
    row("held-in-all", &["num bos ", "size bos "], Driver, None,
        "[drm] size bos allocated: 116020kb"),
    row("held-by-label", &["kb BOs ("], Driver, None,
        "vc4-drm soc:gpu: [drm]                            V3D:  14336kb BOs (7)"),
    row("held-by-exporter", &["ma-buf Objects"], File, None,
        "Dma-buf Objects:\nsize\tflags\tmode\tcount\texp_name\tino\tname\n\
         01036288\t00000002\t00080007\t00000001\tlinux,cma\t00000019\t<none>\n\n\
         Total 1 objects, 1036288 bytes"),
    row("heaps", &["/dma_heap"], File, None, "==> ls /dev/dma_heap <==\nlinux,cma\nsystem"),
    row("event-start", &["cma"], Trace(&kinds::START), Some(StartPlain),
        "vpu-12 [002] ..... 512.3: cma_alloc_start: name=linux,cma count=456 align=8"),
    row("event-start-totals", &["cma"], Trace(&kinds::START), Some(StartTotals),
        "cma_alloc_start: name=x request_count=4 available_count=8096 total_count=8192 align=0"),
    row("event-busy-retry", &["cma"], Trace(&kinds::BUSY), Some(Events),
        "cma_alloc_busy_retry: name=x pfn=0x8ad00 page=000000004f1e9d2c count=456 align=8"),
    row("event-finish", &["cma"], Trace(&kinds::FINISH), Some(FinishPlain),
        "cma_alloc_finish: name=x pfn=0x8ad00 page=000000004f1e9d2c count=456 align=8"),
    row("event-finish-errno", &["cma"], Trace(&kinds::FINISH), Some(FinishErrno),
        "cma_alloc_finish: name=x pfn=0x0 page=0000000000000000 count=456 align=8 errorno=-12"),
    row("event-info", &["cma"], Trace(&kinds::INFO), None,
        "cma_alloc_info: name=x pfn=0x8ad00 count=456 align=8 nr_migrated=3 nr_reclaimed=0"),
    row("event-release", &["cma"], Trace(&kinds::RELEASE), None,
        "cma_release: name=x pfn=0x8ad00 page=000000004f1e9d2c count=456"),
    row("event-single", &["cma"], Trace(&kinds::SINGLE), Some(EventAlone),
        "cma_alloc: pfn=ffffffffffffffff page=(null) count=456 align=8"),
    row("event-of-perf-trace", &["cma"], Trace(&kinds::FINISH), None,
        "31.5 v/6 cma:cma_alloc_finish(name: \"x\", pfn: 508160, page: 0xffff, count: 4, align: 2)"),
    row("lost-ftrace", &["LOST"], Reader::Around(false, ftrace::furniture), None,
        "CPU:2 [LOST 12 EVENTS]"),
    row("lost-trace-cmd", &["EVENTS DROPPED"], Reader::Around(false, trace_cmd::furniture), None,
        "CPU:2 [12 EVENTS DROPPED]"),
    row("lost-perf", &["LOST"], Reader::Around(true, perf::furniture), None,
        "vpu 12 [000] 1.5: cma:cma_release: name=x pfn=0x8 page=0x1 count=4\n\
         0 0 0x3e8 [0x30]: PERF_RECORD_LOST lost 12"),
    row("stamp-of-json", &["\"time\":"], Stamp, None,
        "\"time\":    25.875995,\n\"msg\": \"cma: cma_alloc: alloc failed, req-size: 7 pages, ret: -12\""),
    row("journal", &["\"MESSAGE\":[", "\"MESSAGE\" : ["], File, None,
        "{\"MESSAGE\":[97,108,108,111,99,32,102,97,105,108,101,100,44,32,114,101,113,45,115,105,122,\
         101,58,32,55,32,112,97,103,101,115]}"),
    row("area-file",
        &["/bitmap", "base_pfn", "order_per_bit", "maxchunk", "==> ", "cat /"], File, None,
        "==> /sys/kernel/debug/cma/reserved/base_pfn <==\n262656"),
    row("counter", &["alloc_pages_"], Named(Sysfs, &["alloc_pages_success", "alloc_pages_fail"]),
        Some(Sign::Counters), "/sys/kernel/mm/cma/reserved/alloc_pages_fail:456"),
    row("counter-of-releases", &["==> "], Named(Sysfs, &["release_pages_success"]),
        Some(CounterOfReleases), "==> /sys/kernel/mm/cma/reserved/release_pages_success <==\n456"),
    row("counters-of-pages", &["==> "], Named(Sysfs, &["total_pages", "available_pages"]),
        Some(CountersOfPages), "==> /sys/kernel/mm/cma/reserved/total_pages <==\n8192"),
    row("memory", &["Cma", "MemTotal:", "MemFree:", "MemAvailable:", "SwapTotal:", "SwapFree:"],
        Named(Meminfo, &["CmaTotal", "CmaFree", "MemTotal", "MemFree", "MemAvailable", "SwapTotal",
            "SwapFree"]),
        None, "CmaFree:           524288 kB"),
    row("free-blocks", &["CMA", ", zone "], File, None,
        "Node    0, zone      DMA, type          CMA     14     14     14     14     14     15     15     \
         15     15     12      6"),
    row("events-of-memory", &["cma"],
        Named(Vmstat, &["nr_free_cma", "cma_alloc_success", "cma_alloc_fail"]),
        None, "nr_free_cma 131072"),
    row("cap", &["CMA"], File, None, "CONFIG_CMA_ALIGNMENT=8"),
    row("knob", &["G_DYNAMIC_DEBUG"], File, None, "CONFIG_DYNAMIC_DEBUG=y"),
    row("page-size", &["getconf "], File, None, "$ getconf PAGESIZE\n16384"),
    row("page-size-of-configuration", &["CONFIG_"], File, None, "CONFIG_ARM64_16K_PAGES=y"),
    row("kernel-of-file", &["cat /"], File, None,
        "$ cat /proc/version\nLinux version 6.1.0 (me) #1"),
    row("command-line-of-file", &["==> "], File, None, "==> /proc/cmdline <==\ncma=640M quiet"),
];

/// What messages of the kernel log begin with, and their readers, each once.
pub(super) fn lines() -> Vec<(First, Read)> {
    let all =
        all(|reader| if let Line(firsts, read) = reader { Some((firsts, read)) } else { None });
    let lines = all.flat_map(|(firsts, read)| firsts.iter().map(move |first| (*first, read)));
    let mut lines: Vec<_> = lines.collect();
    lines.dedup_by(|next, row| next.0 == row.0 && std::ptr::fn_addr_eq(next.1, row.1));
    lines
}

/// What `of` takes out of the readers, in the order of the rows.
pub(super) fn all<T>(of: fn(Reader) -> Option<T>) -> impl Iterator<Item = T> {
    MESSAGES.iter().filter_map(move |message| of(message.reader))
}

/// The number of this kind whose name `is` the one that is there.
pub(super) fn number(kind: Numbers, is: impl Fn(&str) -> bool) -> Option<&'static str> {
    let of_kind = MESSAGES.iter().filter_map(|message| match message.reader {
        Named(of, names) if of == kind => Some(names),
        _ => None,
    });
    of_kind.flatten().copied().find(|name| is(name))
}

/// The words of all rows, each once: with the reader of the first row that has it.
pub(super) fn words() -> Vec<(&'static str, Reader)> {
    let mut words: Vec<(&str, Reader)> = Vec::new();
    for message in MESSAGES {
        for word in message.words {
            if !words.iter().any(|(known, _)| known == word) {
                words.push((word, message.reader));
            }
        }
    }
    words
}
