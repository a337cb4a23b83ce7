//! What the model costs. Run by hand: it measures, and asserts nothing about the machine.

use std::time::Instant;

use cma_harness::oracle::{Checks, Witness};
use cma_harness::seed::Seed;
use cma_harness::simulate::simulate;
use cma_harness::workload::{PROFILES, Setup};
use cma_policies::{Area, builtin};

use crate::pages;

#[test]
#[ignore = "a measurement, in release only: the docs of the environment name the command"]
fn operations_per_second_beside_quiet() {
    const PAGES: u64 = 163_840;
    for profile in PROFILES.iter().filter(|profile| profile.seeded) {
        let setup = Setup { area_pages: PAGES, load: 0.7, seed: Seed::new(1), ops: 100_000 };
        let stream = profile.open(&setup).expect("a LOAD that fits");
        let ops: Vec<_> = stream
            .map(|timed| cma_harness::op::Timed { op: timed.op.with_cap(8), ..timed })
            .collect();
        for spec in ["quiet", "pinned", "movable", "movable:fill=0.95", "movable:fill=0"] {
            let area = Area::single(0, PAGES, 0).unwrap();
            let policy = builtin::catalog().parse("kernel").unwrap().build(area.clone()).unwrap();
            let mut witness = Witness::new(&area, policy, Checks::SWEEP);
            let mut pages = pages(spec, PAGES, 1);
            let start = Instant::now();
            simulate(ops.iter().copied(), &mut witness, pages.as_mut(), &mut []).unwrap();
            let speed = ops.len() as f64 / start.elapsed().as_secs_f64() / 1e6;
            println!("{:<10} {spec:<20} {speed:.3} million ops per second", profile.name);
        }
    }
}
