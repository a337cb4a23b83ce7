//! Places that are not there, too small or taken.

use super::super::Place;
use super::super::pool::{places, space};
use super::super::{Board, Example, Findings, Pool, Rule, Severity, area, size};

const ALLOC: &str = "__reserved_mem_alloc_size(), drivers/of/of_reserved_mem.c (\"failed to \
                     allocate memory for node\")";
const PASSES: Example =
    Example::of_nodes(pool!("size = <0 0x2000000>", "alloc-ranges = <0 0x50000000 0 0x10000000>"));

/// What of ascending pieces lies in a range.
fn within(pieces: &[(u64, u64)], (start, end): (u64, u64)) -> Vec<(u64, u64)> {
    let shared = pieces.iter().map(|(first, last)| (*first.max(&start), *last.min(&end)));
    shared.filter(|(first, last)| first < last).collect()
}

/// The most bytes of a pool that fit into pieces: it begins at a multiple of its alignment, which
/// is at least the step.
fn most(board: &Board, pool: &Pool, pieces: &[(u64, u64)]) -> u64 {
    let step = board.steps.least().unwrap_or(1);
    let align = pool.alignment.and_then(Result::ok).unwrap_or(0).max(step).max(1);
    let room = |(first, last): &(u64, u64)| {
        let first = first.checked_next_multiple_of(align).unwrap_or(*last);
        last.saturating_sub(first)
    };
    pieces.iter().map(room).max().unwrap_or(0)
}

/// Pools that the kernel places, and what of no other rule becomes of them yet.
fn dynamic<'a>(board: &'a Board, found: &mut Findings) -> Vec<(&'a Pool, u64)> {
    let all = board.areas().filter(|pool| pool.reg.is_none());
    let sized = all.filter_map(|pool| Some((pool, pool.bytes().filter(|bytes| *bytes > 0)?)));
    sized.filter(|(pool, _)| found.open(pool).is_some()).collect()
}

fn shown((start, end): (u64, u64)) -> String {
    format!("{start:#x} to {end:#x}")
}

fn listed(pieces: &[(u64, u64)]) -> String {
    pieces.iter().map(|piece| shown(*piece)).collect::<Vec<_>>().join(", ")
}

pub(super) const OUTSIDE_MEMORY: Rule = Rule {
    name: "alloc-ranges-outside-memory",
    severity: Severity::Error,
    about: "`alloc-ranges` has none of the memory: the kernel finds no place",
    remedy: "`alloc-ranges` that lie in the memory, or none",
    source: ALLOC,
    releases: "all",
    fails: Example::of_nodes(pool!(
        "size = <0 0x2000000>",
        "alloc-ranges = <0 0x90000000 0 0x10000000>"
    )),
    passes: PASSES,
    check: outside_memory,
};

fn outside_memory(board: &Board, found: &mut Findings) {
    let Some(memory) = board.memory.as_ref() else { return };
    for (pool, _) in dynamic(board, found) {
        let Some(ranges) = pool.allowed().filter(|ranges| !ranges.is_empty()) else { continue };
        if ranges.iter().any(|range| !within(memory, *range).is_empty()) {
            continue;
        }
        let message = format!(
            "alloc-ranges of {} ({}) have none of the memory ({}): the kernel finds no place",
            pool.name,
            listed(&ranges),
            listed(memory)
        );
        found.add(
            board.place(pool, "alloc-ranges"),
            message,
            "a range in the memory, or no alloc-ranges",
        );
        found.becomes(pool, area::NOT_PLACED);
    }
}

pub(super) const TOO_NARROW: Rule = Rule {
    name: "alloc-ranges-too-narrow",
    severity: Severity::Error,
    about: "no range of `alloc-ranges` has room for the pool",
    remedy: "a range that is as wide as the pool, from a multiple of its alignment on",
    source: ALLOC,
    releases: "all",
    fails: Example::of_nodes(pool!(
        "size = <0 0x2000000>",
        "alloc-ranges = <0 0x50000000 0 0x1000000>"
    )),
    passes: PASSES,
    check: too_narrow,
};

fn too_narrow(board: &Board, found: &mut Findings) {
    let rooms = board.rooms();
    for (pool, bytes) in dynamic(board, found) {
        let Some(ranges) = pool.allowed().filter(|ranges| !ranges.is_empty()) else { continue };
        let pieces: Vec<_> = match &rooms {
            Some(rooms) => ranges.iter().flat_map(|range| within(rooms, *range)).collect(),
            None => ranges,
        };
        let most = most(board, pool, &pieces);
        if most >= bytes {
            continue;
        }
        let message = format!(
            "alloc-ranges of {} have room for {}, and its size is {}: the kernel finds no place",
            pool.name,
            size(most),
            size(bytes)
        );
        let remedy = format!("a range of {} that is free, or no alloc-ranges", size(bytes));
        found.add(board.place(pool, "alloc-ranges"), message, remedy);
        found.becomes(pool, area::NOT_PLACED);
    }
}

pub(super) const NO_ROOM: Rule = Rule {
    name: "no-room",
    severity: Severity::Error,
    about: "a pool is larger than the longest free piece of the memory",
    remedy: "a smaller pool",
    source: ALLOC,
    releases: "all",
    fails: Example::of_nodes(pool!("size = <0 0x50000000>")),
    passes: PASSES,
    check: no_room,
};

