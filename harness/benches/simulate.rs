//! `cargo bench -p cma-harness --bench simulate`: how many ops a core simulates in a second with
//! everything checked, where that time goes, what the bounds of any placement cost beside that, and
//! how a sweep goes with a second thread beside a loop that only spins.
//!
//! Every ratio is of two things measured in turn in this run. The checks that ran are printed.

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cma_harness::environment::{self, Script, Setup as Pages};
use cma_harness::metric::{Meter, Setting};
use cma_harness::op::{Op, Timed};
use cma_harness::optimum::{Boxes, bounds};
use cma_harness::oracle::{Checks, Witness};
use cma_harness::page::Page;
use cma_harness::seed::Seed;
use cma_harness::simulate::{Observer, simulate};
use cma_harness::sweep::disk::Row;
use cma_harness::sweep::{self, Ready};
use cma_harness::workload::{PROFILES, Profile, Setup};
use cma_policies::{Area, Quiet, Run, Spec, builtin};

const ROUNDS: usize = 5;
const OPS: u64 = 200_000;
const AREA_PAGES: u64 = 163_840;
const LOAD: f64 = 0.9;
const CAP: u32 = 8;
/// Ops of which bounds are made.
const OFFLINE: usize = 100_000;
/// Ops for which a row is written: those of a cell where a plan does not say.
const OPS_OF_A_CELL: u64 = 2000;

fn main() {
    if cma_policies::mutant::COMPILED_IN {
        println!("built with planted defects, which cost time: use cargo bench -p cma-harness");
    }
    println!("one core, LOAD {LOAD} of {AREA_PAGES} pages, {OPS} ops, cap {CAP}");
    println!(
        "best of {ROUNDS} interleaved runs; million ops per second with every check and metric,"
    );
    println!("then the share of each stage in percent (csv: a row for every {OPS_OF_A_CELL} ops)");
    println!(
        "{:<8} {:<12} {:>8} {:>8} {:>8} {:>8} {:>8} {:>6} {:>12}",
        "stream",
        "policy",
        "checked",
        "stream",
        "policy",
        "truth",
        "metrics",
        "csv",
        "x bare policy"
    );
    let catalog = builtin::catalog();
    for profile in PROFILES.iter().filter(|profile| profile.seeded) {
        for policy in ["kernel", "best-fit", "buddy"] {
            stages(profile, &catalog.parse(policy).expect("a built-in policy"));
        }
    }
    let every = Checks::SWEEP.free_runs_every;
    println!(
        "truth: Witness, Model and cause at every op, free runs at every {every}th op and the end\n"
    );
    offline();
    scaling();
}

/// Prints what the bounds of [`OFFLINE`] ops cost, in seconds and in simulations without metrics.
fn offline() {
    let spec = builtin::catalog().parse("kernel").expect("the baseline");
    println!("bounds of any placement, {OFFLINE} ops: seconds, x simulated");
    for profile in PROFILES.iter().filter(|profile| profile.seeded) {
        let mut ops = made(profile);
        ops.truncate(OFFLINE);
        let boxes = Boxes::of_ops(ops.iter().copied(), CAP, 0);
        let (_, cost) = timed(|| bounds(&boxes));
        let simulated = simulated(&spec, &ops, None).as_secs_f64();
        let cost = cost.as_secs_f64();
        println!("{:<10} {cost:>8.2} {:>8.1}", profile.name, cost / simulated);
    }
    println!();
}

/// Prints the speed of a stream under a policy, and where its time goes.
fn stages(profile: &'static Profile, spec: &Spec) {
    let ops = made(profile);
    let ready = ready(profile, spec);
    let mut best = [Duration::MAX; 5];
    for _ in 0..ROUNDS {
        let (_, time) = timed(|| made(profile));
        let setting = Setting::new(profile.sizes, CAP);
        let times = [
            time,
            bare(spec, &ops),
            simulated(spec, &ops, None),
            simulated(spec, &ops, Some(&setting)),
            rows(&ready),
        ];
        for (best, time) in best.iter_mut().zip(times) {
            *best = (*best).min(time);
        }
    }
    let [stream, policy, checked, measured, csv] = best.map(|time| time.as_secs_f64());
    // What one stage adds to the one before; noise may make that a little less than nothing.
    let stages = [stream, policy, (checked - policy).max(0.0), (measured - checked).max(0.0), csv];
    let all: f64 = stages.iter().sum();
    let [stream, bare, truth, metrics, csv] = stages.map(|stage| 100.0 * stage / all);
    println!(
        "{:<8} {:<12} {:>8.2} {stream:>8.1} {bare:>8.1} {truth:>8.1} {metrics:>8.1} {csv:>6.1} \
         {:>12.2}",
        profile.name,
        spec.to_string(),
        ops.len() as f64 / all / 1e6,
        all / policy
    );
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let done = black_box(work());
    (done, start.elapsed())
}

/// The ops of a stream.
fn made(profile: &Profile) -> Vec<Timed> {
    let setup = Setup { area_pages: AREA_PAGES, load: LOAD, seed: Seed::new(1), ops: OPS };
    let stream = profile.open(&setup).expect("a LOAD that fits");
    stream.map(|timed| Timed { op: timed.op.with_cap(CAP), ..timed }).collect()
}

/// A plan of one cell with this stream and policy.
fn ready(profile: &Profile, spec: &Spec) -> Ready {
    let plan = format!(
        "name = \"bench\"\npolicies = [\"{spec}\"]\n[[boards]]\nname = \"b\"\n\
         areas = [{{ name = \"cma\", pages = {AREA_PAGES} }}]\n\
         [[streams]]\nprofile = \"{}\"\nloads = [{LOAD}]\n",
        profile.name
    );
    let plan = sweep::parse("bench.toml", &plan, &builtin::catalog()).expect("a plan");
    sweep::prepare(plan).expect("a plan that can run")
}

/// Rows as a sweep leaves them, as many as cells of [`OPS_OF_A_CELL`] ops have [`OPS`].
fn rows(ready: &Ready) -> Duration {
    let values = Meter::new(&Setting::new(&[4], CAP)).values();
    let cell = ready.plan.cell(0).expect("one cell");
    let (out, time) = timed(|| {
        let mut out = Vec::new();
        for number in 0..OPS / OPS_OF_A_CELL {
            Row::of(ready, number, &cell, &values).write(&mut out).expect("it fits in memory");
        }
        out
    });
    black_box(out);
    time
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
    let mut pages = quiet.build(Pages {
        area: &area,
        seed: &seed,
        script: &script,
        reboots: 0,
        page: Page::Kib4,
    });
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
        let (start, next) = (Instant::now(), AtomicU64::new(1));
        std::thread::scope(|scope| {
            for _ in 0..jobs {
                scope.spawn(|| {
                    while let x @ 1..=48 = next.fetch_add(1, Ordering::Relaxed) {
                        let mut x = x;
                        for _ in 0..8_000_000 {
                            x = black_box(x ^ (x << 13)) ^ (x >> 7);
                        }
                        black_box(x);
                    }
                });
            }
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
