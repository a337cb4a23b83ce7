//! Which area is the default one.

use super::super::area::{self, Asker};
use super::super::{Board, Example, Findings, Pool, Rule, Severity};
use crate::boot::COMMAND_FIRST;
use crate::kernel::Release;

pub(super) const CMDLINE_DROPS_NODE: Rule = Rule {
    name: "cmdline-drops-node",
    severity: Severity::Error,
    about: "`cma=` on the command line, and a node with `linux,cma-default`: only one of them \
            counts",
    remedy: "no `cma=`, so that the node counts; or no `linux,cma-default`, so that `cma=` does",
    source: "rmem_cma_setup(), kernel/dma/contiguous.c; in 7.x drivers/of/of_reserved_mem.c, \
             before anything is reserved",
    releases: "from 5.10 on cma= counts; before, the node",
    fails: Example {
        nodes: pool!("size = <0 0x2000000>"),
        cmdline: "console=ttyS0 cma=64M",
        ..Example::NONE
    },
    passes: Example {
        nodes: pool!("size = <0 0x2000000>"),
        cmdline: "console=ttyS0",
        ..Example::NONE
    },
    check: cmdline_drops_node,
};

fn cmdline_drops_node(board: &Board, found: &mut Findings) {
    let Some((place, command)) = &board.command else { return };
    let node_first = board.release().is_some_and(|release| release < COMMAND_FIRST);
    if command.cma.is_none() {
        return;
    }
    for pool in board.pools.iter().filter(|pool| pool.default) {
        let name = &pool.name;
        if node_first {
            if pool.is_area() {
                found.asker_becomes(Asker::Command, area::BEATEN_BY_NODE);
                let message = format!(
                    "the node {name} has linux,cma-default, and cma= is ignored (before 5.10)"
                );
                found.add(place.clone(), message, "set the size of the node");
            }
            continue;
        }
        found.becomes(pool, area::BYPASSED);
        let message = format!("the command line has cma=, so the kernel drops the node {name}");
        let remedy = "take cma= off the command line, or linux,cma-default out of the node";
        found.add(board.place(pool, "linux,cma-default"), message, remedy);
    }
}

pub(super) const TWO_DEFAULTS: Rule = Rule {
    name: "two-defaults",
    severity: Severity::Error,
    about: "several nodes have `linux,cma-default`: the one that is set up last is the default \
            area",
    remedy: "`linux,cma-default` in one node only",
    source: "rmem_cma_setup(), kernel/dma/contiguous.c",
    releases: "all; up to 6.11 nodes with reg are set up by address, from 6.12 on in the order \
               of the tree",
    fails: Example::of_nodes(concat!(
        node!("pool_a", "reusable", "size = <0 0x2000000>", "linux,cma-default"),
        node!("pool_b", "reusable", "size = <0 0x2000000>", "linux,cma-default")
    )),
    passes: Example {
        nodes: concat!(
            node!("pool_a", "reusable", "size = <0 0x2000000>", "linux,cma-default"),
            node!("vpu_pool: pool_b", "reusable", "size = <0 0x2000000>")
        ),
        devices: "vpu {\n    memory-region = <&vpu_pool>;\n};\n",
        ..Example::NONE
    },
    check: two_defaults,
};

/// The first release that sets nodes with `reg` up in the order of the tree.
const IN_ORDER: Release = (6, 12);

/// What is set up later has the higher key: nodes with `reg` after those that the kernel places.
fn turn(pool: &Pool, at: usize, by_address: bool) -> (bool, u64, usize) {
    let base = pool.fixed().map_or(0, |(base, _)| base);
    (pool.reg.is_some(), if by_address { base } else { 0 }, at)
}

fn two_defaults(board: &Board, found: &mut Findings) {
    let by_address = board.release().is_some_and(|release| release < IN_ORDER);
    let mut defaults: Vec<_> = board.areas().enumerate().filter(|(_, pool)| pool.default).collect();
    defaults.retain(|(_, pool)| found.open(pool).is_some());
    defaults.sort_by_key(|(at, pool)| turn(pool, *at, by_address));
    let Some(((_, last), others)) = defaults.split_last() else { return };
    for (_, pool) in others {
        found.becomes(pool, area::NOT_DEFAULT);
        let message = format!(
            "{} and {} both have linux,cma-default; {} is set up last and is the default area",
            pool.name, last.name, last.name
        );
        let remedy = "take linux,cma-default out of all but one";
        found.add(board.place(pool, "linux,cma-default"), message, remedy);
    }
}
