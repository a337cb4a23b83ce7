//! Where in the memory an area lies: in one zone, and where its devices reach it.

use super::super::{Board, Example, Findings, Pool, Rule, Severity, area, reach};
use crate::kernel::Arch;

const GIB: u64 = 1 << 30;

/// 6 GiB, of which 3 lie below 4 GiB; and a device of the pool.
const LARGE: Example = Example {
    memory: "0 0x40000000 1 0x80000000",
    devices: "vpu {\n    memory-region = <&pool>;\n};\n",
    ..Example::NONE
};

/// The same in a bus that reaches so much of the memory.
macro_rules! bus {
    ($reach:literal) => {
        concat!(
            "soc {\n    #address-cells = <1>;\n    #size-cells = <1>;\n    ",
            "ranges = <0x0 0x0 0xfe000000 0x1000000>;\n    dma-ranges = <",
            $reach,
            ">;\n    vpu {\n        memory-region = <&pool>;\n    };\n};\n"
        )
    };
}

pub(super) const ZONE_BORDER: Rule = Rule {
    name: "zone-border",
    severity: Severity::Error,
    about: "a pool at a fixed place lies across the border of two zones, or of low and high \
            memory: it cannot be used (\"could not be activated\")",
    remedy: "a place on one side of the border",
    source: "cma_activate_area(), mm/cma.c",
    releases: "all; up to 5.16 its memory is lost",
    fails: Example {
        nodes: node!("pool: pool@ff000000", "reusable", "reg = <0 0xff000000 0 0x2000000>"),
        ..LARGE
    },
    passes: Example {
        nodes: node!("pool: pool@fd000000", "reusable", "reg = <0 0xfd000000 0 0x2000000>"),
        ..LARGE
    },
    check: zone_border,
};

/// Low memory of 32-bit Arm, with room for vmalloc as it is by default (`arch/arm/mm/mmu.c`): 760
/// MiB.
const LOW_MEMORY: u64 = 760 << 20;

/// The borders of zones, and whether each is there for certain.
pub(in crate::lint) fn borders(board: &Board) -> Vec<(u64, bool)> {
    if !board.zones.is_empty() {
        return board.zones.iter().map(|(_, end)| (*end, true)).collect();
    }
    let start = board.memory.as_ref().and_then(|memory| memory.first()).map(|(start, _)| *start);
    let no_highmem = board.config.is_set("HIGHMEM") == Some(false);
    match board.machine.arch {
        Arch::Arm64 | Arch::X86_64 | Arch::Riscv64 => {
            let dma = board.tree.as_ref().and_then(reach::end_of_zone_dma).map(|end| (end, false));
            // ZONE_DMA32 ends there.
            std::iter::once((4 * GIB, true)).chain(dma).collect()
        }
        Arch::Arm if !no_highmem => start
            .and_then(|start| start.checked_add(LOW_MEMORY))
            .map(|end| (end, false))
            .into_iter()
            .collect(),
        Arch::Arm | Arch::Other => Vec::new(),
    }
}

fn zone_border(board: &Board, found: &mut Findings) {
    let borders = borders(board);
    for pool in board.areas() {
        let Some((base, bytes)) = pool.fixed() else { continue };
        let end = base.saturating_add(bytes);
        let across = |border: &&(u64, bool)| base < border.0 && border.0 < end;
        let Some((border, is_certain)) = borders.iter().find(across) else { continue };
        let what = if board.machine.arch == Arch::Arm { "of low memory" } else { "of a zone" };
        let message = format!(
            "{} lies from {base:#x} to {end:#x}, across the end {what} at {border:#x}: it cannot \
             be used",
            pool.name
        );
        let severity = if *is_certain { Severity::Error } else { Severity::Warning };
        let remedy = format!("a place that ends at {border:#x} or begins there");
        found.add_as(severity, board.place(pool, "reg"), message, remedy);
        if *is_certain {
            found.becomes(pool, area::DEAD);
        }
    }
}

/// First byte and end of every place that a pool may get; none where that is all memory.
fn places(pool: &Pool) -> Option<Vec<(u64, u64)>> {
    let fixed = pool.fixed().map(|(base, bytes)| vec![(base, base.saturating_add(bytes))]);
    fixed.or_else(|| pool.allowed()).filter(|places| !places.is_empty())
}

