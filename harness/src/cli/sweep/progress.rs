//! What is seen of a sweep while it runs, and what it leaves when it is stopped.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressState};

use super::journal::{Journal, at};
use crate::cli::bar::{self, QUICK};
use crate::cli::failure::{Failure, say};
use crate::metric::{Value, column};
use crate::sweep::disk::Row;
use crate::sweep::{self, Cell, Known, Outcome, Ready, Shard, Watch};

/// How a sweep stopped by a signal ends, as a shell says it of SIGINT.
const STOPPED: i32 = 130;

/// Counts what was done in this run: cells that another one left say nothing about its pace.
struct Pace {
    started: Instant,
    cells: AtomicU64,
    /// Ops that were run: a cell that ends early has fewer than were expected of it.
    ops: AtomicU64,
    /// Ops that were expected of those cells.
    expected: AtomicU64,
    /// Ops that are expected of this run; at most, with early stopping.
    ops_in_all: u64,
}

impl Pace {
    fn per_second(&self, count: &AtomicU64) -> f64 {
        count.load(Ordering::Relaxed) as f64 / self.started.elapsed().as_secs_f64().max(1e-3)
    }

    /// By ops: cells of one plan may differ in them a thousandfold.
    fn left(&self) -> Option<Duration> {
        let pace = self.per_second(&self.expected);
        let left = self.ops_in_all.saturating_sub(self.expected.load(Ordering::Relaxed));
        let left = Duration::try_from_secs_f64(left as f64 / pace).ok()?;
        Some(Duration::from_secs(left.as_secs()))
    }
}

/// Cells and ops in a second.
impl fmt::Display for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (cells, ops) = (self.per_second(&self.cells), self.per_second(&self.ops));
        let digits = usize::from(cells < 10.0);
        write!(f, "{cells:.digits$} cells/s, ")?;
        match ops {
            ops if ops < 1e4 => write!(f, "{ops:.0} ops/s"),
            ops if ops < 1e6 => write!(f, "{:.0} k ops/s", ops / 1e3),
            ops => write!(f, "{:.1} M ops/s", ops / 1e6),
        }
    }
}

/// Appends each cell that ended to the journal, so that a sweep that is stopped leaves it, and
/// moves the bar.
pub(super) struct Progress<'a> {
    ready: &'a Ready,
    journal: &'a Journal,
    /// What is finished, and whether all of it was written.
    state: Mutex<(Known, io::Result<()>)>,
    stopped: AtomicBool,
    pace: Arc<Pace>,
    bar: ProgressBar,
}

impl<'a> Progress<'a> {
    /// Goes on from what is `known` of this shard. `visible`: where there is somebody to see a bar.
    pub(super) fn new(
        ready: &'a Ready,
        journal: &'a Journal,
        (shard, known): (Shard, &Known),
        visible: bool,
    ) -> Self {
        let work = work(ready, shard);
        let (cells, ops) = (work.iter().sum(), ops_of(ready, &work));
        let done = (0..).scan(0, |from, _: u64| {
            let number = known.next(*from)?;
            *from = number + 1;
            let cell = ready.plan.cell(number)?;
            Some(ready.checked[cell.at.stream].ops)
        });
        let ops_in_all = ops.saturating_sub(done.sum());
        let none = || AtomicU64::new(0);
        let started = Instant::now();
        let pace =
            Arc::new(Pace { started, cells: none(), ops: none(), expected: none(), ops_in_all });
        let at_most = if ready.plan.is_adaptive() || ready.plan.until_first_failure {
            "at most "
        } else {
            ""
        };
        let template =
            format!("{{wide_bar}} {{pos}}/{{len}} cells, {{pace}}, {at_most}{{left}} left");
        let (for_pace, for_left) = (Arc::clone(&pace), Arc::clone(&pace));
        let style = bar::style(&template)
            .with_key("pace", move |_: &ProgressState, out: &mut dyn fmt::Write| {
                // A bar that cannot be drawn is no reason to stop.
                let _ = write!(out, "{for_pace}");
            })
            .with_key("left", move |_: &ProgressState, out: &mut dyn fmt::Write| {
                let _ = match for_left.left() {
                    Some(left) => write!(out, "{}", indicatif::HumanDuration(left)),
                    None => write!(out, "?"),
                };
            });
        let bar = bar::bar(Some(cells), style, visible);
        let state = Mutex::new((known.clone(), Ok(())));
        Self { ready, journal, state, stopped: AtomicBool::new(false), pace, bar }
    }

