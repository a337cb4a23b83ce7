//! `cmalab sweep`: the main job.

mod dry;
mod extend;
pub(super) mod folder;
mod init;
mod journal;
mod over;
mod progress;
mod recipe;

use std::fs::{self, File};
use std::io::{BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::string::FromUtf8Error;

use clap::Args;

use super::context::Context;
use super::failure::{Exit, Failure, say};
use crate::answer::Findings;
use crate::ingest::{IngestError, Source};
use crate::kernel::Kind;
use crate::report::words::not_reproduced;
use crate::sweep::disk::{Head, Sorted};
use crate::sweep::{self, BUILTIN, Failed, Plan, Ready, Shard, TEMPLATE_NAME, Target};
use folder::{CELLS, From, PLAN, SHARD};
pub(super) use journal::same_sweep;
use journal::{Journal, at};
use over::Over;
pub(super) use over::hours;
use progress::Progress;
use recipe::Engine;
pub(super) use recipe::quote;

/// Runs configurations × policies × streams × seeds side by side and says where ENOMEM with free
/// pages comes from.
///
/// Without PLAN it runs the plan that is built in: recordings of a real kernel, the case of NXP's
/// note on i.MX, and camera, video, GPU and display profiles, under every policy. Options say what is
/// other than in PLAN, or in the built-in plan; what is run then is written to plan.toml in the folder
/// of the report, and COMMAND there runs that again. A plan of your own begins with --init.
///
/// Finished cells are on disk at once. After Ctrl-C, a crash or a full disk the same command with
/// --resume goes on, and the report is the same as that of a sweep that was never stopped.
///
/// Examples:
///   cmalab sweep
///   cmalab sweep --policy kernel,best-fit --cap 8,4 --mib 512,640
///   cmalab sweep --profile camera,video --pages 640M --load 0.7,0.9 --seeds 8
///   cmalab sweep --init my-board                # writes my-board.toml; keys: cmalab list plan
///   cmalab sweep my-board.toml --dry-run        # how long it takes, before it is run
///   cmalab sweep my-board.toml --out reports/my-board --jobs 8
///   cmalab sweep --thorough --seed 7
///   cmalab sweep my-board.toml --resume
/// On several machines (or let a scheduler do it), then put together:
///   cmalab sweep my-board.toml --shard 1/2 --out parts/1
///   cmalab sweep my-board.toml --shard 2/2 --out parts/2
///   cmalab merge parts/1 parts/2
///   cmalab sweep my-board.toml --recipe slurm --shards 100 > sweep.slurm
#[derive(Args, Debug)]
#[command(verbatim_doc_comment)]
pub(super) struct Sweep {
    /// The plan, a TOML file; without it the built-in one
    plan: Option<PathBuf>,
    /// The folder for the report [default: reports/NAME-OF-THE-PLAN; of a shard
    /// reports/NAME-OF-THE-PLAN-shards/I-of-N]
    #[arg(long, short, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Threads; 0 is one for each core
    #[arg(long, short, value_name = "N", default_value_t = 0,
        value_parser = clap::value_parser!(u32).range(..=1024))]
    jobs: u32,
    /// The first seed, in place of the plan's
    #[arg(long, value_parser = clap::value_parser!(u64).range(..=i64::MAX as u64))]
    seed: Option<u64>,
    /// How rare failures are to be, in place of the plan's: mtbf=30d, or failing=1%/day
    #[arg(long, value_parser = Target::parse, conflicts_with = "ops")]
    target: Option<Target>,
    /// 300 seeds at least (so that no failure means below 1 % of streams), and twice the ops
    #[arg(long)]
    thorough: bool,
    /// Goes on from the finished cells that a stopped sweep of the same plan left in the folder; where
    /// there are none it begins, and what is finished is left as it is. With more hours in the plan
    /// the same streams become longer
    #[arg(long)]
    resume: bool,
    /// Runs one part of the plan, I from 1 to N; `cmalab merge` puts the parts together
    #[arg(long, value_name = "I/N", value_parser = Shard::parse, conflicts_with = "recipe")]
    shard: Option<Shard>,
    /// Prints what runs the plan in --shards parts on that engine, and merges them
    #[arg(long, value_enum, requires = "shards")]
    recipe: Option<Engine>,
    /// How many parts
    #[arg(long, value_name = "N", requires = "recipe",
          value_parser = clap::value_parser!(u64).range(1..=Shard::MOST))]
    shards: Option<u64>,
    /// Says how many cells, how much board time, time and disk it would take, and writes nothing. The
    /// time is measured: for two seconds cells of the plan are run, cut short
    #[arg(long, conflicts_with_all = ["resume", "recipe"])]
    dry_run: bool,
    /// Writes over the finished report of another plan
    #[arg(long)]
    force: bool,
    /// Writes a plan to start from, with comments, and runs nothing: to NAME.toml, or to that file
    #[arg(long, value_name = "NAME|FILE", num_args = 0..=1, default_missing_value = TEMPLATE_NAME,
          conflicts_with_all = ["plan", "out", "seed", "target", "thorough", "resume", "shard",
                                "recipe", "dry_run", "force", "Over"])]
    init: Option<String>,
    #[command(flatten)]
    over: Over,
}

