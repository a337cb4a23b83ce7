//! A kernel without areas.

use super::super::area::{self, Asker};
use super::super::{Board, Example, Findings, Rule, Severity};

pub(super) const DMA_CMA_OFF: Rule = Rule {
    name: "dma-cma-off",
    severity: Severity::Error,
    about: "areas are asked for, and the kernel is configured without them",
    remedy: "CONFIG_CMA=y and CONFIG_DMA_CMA=y",
    source: "RESERVEDMEM_OF_DECLARE(cma), kernel/dma/contiguous.c, compiled with CONFIG_DMA_CMA \
             only",
    releases: "all",
    fails: Example {
        nodes: pool!("size = <0 0x2000000>"),
        config: "CONFIG_CMA=y\n# CONFIG_DMA_CMA is not set\n",
        ..Example::NONE
    },
    passes: Example {
        nodes: pool!("size = <0 0x2000000>"),
        config: "CONFIG_CMA=y\nCONFIG_DMA_CMA=y\n",
        ..Example::NONE
    },
    check: dma_cma_off,
};

fn dma_cma_off(board: &Board, found: &mut Findings) {
    let off = ["CMA", "DMA_CMA"].into_iter().find(|name| board.config.is_set(name) == Some(false));
    let Some((name, place)) = off.and_then(|name| Some((name, board.config.place(name)?))) else {
        return;
    };
    let asks = board.command.as_ref().is_some_and(|(_, command)| command.cma.is_some());
    let pools: Vec<_> = board.areas().collect();
    if pools.is_empty() && !asks {
        return;
    }
    for pool in &pools {
        found.becomes(pool, area::NO_MATCH);
    }
    found.asker_becomes(Asker::Command, area::REFUSED);
    let mut names: Vec<_> = pools.iter().map(|pool| &*pool.name).collect();
    names.extend(asks.then_some("cma="));
    let message = format!("CONFIG_{name} is off, so {} makes no area", names.join(", "));
    found.add(
        place,
        message,
        "CONFIG_CMA=y and CONFIG_DMA_CMA=y, and a kernel that is built again",
    );
}
