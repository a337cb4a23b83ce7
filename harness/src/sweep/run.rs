//! Running the cells side by side.

use rayon::prelude::*;

use super::cells::{Cell, Configuration};
use super::failed::{Broken, Failed};
use super::plan::Plan;
use super::stream::{Ops, Ready};
use crate::board::BoardArea;
use crate::environment::Setup;
use crate::metric::{Meter, Setting, Value};
use crate::oracle::{Checks, Violation, Witness};
use crate::seed::Seed;
use crate::simulate::{Observer, Rig, Slot, run as run_ops, warm_up};

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

/// The results of one configuration: what is compared with each other.
#[derive(Clone, PartialEq, Debug)]
pub struct Block {
    /// The configuration.
    pub at: Configuration,
    /// For each policy, for each seed in order, the values of all
    /// [`columns`](crate::metric::columns).
    pub values: Vec<Vec<Vec<Value>>>,
}

impl Table<'_> {
    /// The results, configuration by configuration.
    pub fn blocks(&self) -> impl Iterator<Item = Block> {
        let plan = &self.ready.plan;
        let mut done = 0;
        plan.configurations().map(move |at| {
            let seeds = plan.seeds_of(&plan.streams[at.stream]) as usize;
            let size = seeds * plan.policies.len();
            let block = &self.values[done..done + size];
            done += size;
            Block { at, values: block.chunks(seeds).map(<[_]>::to_vec).collect() }
        })
    }
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
    let board = ready.board(&cell.at);
    let seed = Seed::new(cell.seed);
    let make = |index: usize| {
        let BoardArea { area, policy, .. } = &board.areas[index];
        let spec = policy.as_ref().unwrap_or(&plan.policies[cell.policy]);
        let policy = spec.build(area.clone()).expect("it was built on this area before");
        let seed = seed.child("environment", index as u64);
        let setup = Setup { area, seed: &seed, script: &known.script };
        Slot {
            witness: Witness::new(area, policy, Checks::SWEEP),
            pages: plan.environments[cell.at.environment].build(setup),
        }
    };
    let load = plan.load(&cell.at);
    let mut ops = Ops::open(stream, known, board.pages(), load, cell.seed, cap)?;
    let nobody = String::new();
    let clients = if ops.clients.is_empty() { &[nobody] } else { ops.clients.as_slice() };
    let ways = clients.iter().map(|client| board.way(client)).collect();
    let mut rig = Rig::new(board.areas.len(), ways, make);
    let sizes = vec![known.sizes.clone(); board.areas.len()];
    let mut meter = Meter::new(&Setting::of_areas(&sizes, cap));
    let observers: &mut [&mut dyn Observer] = &mut [&mut meter];
    let before = std::mem::take(&mut ops.before);
    warm_up(before, &mut rig.slots_mut()[0].witness, observers)
        .and_then(|()| run_ops(ops.by_ref(), plan.after_failure, &mut rig, observers))
        .map_err(|violation| {
            Failed::Broken(Box::new(Broken {
                ops: leading_ops(plan, cell, board.pages(), &violation),
                violation,
                policy: plan.policies[cell.policy].to_string(),
                stream: stream.name().to_string(),
                cap,
            }))
        })?;
    ops.end()?;
    Ok(meter.values())
}

fn leading_ops(plan: &Plan, cell: &Cell, pages: u64, violation: &Violation) -> String {
    let stream = &plan.streams[cell.at.stream];
    let ops = violation.op + 1;
    match stream.profile() {
        Some(profile) => format!(
            "cmalab generate {} --seed {} --pages {pages} --load {} --ops {ops}",
            profile.name,
            cell.seed,
            plan.load(&cell.at).map_or(profile.default_load, |load| load.share_of(pages)),
        ),
        None => format!("the first {ops} ops of {}", stream.name()),
    }
}