    /// Says how to go on where Ctrl-C or a scheduler ends the sweep. The row that is being written
    /// may be torn, and the cells that run are lost; `temporary` files are taken away.
    pub(super) fn on_stop(&self, temporary: Vec<PathBuf>) {
        let (path, bar) = (self.journal.path.clone(), self.bar.clone());
        let stop = move || {
            bar.finish_and_clear();
            for path in &temporary {
                // Most often there is none.
                let _ = std::fs::remove_file(path);
            }
            say(format_args!(
                "stopped: the finished cells are in {}; the same command with --resume goes on",
                path.display()
            ));
            std::process::exit(STOPPED);
        };
        // Where signals are handled already, or are to be ignored (nohup), it stays so.
        let _ = ctrlc::try_set_handler(stop);
    }

    /// What is finished, once nothing runs any more.
    pub(super) fn end(self) -> Result<Known, Failure> {
        self.bar.finish_and_clear();
        let (known, written) = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        written.map_err(|error| at(&self.journal.path, &error))?;
        Ok(known)
    }

    /// How fast it went.
    pub(super) fn pace(&self) -> String {
        self.pace.to_string()
    }

    /// Ops in a second, on all threads; none where nothing was run.
    pub(super) fn ops_per_second(&self) -> Option<f64> {
        Some(self.pace.per_second(&self.pace.ops)).filter(|pace| *pace > 0.0)
    }
}

/// Cells of a shard, for each stream of the plan; with early stopping the most that there can be.
pub(super) fn work(ready: &Ready, shard: Shard) -> Vec<u64> {
    let plan = &ready.plan;
    let (mut cells, mut first) = (vec![0; plan.streams.len()], 0);
    for (number, at) in (0_u64..).zip(plan.configurations()) {
        let all = plan.cells_in(&at);
        cells[at.stream] += match sweep::unit_of(plan, number, &at) {
            Some(unit) => u64::from(shard.has(unit)) * all,
            None => shard.count_below(first + all) - shard.count_below(first),
        };
        first += all;
    }
    cells
}

/// Ops of so many cells of each stream.
pub(super) fn ops_of(ready: &Ready, cells: &[u64]) -> u64 {
    let each = cells.iter().zip(&ready.checked);
    each.fold(0, |sum, (cells, known)| sum.saturating_add(cells.saturating_mul(known.ops)))
}

impl Watch for Progress<'_> {
    fn done(&self, index: usize, cell: &Cell, values: &[Value]) {
        let number = index as u64;
        let mut row = Vec::new();
        let row = Row::of(self.ready, number, cell, values).write(&mut row).map(|()| row);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (known, written) = &mut *state;
        if written.is_ok() {
            *written = row.and_then(|row| io::Write::write_all(&mut self.journal.file(), &row));
            if written.is_ok() {
                known.note(number, Outcome::of(values));
            } else {
                self.stopped.store(true, Ordering::Relaxed);
            }
        }
        let done = known.count();
        drop(state);
        self.pace.cells.fetch_add(1, Ordering::Relaxed);
        let expected = self.ready.checked[cell.at.stream].ops;
        self.pace.expected.fetch_add(expected, Ordering::Relaxed);
        if let Value::Count(ops) = values[column("stream_ops")] {
            self.pace.ops.fetch_add(ops, Ordering::Relaxed);
        }
        if self.pace.started.elapsed() > QUICK {
            self.bar.set_position(done);
        }
    }

    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }
}
