//! `cmalab recommend`: what to change on a board.

mod again;
mod base;
mod folder;
mod input;
mod pace;
mod text;

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::context::{Context, Format};
use super::failure::{Exit, Failure};
use super::given::{Placed, Read};
use crate::kernel::Arch;
use crate::recommend::{Task, Watch as _, Work, advise};
use crate::report::recommend as report;
use crate::size::Size;
use crate::sweep::{Length, Target};
use pace::Pace;

/// Says what to change on a board so that its requests are served: size of the area, cap, pools,
/// what a driver could do, another policy; with the evidence, and the text to paste.
///
/// INPUT is what the board does: a trace or what the script of `cmalab collect` wrote, with other
/// texts of the same board beside it in any order; recordings and streams; a profile or a mix by
/// name, or a mix written out or in a file, as for `cmalab generate`. Of several each has its share of
/// board time (--weight).
///
/// First it shows that streams drawn from the input fail as the board did; else it does not advise.
/// Then it makes up configurations, of legal sizes only, and runs them on the same streams. What it says
/// of the best is from fresh streams. Exit status 1 where it cannot advise, or nothing helps.
///
/// Examples:
///   cmalab recommend board.txt                 # what the script of `cmalab collect` wrote
///   cmalab recommend trace.txt dmesg.txt --dts board.dts --target mtbf=30d
///   cmalab recommend trace.txt --area vpu_pool --ram 1G --no-kconfig
///   cmalab recommend camera --mib 256 --load-mib 180
///   cmalab recommend trace.txt --format json -o recommend.json
///   cmalab recommend trace.txt --report reports/board --ops 60000000
#[derive(Args, Debug)]
#[command(verbatim_doc_comment)]
pub(super) struct Recommend {
    /// Traces and texts of a board, recordings, streams, profiles, mixes; "-" is standard input
    #[arg(required = true, value_name = "INPUT")]
    inputs: Vec<String>,
    /// How rare failures are to be: mtbf=30d, or failing=1%/day [default: mtbf=1d; of a recording, which
    /// has no time, one in ten times its ops]
    #[arg(long, value_parser = Target::parse)]
    target: Option<Target>,
    /// Shares of board time of several inputs, in their order [default: equal]
    #[arg(long, value_name = "N,…", value_delimiter = ',')]
    weight: Vec<f64>,
    /// The device tree: .dts, .dtb or /proc/device-tree
    #[arg(long, value_name = "PATH")]
    dts: Option<PathBuf>,
    /// The kernel's command line, or a file that holds it
    #[arg(long, value_name = "LINE")]
    cmdline: Option<String>,
    /// The kernel's configuration
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The kernel, by release or name, where nothing else says it
    #[arg(long, value_name = "RELEASE", value_parser = super::lint::kernel)]
    kernel: Option<String>,
    /// The architecture: arm64, arm, x86_64 or riscv64
    #[arg(long, value_name = "NAME", value_parser = super::lint::arch)]
    arch: Option<Arch>,
    /// A request that the area refuses has failed, also where the page allocator serves it
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    limits: base::Within,
    #[command(flatten)]
    placed: Placed,
    #[command(flatten)]
    read: Read,
    /// MiB of the area, where nothing else states it
    #[arg(long, value_name = "MIB", value_parser = Size::in_mib, conflicts_with = "pages")]
    mib: Option<Size>,
    /// LOAD of a profile in MiB [default: its share of the area]
    #[arg(long, value_name = "MIB", value_parser = Size::in_mib)]
    load_mib: Option<Size>,
    /// CONFIG_CMA_ALIGNMENT of the board [default: as its calls or its configuration show, else 8]
    #[arg(long, value_name = "ORDER", value_parser = clap::value_parser!(u32).range(0..=12))]
    cap: Option<u32>,
    /// How long it searches, at most: 90s, 10min, 2h
    #[arg(long, value_name = "TIME", default_value = "2min", value_parser = pace::time)]
    time: Duration,
    /// Ops that it runs, at most: with the same seed the answer is the same on every machine
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    ops: Option<u64>,
    /// The first seed
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Writes the answer in every format into this folder, with the line that makes it again
    #[arg(long, value_name = "DIR")]
    report: Option<PathBuf>,
    /// Writes over the finished report of another question
    #[arg(long, requires = "report")]
    force: bool,
    /// Writes to this file
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Searches, and says what it found.
///
/// # Errors
/// Input that cannot be read, limits that contradict each other or the board, a stream that cannot be
/// drawn.
pub(super) fn run(args: &Recommend, context: &Context) -> Result<Exit, Failure> {
    let again = again::Again::new();
    if let Some(folder) = &args.report {
        if context.format != Format::Text {
            return Err(Failure::because(
                "write a report in one format: --report writes every one; leave --format away",
            ));
        }
        if !args.force {
            folder::refuse_other(folder, &again, args.seed)?;
        }
        folder::make(folder)?;
    }
    let given = input::read(args, context)?;
    let (base, limits, board) = base::of(args, &given, context)?;
    let works = given.works(args, &base)?;
    let target = target(args, &works)?;
    let mut task = Task { works, base, limits, target, seed: args.seed };
    let pace = Pace::new(context, args.ops.is_none().then_some(args.time));
    let most_ops = args.ops.unwrap_or(u64::MAX);
    let advice = advise(&task, &context.catalog, most_ops, &pace).map_err(Failure::because)?;
    pace.end();
    let mut paste = text::of(&task, &advice, &board);
    if args.report.is_some() {
        folder::hide(&again, &mut task, paste.as_mut());
    }
    let shown = report::Shown { task: &task, advice: &advice, paste: paste.as_ref() };
    let ran = advice.found.as_ref().map_or(0, |found| found.ops);
    let command = again.line(args.seed, args.ops, (ran, pace.used()));
    if let Some(folder) = &args.report {
        folder::write(context, folder, &shown, &command)?;
    }
    context.output(args.out.as_deref(), |out| Ok(write(&shown, context, &command, out)?))?;
    let is_good = advice.found.as_ref().is_some_and(|found| found.chosen.is_some());
    Ok(if is_good { Exit::Good } else { Exit::Bad })
}

fn write(
    shown: &report::Shown<'_>,
    context: &Context,
    command: &str,
    out: &mut dyn Write,
) -> io::Result<()> {
    match context.format {
        // Sarif is refused before a command runs that does not make it.
        Format::Text | Format::Sarif => report::text(shown, out),
        Format::Json => writeln!(out, "{:#}", report::json(shown)),
        Format::Csv => report::candidates(shown, out),
        Format::Html => out.write_all(report::html(shown, command.trim_end()).as_bytes()),
    }
}

/// The board time of the target where none is stated: a day, in microseconds.
const DAY_US: u64 = 24 * Length::HOUR_US;
/// Times that a recording of so many ops is to go well.
const TIMES: u64 = 10;

/// How rare failures are to be; of recordings in ops.
fn target(args: &Recommend, works: &[Work]) -> Result<Target, Failure> {
    let ops = works.iter().filter(|work| work.is_in_ops()).filter_map(Work::fit);
    match (ops.map(|fit| fit.ops()).max(), args.target) {
        (Some(_), Some(target)) => Err(Failure::because(format_args!(
            "ask {target} of a recording: it has no time, only ops; leave --target out, and one failure \
             in ten times its ops is asked about"
        ))),
        (Some(ops), None) => Ok(Target::Mtbf(ops.saturating_mul(TIMES))),
        (None, target) => Ok(target.unwrap_or(Target::Mtbf(DAY_US))),
    }
}
