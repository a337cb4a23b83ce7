//! Movable pages: what recordings and published numbers say of them, and what the model promises.

mod movable {
    mod model;
    mod published;
    mod recorded;
    mod speed;
}

use cma_harness::environment::{Environment, Script, Setup, Spec};
use cma_harness::page::Page;
use cma_harness::seed::Seed;
use cma_policies::{Area, ClaimError, Run};

/// The pages of an area of `pages` under `spec`, at the time 0.
fn pages(spec: &str, pages: u64, seed: u64) -> Box<dyn Environment> {
    let area = Area::single(0, pages, 0).unwrap();
    let setup = Setup {
        area: &area,
        seed: &Seed::new(seed),
        script: &Script::default(),
        reboots: 0,
        page: Page::Kib4,
    };
    let mut pages = Spec::parse(spec).unwrap_or_else(|error| panic!("{error}")).build(setup);
    pages.advance(0);
    pages
}

/// A claim, and microseconds.
fn claimed(pages: &mut dyn Environment, run: Run) -> (Result<(), ClaimError>, u64) {
    let ended = pages.claim(run);
    (ended, pages.spent().us)
}
