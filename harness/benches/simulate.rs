//! `cargo bench -p cma-harness`: what truth and metrics cost beside the bare policy, and how a sweep
//! goes with a second thread beside a loop that only spins.
//!
//! Every ratio is of two things measured in turn in this run. The checks that ran are printed.

use std::collections::HashMap;
use std::hint::black_box;
use std::time::{Duration, Instant};

use cma_harness::environment::{self, Script, Setup as Pages};
use cma_harness::metric::{Meter, Setting};
use cma_harness::op::{Op, Timed};
use cma_harness::oracle::{Checks, Witness};
use cma_harness::seed::Seed;
use cma_harness::simulate::{Observer, simulate};
use cma_harness::sweep;
use cma_harness::workload::{PROFILES, Setup};
use cma_policies::{Area, Quiet, Run, Spec, builtin};
use rayon::prelude::*;

const ROUNDS: usize = 5;
const OPS: u64 = 200_000;
const AREA_PAGES: u64 = 163_840;
const CAP: u32 = 8;

fn main() {
    if cma_policies::mutant::COMPILED_IN {
        println!("built with planted defects, which cost time: use cargo bench -p cma-harness");
    }
    println!("policy and simulation, LOAD 0.9 of {AREA_PAGES} pages, {OPS} ops, cap {CAP}");
    println!("best of {ROUNDS} interleaved runs; speeds in million ops per second");
    println!(
        "{:<8} {:<12} {:>6} {:>9} {:>13} {:>9} {:>13}",
        "stream", "policy", "bare", "simulated", "share of bare", "+ metrics", "share of bare"
    );
    let catalog = builtin::catalog();
    for profile in PROFILES.iter().filter(|profile| profile.seeded) {
        let setup = Setup { area_pages: AREA_PAGES, load: 0.9, seed: Seed::new(1), ops: OPS };
        let stream = profile.open(&setup).expect("a LOAD that fits");
        let ops: Vec<_> =
            stream.map(|timed| Timed { op: timed.op.with_cap(CAP), ..timed }).collect();
        for policy in ["kernel", "best-fit", "buddy"] {
            let spec = catalog.parse(policy).expect("a built-in policy");
            let mut best = [Duration::MAX; 3];
            for _ in 0..ROUNDS {
                best[0] = best[0].min(bare(&spec, &ops));
                best[1] = best[1].min(simulated(&spec, &ops, None));
                let setting = Setting::new(profile.sizes, CAP);
                best[2] = best[2].min(simulated(&spec, &ops, Some(&setting)));
            }
            let speed = best.map(|time| ops.len() as f64 / time.as_secs_f64() / 1e6);
            println!(
                "{:<8} {policy:<12} {:>6.2} {:>9.2} {:>13.2} {:>9.2} {:>13.2}",
                profile.name,
                speed[0],
                speed[1],
                speed[1] / speed[0],
                speed[2],
                speed[2] / speed[0]
            );
        }
    }
    let every = Checks::SWEEP.free_runs_every;
    println!(
        "checked at every op: Witness, Model, cause; free runs at every {every}th op and the end\n"
    );
    scaling();
}

fn area() -> Area {
    Area::single(0x40000, AREA_PAGES, 0).expect("a plain area")
}

/// The policy alone, with a table of what each id got.
fn bare(spec: &Spec, ops: &[Timed]) -> Duration {
    let mut policy = spec.build(area()).expect("a policy");
    let mut live = HashMap::new();
    let start = Instant::now();
    for timed in black_box(ops) {
        match timed.op {
            Op::Alloc { id, request, .. } => {
                if let Ok(pfn) = policy.alloc(request, &mut Quiet) {
                    live.insert(id, Run { pfn, count: request.count() });
                }
            }
            Op::Free { id, .. } => {
                if let Some(run) = live.remove(&id) {
                    policy.free(run).expect("it is live");
                }
            }
            Op::Pin(_) | Op::Unpin(_) => {}
        }
    }
    black_box(live);
    start.elapsed()
}

/// The same under oath, with all metrics where there is a setting for them.
fn simulated(spec: &Spec, ops: &[Timed], setting: Option<&Setting>) -> Duration {
    let area = area();
    let policy = spec.build(area.clone()).expect("a policy");
    let mut witness = Witness::new(&area, policy, Checks::SWEEP);
    let (seed, script) = (Seed::new(1), Script::default());
    let quiet = environment::Spec::parse("quiet").expect("a built-in environment");
    let mut pages = quiet.build(Pages { area: &area, seed: &seed, script: &script });
    let mut meter = setting.map(Meter::new);
    let start = Instant::now();
    let mut observers: Vec<&mut dyn Observer> = Vec::new();
    if let Some(meter) = &mut meter {
        observers.push(meter);
    }
    simulate(black_box(ops).iter().copied(), &mut witness, pages.as_mut(), &mut observers)
        .expect("the policy keeps the laws");
    start.elapsed()
}

struct Unwatched;

impl sweep::Watch for Unwatched {
    fn done(&self, _: usize, _: &sweep::Cell, _: &[cma_harness::metric::Value]) {}
}

/// How much faster two threads are than one: a sweep, and a loop that only spins, in pairs.
fn scaling() {
    const PLAN: &str = "name = \"bench\"\nseeds = 24\npolicies = [\"kernel\", \"best-fit\"]\ncaps = [8]\n\
        [[boards]]\nname = \"b\"\nareas = [{ name = \"cma\", mib = 640 }]\n\
        [[streams]]\nprofile = \"video\"\nloads = [0.9]\nops = 20000\n";
    let plan = sweep::parse("bench.toml", PLAN, &builtin::catalog()).expect("a plan");
    let ready = sweep::prepare(plan).expect("a plan that can run");
    let swept = |jobs| {
        let start = Instant::now();
        black_box(sweep::run(&ready, jobs, &Unwatched).expect("a sweep"));
        start.elapsed().as_secs_f64()
    };
    let spun = |jobs| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(jobs).build().expect("threads");
        let start = Instant::now();
        pool.install(|| {
            (0..48_u64).into_par_iter().for_each(|n| {
                let mut x = n + 1;
                for _ in 0..8_000_000 {
                    x = black_box(x ^ (x << 13)) ^ (x >> 7);
                }
                black_box(x);
            });
        });
        start.elapsed().as_secs_f64()
    };
    println!("two threads against one, in pairs: sweep, spin loop, sweep / spin");
    let mut best: f64 = 0.0;
    for _ in 0..ROUNDS {
        let (one, two) = (swept(1), swept(2));
        let (spin_one, spin_two) = (spun(1), spun(2));
        let share = (one / two) / (spin_one / spin_two);
        println!("{:.2} {:.2} {share:.3}", one / two, spin_one / spin_two);
        best = best.max(share);
    }
    println!("best of {ROUNDS}: {best:.3}");
}
