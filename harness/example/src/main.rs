//! A policy of one's own: every law by one line, the whole command line by another.
//!
//! `cargo test -p third-party` judges it; `cargo run -p third-party -- sweep` runs the main job
//! with it beside the built-in policies.

use std::process::ExitCode;

use cma_policies::kit::{Ask, FreeMap, Placed, Search};
use cma_policies::{Entry, Promises};

/// Single pages from the top, everything else from the bottom.
const MINE: Entry = Entry {
    name: "singles-on-top",
    about: "first fit; requests of one page from the top",
    source: "this file",
    params: &[],
    build: |area, _| Ok(Box::new(Placed::new(area, Promises::SEARCH, place))),
};

fn place(map: &FreeMap, search: Search, _: Ask) -> Option<u64> {
    if search.bits == 1 { map.highest_fit(search) } else { map.first_fit(search) }
}

fn main() -> ExitCode {
    cma_harness::cli::run_with(&[MINE])
}

#[cfg(test)]
cma_harness::conformance!(MINE);
