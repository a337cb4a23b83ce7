//! Running the cells side by side.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::cell::run_cell;
use super::cells::{Cell, Configuration};
use super::desk::{Desk, Next, unit_of};
use super::failed::Failed;
use super::known::{Known, Outcome};
use super::shard::Shard;
use super::stream::Ready;
use crate::metric::Value;

/// What came of a plan, kept in memory: for tests, and for plans that are small.
#[derive(Debug)]
pub struct Table<'a> {
    /// The plan, and what is known of its streams and policies.
    pub ready: &'a Ready,
    /// The number of each cell: with early stopping some are left out.
    pub numbers: Vec<u64>,
    /// The cells, in the order of the plan.
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
    /// [`columns`](crate::metric::columns). Where it stopped early there are fewer seeds: the first
    /// ones, as many for every policy; in a race as many as each policy was run for, which may be
    /// none.
    pub values: Vec<Vec<Vec<Value>>>,
}

impl Table<'_> {
    /// The results, configuration by configuration.
    pub fn blocks(&self) -> impl Iterator<Item = Block> {
        let mut cells = self.cells.iter().zip(&self.values).peekable();
        self.ready.plan.configurations().map(move |at| {
            let mut values = vec![Vec::new(); self.ready.plan.policies.len()];
            while let Some((cell, its)) = cells.next_if(|(cell, _)| cell.at == at) {
                values[cell.policy].push(its.clone());
            }
            Block { at, values }
        })
    }
}

/// Watches cells end, from several threads, in whatever order.
pub trait Watch: Sync {
    /// Cell number `index` ended so.
    fn done(&self, index: usize, cell: &Cell, values: &[Value]);

    /// Whether no more cells are wanted: what is running ends, nothing else begins.
    fn is_stopped(&self) -> bool {
        false
    }
}

/// Runs every cell of `ready` on `jobs` threads (0: one for each core). The result is the same for
/// any number of them.
///
/// # Errors
/// As [`run_cells`].
pub fn run<'a>(ready: &'a Ready, jobs: usize, watch: &dyn Watch) -> Result<Table<'a>, Failed> {
    struct Keep<'a> {
        results: Mutex<Vec<(u64, Cell, Vec<Value>)>>,
        watch: &'a dyn Watch,
    }
    impl Watch for Keep<'_> {
        fn done(&self, index: usize, cell: &Cell, values: &[Value]) {
            lock(&self.results).push((index as u64, *cell, values.to_vec()));
            self.watch.done(index, cell, values);
        }

        fn is_stopped(&self) -> bool {
            self.watch.is_stopped()
        }
    }
    let keep = Keep { results: Mutex::default(), watch };
    run_cells(ready, Shard::WHOLE, &Known::of(&ready.plan), jobs, &keep)?;
    let mut results = keep.results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_unstable_by_key(|(number, ..)| *number);
    let results = results.into_iter().map(|(number, cell, values)| (number, (cell, values)));
    let (numbers, (cells, values)) = results.unzip();
    Ok(Table { ready, numbers, cells, values })
}

/// Runs the cells of `shard` that are not `known` on `jobs` threads (0: one for each core), says to
/// `watch` which have ended, and keeps none of their values.
///
/// # Errors
/// The first failure in the order of the plan. No cell after it is begun once it is known.
pub fn run_cells(
    ready: &Ready,
    shard: Shard,
    known: &Known,
    jobs: usize,
    watch: &dyn Watch,
) -> Result<(), Failed> {
    let threads = rayon::ThreadPoolBuilder::new().num_threads(jobs).build();
    let threads = threads.map_err(|error| Failed::Run(format!("start the threads: {error}")))?;
    let crew = Crew {
        ready,
        watch,
        desk: Mutex::new(Desk::new(&ready.plan, shard, known)),
        ended: Condvar::new(),
        failed: Mutex::new(None),
    };
    threads.broadcast(|_| crew.work());
    let failed = crew.failed.into_inner().unwrap_or_else(PoisonError::into_inner);
    failed.map_or(Ok(()), |(_, failed)| Err(failed))
}

