//! What a sweep would take, without running it.

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

use super::Job;
use super::folder::{CELLS, FILES, PLAN, SHARD};
use super::progress::{ops_of, work};
use crate::cli::context::{Context, Show};
use crate::cli::failure::{Exit, Failure};
use crate::metric::{Value, column};
use crate::span::span;
use crate::sweep::disk::{Row, cells_header};
use crate::sweep::{Cell, Length, Plan, Ready, run_cell};
use crate::words::{counted, wrapped};

/// Cells of a sweep are tried for so long, each stream once at least.
const TRIED_FOR: Duration = Duration::from_secs(2);
/// And for so long at most, where there are many streams.
const AT_MOST: Duration = Duration::from_secs(10);
/// Ops of a stream that is tried: enough that its start does not count.
const OPS_TRIED: u64 = 20_000;

/// What a sweep would take.
struct Dry {
    plan: String,
    folder: PathBuf,
    files: Vec<&'static str>,
    streams: usize,
    boards: usize,
    policies: usize,
    caps: usize,
    /// Cells of this run: with early stopping the most that there can be.
    cells: u64,
    is_most: bool,
    ops: u64,
    /// Board time of all cells, as far as their streams have any.
    board_time_us: f64,
    /// Seconds on so many threads.
    wall_s: f64,
    threads: usize,
    /// Cells that were run for that.
    tried: u64,
    bytes: f64,
    /// A finished report is there that is of another plan.
    in_the_way: bool,
}

/// Tries some cells, and says what all of them would take. Nothing is written.
pub(super) fn run(job: &Job<'_>, jobs: usize, context: &Context) -> Result<Exit, Failure> {
    let (ready, plan) = (job.ready, &job.ready.plan);
    let tried = Tried::new(ready)?;
    let threads = match jobs {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        jobs => jobs,
    };
    let work = work(ready, job.shard);
    let sum = |of: &dyn Fn(usize) -> f64| -> f64 {
        work.iter().enumerate().map(|(stream, cells)| *cells as f64 * of(stream)).sum()
    };
    let cells: u64 = work.iter().sum();
    let dry = Dry {
        plan: plan.name.clone(),
        folder: job.folder.clone(),
        files: if job.is_part { vec![SHARD, PLAN] } else { FILES.to_vec() },
        streams: plan.streams.len(),
        boards: plan.boards.len(),
        policies: plan.policies.len(),
        caps: plan.caps.len(),
        cells,
        is_most: plan.is_adaptive() || plan.until_first_failure,
        ops: ops_of(ready, &work),
        board_time_us: sum(&|stream| tried.board_time_us(ready, stream)),
        wall_s: sum(&|stream| tried.each_op_s(stream) * ready.checked[stream].ops as f64)
            / threads as f64,
        threads,
        tried: tried.cells,
        bytes: cells_header().len() as f64 + cells as f64 * tried.row_bytes(),
        in_the_way: job.refuse_other_report(context).is_err(),
    };
    context.show(None, &[], &dry)?;
    Ok(Exit::Good)
}

/// What cells of one stream took.
#[derive(Clone, Copy, Default)]
struct Took {
    ops: f64,
    seconds: f64,
    board_time_us: f64,
}

/// Some cells that were run, cut short.
struct Tried {
    streams: Vec<Took>,
    cells: u64,
    row_bytes: usize,
}

impl Tried {
    fn new(ready: &Ready) -> Result<Self, Failure> {
        let cut = cut(ready);
        let mut tried =
            Self { streams: vec![Took::default(); cut.plan.streams.len()], cells: 0, row_bytes: 0 };
        let started = Instant::now();
        let streams = 0..cut.plan.streams.len();
        for round in 0.. {
            let most = if round == 0 { AT_MOST } else { TRIED_FOR };
            let before = tried.cells;
            for cell in streams.clone().filter_map(|stream| some_cell(&cut.plan, stream, round)) {
                if started.elapsed() > most {
                    return Ok(tried);
                }
                tried.add(&cut, &cell)?;
            }
            if tried.cells == before {
                break;
            }
        }
        Ok(tried)
    }

    fn add(&mut self, cut: &Ready, cell: &Cell) -> Result<(), Failure> {
        let started = Instant::now();
        let values = run_cell(cut, cell, &mut []).map_err(Failure::because)?;
        let took = &mut self.streams[cell.at.stream];
        took.seconds += started.elapsed().as_secs_f64();
        let number = |name: &str| match values[column(name)] {
            Value::Count(count) => count as f64,
            _ => 0.0,
        };
        took.ops += number("stream_ops");
        took.board_time_us += number("board_time_us");
        self.cells += 1;
        // With the sum that each has while the sweep runs: the numbers of longer streams are longer.
        let mut row = Vec::new();
        Row::of(cut, 0, cell, &values).write(&mut row)?;
        self.row_bytes += row.len();
        Ok(())
    }

    /// Seconds of one core for an op; of a stream that was not tried as of the others.
    fn each_op_s(&self, stream: usize) -> f64 {
        let own = self.streams[stream];
        let (seconds, ops) = match own.ops > 0.0 {
            true => (own.seconds, own.ops),
            false => self
                .streams
                .iter()
                .fold((0.0, 0.0), |(seconds, ops), took| (seconds + took.seconds, ops + took.ops)),
        };
        seconds / ops.max(1.0)
    }

