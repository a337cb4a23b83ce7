//! Whether a node is one that the kernel reads as a pool.

use super::super::{Board, Example, Findings, Place, Rule, Severity, area};

const PASSES: Example = Example::of_nodes(pool!("size = <0 0x2000000>"));

pub(super) const NO_SIZE: Rule = Rule {
    name: "no-size",
    severity: Severity::Error,
    about: "a pool has neither `size` nor `reg`: the kernel passes over it without a word",
    remedy: "`size`, or `reg` for a fixed place",
    source: "fdt_scan_reserved_mem(), drivers/of/of_reserved_mem.c",
    releases: "all",
    fails: Example::of_nodes(pool!("alignment = <0 0x400000>")),
    passes: PASSES,
    check: no_size,
};

fn no_size(board: &Board, found: &mut Findings) {
    for pool in board.pools.iter().filter(|pool| pool.size.is_none() && pool.reg.is_none()) {
        let message = format!("{} has neither size nor reg: the kernel passes over it", pool.name);
        found.add(board.place(pool, "compatible"), message, "`size`, or `reg` for a fixed place");
        found.becomes(pool, area::REFUSED);
    }
}

pub(super) const NOT_A_POOL: Rule = Rule {
    name: "not-a-pool",
    severity: Severity::Error,
    about: "a node has `linux,cma-default` and is not compatible with `shared-dma-pool`: its memory \
            is reserved, and is no area",
    remedy: "`compatible = \"shared-dma-pool\";`",
    source: "RESERVEDMEM_OF_DECLARE(cma, \"shared-dma-pool\"), kernel/dma/contiguous.c",
    releases: "all",
    fails: Example::of_nodes(
        "pool {\n    compatible = \"shared-dma-pools\";\n    reusable;\n    linux,cma-default;\n    \
         size = <0 0x2000000>;\n};\n",
    ),
    passes: PASSES,
    check: not_a_pool,
};

fn not_a_pool(board: &Board, found: &mut Findings) {
    let Some(tree) = &board.tree else { return };
    let Some(reserved) = tree.find("/reserved-memory") else { return };
    let defaults = tree.children(reserved).filter(|(_, node)| node.has("linux,cma-default"));
    for (id, node) in defaults.filter(|(_, node)| node.is_available()) {
        if node.is_compatible("shared-dma-pool") {
            continue;
        }
        let message = format!(
            "{} has linux,cma-default, and its compatible is not \"shared-dma-pool\": it is no area",
            node.name
        );
        let place = Place::of(tree, id, Some("compatible"));
        found.add(place, message, "`compatible = \"shared-dma-pool\";`");
    }
}

pub(super) const POOL_ELSEWHERE: Rule = Rule {
    name: "pool-elsewhere",
    severity: Severity::Error,
    about: "a pool is not in /reserved-memory of the root: the kernel never looks at it",
    remedy: "the node in `/ { reserved-memory { … }; };`",
    source: "fdt_scan_reserved_mem(), drivers/of/of_reserved_mem.c",
    releases: "all",
    fails: Example { devices: concat!("soc {\n", pool!("size = <0 0x2000000>"), "};\n"), ..PASSES },
    passes: PASSES,
    check: pool_elsewhere,
};

fn pool_elsewhere(board: &Board, found: &mut Findings) {
    let Some(tree) = &board.tree else { return };
    let reserved = tree.find("/reserved-memory");
    for (id, node) in tree.nodes().filter(|(_, node)| node.is_compatible("shared-dma-pool")) {
        if node.parent() == reserved && reserved.is_some() || !tree.is_enabled(id) {
            continue;
        }
        let path = tree.path(id);
        let message =
            format!("{path} is not a node of /reserved-memory: the kernel never looks at it");
        let remedy = "move it into `/ { reserved-memory { … }; };`";
        found.add(Place::of(tree, id, Some("compatible")), message, remedy);
    }
}
