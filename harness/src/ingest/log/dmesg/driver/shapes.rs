//! Drivers whose words are known, one row each.
//!
//! A shape binds the size: no number that merely is in the line counts. The words are those of the
//! driver; where several drivers share them the row names the first. Those of vb2, DRM, coda, MFC,
//! MediaTek, Tegra, ST and remoteproc were read in 6.1.192 or 6.12.117; the others, and the releases,
//! are by logs of users and by when a driver came and went.

use std::sync::LazyLock;

use regex::bytes::Regex;

use crate::ingest::log::bytes;

/// How a driver asks for memory, as far as its words show it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Asks {
    /// Through the DMA API: CMA where the device has an area, and what the architecture does when
    /// that refuses.
    Dma,
    /// From the CMA heap of dma-buf or ION: the area or nothing.
    Heap,
    /// From the page allocator alone.
    Pages,
}

impl Asks {
    /// It in words.
    pub const fn about(self) -> &'static str {
        match self {
            Self::Dma => "the DMA API",
            Self::Heap => "a CMA heap",
            Self::Pages => "the page allocator",
        }
    }
}

/// The words of a driver that got no memory.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// What it is called.
    pub name: &'static str,
    /// What leads to it, in small letters.
    pub words: &'static str,
    /// The whole, with the bytes: `size` decimal or after `0x`, `hex` without it.
    shape: &'static str,
    /// The releases that print it.
    pub releases: &'static str,
    /// Where it is printed.
    pub source: &'static str,
    /// How it asks.
    pub asks: Asks,
    /// Whether nothing but CMA can have refused.
    pub proves_cma: bool,
    /// Whether other drivers use the same words: then they do not say who it is.
    pub shared: bool,
    /// One as it is printed.
    pub example: &'static str,
}

use Asks::{Dma, Heap, Pages};

