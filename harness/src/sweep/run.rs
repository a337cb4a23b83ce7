//! Running the cells side by side.

use rayon::prelude::*;

use super::cell::run_cell;
use super::cells::{Cell, Configuration};
use super::failed::Failed;
use super::stream::Ready;
use crate::metric::Value;

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
            let values = run_cell(ready, cell, &mut [])?;
            watch.done(index, cell, &values);
            Ok(values)
        });
        results.collect()
    });
    // Collected first: which of several failures is met first must not depend on the threads.
    let values = results.into_iter().collect::<Result<_, Failed>>()?;
    Ok(Table { ready, cells, values })
}