/// Seeds of a thorough run: with 300 clean streams at most 1 % of all fail.
const THOROUGH_SEEDS: u64 = 300;

/// Runs the plan and writes its report.
///
/// # Errors
/// A plan or stream that cannot be read, and output that cannot be written.
pub(super) fn run(args: &Sweep, context: &Context) -> Result<Exit, Failure> {
    if let Some(what) = &args.init {
        return init::write(what, context);
    }
    let plan = plan(args, context)?;
    if let (Some(engine), Some(shards)) = (args.recipe, args.shards) {
        return recipe::print(args, engine, shards, &plan, context);
    }
    let ready = prepare(plan, context)?;
    let job = Job::new(args, &ready);
    let name = if job.is_part { SHARD } else { CELLS };
    if args.resume && job.is_finished(name) {
        context.say(&format!("{} is finished already", job.folder.display()));
        let findings = job.report(context)?;
        return job.print(context, findings.as_ref());
    }
    if args.dry_run {
        return dry::run(&job, args.jobs as usize, context);
    }
    job.refuse_other_shard()?;
    let path = job.folder.join(format!("{name}.partial"));
    let extended = match args.resume {
        true => extend::extend(&ready, &job.head, &job.folder, &path)?,
        false => None,
    };
    // Cells that are gone on from are of this plan, whatever the report there is of.
    if !args.force && extended.is_none() && !(args.resume && path.exists()) {
        job.refuse_other_report(context)?;
    }
    fs::create_dir_all(&job.folder).map_err(|error| at(&job.folder, &error))?;
    if let Some(found) = extended {
        context.say(&format!(
            "streams are longer than before: {} cells stay as they are, {} are run again from their \
             start (nothing but results is kept on disk)",
            found.kept, found.again
        ));
    }
    let warn = |what: &str| context.warn(what);
    let (journal, known) = Journal::open(&ready, &job.head, &path, args.resume, &warn)?;
    if args.resume && known.count() == 0 {
        context.say("there is nothing to resume from; the sweep begins");
    }
    let part = (job.shard, &known);
    let progress = Progress::new(&ready, &journal, part, context.progress);
    progress.on_stop(folder::temporary(&job.folder, name).into());
    let ran = sweep::run_cells(&ready, job.shard, &known, args.jobs as usize, &progress);
    let (pace, ops_per_second) = (progress.pace(), progress.ops_per_second());
    let known = sweep::wanted(&ready, job.shard, &progress.end()?);
    match ran {
        Ok(()) => {}
        Err(Failed::Broken(broken)) => {
            say(format_args!("{}", Failed::Broken(broken)));
            return Ok(Exit::Bad);
        }
        Err(error) => return Err(Failure::because(error)),
    }
    let rows = Sorted::open(&path, &known).map_err(|error| at(&path, &error))?;
    if job.is_part {
        job.write_shard(context, rows)?;
    } else {
        folder::write_cells(context, &job.folder, rows)?;
    }
    let findings = job.report(context)?;
    // Everything is there now, whether or not somebody reads what is printed.
    journal.remove()?;
    let exit = job.print(context, findings.as_ref())?;
    context.say(&format!("{} cells in {}: {pace}", known.count(), job.folder.display()));
    let more = findings.and_then(|findings| findings.headline?.more());
    if let Some((more, pace)) = more.zip(ops_per_second) {
        let left = std::time::Duration::from_secs_f64((more.ops / pace).min(1e15));
        context.say(&format!(
            "the rest of the proof takes about {} here",
            indicatif::HumanDuration(left)
        ));
    }
    Ok(exit)
}

