//! `cmalab sweep`: the main job.

use std::fmt;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::context::{Context, Format};
use super::failure::{Exit, Failure, say};
use crate::metric::Value;
use crate::report::partial::{self, Known};
use crate::report::{csv, findings, html, text};
use crate::sweep::{self, BUILTIN, Cell, Failed, Plan, Ready, Watch};

/// Runs configurations × policies × streams × seeds side by side and says where ENOMEM with free
/// pages comes from.
///
/// Without PLAN it runs the plan that is built in: recordings of a real kernel, the case of NXP's
/// note on i.MX, and camera, video, GPU and display profiles, under every policy.
///
/// Examples:
///   cmalab sweep
///   cmalab sweep my-board.toml --out reports/my-board --jobs 8
///   cmalab sweep --thorough --seed 7
#[derive(Args, Debug)]
#[command(verbatim_doc_comment)]
pub(super) struct Sweep {
    /// The plan, a TOML file; without it the built-in one
    plan: Option<PathBuf>,
    /// The folder for the report [default: reports/NAME-OF-THE-PLAN]
    #[arg(long, short)]
    out: Option<PathBuf>,
    /// Threads; 0 is one for each core
    #[arg(long, short, default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=1024))]
    jobs: u32,
    /// The first seed, in place of the plan's
    #[arg(long, value_parser = clap::value_parser!(u64).range(..=i64::MAX as u64))]
    seed: Option<u64>,
    /// 300 seeds at least (so that no failure means below 1 % of streams), and twice the ops
    #[arg(long)]
    thorough: bool,
    /// Goes on from the finished cells that a stopped sweep of the same plan left in the folder
    #[arg(long)]
    resume: bool,
}

/// Seeds of a thorough run: with 300 clean streams at most 1 % of all fail.
const THOROUGH_SEEDS: u64 = 300;

/// Runs the plan and writes its report.
///
/// # Errors
/// A plan or stream that cannot be read, and output that cannot be written.
pub(super) fn run(args: &Sweep, context: &Context) -> Result<Exit, Failure> {
    let plan = plan(args, context)?;
    let ready = sweep::prepare(plan).map_err(Failure::because)?;
    for warning in &ready.warnings {
        context.warn(warning);
    }
    for (stream, known) in ready.plan.streams.iter().zip(&ready.checked) {
        for warning in &known.warnings {
            context.warn(&format!("{}: {warning}", stream.name()));
        }
    }
    let default_folder = || Path::new("reports").join(&ready.plan.name);
    let folder = args.out.clone().unwrap_or_else(default_folder);
    fs::create_dir_all(&folder).map_err(|error| fail(&folder, &error))?;
    let unfinished = folder.join("cells.csv.partial");
    let known = if args.resume { left_over(&ready, &unfinished)? } else { Known::new() };
    let progress = Progress::new(&ready, &known, &unfinished, context)?;
    let table = match sweep::resume(&ready, &known, args.jobs as usize, &progress) {
        Ok(table) => table,
        Err(Failed::Broken(broken)) => {
            drop(progress);
            say(format_args!("{}", Failed::Broken(broken)));
            return Ok(Exit::Bad);
        }
        Err(error) => return Err(Failure::because(error)),
    };
    progress.end()?;
    let findings = findings(&ready, table.blocks());
    let summary = &findings.summary;
    let write = |name: &str, write: &dyn Fn(&mut dyn Write) -> std::io::Result<()>| {
        context.output(Some(&folder.join(name)), |out| Ok(write(out)?))
    };
    // The finished cells go through the file of the unfinished ones, and take it away.
    write("cells.csv", &|out| csv::write_cells(&table, out))?;
    write("summary.csv", &|out| csv::write_summary(&ready, summary, out))?;
    write("sizing.csv", &|out| csv::write_sizing(&ready, &findings.sizing, out))?;
    write("plan.toml", &|out| out.write_all(sweep::emit(&ready).as_bytes()))?;
    let command = command(args, &ready.plan);
    write("COMMAND", &|out| writeln!(out, "{command}"))?;
    write("report.html", &|out| html::write(&ready, &findings, &command, out))?;
    context.output(None, |out| {
        match context.format {
            Format::Text => text::write_findings(&ready, &findings, context.color, out)?,
            Format::Csv => csv::write_summary(&ready, summary, out)?,
            Format::Json => csv::write_summary_json(&ready, summary, out)?,
        }
        Ok(())
    })?;
    let page = folder.join("report.html");
    context.say(&format!("{} cells; the report is {}", table.cells.len(), page.display()));
    Ok(Exit::Good)
}

fn fail(path: &Path, error: &std::io::Error) -> Failure {
    Failure::because(format_args!("write {}: {error}", path.display()))
}