fn no_room(board: &Board, found: &mut Findings) {
    let Some(rooms) = board.rooms() else { return };
    for (pool, bytes) in dynamic(board, found) {
        let most = most(board, pool, &rooms);
        // The kernel itself is somewhere in the memory, too.
        if pool.ranges.is_some() || most > bytes {
            continue;
        }
        let message = format!(
            "{} asks for {}, and the longest free piece of the memory has {}, some of which is the \
             kernel's: it finds no place",
            pool.name,
            size(bytes),
            size(most)
        );
        found.add(board.place(pool, "size"), message, format!("less than {}", size(most)));
        found.becomes(pool, area::NOT_PLACED);
    }
}

pub(super) const REG_OUTSIDE_MEMORY: Rule = Rule {
    name: "reg-outside-memory",
    severity: Severity::Warning,
    about: "a pool has a fixed place that is not all memory: it cannot be used",
    remedy: "a place in the memory",
    source: "cma_activate_area(), mm/cma.c: pfn_valid()",
    releases: "all",
    fails: Example::of_nodes(node!(
        "pool@90000000",
        "reusable",
        "reg = <0 0x90000000 0 0x2000000>",
        "linux,cma-default"
    )),
    passes: Example::of_nodes(node!(
        "pool@60000000",
        "reusable",
        "reg = <0 0x60000000 0 0x2000000>",
        "linux,cma-default"
    )),
    check: reg_outside_memory,
};

fn reg_outside_memory(board: &Board, found: &mut Findings) {
    let Some(memory) = board.memory.as_ref() else { return };
    for pool in board.areas() {
        let Some((base, bytes)) = pool.fixed().filter(|(_, bytes)| *bytes > 0) else { continue };
        let own = (base, base.saturating_add(bytes));
        if memory.iter().any(|(start, end)| *start <= own.0 && own.1 <= *end) {
            continue;
        }
        let message = format!(
            "{} lies at {}, and the memory that the tree states is {}",
            pool.name,
            shown(own),
            listed(memory)
        );
        let remedy = "a place in the memory; where the boot loader adds memory, check it in \
                      /proc/device-tree";
        found.add(board.place(pool, "reg"), message, remedy);
    }
}

pub(super) const REG_SEVERAL: Rule = Rule {
    name: "reg-several",
    severity: Severity::Error,
    about: "`reg` has several places: only the first one is an area",
    remedy: "a node for each place",
    source: "fdt_scan_reserved_mem_reg_nodes(), drivers/of/of_reserved_mem.c",
    releases: "all; up to 6.x the others are reserved and nobody's, in 7.x they are left alone",
    fails: Example::of_nodes(node!(
        "pool@60000000",
        "reusable",
        "reg = <0 0x60000000 0 0x2000000>, <0 0x68000000 0 0x2000000>",
        "linux,cma-default"
    )),
    passes: REG_OUTSIDE_MEMORY.passes,
    check: reg_several,
};

fn reg_several(board: &Board, found: &mut Findings) {
    for pool in board.areas() {
        let places = pool.reg.as_ref().map_or(&[][..], |reg| reg.places());
        let [first, others @ ..] = places else { continue };
        if others.is_empty() {
            continue;
        }
        let lost = others.iter().fold(0u64, |sum, (_, bytes)| sum.saturating_add(*bytes));
        let fate = match board.release() {
            Some(release) if release >= (7, 0) => "left alone",
            Some(_) => "reserved, and nobody's",
            None => "reserved and nobody's up to 6.x, left alone in 7.x",
        };
        let message = format!(
            "reg of {} has {}: only the first one ({}) is the area, and the other {} are {fate}",
            pool.name,
            crate::words::counted(places.len() as u64, "place"),
            size(first.1),
            size(lost)
        );
        found.add(board.place(pool, "reg"), message, "a node of its own for each place");
    }
}

pub(super) const OVERLAP: Rule = Rule {
    name: "overlap",
    severity: Severity::Warning,
    about: "a pool and another node of /reserved-memory have the same memory",
    remedy: "places that do not overlap",
    source: "__rmem_check_for_overlap(), drivers/of/of_reserved_mem.c (\"OVERLAP DETECTED!\")",
    releases: "all",
    fails: Example::of_nodes(concat!(
        node!("pool@60000000", "reusable", "reg = <0 0x60000000 0 0x2000000>", "linux,cma-default"),
        "firmware@61000000 { no-map; reg = <0 0x61000000 0 0x100000>; };\n"
    )),
    passes: Example::of_nodes(concat!(
        node!("pool@60000000", "reusable", "reg = <0 0x60000000 0 0x2000000>", "linux,cma-default"),
        "firmware@62000000 { no-map; reg = <0 0x62000000 0 0x100000>; };\n"
    )),
    check: overlap,
};

fn overlap(board: &Board, found: &mut Findings) {
    let Some(tree) = &board.tree else { return };
    let Some(reserved) = tree.find("/reserved-memory") else { return };
    let nodes = tree.children(reserved).filter(|(_, node)| node.is_available());
    let mut all: Vec<_> = nodes
        .filter_map(|(id, _)| {
            let (base, bytes) = *places(tree, id, "reg", space(tree))?.places().first()?;
            Some(((base, base.saturating_add(bytes)), id))
        })
        .filter(|((start, end), _)| start < end)
        .collect();
    all.sort_unstable();
    let is_area = |id| board.areas().any(|pool| pool.id == id);
    // As the kernel does: each with the one after it.
    for pair in all.windows(2) {
        let [(one, first), (other, second)] = [pair[0], pair[1]];
        if one.1 <= other.0 || !is_area(first) && !is_area(second) {
            continue;
        }
        let name = |id| &tree.node(id).name;
        let message = format!(
            "{} ({}) and {} ({}) have the same memory",
            name(first),
            shown(one),
            name(second),
            shown(other)
        );
        found.add(Place::of(tree, second, Some("reg")), message, "places that do not overlap");
    }
}