/// What a command line asks for.
struct Job<'a> {
    ready: &'a Ready,
    shard: Shard,
    /// Whether a shard was asked for: 1/1 is one too, and waits for its merge.
    is_part: bool,
    /// Whether finished cells are gone on from.
    resume: bool,
    head: Head,
    folder: PathBuf,
    command: String,
}

impl<'a> Job<'a> {
    fn new(args: &Sweep, ready: &'a Ready) -> Self {
        let shard = args.shard.unwrap_or(Shard::WHOLE);
        let from = match from(args) {
            From::BuiltIn if args.over.is_some() => From::File,
            from => from,
        };
        let from = match (from, args.thorough) {
            (From::BuiltIn, true) => From::Thorough,
            (from, _) => from,
        };
        let folder = args.out.clone().unwrap_or_else(|| {
            let folder = folder::default_folder(&ready.plan);
            match args.shard {
                Some(shard) => shards_folder(&folder).join(shard_name(shard)),
                None => folder,
            }
        });
        let command = folder::command(from, args.out.is_some(), &ready.plan);
        let head = Head::new(ready, shard, from.word());
        let is_part = args.shard.is_some();
        Self { ready, shard, is_part, resume: args.resume, head, folder, command }
    }

    /// Whether the folder holds all that this command would write.
    fn is_finished(&self, name: &str) -> bool {
        if self.folder.join(format!("{name}.partial")).exists() {
            return false;
        }
        if self.is_part {
            return self.shard_there().as_ref() == Some(&self.head);
        }
        folder::is_finished(self.ready, &self.folder, &self.command)
    }

    /// The head of the finished shard in the folder.
    fn shard_there(&self) -> Option<Head> {
        let file = File::open(self.folder.join(SHARD)).ok()?;
        Head::read(&mut BufReader::new(file)).ok()?
    }

    /// A shard does not take the place of another one, of this plan or of another.
    fn refuse_other_shard(&self) -> Result<(), Failure> {
        let path = self.folder.join(SHARD);
        if !self.is_part || !path.exists() {
            return Ok(());
        }
        let there = self.shard_there();
        if self.resume && there.as_ref().is_some_and(|there| self.head.extends(there)) {
            return Ok(());
        }
        journal::refuse_other(&path, there.as_ref(), &self.head)
    }

    /// Neither a report nor a part of one takes the place of a finished one of another plan.
    fn refuse_other_report(&self, context: &Context) -> Result<(), Failure> {
        folder::refuse_other(self.ready, &self.folder, context)
    }

    /// Writes the rows of a shard for `merge`.
    fn write_shard(&self, context: &Context, mut rows: Sorted<'_>) -> Result<(), Failure> {
        folder::write_rows(context, (&self.folder, SHARD), |out| {
            out.write_all(self.head.text().as_bytes())?;
            rows.try_for_each(|row| row?.write(out))
        })
    }

    /// Writes what the cells show; of a shard nothing but its plan.
    fn report(&self, context: &Context) -> Result<Option<Findings>, Failure> {
        if !self.is_part {
            return folder::write_report(context, self.ready, &self.folder, &self.command)
                .map(Some);
        }
        context.output(Some(&self.folder.join(PLAN)), |out| {
            Ok(out.write_all(sweep::emit(self.ready).as_bytes())?)
        })?;
        Ok(None)
    }

    /// Prints what they show.
    fn print(&self, context: &Context, findings: Option<&Findings>) -> Result<Exit, Failure> {
        if let Some(findings) = findings {
            folder::print_report(context, self.ready, findings)?;
        }
        Ok(Exit::Good)
    }
}

/// Where the plan begins: what the command line says over it makes another one, which its folder has as
/// a file.
const fn from(args: &Sweep) -> From {
    if args.plan.is_some() { From::File } else { From::BuiltIn }
}

/// The folder for the shards of a report, beside its own.
fn shards_folder(report: &Path) -> PathBuf {
    let mut name = report.file_name().unwrap_or_default().to_owned();
    name.push("-shards");
    report.with_file_name(name)
}

