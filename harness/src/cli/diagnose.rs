//! `cmalab diagnose`: why each allocation of a log failed.

mod film;
mod progress;

use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::PossibleValuesParser;

use super::context::{Context, Format, is_standard};
use super::failure::{Exit, Failure};
use super::size::order;
use crate::boot::Recommended;
use crate::cause::Cause;
use crate::diagnose::{self, AsRecommended, Cut, Diagnosis, Holds, Options};
use crate::ingest::{self, Geometry, IngestError, Source};
use crate::kernel::{self, Kernel};
use crate::page::Page;
use crate::report::diagnosis::{self as report, Groups, Look, Report};
use crate::size::{Size, pfn};
use crate::words::near;
use progress::Progress;

/// Says for each CMA allocation failure of a log why it failed, and what would have helped.
///
/// Reads what a board prints, in any mixture and of any kernel: dmesg, journal, logcat and serial
/// captures, traces, debugfs, sysfs and meminfo dumps, and what the script of `cmalab collect`
/// gathers; .gz and .zst as they are. Several files are taken as one board's. The first line that
/// it prints is the answer; where a packed file is cut, it says how far was read. Where a boot or a
/// piece of a device tree is in the text, it says what became of each area that the kernel was
/// asked for (in JSON: `boot`).
///
/// Examples:
///   cmalab diagnose dmesg.txt
///   adb shell dmesg | cmalab diagnose
///   cmalab diagnose dmesg.txt trace.txt --cap 6 --kernel 6.6
///   cmalab diagnose dmesg.txt /sys/kernel/debug/cma
///   cmalab diagnose dmesg.txt --format html -o why.html
///   cmalab diagnose dmesg.txt --fail-on alignment,fragmentation
///   cmalab diagnose next-boot.txt --recommended recommend.json
#[derive(Args, Debug)]
#[command(verbatim_doc_comment)]
pub(super) struct Diagnose {
    /// Logs, traces, dumps, and directories of debugfs or sysfs; "-" is standard input
    #[arg(value_name = "FILE", default_value = "-")]
    files: Vec<PathBuf>,
    /// The kernel, by release or `android`, where the log does not say
    #[arg(long, value_name = "RELEASE", value_parser = release)]
    kernel: Option<String>,
    /// CONFIG_CMA_ALIGNMENT, where the log does not say
    #[arg(
        long,
        value_name = "ORDER",
        default_value_t = ingest::DEFAULT_CAP,
        value_parser = order
    )]
    cap: u32,
    /// First page of the area, where the log does not say
    #[arg(long, value_name = "PFN", value_parser = pfn)]
    base_pfn: Option<u64>,
    /// Pages of the area, or its size as 640M, where the log does not say
    #[arg(long, value_name = "PAGES", value_parser = area)]
    pages: Option<Size>,
    /// Order of one bitmap bit, where the log does not say
    #[arg(long, value_name = "ORDER", value_parser = order)]
    order_per_bit: Option<u32>,
    /// Exit status 1 where a failure has one of these verdicts (`any` is each of them); 2 where none
    /// has and an input is cut
    #[arg(
        long,
        value_name = "VERDICT",
        value_delimiter = ',',
        value_parser = PossibleValuesParser::new(verdicts())
    )]
    fail_on: Vec<String>,
    /// Says first whether the board is as `cmalab recommend --format json` advised in this file: each
    /// area with its size, and the cap. Exit status 1 where it is not; 0 where the text does not
    /// show it
    #[arg(long, value_name = "FILE")]
    recommended: Option<PathBuf>,
    /// Writes to this file
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// The verdicts that a log can lead to.
fn verdicts() -> Vec<&'static str> {
    let of_a_log =
        Cause::ALL.into_iter().filter(|cause| !matches!(cause, Cause::Transient | Cause::Policy));
    of_a_log.map(Cause::name).chain(["undecidable", "any"]).collect()
}

/// A release that says something: those before 4.11 too, which have no row of their
/// own.
fn release(name: &str) -> Result<String, String> {
    if kernel::release(name).is_some() || Kernel::find(name).is_some() {
        return Ok(name.to_string());
    }
    let near = near(name, ["android"]);
    Err(format!("a release such as 5.15 or 6.12.3-rc1 is allowed, or android{near}"))
}

/// The size of an area: of whatever size its pages are, which the log may say, it has whole ones.
fn area(text: &str) -> Result<Size, String> {
    let size = Size::in_pages(text)?;
    size.pages(Page::Kib64).map(|_| size)
}