    /// Board time of a cell, as stated, or as its ops take.
    fn board_time_us(&self, ready: &Ready, stream: usize) -> f64 {
        if let Some(us) = ready.plan.streams[stream].length.time_us() {
            return us as f64;
        }
        let took = self.streams[stream];
        match ready.checked[stream].has_time {
            true => took.board_time_us / took.ops.max(1.0) * ready.checked[stream].ops as f64,
            false => 0.0,
        }
    }

    fn row_bytes(&self) -> f64 {
        self.row_bytes as f64 / self.cells.max(1) as f64
    }
}

/// The sweep with streams that are at most so long. What is in a file is run to its end.
fn cut(ready: &Ready) -> Ready {
    let mut cut = ready.clone();
    for (stream, known) in cut.plan.streams.iter_mut().zip(&ready.checked) {
        stream.length = match stream.length {
            Length::Ops(ops) => Length::Ops(ops.min(OPS_TRIED)),
            Length::Time(us) if known.ops > OPS_TRIED => {
                let share = OPS_TRIED as f64 / known.ops as f64;
                Length::Time(((us as f64 * share) as u64).max(1))
            }
            other => other,
        };
    }
    cut
}

/// A step through cells that is prime to most numbers of them: few rounds see many configurations
/// and policies.
const STRIDE: usize = 7919;

/// A cell of a stream for its first seed, in each round another one. [`None`] after the last.
fn some_cell(plan: &Plan, stream: usize, round: usize) -> Option<Cell> {
    let own = || plan.configurations().filter(|at| at.stream == stream);
    let (all, policies) = (own().count() * plan.policies.len(), plan.policies.len());
    let number = (round < all).then(|| round * STRIDE % all)?;
    Some(Cell { at: own().nth(number / policies)?, policy: number % policies, seed: plan.seed })
}

/// A size of a file, in the unit that suits it.
fn size(bytes: f64) -> String {
    match bytes {
        large if large >= 1e9 => format!("{:.1} GB", large / 1e9),
        large if large >= 1e6 => format!("{:.1} MB", large / 1e6),
        small => format!("{:.0} kB", (small / 1e3).max(1.0)),
    }
}

impl Dry {
    fn lines(&self) -> Vec<(&'static str, String)> {
        let most = if self.is_most { "at most " } else { "" };
        let number = |count: usize, what: &str| counted(count as u64, what);
        let of = [
            number(self.streams, "stream"),
            number(self.boards, "board"),
            number(self.policies, "policy"),
            number(self.caps, "cap"),
        ];
        let force = if self.in_the_way {
            "; a finished report of another plan is there, which takes --force or another --out"
        } else {
            ""
        };
        vec![
            ("plan", format!("{}: {}", self.plan, of.join(", "))),
            ("cells", format!("{most}{} ({most}{} ops)", self.cells, self.ops)),
            (
                "board time",
                match self.board_time_us {
                    none if none <= 0.0 => "none: recordings count requests".to_string(),
                    us => format!("{most}{} in all cells together", span(us)),
                },
            ),
            (
                "time here",
                format!(
                    "{most}about {} on {}; measured on {} of it, each of at most {OPS_TRIED} ops of \
                     a stream that is made, which were run just now",
                    span(self.wall_s * 1e6),
                    counted(self.threads as u64, "thread"),
                    counted(self.tried, "cell"),
                ),
            ),
            (
                "disk",
                format!(
                    "{most}about {} for {CELLS}, twice as much while it is put together; the other \
                     files are small",
                    size(self.bytes)
                ),
            ),
            ("would write", format!("{}: {}{force}", self.folder.display(), self.files.join(", "))),
        ]
    }
}

impl Show for Dry {
    fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        for (what, said) in self.lines() {
            let first = format!("{what:<12} ");
            for line in wrapped(&said, 100, (&first, &" ".repeat(first.len()))) {
                writeln!(out, "{line}")?;
            }
        }
        writeln!(out, "nothing was written")
    }

    fn json(&self) -> Json {
        json!({
            "plan": self.plan, "folder": self.folder, "files": self.files,
            "streams": self.streams, "boards": self.boards, "policies": self.policies,
            "caps": self.caps, "cells": self.cells, "cells_are_most": self.is_most,
            "ops": self.ops, "board_time_us": self.board_time_us, "wall_s": self.wall_s,
            "threads": self.threads, "cells_tried": self.tried, "cells_csv_bytes": self.bytes,
            "other_report_there": self.in_the_way,
        })
    }

    fn csv(&self) -> (String, Vec<Vec<String>>) {
        let head = "plan,cells,cells_are_most,ops,board_time_us,wall_s,threads,cells_tried,\
                    cells_csv_bytes,folder,other_report_there";
        let row = vec![
            self.plan.clone(),
            self.cells.to_string(),
            u8::from(self.is_most).to_string(),
            self.ops.to_string(),
            format!("{:.0}", self.board_time_us),
            format!("{:.3}", self.wall_s),
            self.threads.to_string(),
            self.tried.to_string(),
            format!("{:.0}", self.bytes),
            self.folder.display().to_string(),
            u8::from(self.in_the_way).to_string(),
        ];
        (head.to_string(), vec![row])
    }
}
