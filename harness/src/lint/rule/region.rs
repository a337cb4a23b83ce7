//! Which devices have a pool of their own.

use std::collections::BTreeSet;

use super::super::{Board, Example, Findings, Place, Rule, Severity};
use crate::tree::{NodeId, Tree};

/// A device with a pool of its own.
const VPU: &str = "vpu {\n    memory-region = <&pool>;\n};\n";

const PASSES: Example = Example {
    nodes: node!("pool: pool", "reusable", "size = <0 0x2000000>"),
    devices: VPU,
    ..Example::NONE
};

/// Each `memory-region` of a device that is not switched off, with the nodes that it names.
fn regions(tree: &Tree) -> impl Iterator<Item = (NodeId, u32, Option<NodeId>)> {
    let devices = tree.nodes().filter(|(_, node)| node.has("memory-region"));
    let devices = devices.filter(|(id, _)| tree.is_enabled(*id));
    devices.flat_map(move |(device, node)| {
        let cells = node.cells("memory-region").unwrap_or_default();
        // 0 holds the place of one that is left out.
        let named = cells.into_iter().filter(|phandle| *phandle != 0);
        named.map(move |phandle| (device, phandle, tree.by_phandle(phandle)))
    })
}

pub(super) const MISSING: Rule = Rule {
    name: "memory-region-missing",
    severity: Severity::Error,
    about: "a device names a node in `memory-region` that is not there: it uses the default area",
    remedy: "the label of a node of /reserved-memory",
    source: "of_reserved_mem_device_init_by_idx(), drivers/of/of_reserved_mem.c",
    releases: "all",
    fails: Example {
        nodes: node!("pool: pool", "reusable", "size = <0 0x2000000>", "linux,cma-default"),
        devices: "vpu {\n    memory-region = <0x99>;\n};\n",
        ..Example::NONE
    },
    passes: PASSES,
    check: missing,
};

fn missing(board: &Board, found: &mut Findings) {
    let Some(tree) = board.tree.as_ref() else { return };
    for (device, phandle, _) in regions(tree).filter(|(_, _, node)| node.is_none()) {
        let message = format!(
            "memory-region of {} names the phandle {phandle:#x}, which no node has",
            tree.path(device)
        );
        let place = Place::of(tree, device, Some("memory-region"));
        found.add(
            place,
            message,
            "`memory-region = <&label>;` with the label of a node of /reserved-memory",
        );
    }
}

pub(super) const ELSEWHERE: Rule = Rule {
    name: "memory-region-elsewhere",
    severity: Severity::Error,
    about: "a device names a node in `memory-region` that is switched off, or not in \
            /reserved-memory: it uses the default area",
    remedy: "a node of /reserved-memory whose status is okay",
    source: "of_reserved_mem_device_init_by_idx(), __find_rmem(), drivers/of/of_reserved_mem.c",
    releases: "all",
    fails: Example {
        nodes: node!("pool: pool", "reusable", "size = <0 0x2000000>", "status = \"disabled\""),
        devices: VPU,
        ..Example::NONE
    },
    passes: PASSES,
    check: elsewhere,
};

fn elsewhere(board: &Board, found: &mut Findings) {
    let Some(tree) = board.tree.as_ref() else { return };
    let reserved = tree.find("/reserved-memory");
    for (device, _, node) in regions(tree) {
        let Some(id) = node else { continue };
        let is_within = tree.node(id).parent() == reserved;
        let (severity, what) = match (is_within, tree.node(id).is_available()) {
            (true, true) => continue,
            (true, false) => (Severity::Error, "is switched off (`status`)"),
            // A driver may look it up itself.
            (false, _) => (Severity::Warning, "is not in /reserved-memory"),
        };
        let (device_path, path) = (tree.path(device), tree.path(id));
        let message = format!("memory-region of {device_path} names {path}, which {what}");
        let remedy = "a node of /reserved-memory whose status is okay";
        let place = Place::of(tree, device, Some("memory-region"));
        found.add_as(severity, place, message, remedy);
    }
}

pub(super) const UNUSED: Rule = Rule {
    name: "pool-unused",
    severity: Severity::Note,
    about: "no device names the pool in `memory-region`, and it is not the default area",
    remedy: "`memory-region` in the node of its device, or no pool",
    source: "dev_get_cma_area(), include/linux/dma-map-ops.h",
    releases: "all; in 7.3 a dma-buf heap of its name uses it",
    fails: Example::of_nodes(node!("pool", "reusable", "size = <0 0x2000000>")),
    passes: PASSES,
    check: unused,
};

fn unused(board: &Board, found: &mut Findings) {
    let Some(tree) = board.tree.as_ref() else { return };
    let used: BTreeSet<_> = regions(tree).filter_map(|(_, _, node)| node).collect();
    for pool in board.areas().filter(|pool| !pool.default && !used.contains(&pool.id)) {
        let message = format!("no device has {} as its memory-region", pool.name);
        let remedy = "`memory-region = <&label>;` in the node of its device; a driver may also \
                      take it by its name";
        found.add(board.place(pool, "compatible"), message, remedy);
    }
}
