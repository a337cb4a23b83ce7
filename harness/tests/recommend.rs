//! What is recommended, against what happens: on fresh streams, on boards that it does not know, and
//! on those of captures; and the laws that every answer keeps.

#[path = "reproduce/board.rs"]
mod board;
#[path = "recommend/captures.rs"]
mod captures;
#[path = "coverage/chance.rs"]
mod chance;
#[path = "recommend/fresh.rs"]
mod fresh;
#[path = "coverage/hidden.rs"]
mod hidden;
#[path = "recommend/laws.rs"]
mod laws;
#[path = "reproduce/programs.rs"]
mod programs;
#[path = "recommend/truth.rs"]
mod truth;

use std::sync::Arc;

use cma_harness::page::Page;
use cma_harness::policies::{BASELINE, Spec, builtin};
use cma_harness::reader::Options;
use cma_harness::recommend::{Base, Config, Ground, Limits, Origin, Pool, Watch, Work};
use cma_harness::workload::fit::Fit;

use self::hidden::{Hidden, STEP};

/// Where areas lie.
const GROUND: Ground =
    Ground { base_pfn: 1 << 18, order_per_bit: 0, page: Page::Kib4, is_strict: false };

/// Hears nothing, and never ends a search.
struct Nobody;

impl Watch for Nobody {}

fn kernel() -> Spec {
    builtin::catalog().parse(BASELINE).unwrap()
}

fn config(pages: u64, cap: u32) -> Config {
    let areas = vec![Pool { pages, clients: Vec::new() }];
    Config { areas, cap, policy: kernel(), changed: Vec::new() }
}

fn base(pages: u64, cap: u32) -> Base {
    Base {
        name: None,
        pages: Some(pages),
        cap,
        ground: GROUND,
        step_pages: STEP,
        most_pages: (4 * pages).next_multiple_of(STEP),
        areas: 1,
        caps: 2..=12,
        taken: Vec::new(),
    }
}

/// The size of the area and the cap alone may be changed.
fn configuration_alone() -> Limits {
    Limits { no_driver: true, no_patch: true, max_areas: 1, ..Limits::default() }
}

fn work(name: &str, origin: Origin) -> Work {
    Work { name: name.to_string(), origin, weight: 1.0 }
}

fn of_fit(fit: Fit) -> Work {
    work("fit", Origin::Fit(Arc::new(fit)))
}

/// What is fitted to a session of a hidden board.
fn fitted(hidden: &Hidden, seed: u64) -> Fit {
    let session = hidden.session(hidden.pages, hidden.cap, seed);
    Fit::read(&session.print.source(), &Options::default()).unwrap()
}