const fn row(
    (name, words, shape): (&'static str, &'static str, &'static str),
    (releases, source): (&'static str, &'static str),
    (asks, proves_cma): (Asks, bool),
    example: &'static str,
) -> Shape {
    Shape { name, words, shape, releases, source, asks, proves_cma, shared: false, example }
}

/// One whose words other drivers use too.
const fn shared(row: Shape) -> Shape {
    Shape { shared: true, ..row }
}

/// Every shape. The first one whose words are there and that fits has the line.
#[rustfmt::skip]
pub const SHAPES: &[Shape] = &[
    row(("vb2-dma-contig", "dma alloc of size", "dma alloc of size SIZE failed"),
        ("5.16 on", "vb2_dc_alloc (drivers/media/common/videobuf2/videobuf2-dma-contig.c)"),
        (Dma, false), "unicam fe801000.csi: dma alloc of size 18583552 failed"),
    row(("vb2-dma-contig-old", "dma_alloc_coherent of size",
            "dma_alloc_coherent of size SIZE failed"),
        ("3.0-5.15", "vb2_dc_alloc (drivers/media/v4l2-core/videobuf2-dma-contig.c)"),
        (Dma, false), "coda 2040000.vpu: dma_alloc_coherent of size 3133440 failed"),
    shared(row(("videobuf-dma-contig", "dma_alloc_coherent size", "dma_alloc_coherent size SIZE failed"),
        ("2.6.29-5.18", "__videobuf_dc_alloc (drivers/media/v4l2-core/videobuf-dma-contig.c); \
                         mtk_vcodec_mem_alloc, up to 6.2"),
        (Dma, false), "soc-camera-pdrv: dma_alloc_coherent size 614400 failed")),
    row(("mtk-vcodec", "dma_alloc size=", "dma_alloc size=SIZE failed"),
        ("6.3 on", "mtk_vcodec_mem_alloc (drivers/media/platform/mediatek/vcodec)"),
        (Dma, false), "mtk-vcodec-dec 16000000.vcodec: mem dma_alloc size=0x1fe000 failed!"),
    row(("drm-gem-dma", "failed to allocate buffer with size",
            "failed to allocate buffer with size SIZE"),
        ("3.7-5.8; a debug line later",
            "__drm_gem_cma_create, drm_gem_dma_create (drivers/gpu/drm)"),
        (Dma, false), "vc4-drm soc:gpu: failed to allocate buffer with size 1036288"),
    row(("vc4", "failed to allocate from cma", "failed to allocate from cma"),
        ("4.5-6.0", "vc4_bo_create (drivers/gpu/drm/vc4/vc4_bo.c)"),
        (Dma, true), "[drm:vc4_bo_create [vc4]] *ERROR* Failed to allocate from CMA:"),
    row(("vc4-dma", "failed to allocate from gem dma", "failed to allocate from gem dma"),
        ("6.1 on", "vc4_bo_create (drivers/gpu/drm/vc4/vc4_bo.c)"),
        (Dma, true), "vc4-drm gpu: [drm] *ERROR* Failed to allocate from GEM DMA helper:"),
    row(("vc-sm-cma", "dma_alloc_coherent alloc of", "dma_alloc_coherent alloc of SIZE bytes failed"),
        ("Raspberry Pi's 5.4 on", "vc_sm_cma_vpu_alloc (drivers/staging/vc04_services/vc-sm-cma)"),
        (Dma, false), "[vc_sm_cma_vpu_alloc]: dma_alloc_coherent alloc of 3133440 bytes failed"),
    row(("u-dma-buf", "dma_alloc_coherent(size=", r"dma_alloc_coherent\(size=SIZE\) failed"),
        ("out of tree", "u-dma-buf, udmabuf"),
        (Dma, false), "u-dma-buf udmabuf0: dma_alloc_coherent(size=134217728) failed. return(0)"),
    shared(row(("axi-dma-proxy", "allocate contiguous dma memory region of size",
            "unable to allocate contiguous dma memory region of size SIZE"),
        ("out of tree", "axidma_mmap of xilinx_axidma and those after it"),
        (Dma, false),
        "axidma: axidma_chrdev.c: axidma_mmap: 294: Unable to allocate contiguous DMA memory region \
         of size 8294400.")),
    shared(row(("coda", "buffer of size", r"failed to allocate (?:[\w\[\].-]+ ){1,3}buffer of size:? SIZE"),
        ("3.7 on", "coda_alloc_aux_buf (drivers/media/platform/chips-media/coda); tegra-vde, \
                    drm/tegra"),
        (Dma, false), "coda 2040000.vpu: Failed to allocate workbuf buffer of size 131072")),
    shared(row(("drm-tegra", "allocate buffer of size", "failed to allocate buffer of size:? SIZE"),
        ("3.12 on", "tegra_bo_alloc (drivers/gpu/drm/tegra/gem.c)"),
        (Dma, false), "tegra-dc 54200000.dc: failed to allocate buffer of size 8294400")),
    row(("s5p-mfc", "buffer of size", "allocating (?:private|generic) buffer of size SIZE failed"),
        ("3.8 on", "s5p_mfc_alloc_priv_buf (drivers/media/platform/samsung/s5p-mfc)"),
        (Dma, false), "s5p_mfc_alloc_priv_buf:72: Allocating private buffer of size 1048576 failed"),
    shared(row(("sti-hva", "_attrs failed for", r"dma_alloc_(?:attrs|coherent) failed for .{0,40}\(size=SIZE\)"),
        ("4.9 on", "hva_mem_alloc (drivers/media/platform/st/sti/hva/hva-mem.c)"),
        (Dma, false), "hva 8c85000.hva: H264 dma_alloc_attrs failed for seq_info (size=65536)")),
    shared(row(("sti-delta", "_coherent failed for",
            r"dma_alloc_(?:attrs|coherent) failed for .{0,40}\(size=SIZE\)"),
        ("4.11 on", "hw_alloc (drivers/media/platform/st/sti/delta/delta-mem.c)"),
        (Dma, false), "delta: hw_alloc:dma_alloc_coherent failed for hdr (size=65536)")),
    row(("drm-mediatek", "byte dma buffer", "mtk.* failed to allocate HEX byte dma buffer"),
        ("4.6 on", "mtk_gem_create (drivers/gpu/drm/mediatek/mtk_gem.c)"),
        (Dma, false), "[drm:mtk_drm_gem_create] *ERROR* failed to allocate 7e9000 byte dma buffer"),
    shared(row(("drm-rockchip", "byte dma buffer", "failed to allocate SIZE byte dma buffer"),
        ("3.19 on", "rockchip_gem_alloc_dma (drivers/gpu/drm/rockchip/rockchip_drm_gem.c)"),
        (Dma, false), "[drm:rockchip_gem_alloc_buf] *ERROR* failed to allocate 0x7e9000 byte dma buffer")),
    row(("rknpu", "failed to allocate", r"rknpu.* failed to allocate SIZE buffer"),
        ("Rockchip's 5.10 on", "rknpu_gem_alloc_buf (drivers/rknpu/rknpu_gem.c)"),
        (Dma, false), "RKNPU fde40000.npu: RKNPU: failed to allocate 8486912 buffer."),
    shared(row(("remoteproc", "allocate dma memory: len", "failed to allocate dma memory: len SIZE"),
        ("3.6 on", "rproc_alloc_carveout (drivers/remoteproc/remoteproc_core.c)"),
        (Dma, false), "remoteproc remoteproc0: failed to allocate dma memory: len 0x400000")),
    row(("nvgpu", "dma alloc failed:", r"dma alloc failed: .{0,24}size=SIZE"),
        ("NVIDIA's 4.9 on", "nvgpu_dma_print_err (nvgpu/os/linux/linux-dma.c)"),
        (Dma, false),
        "nvgpu: 17000000.gpu nvgpu_dma_print_err:101 [INFO] DMA alloc FAILED: [sysmem] size=257490944"),
    shared(row(("alsa-preallocate", "cannot preallocate", "cannot preallocate for size SIZE"),
        ("4.15 on", "preallocate_pages (sound/core/pcm_memory.c)"),
        (Dma, false), "ALSA pcmC0D0p,0:rt5645: cannot preallocate for size 1048576")),
    row(("ion-cma", "fail to allocate buffer", "fail to allocate buffer"),
        ("3.14-4.11", "ion_cma_allocate (drivers/staging/android/ion/ion_cma_heap.c)"),
        (Heap, true), "ion_cma_allocate: cma heap: Fail to allocate buffer"),
    row(("dma-heap-cma", "cma_heap", r"cma_heap\S* .*(?:alloc\w* fail|fail\w* to alloc|unable to alloc)"),
        ("5.6 on", "cma_heap_allocate (drivers/dma-buf/heaps/cma_heap.c), as vendors print it"),
        (Heap, true), "cma_heap: allocation failed"),
    shared(row(("v3d-page-tables", "allocate page tables", "failed to allocate page tables"),
        ("4.18 on", "v3d_gem_init (drivers/gpu/drm/v3d/v3d_gem.c)"),
        (Dma, false),
        "v3d fec00000.v3d: Failed to allocate page tables. Please ensure you have CMA enabled.")),
    shared(row(("mxc-vpu", "physical memory allocation error", "physical memory allocation error"),
        ("Freescale's 2.6.35-4.1", "vpu_alloc_dma_buffer (drivers/mxc/vpu/mxc_vpu.c)"),
        (Dma, false), "mxc_vpu 2040000.vpu: Physical memory allocation error!")),
    shared(row(("qla3xxx", "buff alloc failed for", "buff alloc failed for SIZE bytes"),
        ("2.6.18 on", "ql_alloc_large_buffers (drivers/net/ethernet/qlogic/qla3xxx.c)"),
        (Pages, false), "qla3xxx eth1: large buff alloc failed for 4096 bytes at index 3")),
];

impl Shape {
    /// Whether it states how much was asked for.
    pub fn has_size(&self) -> bool {
        self.shape.contains("SIZE") || self.shape.contains("HEX")
    }
}

const SIZE: &str = r"\(?(?:0x(?<hex>[0-9a-f]{1,16})|(?<size>[0-9]{1,20}))\b";
const HEX: &str = r"(?:0x)?(?<hex>[0-9a-f]{1,16})";

static PATTERNS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    let pattern = |shape: &Shape| {
        let shape = shape.shape.replace(' ', r"\s+").replace("SIZE", SIZE).replace("HEX", HEX);
        bytes::pattern(&format!("(?i-u){shape}"))
    };
    SHAPES.iter().map(pattern).collect()
});

/// The shape number `index`, where `line` has it: the bytes that it states.
pub(super) fn fits(index: usize, line: &[u8]) -> Option<Option<u64>> {
    let found = PATTERNS[index].captures(line)?;
    let number = |name, radix| {
        let digits = str::from_utf8(found.name(name)?.as_bytes()).ok()?;
        u64::from_str_radix(digits, radix).ok()
    };
    Some(number("size", 10).or_else(|| number("hex", 16)))
}
