//! What else a board says: nothing of it is a failure of `cma_alloc()`.

use cma_harness::seed::Draws;

use crate::board::{Board, Task};

const KERNEL: Task = Task { cpu: 0, comm: "swapper/0", pid: 1 };

/// The lines of the boot that say what kernel and which area.
pub(crate) fn boot(board: &mut Board, draws: &mut Draws) {
    let release = board.release.text;
    let range = board.area.ranges()[0];
    let (base, mib) = (range.pfn.0 * 4096, range.count / 256);
    board.chat(
        KERNEL,
        format!("Linux version {release} (builder@farm) (gcc 12.3.0) #1 SMP PREEMPT"),
    );
    let line = match draws.below(3) {
        0 if board.release.from(6, 6) => {
            format!("cma: Reserved {mib} MiB at 0x{base:016x} on node -1")
        }
        1 => format!("Reserved memory: created CMA memory pool at 0x{base:016x}, size {mib} MiB"),
        _ => format!("cma: Reserved {mib} MiB at 0x{base:08x}"),
    };
    // One line would say too little of an area of several ranges.
    if board.area.ranges().len() == 1 {
        board.chat(KERNEL, line);
    }
    if board.other_area > 0 {
        let (base, mib) = (0x3000_0000, board.other_area / 256);
        let line = "created CMA memory pool at";
        board.chat(KERNEL, format!("Reserved memory: {line} 0x{base:016x}, size {mib} MiB"));
        board.chat(KERNEL, POOL.to_string());
    }
    if board.shows.sums {
        let kib = all_kib(board);
        let line = "Memory: 1893820K/2097152K available (58204K reserved";
        board.chat(KERNEL, format!("{line}, {kib}K cma-reserved)"));
    }
}

const POOL: &str = "OF: reserved mem: initialized node camera_pool, compatible id shared-dma-pool";

/// All areas together, in KiB.
fn all_kib(board: &Board) -> u64 {
    (board.total() + board.other_area) * 4
}

/// What `/proc/meminfo` says of all areas: of what is free, what is lent is not counted.
fn counter(board: &Board, draws: &mut Draws) -> String {
    let free = (board.free() + board.other_area) * 4;
    match draws.below(2) {
        0 => format!("CmaTotal:       {:>8} kB", all_kib(board)),
        _ => format!("CmaFree:        {:>8} kB", draws.below(free + 1)),
    }
}

/// What the driver says to a failure that was just reported.
pub(crate) fn driver(board: &mut Board, draws: &mut Draws) {
    let Some(bytes) = board.truths.last().map(|truth| truth.asked.count * 4096) else { return };
    let task = Task { cpu: 0, comm: "v4l2src0:src", pid: 1207 };
    let line = refused(bytes, draws);
    board.chat(task, line);
    board.truths.iter_mut().next_back().into_iter().for_each(|truth| truth.reported = true);
}

/// A driver that got no buffer of so many bytes.
pub(crate) fn refused(bytes: u64, draws: &mut Draws) -> String {
    match draws.below(4) {
        0 => format!("rkisp1 ff910000.isp0: dma alloc of size {bytes} failed"),
        1 => format!("omapdss_gem: failed to allocate buffer with size {bytes}"),
        2 => format!("mxc_g2d 38000000.gpu: failed to allocate {bytes} buffer."),
        _ => format!("cedrus 1c0e000.video-codec: dma_alloc_coherent of size {bytes} failed"),
    }
}

/// A line of something else.
pub(crate) fn any(board: &mut Board, draws: &mut Draws) {
    let line = match draws.below(13) {
        0 if board.shows.sums => counter(board, draws),
        _ => line(draws),
    };
    let task = Task { cpu: draws.below(4) as u32, comm: "systemd", pid: 1 };
    board.chat(task, line);
}

/// The text of one.
pub(crate) fn line(draws: &mut Draws) -> String {
    let n = draws.between(1, 9000);
    match draws.below(26) {
        0 => format!("usb 1-1.{n}: new high-speed USB device number {n} using xhci_hcd"),
        1 => format!("mmc0: new ultra high speed SDR104 SDHC card at address {n:04x}"),
        2 => "cma: Failed to reserve 320 MiB".to_string(),
        3 => "Reserved memory: incorrect alignment of CMA region".to_string(),
        4 => format!("cma: {n} pages are still in use!"),
        5 => format!("Normal free:{n}kB min:2048kB low:4096kB high:8192kB free_cma:0kB bounce:0kB"),
        6 => "DMA: preallocated 1024 KiB GFP_KERNEL pool for atomic allocations".to_string(),
        7 => format!(
            "panfrost ff9a0000.gpu: swiotlb buffer is full (sz: {n} bytes), total 16384 (slots), \
             used 411 (slots)"
        ),
        8 => "coherent pool not initialised!".to_string(),
        9 => format!("percpu: allocation failed, size={n} align=8 atomic=1, atomic alloc failed"),
        10 => format!("foo{n} soc:foo: coherent DMA mask is unset"),
        11 => format!("systemd[1]: Started Session c{n} of user root."),
        12 => format!("audit: type=1400 audit({n}.001:{n}): avc:  denied  {{ read }} for pid={n}"),
        13 => {
            "WARNING: CPU: 2 PID: 877 at mm/page_alloc.c:4501 __alloc_pages+0x9e4/0xd10".to_string()
        }
        14 => " dma_alloc_attrs+0x98/0x130".to_string(),
        15 => " cma_alloc+0x214/0x6c0".to_string(),
        16 => {
            format!("gst-launch: page allocation failure: order:{}, mode:0xcc0(GFP_KERNEL)", n % 11)
        }
        17 => format!("[drm] Initialized panel {n}.0.0 20190417 for display on minor 0"),
        18 => format!("EXT4-fs (mmcblk0p{n}): mounted filesystem with ordered data mode"),
        19 => format!("imx-sdma 30bd0000.dma-controller: firmware found, {n} scripts"),
        20 => format!("oom-killer: pages {n}@{n} reclaimed, 3+4 retries => 7 tried"),
        21 => format!("page:fffffc0000{n:06x} refcount:1 mapcount:0 pfn:0x{n:x}"),
        22 => "random: crng init done".to_string(),
        23 => format!("CMA alloc test: thread {n} pages {n}"),
        24 => "DMA: default coherent area is set".to_string(),
        _ => format!("IPv6: ADDRCONF(NETDEV_CHANGE): eth{n}: link becomes ready"),
    }
}