/// How many cells of `shard` the plan runs; with early stopping it follows from what is known.
///
/// # Errors
/// The number of the first cell that is missing.
pub fn complete(ready: &Ready, shard: Shard, known: &Known) -> Result<u64, u64> {
    let mut desk = Desk::new(&ready.plan, shard, known);
    match desk.take() {
        Next::Run(number, _) => Err(number),
        Next::Wait | Next::End => Ok(desk.wanted().len() as u64),
    }
}

/// Of what is `known`, the cells that the plan runs. In a race with longer streams a configuration
/// may be dropped before cells that a run with shorter ones has finished.
pub fn wanted(ready: &Ready, shard: Shard, known: &Known) -> Known {
    let mut desk = Desk::new(&ready.plan, shard, known);
    // Whatever is missing is handed out, and stays so.
    while let Next::Run(..) = desk.take() {}
    let mut wanted = Known::of(&ready.plan);
    desk.wanted().iter().for_each(|&number| wanted.note(number, known.outcome(number)));
    wanted
}

/// Whether cell `number` of the plan is one of `shard`.
pub fn belongs(ready: &Ready, shard: Shard, number: u64) -> bool {
    let plan = &ready.plan;
    let mut end = 0;
    let holder = (0..).zip(plan.configurations()).find(|(_, at)| {
        end += plan.cells_in(at);
        number < end
    });
    holder.is_some_and(|(configuration, at)| {
        shard.has(unit_of(plan, configuration, &at).unwrap_or(number))
    })
}

/// What the threads share.
struct Crew<'a> {
    ready: &'a Ready,
    watch: &'a dyn Watch,
    desk: Mutex<Desk<'a>>,
    /// A cell ended.
    ended: Condvar,
    /// The first failure in the order of the plan, and its cell.
    failed: Mutex<Option<(u64, Failed)>>,
}

/// What a panic of another thread left is whole: nothing panics while it holds the lock.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Crew<'_> {
    fn work(&self) {
        while let Some((number, cell)) = self.next() {
            // Where a policy of a stranger panics, the others must not wait for its cell.
            let outcome = Outcome { refused: true, lost: true, watched_us: 0 };
            let mut end = End { crew: self, number, outcome, panicked: true };
            match run_cell(self.ready, &cell, &mut []) {
                Ok(values) => {
                    self.watch.done(number as usize, &cell, &values);
                    end.outcome = Outcome::of(&values);
                }
                Err(failed) => self.note(number, failed),
            }
            end.panicked = false;
        }
    }

    /// The next cell; waits where it depends on one that is running.
    fn next(&self) -> Option<(u64, Cell)> {
        let mut desk = lock(&self.desk);
        loop {
            if self.watch.is_stopped() {
                return None;
            }
            match desk.take() {
                Next::Run(number, cell) => return Some((number, cell)),
                Next::End => return None,
                Next::Wait => {
                    desk = self.ended.wait(desk).unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }

    fn note(&self, number: u64, why: Failed) {
        lock(&self.desk).end_at(number);
        let mut failed = lock(&self.failed);
        if failed.as_ref().is_none_or(|(first, _)| number < *first) {
            *failed = Some((number, why));
        }
    }
}

/// Says that a cell has ended, however it did.
struct End<'a, 'b> {
    crew: &'b Crew<'a>,
    number: u64,
    outcome: Outcome,
    panicked: bool,
}

impl Drop for End<'_, '_> {
    fn drop(&mut self) {
        let mut desk = lock(&self.crew.desk);
        if self.panicked {
            desk.end_at(0);
        }
        desk.done(self.number, self.outcome);
        drop(desk);
        self.crew.ended.notify_all();
    }
}