/// The cells that a stopped sweep left; none where it left no file.
fn left_over(ready: &Ready, path: &Path) -> Result<Known, Failure> {
    let text = match fs::read_to_string(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Known::new()),
        read => read
            .map_err(|error| Failure::because(format_args!("read {}: {error}", path.display())))?,
    };
    partial::read(ready, &text).ok_or_else(|| {
        Failure::because(format_args!(
            "resume from {}: it is of another plan or version; leave out --resume to begin anew",
            path.display()
        ))
    })
}

/// The plan, with what the command line says over it.
fn plan(args: &Sweep, context: &Context) -> Result<Plan, Failure> {
    let read = |path: &PathBuf| {
        fs::read_to_string(path)
            .map_err(|error| Failure::because(format_args!("read {}: {error}", path.display())))
    };
    let (name, text) = match &args.plan {
        Some(path) => (path.display().to_string(), read(path)?),
        None => ("built in".to_string(), BUILTIN.to_string()),
    };
    let mut plan = sweep::parse(&name, &text, &context.catalog).map_err(Failure::because)?;
    plan.seed = args.seed.unwrap_or(plan.seed);
    if args.thorough {
        plan.name += "-thorough";
        plan.seeds = plan.seeds.max(THOROUGH_SEEDS);
        for stream in &mut plan.streams {
            stream.ops *= 2;
        }
    }
    Ok(plan)
}

/// One line that makes the report again: from the folder that `reports` stands in or, where the
/// report is somewhere else, from its own. It names no other folder, so the line is the same in
/// any.
fn command(args: &Sweep, plan: &Plan) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let thorough = if args.thorough { " --thorough" } else { "" };
    let seed = plan.seed;
    match (&args.plan, &args.out) {
        (None, _) => format!("cmalab sweep --seed {seed}{thorough} # cmalab {version}"),
        (Some(_), None) => {
            let name = &plan.name;
            format!("cmalab sweep reports/{name}/plan.toml --seed {seed} # cmalab {version}")
        }
        (Some(_), Some(_)) => format!(
            "cmalab sweep plan.toml --out . --seed {seed} # cmalab {version}, in this folder; \
             files of the plan are named from the folder where it was run"
        ),
    }
}

/// Appends each cell that ended to a file, so that a sweep that is stopped leaves them, and moves
/// the bar.
struct Progress<'a> {
    ready: &'a Ready,
    path: &'a Path,
    file: Mutex<Result<File, std::io::Error>>,
    done: AtomicU64,
    bar: ProgressBar,
    started: Instant,
}

/// Work that is done within this time needs no bar.
const QUICK: Duration = Duration::from_secs(1);

impl<'a> Progress<'a> {
    fn new(
        ready: &'a Ready,
        known: &Known,
        path: &'a Path,
        context: &Context,
    ) -> Result<Self, Failure> {
        let cells = ready.plan.cells();
        // Whole or not at all, so that a sweep that is stopped here loses nothing either.
        context.output(Some(path), |out| {
            writeln!(out, "{}", partial::header(ready))?;
            for (index, (values, cell)) in known.iter().zip(&cells).enumerate() {
                if let Some(values) = values {
                    partial::write(ready, index, cell, values, out)?;
                }
            }
            Ok(())
        })?;
        let file = File::options().append(true).open(path).map_err(|error| fail(path, &error))?;
        let done = AtomicU64::new(known.iter().flatten().count() as u64);
        let target = if context.progress {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let style = "{wide_bar} {pos}/{len} cells, {rate}, {eta} left";
        let style = ProgressStyle::with_template(style).expect("the template is well formed");
        let style = style.with_key("rate", |state: &ProgressState, out: &mut dyn fmt::Write| {
            // A bar that cannot be drawn is no reason to stop.
            let _ = write!(out, "{:.0}/s", state.per_sec());
        });
        let bar = ProgressBar::with_draw_target(Some(cells.len() as u64), target).with_style(style);
        let file = Mutex::new(Ok(file));
        Ok(Self { ready, path, file, done, bar, started: Instant::now() })
    }

    fn end(self) -> Result<(), Failure> {
        self.bar.finish_and_clear();
        let file = self.file.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        file.map(drop).map_err(|error| fail(self.path, &error))
    }
}

impl Watch for Progress<'_> {
    fn done(&self, index: usize, cell: &Cell, values: &[Value]) {
        let mut file = self.file.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Ok(open) = &mut *file
            && let Err(error) = partial::write(self.ready, index, cell, values, open)
        {
            *file = Err(error);
        }
        drop(file);
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        if self.started.elapsed() > QUICK {
            self.bar.set_position(done);
        }
    }
}
