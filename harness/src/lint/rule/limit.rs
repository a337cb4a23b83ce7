//! How many areas there may be, and gigantic pages.

use super::super::area::{self, Asker};
use super::super::{Board, Example, Findings, Place, Rule, Severity, size};
use crate::kernel::{Arch, Release};
use crate::words::counted;

pub(super) const TOO_MANY_AREAS: Rule = Rule {
    name: "too-many-areas",
    severity: Severity::Error,
    about: "more areas are asked for than the kernel has slots: the last ones are refused",
    remedy: "a larger CONFIG_CMA_AREAS, or fewer pools",
    source: "cma_init_reserved_mem(), mm/cma.c (\"Not enough slots for CMA reserved regions!\")",
    releases: "all; up to 6.8 there is one slot more than CONFIG_CMA_AREAS says",
    fails: Example {
        nodes: concat!(
            node!("pool_a", "reusable", "size = <0 0x2000000>", "linux,cma-default"),
            node!("pool_b", "reusable", "size = <0 0x2000000>"),
            node!("pool_c", "reusable", "size = <0 0x2000000>")
        ),
        config: "CONFIG_DMA_CMA=y\nCONFIG_CMA_AREAS=2\n",
        ..Example::NONE
    },
    passes: Example {
        nodes: node!("pool_a", "reusable", "size = <0 0x2000000>", "linux,cma-default"),
        config: "CONFIG_DMA_CMA=y\nCONFIG_CMA_AREAS=2\n",
        ..Example::NONE
    },
    check: too_many_areas,
};

/// The first release with as many slots as CONFIG_CMA_AREAS says (`MAX_CMA_AREAS`,
/// `include/linux/cma.h`): 6.1 has one more, 6.12 does not; posted in February 2024.
const AS_STATED: Release = (6, 9);

/// The slots where nothing states them: without and with NUMA (`mm/Kconfig`).
pub(in crate::lint) const USUAL: (u64, u64) = (8, 20);

/// The slots that the configuration states.
pub(in crate::lint) fn stated_slots(board: &Board) -> Option<u64> {
    let more = board.release().is_some_and(|release| release < AS_STATED);
    board.config.number("CMA_AREAS").map(|areas| areas.saturating_add(more.into()))
}

fn too_many_areas(board: &Board, found: &mut Findings) {
    let stated = stated_slots(board);
    let mut placed: Vec<_> = board.areas().filter(|pool| found.open(pool).is_some()).collect();
    // The kernel sets those with `reg` up last.
    placed.sort_by_key(|pool| pool.reg.is_some());
    let others = found.areas.iter().filter(|area| !matches!(area.asker, Asker::Node(_)));
    let others = others.filter(|area| area.outcome == area::PLACED).count() as u64;
    let all = placed.len() as u64 + others;
    let slots = stated.unwrap_or(USUAL.0);
    if all <= slots {
        return;
    }
    let last = placed.get((slots as usize).min(placed.len().saturating_sub(1))).copied();
    let place = match last {
        Some(pool) => board.place(pool, "compatible"),
        None => board.config.place("CMA_AREAS").unwrap_or_else(|| Place::whole("--cmdline")),
    };
    let Some(slots) = stated else {
        let message = format!(
            "{} are asked for, and a kernel without NUMA has {} slots unless CONFIG_CMA_AREAS \
             says more (with NUMA {})",
            counted(all, "area"),
            USUAL.0,
            USUAL.1
        );
        let severity = if all > USUAL.1 { Severity::Error } else { Severity::Warning };
        return found.add_as(severity, place, message, format!("CONFIG_CMA_AREAS={all}"));
    };
    let message =
        format!("{} are asked for, and the kernel has {slots} slots", counted(all, "area"));
    found.add(place, message, format!("CONFIG_CMA_AREAS={all}, or fewer pools"));
    for pool in placed.iter().skip(slots as usize) {
        found.becomes(pool, area::REFUSED);
    }
}

pub(super) const HUGETLB_OFF_PAGE: Rule = Rule {
    name: "hugetlb-off-page",
    severity: Severity::Error,
    about: "`hugetlb_cma=` is no whole gigantic page: the kernel refuses it",
    remedy: "a multiple of a gigantic page",
    source: "hugetlb_cma_reserve(), mm/hugetlb.c, later mm/hugetlb_cma.c",
    releases: "from 5.7 on; below a gigantic page in all, no multiple of it in 7.x",
    fails: Example { cmdline: "hugetlb_cma=64M", ..Example::NONE },
    passes: Example { cmdline: "hugetlb_cma=2G", ..Example::NONE },
    check: hugetlb_off_page,
};

/// Bytes of a gigantic page (`arm64_hugetlb_cma_reserve()`, `arch/arm64/mm/hugetlbpage.c`, and its
/// like): what a table above that of huge pages maps, on arm64 with larger pages a row of those.
const fn gigantic(arch: Arch, page_bytes: u64) -> Option<u64> {
    match (arch, page_bytes) {
        (Arch::Arm64 | Arch::X86_64 | Arch::Riscv64, 4096) | (Arch::Arm64, 16384) => Some(1 << 30),
        (Arch::Arm64, 65536) => Some(16 << 30),
        _ => None,
    }
}

fn hugetlb_off_page(board: &Board, found: &mut Findings) {
    let Some((place, command)) = &board.command else { return };
    let Some(page) = gigantic(board.machine.arch, board.machine.page_bytes) else { return };
    let Some(bytes) = command.hugetlb.filter(|bytes| *bytes > 0) else { return };
    let must_divide = board.release().is_some_and(|release| release >= (7, 0));
    if bytes >= page && (bytes.is_multiple_of(page) || !must_divide) {
        return;
    }
    let below = if bytes < page { "is below" } else { "is no multiple of" };
    let message = format!(
        "hugetlb_cma= asks for {}, which {below} a gigantic page ({})",
        size(bytes),
        size(page)
    );
    let remedy = format!("hugetlb_cma={}G", bytes.div_ceil(page).saturating_mul(page >> 30));
    found.add(place.clone(), message, remedy);
    found.asker_becomes(Asker::Hugetlb, area::REFUSED);
}
