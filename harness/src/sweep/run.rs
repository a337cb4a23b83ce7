//! Running the cells side by side.

use cma_policies::Area;
use rayon::prelude::*;

use super::cells::Cell;
use super::failed::{Broken, Failed};
use super::plan::Plan;
use super::stream::{Ops, Ready};
use crate::environment::Setup;
use crate::metric::{Meter, Setting, Value};
use crate::oracle::{Checks, Violation, Witness};
use crate::seed::Seed;
use crate::simulate::{Observer, simulate, warm_up};

/// What came of a plan.
#[derive(Debug)]
pub struct Table<'a> {
    /// The plan, and what is known of its streams and policies.
    pub ready: &'a Ready,
    /// Its cells, in its order.
    pub cells: Vec<Cell>,
    /// For each cell the values of all [`columns`](crate::metric::columns).
    pub values: Vec<Vec<Value>>,
}

/// Watches cells end, from several threads, in whatever order.
pub trait Watch: Sync {
    /// Cell number `index` ended so.
    fn done(&self, index: usize, cell: &Cell, values: &[Value]);
}

/// Runs every cell of `ready` on `jobs` threads (0: one for each core). The result is the same for
/// any number of them.
///
/// # Errors
/// The first failure in the order of the plan.
pub fn run<'a>(ready: &'a Ready, jobs: usize, watch: &dyn Watch) -> Result<Table<'a>, Failed> {
    resume(ready, &[], jobs, watch)
}

/// As [`run`], but the cells whose values are `known`, by their number, are not run again.
///
/// # Errors
/// As [`run`].
pub fn resume<'a>(
    ready: &'a Ready,
    known: &[Option<Vec<Value>>],
    jobs: usize,
    watch: &dyn Watch,
) -> Result<Table<'a>, Failed> {
    let threads = rayon::ThreadPoolBuilder::new().num_threads(jobs).build();
    let threads = threads.map_err(|error| Failed::Threads(error.to_string()))?;
    let cells = ready.plan.cells();
    let results: Vec<_> = threads.install(|| {
        let results = cells.par_iter().enumerate().map(|(index, cell)| {
            if let Some(Some(values)) = known.get(index) {
                return Ok(values.clone());
            }
            let values = run_cell(ready, cell)?;
            watch.done(index, cell, &values);
            Ok(values)
        });
        results.collect()
    });
    // Collected first: which of several failures is met first must not depend on the threads.
    let values = results.into_iter().collect::<Result<_, Failed>>()?;
    Ok(Table { ready, cells, values })
}

/// One cell, start to end.
fn run_cell(ready: &Ready, cell: &Cell) -> Result<Vec<Value>, Failed> {
    let plan = &ready.plan;
    let stream = &plan.streams[cell.at.stream];
    let (cap, known) = (plan.caps[cell.at.cap], &ready.checked[cell.at.stream]);
    let (area, spec) = (ready.area(&cell.at), &plan.policies[cell.policy]);
    let policy = spec
        .build(area.clone())
        .map_err(|error| Failed::Build(spec.to_string(), area.pages(), error))?;
    let mut witness = Witness::new(area, policy, Checks::SWEEP);
    let seed = Seed::new(cell.seed).child("environment", 0);
    let setup = Setup { area, seed: &seed, script: &known.script };
    let mut pages = plan.environments[cell.at.environment].build(setup);
    let mut meter = Meter::new(&Setting::new(&known.sizes, cap));
    let load = plan.load(&cell.at);
    let mut ops = Ops::open(stream, area.pages(), load, cell.seed, cap)?;
    let observers: &mut [&mut dyn Observer] = &mut [&mut meter];
    warm_up(std::mem::take(&mut ops.before), &mut witness, observers)
        .and_then(|()| simulate(ops.by_ref(), &mut witness, pages.as_mut(), observers))
        .map_err(|violation| {
            Failed::Broken(Box::new(Broken {
                ops: leading_ops(plan, cell, area, &violation),
                violation,
                policy: plan.policies[cell.policy].to_string(),
                stream: stream.name().to_string(),
                cap,
            }))
        })?;
    ops.end()?;
    Ok(meter.values())
}

fn leading_ops(plan: &Plan, cell: &Cell, area: &Area, violation: &Violation) -> String {
    let stream = &plan.streams[cell.at.stream];
    let ops = violation.op + 1;
    match stream.profile() {
        Some(profile) => format!(
            "cmalab generate {} --seed {} --pages {} --load {} --ops {ops}",
            profile.name,
            cell.seed,
            area.pages(),
            plan.load(&cell.at).unwrap_or(profile.default_load),
        ),
        None => format!("the first {ops} ops of {}", stream.name()),
    }
}