/// Reads and says it.
///
/// # Errors
/// A file that cannot be read, before anything is written.
pub(super) fn run(args: &Diagnose, context: &Context) -> Result<Exit, Failure> {
    let recommended = args.recommended.as_deref().map(recommended).transpose()?;
    let (sources, progress) = args.open(context)?;
    let options = args.options();
    let mut groups = Groups::default();
    let mut cut = Vec::new();
    let mut is_other = false;
    let format = context.format;
    context.output(args.out.as_deref(), |out| {
        let watch = progress.watch();
        match format {
            Format::Json => report::json::head(out)?,
            Format::Csv => report::csv::head(out)?,
            Format::Text | Format::Html | Format::Sarif => {}
        }
        let mut diagnosis = read(&sources, &options, format, &mut groups, out)?;
        watch.end();
        let held =
            recommended.as_ref().map(|recommended| AsRecommended::new(recommended, &diagnosis));
        is_other = held.as_ref().is_some_and(|held| held.verdict() == Holds::No);
        diagnosis.as_recommended = held;
        cut.clone_from(&diagnosis.cut);
        let mut report = Report::new(&groups, &diagnosis);
        if format == Format::Html {
            report.over_time = film::over_time(&sources, &options, &groups, context);
        }
        match format {
            Format::Json => report::json::tail(&report, out)?,
            Format::Csv => {
                let hidden = report::suppressed(&diagnosis).filter(|_| diagnosis.suppressed > 0);
                hidden.iter().for_each(|hidden| context.warn(hidden));
                report::cut(&diagnosis).iter().for_each(|cut| context.warn(cut));
                diagnosis.warnings.iter().for_each(|warning| context.warn(warning));
                report::as_recommended(&report).iter().for_each(|answer| context.say(answer));
            }
            Format::Text | Format::Sarif => {
                report::text(&report, Look { color: context.color }, out)?;
            }
            Format::Html => report::html(&report, out)?,
        }
        Ok(())
    })?;
    let met = |verdict: &String| {
        if verdict == "any" { groups.failures() > 0 } else { groups.has(verdict) }
    };
    match cut.first() {
        _ if is_other || args.fail_on.iter().any(met) => Ok(Exit::Bad),
        Some(Cut { source, lines, why }) if !args.fail_on.is_empty() => {
            Err(Failure::because(format_args!(
                "read {source} past line {lines}: {why}; what --fail-on looks for may follow there"
            )))
        }
        _ => Ok(Exit::Good),
    }
}

/// Reads the sources; JSON and CSV are written on the way.
fn read(
    sources: &[Source],
    options: &Options,
    format: Format,
    groups: &mut Groups,
    out: &mut dyn Write,
) -> Result<Diagnosis, Failure> {
    let mut first = true;
    let mut written = Ok(());
    let diagnosis = diagnose::diagnose(sources, options, &mut |failure| {
        groups.push(&failure);
        // Once the output takes no more, what follows is only counted.
        if written.is_ok() {
            written = match format {
                Format::Json => report::json::failure(&failure, first, out),
                Format::Csv => report::csv::row(&failure, out),
                Format::Text | Format::Html | Format::Sarif => Ok(()),
            };
            first = false;
        }
    })?;
    written?;
    Ok(diagnosis)
}

impl Diagnose {
    fn options(&self) -> Options {
        let (pages, area_bytes) = match self.pages {
            Some(Size::Pages(pages)) => (Some(pages), None),
            Some(Size::Bytes(bytes)) => (None, Some(bytes)),
            None => (None, None),
        };
        let geometry = Geometry {
            base_pfn: self.base_pfn,
            pages,
            order_per_bit: self.order_per_bit,
            ranges: None,
        };
        Options { kernel: self.kernel.clone(), cap: self.cap, geometry, area_bytes }
    }

    /// The sources, and a bar for them. That each can be read is known then.
    fn open(&self, context: &Context) -> Result<(Vec<Source>, Progress), Failure> {
        if self.files.iter().filter(|path| is_standard(Some(path))).count() > 1 {
            return Err(Failure::because("read standard input twice; name it once"));
        }
        // A bar between the rows that are written meanwhile would be seen by nobody.
        let rows = matches!(context.format, Format::Json | Format::Csv) && self.out.is_none();
        let shown = context.progress && !(rows && io::stdout().is_terminal());
        let progress = Progress::new(&self.files, shown);
        let open = |path: &PathBuf| open(path).map(|source| source.counted(progress.counter()));
        let sources: Vec<_> = self.files.iter().map(open).collect::<Result<_, _>>()?;
        Ok((sources, progress))
    }
}

/// What is to be held against the text.
fn recommended(path: &Path) -> Result<Recommended, IngestError> {
    let name = path.display().to_string();
    let text = fs::read(path).map_err(|error| IngestError::of(&name, error))?;
    Recommended::from_json(&name, &String::from_utf8_lossy(&text))
}

fn open(path: &Path) -> Result<Source, IngestError> {
    if is_standard(Some(path)) {
        return Ok(Source::once("standard input", io::stdin()));
    }
    let there = path.metadata().map_err(|error| {
        let source = path.display().to_string();
        IngestError { source, line: 0, column: 0, why: error.to_string() }
    })?;
    if there.is_file() {
        let source = Source::file(path);
        // What cannot be read is said before anything is written.
        source.open()?;
        return Ok(source);
    }
    if there.is_dir() {
        return ingest::directory(path);
    }
    Source::open_file(path)
}
