//! An area against the requests that a trace or a log shows.

use super::super::trace::Times;
use super::super::{Asker, Board, Example, Findings, Place, Rule, Severity, area, size};
use crate::page::Page;
use crate::words::{pages, pages_of, percent_of};

/// A pool of 1024 pages.
const POOL: Example = Example {
    nodes: node!("vpu_pool: vpu_pool", "reusable", "size = <0 0x400000>"),
    devices: "vpu {\n    memory-region = <&vpu_pool>;\n};\n",
    ..Example::NONE
};

/// Calls of a trace: pages, and the first page where they were granted.
macro_rules! calls {
    ($($count:literal $pfn:literal $page:literal $errno:literal),*) => {
        concat!($(
            " vpu-1 [000] ..... 10.000001: cma_alloc_start: name=vpu_pool count=", $count,
            " align=8\n vpu-1 [000] ..... 10.000002: cma_alloc_finish: name=vpu_pool pfn=", $pfn,
            " page=00000000", $page, " count=", $count, " align=8 errorno=", $errno, "\n"
        ),*)
    };
}

const PASSES: Example = Example { text: calls!("512" "0x50000" "c0ffee00" "0"), ..POOL };

/// Pages of the kernel of the board, and how much that is.
fn sized(board: &Board, count: u64) -> String {
    pages_of(count, Page::of_bytes(board.machine.page_bytes).unwrap_or_default())
}

/// Each area of a node or of the command line with its pages and its place.
fn areas(board: &Board, found: &Findings) -> Vec<(String, u64, Place)> {
    let page = board.machine.page_bytes;
    let placed = found.areas.iter().filter(|area| area.outcome == area::PLACED);
    let known = placed.filter_map(|area| {
        let place = match area.asker {
            Asker::Node(id) => {
                let pool = board.areas().find(|pool| pool.id == id)?;
                board.place(pool, pool.sized_by())
            }
            Asker::Command => board.command.as_ref()?.0.clone(),
            Asker::Config | Asker::Hugetlb => return None,
        };
        // The kernel names an area as its node, with the address.
        Some((area.name.clone(), area.bytes? / page, place))
    });
    known.filter(|(_, pages, _)| *pages > 0).collect()
}

pub(super) const POOL_BELOW_LOAD: Rule = Rule {
    name: "pool-below-load",
    severity: Severity::Warning,
    about: "a trace shows more pages live and asked for at a time than the area has",
    remedy: "a larger area: how much larger, `cmalab fit` says",
    source: "cma_alloc(), mm/cma.c",
    releases: "5.13 on, whose traces name the area",
    fails: Example {
        text: calls!(
            "512" "0x50000" "c0ffee00" "0",
            "512" "0x50200" "c0ffee00" "0",
            "256" "0x0" "00000000" "-12"
        ),
        ..POOL
    },
    passes: PASSES,
    check: pool_below_load,
};

fn pool_below_load(board: &Board, found: &mut Findings) {
    for (name, has, place) in areas(board, found) {
        let Some(most) = board.trace.most(&name).filter(|most| *most > has) else { continue };
        let bytes = most.saturating_mul(board.machine.page_bytes);
        let message = format!(
            "{name} has {}, and the trace shows {} live and asked for at a time",
            sized(board, has),
            sized(board, most)
        );
        let remedy =
            format!("at least {}, and room for alignment: `cmalab fit` of the trace", size(bytes));
        found.add(place, message, remedy);
    }
}

pub(super) const EXACT_SIZE: Rule = Rule {
    name: "exact-size",
    severity: Severity::Warning,
    about: "an area is as large as one of its buffers: a single page in the way refuses it",
    remedy: "room for one more buffer",
    source: "cma_alloc(), mm/cma.c; alloc_contig_range(), mm/page_alloc.c",
    releases: "all",
    fails: Example { text: calls!("1024" "0x50000" "c0ffee00" "0"), ..POOL },
    passes: PASSES,
    check: exact_size,
};

fn exact_size(board: &Board, found: &mut Findings) {
    for (name, has, place) in areas(board, found) {
        if !board.trace.has_size(&name, has) {
            continue;
        }
        let message = format!("{name} has {}, which is one of its buffers", sized(board, has));
        let bytes = has.saturating_mul(2).saturating_mul(board.machine.page_bytes);
        found.add(place, message, format!("{}, or a buffer that is smaller", size(bytes)));
    }
}

pub(super) const CAP_STRANDS: Rule = Rule {
    name: "cap-strands",
    severity: Severity::Warning,
    about: "buffers a little larger than a power of two strand up to half of the area: the next \
            one begins at a multiple of 2^CONFIG_CMA_ALIGNMENT pages",
    remedy: "a smaller CONFIG_CMA_ALIGNMENT, or buffers without the pages above the power of two",
    source: "cma_alloc_aligned(), kernel/dma/contiguous.c",
    releases: "all",
    fails: Example { text: calls!("257" "0x50000" "c0ffee00" "0"), ..POOL },
    passes: PASSES,
    check: cap_strands,
};

/// The order that callers of the DMA API ask for.
fn order(count: u64, cap: u32) -> u32 {
    count.next_power_of_two().ilog2().min(cap)
}

/// Pages that are left over after a buffer, where buffers of its size follow each other.
fn stranded(count: u64, cap: u32) -> u64 {
    count.next_multiple_of(1 << order(count, cap)) - count
}

fn cap_strands(board: &Board, found: &mut Findings) {
    // So large a share of its slot is worth a word.
    const SHARE: u64 = 4;
    const LEAST: u64 = 16;
    let cap = board.cap.unwrap_or(crate::ingest::DEFAULT_CAP).min(30);
    let known = board.trace.sizes().filter(|(count, _)| (2..1 << 40).contains(count));
    let lost = known.map(|(count, times)| (stranded(count, cap), count, times));
    let wide = lost.filter(|(left, count, _)| *left >= LEAST && left * SHARE >= left + count);
    let all = |left: &u64, times: &Times| left.saturating_mul(times.count);
    let worst = wide.max_by_key(|(left, count, times)| (all(left, times), *count));
    let Some((left, count, times)) = worst else { return };
    let message = format!(
        "buffers of {} at cap {cap} leave {} of each {} stranded ({})",
        sized(board, count),
        pages(left),
        count + left,
        percent_of(left, count + left)
    );
    let fewer = count - (count >> order(count, cap) << order(count, cap));
    let less = (0..cap).rev().find(|cap| stranded(count, *cap) * 10 < count);
    let cut = if fewer > 0 && fewer * 10 < count {
        format!("cut {} from the buffer", sized(board, fewer))
    } else {
        String::new()
    };
    let smaller = less.map_or(String::new(), |cap| {
        let left = stranded(count, cap);
        format!(
            "CONFIG_CMA_ALIGNMENT={cap} (a kernel that is built again; {} left over)",
            pages(left)
        )
    });
    let remedy: Vec<_> = [cut, smaller].into_iter().filter(|text| !text.is_empty()).collect();
    found.add(Place::at(&times.first), message, remedy.join("; or "));
}
