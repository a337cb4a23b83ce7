//! What makes an area of a node.

use super::super::{Board, Example, Findings, Rule, Severity, area};
use crate::kernel::Arch;

pub(super) const NO_MAP: Rule = Rule {
    name: "no-map",
    severity: Severity::Error,
    about: "`reusable` beside `no-map`: the kernel refuses the node",
    remedy: "no `no-map` in a node with `reusable`",
    source: "rmem_cma_setup(), kernel/dma/contiguous.c; rmem_dma_setup(), kernel/dma/coherent.c",
    releases: "all",
    fails: Example::of_nodes(pool!("no-map", "size = <0 0x2000000>")),
    passes: Example::of_nodes(pool!("size = <0 0x2000000>")),
    check: no_map,
};

fn no_map(board: &Board, found: &mut Findings) {
    for pool in board.pools.iter().filter(|pool| pool.reusable && pool.no_map) {
        let message =
            format!("{} has reusable and no-map: no driver of reserved memory takes it", pool.name);
        found.add(board.place(pool, "no-map"), message, "take no-map out of the node");
        found.becomes(pool, area::REFUSED);
    }
}

pub(super) const NOT_REUSABLE: Rule = Rule {
    name: "not-reusable",
    severity: Severity::Error,
    about: "a pool without `reusable` is no area: it is taken from the system, and its devices \
            alone use it; one with `linux,cma-default` is replaced by the default area of the \
            configuration",
    remedy: "`reusable;` in the node",
    source: "rmem_cma_setup(), kernel/dma/contiguous.c; rmem_dma_setup(), kernel/dma/coherent.c",
    releases: "all; 32-bit arm refuses one that has no `no-map` either",
    fails: Example::of_nodes(node!("pool", "size = <0 0x2000000>", "linux,cma-default")),
    passes: NO_MAP.passes,
    check: not_reusable,
};

fn not_reusable(board: &Board, found: &mut Findings) {
    for pool in board.pools.iter().filter(|pool| !pool.reusable) {
        let refused = board.machine.arch == Arch::Arm && !pool.no_map;
        let outcome = if refused { area::REFUSED } else { area::DMA_POOL };
        let place = board.place(pool, "compatible");
        let name = &pool.name;
        found.becomes(pool, outcome);
        match (pool.default, refused) {
            (true, _) => {
                let message = format!(
                    "{name} has linux,cma-default without reusable: it is no CMA area, and the \
                     default area of the configuration is made in its place"
                );
                found.add(place, message, "`reusable;`");
            }
            (false, true) => {
                let message =
                    format!("{name} has neither reusable nor no-map: 32-bit arm refuses it");
                found.add(
                    place,
                    message,
                    "`reusable;` for a CMA area, `no-map;` for a pool of its devices",
                );
            }
            // It says itself that it is no area.
            (false, false) if pool.no_map => {}
            (false, false) => {
                let message = format!(
                    "{name} has no reusable: it is no CMA area but memory that its devices alone \
                     use"
                );
                let remedy = "`reusable;`, where a CMA area is meant";
                found.add_as(Severity::Note, place, message, remedy);
            }
        }
    }
}