pub(super) const OUT_OF_REACH: Rule = Rule {
    name: "out-of-reach",
    severity: Severity::Warning,
    about: "a device has a pool that lies above what its bus reaches (`dma-ranges`)",
    remedy: "a place, or `alloc-ranges`, below that",
    source: "dma_coherent_ok(), kernel/dma/direct.c; of_dma_get_range(), drivers/of/address.c",
    releases: "all; a device behind an IOMMU reaches all",
    fails: Example {
        nodes: node!("pool: pool@80000000", "reusable", "reg = <0 0x80000000 0 0x2000000>"),
        devices: bus!("0xc0000000 0x0 0x0 0x40000000"),
        ..LARGE
    },
    passes: Example {
        nodes: node!("pool: pool@80000000", "reusable", "reg = <0 0x80000000 0 0x2000000>"),
        devices: bus!("0x0 0x0 0x0 0xc0000000"),
        ..LARGE
    },
    check: out_of_reach,
};

fn out_of_reach(board: &Board, found: &mut Findings) {
    let Some(tree) = &board.tree else { return };
    let devices = tree.nodes().filter(|(_, node)| node.has("memory-region") && !node.has("iommus"));
    for (device, node) in devices.filter(|(id, _)| tree.is_enabled(*id)) {
        let Some(end) = reach::end_of_dma(tree, device) else { continue };
        for phandle in node.cells("memory-region").unwrap_or_default() {
            let id = tree.by_phandle(phandle);
            let Some(pool) = board.pools.iter().find(|pool| Some(pool.id) == id) else { continue };
            let above = |places: Vec<(u64, u64)>| places.iter().all(|(_, last)| *last > end);
            let beyond = |places: Vec<(u64, u64)>| places.iter().all(|(first, _)| *first >= end);
            let out = if pool.reg.is_some() {
                places(pool).is_some_and(above)
            } else {
                places(pool).is_some_and(beyond)
            };
            if !out {
                continue;
            }
            let property = if pool.reg.is_some() { "reg" } else { "alloc-ranges" };
            let message = format!(
                "{} lies above {end:#x}, which is the end of what {} reaches by the dma-ranges \
                 of its bus",
                pool.name,
                tree.path(device)
            );
            found.add(board.place(pool, property), message, format!("a place below {end:#x}"));
        }
    }
}

pub(super) const ABOVE_4G: Rule = Rule {
    name: "above-4g",
    severity: Severity::Warning,
    about: "a pool lies above 4 GiB, or may, since nothing keeps it below: a device reaches that \
            only where its driver asks for a mask of more than 32 bits",
    remedy: "`alloc-ranges` that end at 4 GiB",
    source: "early_init_dt_alloc_reserved_memory_arch(), drivers/of/of_reserved_mem.c: \
             MEMBLOCK_ALLOC_ANYWHERE; DMA_BIT_MASK(32), setup_pdev_dma_masks(), \
             drivers/base/platform.c",
    releases: "all",
    fails: Example { nodes: node!("pool: pool", "reusable", "size = <0 0x2000000>"), ..LARGE },
    passes: Example {
        nodes: node!(
            "pool: pool",
            "reusable",
            "size = <0 0x2000000>",
            "alloc-ranges = <0 0x40000000 0 0xc0000000>"
        ),
        ..LARGE
    },
    check: above_4g,
};

fn above_4g(board: &Board, found: &mut Findings) {
    let high = |end: u64| end > 4 * GIB;
    let has_high =
        board.memory.as_ref().is_some_and(|memory| memory.iter().any(|(_, end)| high(*end)));
    let open: Vec<_> = board.areas().filter(|pool| found.open(pool).is_some()).collect();
    for pool in open {
        let (property, how) = match places(pool) {
            Some(places) if pool.reg.is_some() && places.iter().all(|(_, end)| high(*end)) => {
                ("reg", "lies above 4 GiB")
            }
            Some(places) if places.iter().all(|(start, _)| *start >= 4 * GIB) => {
                ("alloc-ranges", "lies above 4 GiB")
            }
            // The kernel takes the highest place that is free.
            None if has_high && pool.reg.is_none() => {
                ("size", "has no alloc-ranges, and is placed at the end of the memory, above 4 GiB")
            }
            _ => continue,
        };
        let message = format!(
            "{} {how}: a device whose driver asks for no more than 32 bits does not reach it",
            pool.name
        );
        let remedy = "`alloc-ranges` that end at 4 GiB, unless every device of the pool has a \
                      mask of more than 32 bits";
        found.add(board.place(pool, property), message, remedy);
    }
}
