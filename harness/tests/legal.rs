//! Sizes that a kernel makes, in the pages that it has: plans, what their files state, what is
//! printed of them.

#[path = "legal/board.rs"]
mod board;
#[path = "legal/cli.rs"]
mod cli;
#[path = "legal/page.rs"]
mod page;

use cma_harness::answer::{Findings, findings};
use cma_harness::metric::Value;
use cma_harness::report::{csv, text};
use cma_harness::sweep::{Cell, Plan, Ready, Watch, parse, prepare, run};
use cma_policies::builtin;

struct Nobody;

impl Watch for Nobody {
    fn done(&self, _: usize, _: &Cell, _: &[Value]) {}
}

fn plan(text: &str) -> Result<Plan, String> {
    parse("p.toml", text, &builtin::catalog()).map_err(|error| error.to_string())
}

fn ready(text: &str) -> Ready {
    prepare(plan(text).unwrap()).unwrap()
}

/// What the results of a plan say, and the same as text.
fn answered(ready: &Ready) -> (Findings, String) {
    let table = run(ready, 2, &Nobody).unwrap();
    let found = findings(ready, table.blocks());
    let mut out = Vec::new();
    text::write_findings(ready, &found, false, &mut out).unwrap();
    csv::write_summary(ready, &found.summary, &mut out).unwrap();
    csv::write_sizing(ready, &found.sizing, &mut out).unwrap();
    // A sentence goes on below with four blanks.
    (found, String::from_utf8(out).unwrap().replace("\n    ", " "))
}
