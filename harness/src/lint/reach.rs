//! What memory there is, and what of it a device reaches.

use super::pool::{places, space};
use crate::kernel::Arch;
use crate::tree::{NodeId, Tree, joined};

/// All memory that a tree states: first byte and end of each piece, ascending; none where it is for
/// the boot loader to fill in.
pub(super) fn memory(tree: &Tree) -> Option<Vec<(u64, u64)>> {
    let space = tree.space(Tree::ROOT);
    let nodes = tree.children(Tree::ROOT).filter(|(_, node)| {
        node.is_available()
            && node.strings("device_type").first().is_some_and(|kind| kind == "memory")
    });
    let mut all = Vec::new();
    for (id, _) in nodes {
        for (base, bytes) in places(tree, id, "reg", space)?.places() {
            all.push((*base, base.saturating_add(*bytes)));
        }
    }
    all.sort_unstable();
    let is_known = tree.is_whole && !all.is_empty() && all.iter().all(|(base, end)| base < end);
    is_known.then(|| merged(all))
}

/// Ascending pieces, those that touch as one.
fn merged(pieces: Vec<(u64, u64)>) -> Vec<(u64, u64)> {
    let mut all: Vec<(u64, u64)> = Vec::new();
    for (start, end) in pieces {
        match all.last_mut() {
            Some(last) if start <= last.1 => last.1 = last.1.max(end),
            _ => all.push((start, end)),
        }
    }
    all
}

/// What nodes of `/reserved-memory` but one take at fixed places: first byte and end.
pub(super) fn fixed(tree: &Tree, but: Option<NodeId>) -> Vec<(u64, u64)> {
    let Some(reserved) = tree.find("/reserved-memory") else { return Vec::new() };
    let space = space(tree);
    let nodes = tree.children(reserved);
    let nodes = nodes.filter(|(id, node)| node.is_available() && Some(*id) != but);
    let all = nodes.filter_map(|(id, _)| places(tree, id, "reg", space));
    let places = all.flat_map(|numbers| numbers.places().to_vec());
    let mut all: Vec<_> = places.map(|(base, bytes)| (base, base.saturating_add(bytes))).collect();
    all.sort_unstable();
    merged(all)
}

/// What is left of ascending pieces without others.
pub(super) fn without(mut pieces: Vec<(u64, u64)>, taken: &[(u64, u64)]) -> Vec<(u64, u64)> {
    for (start, end) in taken {
        let parts =
            |(first, last): (u64, u64)| [(first, last.min(*start)), (first.max(*end), last)];
        pieces = pieces.into_iter().flat_map(parts).filter(|(first, last)| first < last).collect();
    }
    pieces
}

/// The architecture, by the processors of a tree: those that run nothing but 32-bit Arm, and
/// RISC-V. A 64-bit Arm may run a 32-bit kernel.
pub(super) fn arch(tree: &Tree) -> Option<Arch> {
    const ARM: [&str; 12] = [
        "arm,cortex-a5",
        "arm,cortex-a7",
        "arm,cortex-a8",
        "arm,cortex-a9",
        "arm,cortex-a12",
        "arm,cortex-a15",
        "arm,cortex-a17",
        "arm,arm926ej-s",
        "arm,arm1176jzf-s",
        "arm,arm1136jf-s",
        "qcom,krait",
        "marvell,pj4b",
    ];
    let cpus = tree.find("/cpus")?;
    tree.children(cpus).find_map(|(_, node)| {
        let is = |name: &str| node.is_compatible(name);
        if is("riscv") {
            return Some(Arch::Riscv64);
        }
        ARM.iter().any(|name| is(name)).then_some(Arch::Arm)
    })
}

/// The end of what a device reaches, where a bus above it says so (`of_dma_get_range()`,
/// `drivers/of/address.c`): the first `dma-ranges` that is not empty.
pub(super) fn end_of_dma(tree: &Tree, device: NodeId) -> Option<u64> {
    let above = std::iter::successors(tree.node(device).parent(), |id| tree.node(*id).parent());
    end_of_bus(tree, above.into_iter().find(|id| maps(tree, *id))?)
}

/// Whether a bus says what of the memory those in it reach.
fn maps(tree: &Tree, bus: NodeId) -> bool {
    tree.node(bus).get("dma-ranges").is_some_and(|value| !value.is_empty())
}

/// The end of ZONE_DMA where some device reaches less than 4 GiB (`of_dma_get_max_cpu_address()`,
/// `drivers/of/address.c`; `arch/arm64/mm/init.c`, from 5.11 on).
pub(super) fn end_of_zone_dma(tree: &Tree) -> Option<u64> {
    let buses = tree.nodes().filter(|(id, _)| maps(tree, *id));
    let ends = buses.filter_map(|(id, _)| end_of_bus(tree, id));
    let least = ends.filter(|end| *end > 0).min()?;
    least.checked_next_power_of_two().filter(|end| *end < 1 << 32)
}

/// The end of what those in a bus reach.
fn end_of_bus(tree: &Tree, bus: NodeId) -> Option<u64> {
    let parent = tree.node(bus).parent()?;
    // What a further bus maps again is not followed.
    let further = std::iter::successors(Some(parent), |id| tree.node(*id).parent());
    if further.into_iter().any(|id| maps(tree, id)) {
        return None;
    }
    let (child, size) = tree.space(bus);
    let (address, _) = tree.space(parent);
    let each = child.checked_add(address)?.checked_add(size)? as usize;
    let cells = tree.node(bus).cells("dma-ranges")?;
    if !(1..=12).contains(&each) || !cells.len().is_multiple_of(each) {
        return None;
    }
    let (child, size) = (child as usize, size as usize);
    let ends = cells.chunks_exact(each).map(|range| {
        let base = joined(&range[child..each - size])?;
        base.checked_add(joined(&range[each - size..])?)
    });
    ends.collect::<Option<Vec<_>>>()?.into_iter().max()
}