fn shard_name(shard: Shard) -> String {
    format!("{}-of-{}", shard.index(), shard.of())
}

/// Looks through what the plan names, and says what is strange.
pub(super) fn prepare(plan: Plan, context: &Context) -> Result<Ready, Failure> {
    let ready = sweep::prepare(plan).map_err(Failure::because)?;
    let of_streams = ready.plan.streams.iter().zip(&ready.checked).flat_map(|(stream, known)| {
        known.warnings.iter().map(|warning| format!("{}: {warning}", stream.name()))
    });
    // A file may be in a plan as it is, on boards, and fitted: what is strange about it is said once.
    let mut said = std::collections::BTreeSet::new();
    for warning in ready.warnings.iter().cloned().chain(of_streams) {
        if said.insert(warning.clone()) {
            context.warn(&warning);
        }
    }
    // Before a sweep that may take hours, not only in its answer.
    for unlike in not_reproduced(&ready) {
        context.warn(&unlike);
    }
    Ok(ready)
}

/// The most bytes of a plan.
const LONGEST_PLAN: u64 = 1 << 24;

/// The plan in a file.
pub(super) fn read_plan(path: &Path, context: &Context) -> Result<Plan, Failure> {
    let name = path.display().to_string();
    let fail =
        |error: &dyn std::fmt::Display| Failure::because(format_args!("read {name}: {error}"));
    let mut bytes = Vec::new();
    let input = Source::open_file(path)?.open()?;
    input.take(LONGEST_PLAN + 1).read_to_end(&mut bytes).map_err(|error| fail(&error))?;
    if bytes.len() as u64 > LONGEST_PLAN {
        return Err(fail(&format_args!("a plan has at most {LONGEST_PLAN} bytes")));
    }
    let text = String::from_utf8(bytes).map_err(|error| no_text(&name, &error))?;
    parse_plan(&name, &text, context)
}

/// The plan that `text` is. What it does not say of its kernel, its files may: the size of a page, and
/// what sizes of areas go by.
pub(super) fn parse_plan(name: &str, text: &str, context: &Context) -> Result<Plan, Failure> {
    let parse = |kind| sweep::parse_for(name, text, &context.catalog, kind);
    let plan = parse(Kind::default()).map_err(Failure::because)?;
    match sweep::kind_of_files(&plan) {
        kind if kind == Kind::default() => Ok(plan),
        kind => parse(kind).map_err(Failure::because),
    }
}

/// Why bytes are no plan.
fn no_text(name: &str, error: &FromUtf8Error) -> Failure {
    let end = error.utf8_error().valid_up_to();
    let (before, rest) = error.as_bytes().split_at(end);
    let line = before.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    let newlines = before.iter().filter(|byte| **byte == b'\n').count();
    IngestError {
        source: format!("plan {name}"),
        line: newlines as u64 + 1,
        column: String::from_utf8_lossy(line).chars().count() as u64 + 1,
        why: format!("byte 0x{:02x} is not UTF-8 text; save the plan as UTF-8", rest[0]),
    }
    .into()
}

/// The plan, with what the command line says over it.
pub(super) fn plan(args: &Sweep, context: &Context) -> Result<Plan, Failure> {
    let mut plan = match &args.plan {
        Some(path) => read_plan(path, context)?,
        None => sweep::parse("built in", BUILTIN, &context.catalog).map_err(Failure::because)?,
    };
    if args.target.is_some() && args.plan.is_none() && !args.over.has_streams() {
        return Err(Failure::because(
            "ask a target of the built-in plan: its recordings have no board time; name a plan, or \
             profiles, as in --profile camera,video",
        ));
    }
    args.over.apply(&mut plan, from(args), context)?;
    plan.seed = args.seed.unwrap_or(plan.seed);
    plan.target = args.target.or(plan.target);
    if plan.stop.is_some() && plan.target.is_some() {
        return Err(Failure::because(format_args!(
            "run plan {} with --target: it has stop, and both end configurations early; leave one of \
             them out",
            plan.name
        )));
    }
    if args.thorough {
        plan.name += "-thorough";
        plan.seeds = plan.seeds.max(THOROUGH_SEEDS);
        for stream in &mut plan.streams {
            stream.length = stream.length.twice();
        }
    }
    Ok(plan)
}
