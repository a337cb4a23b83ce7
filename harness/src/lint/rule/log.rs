//! What a boot says itself.

use super::super::{Board, Example, Findings, Place, Rule, Severity};
use crate::boot::Fate;

pub(super) const BOOT_LOG: Rule = Rule {
    name: "boot-log",
    severity: Severity::Error,
    about: "a log of a boot says that an area is not what was asked for",
    remedy: "what the rules on the tree and the command line say; `cmalab diagnose` of the log",
    source: "rmem_cma_setup(), kernel/dma/contiguous.c; drivers/of/of_reserved_mem.c; mm/cma.c",
    releases: "all",
    fails: Example {
        text: "[    0.000000] Reserved memory: incorrect alignment of CMA region\n\
               [    0.000000] OF: reserved mem: node linux,cma compatible matching fail\n",
        ..Example::NONE
    },
    passes: Example {
        text: "[    0.000000] Reserved memory: created CMA memory pool at 0x000000007e000000, \
               size 32 MiB\n[    0.000000] OF: reserved mem: initialized node linux,cma, \
               compatible id shared-dma-pool\n",
        ..Example::NONE
    },
    check: boot_log,
};

fn boot_log(board: &Board, found: &mut Findings) {
    let Some(story) = &board.log else { return };
    // A node that cma= is used in place of is what nobody may have meant.
    let dropped = story.areas.iter().filter(|asked| matches!(asked.fate, Fate::Bypassed(_)));
    for asked in story.troubles().chain(dropped) {
        let Some(at) = asked.lines.first() else { continue };
        let name = asked.name.as_deref().unwrap_or_else(|| asked.origin.name());
        // Neither says more.
        let why = asked.fate.reason().filter(|why| !matches!(*why, "open" | "unsaid"));
        let why = why.map_or(String::new(), |why| format!(" ({})", plain(why)));
        let message = format!("the boot says of {name}: {}{why}", plain(asked.fate.name()));
        let remedy = format!("`cmalab diagnose {}` says more", at.source);
        found.add(Place::at(at), message, remedy);
    }
}

/// A word of a format as people write it.
fn plain(word: &str) -> String {
    word.replace('_', " ")
}
