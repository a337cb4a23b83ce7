//! `cmalab replay`: files of ops under policies.

mod compare;
mod show;

use std::io;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use cma_policies::Spec;

use super::context::{Context, Format};
use super::failure::{Exit, Failure};
use crate::environment;
use crate::ingest::{self, Geometry, Header, Options, Source};
use crate::kernel::{KERNELS, Kernel};
use crate::replay::{self, Recorder, Replayed, Survey, Under};
use crate::seed::Seed;
use crate::simulate::Observer;

/// Runs streams or recordings under one or more policies and caps.
///
/// Prints for each what was refused and why, and the first failure with its arithmetic. Reads .gz
/// and .zst as they are, and "-" as standard input.
///
/// Examples:
///   cmalab replay trace.csv.gz --policy kernel --policy best-fit --cap 8 --cap 4
///   cmalab replay stream.csv --pages 286720 --format csv -o out.csv
///   cmalab replay recording.csv.gz --policy kernel --expect recorded
///   cmalab replay stream.csv --pages 65536 --record new.csv
#[derive(Args, Debug)]
#[command(verbatim_doc_comment)]
pub(super) struct Replay {
    /// Streams or recordings; "-" is standard input
    #[arg(required = true, value_name = "STREAM")]
    streams: Vec<PathBuf>,
    /// A policy, as `name` or `name:key=value,…`; may stand several times [default: kernel]
    #[arg(long, value_name = "POLICY")]
    policy: Vec<String>,
    /// CONFIG_CMA_ALIGNMENT that dma rows follow; may stand several times [default: as recorded]
    #[arg(long, value_name = "ORDER", value_parser = clap::value_parser!(u32).range(0..=63))]
    cap: Vec<u32>,
    /// Pages of the area, in place of what the file states
    #[arg(long)]
    pages: Option<u64>,
    /// First page of the area, in place of what the file states [default: 0]
    #[arg(long, value_name = "PFN")]
    base_pfn: Option<u64>,
    /// Order of one bitmap bit, in place of what the file states [default: 0]
    #[arg(long, value_name = "ORDER", value_parser = clap::value_parser!(u32).range(0..=63))]
    order_per_bit: Option<u32>,
    /// What the pages do: see `cmalab list environments`
    #[arg(long, value_name = "ENVIRONMENT", default_value = "pinned")]
    environment: String,
    /// Compares every recorded answer with what comes out here; exit status 1 if one differs
    #[arg(long, value_enum, value_name = "WHAT", conflicts_with = "cap")]
    expect: Option<Expect>,
    /// Cap that a recording was made with, where it does not state it [default: 8]
    #[arg(long, value_name = "ORDER", value_parser = clap::value_parser!(u32).range(0..=63))]
    recorded_cap: Option<u32>,
    /// Kernel whose errno is printed, by release or `android` [default: as recorded, else 6.12]
    #[arg(long, value_name = "RELEASE")]
    kernel: Option<String>,
    /// Seed of the environment
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Writes what came out as a recording to this file: of one stream, policy and cap
    #[arg(long, value_name = "FILE", conflicts_with = "expect")]
    record: Option<PathBuf>,
    /// Writes to this file
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
enum Expect {
    /// Result, retries, free, maxrun, pins, and the bitmaps beside the recording.
    Recorded,
}

/// The kernel whose errno is printed where neither the file nor the caller names one.
const DEFAULT_KERNEL: &str = "6.12";

/// A file and what it was found to hold.
struct File {
    source: Source,
    is_recording: bool,
    area: Option<cma_policies::Area>,
    kernel: &'static Kernel,
    survey: Survey,
}

/// A run of a file.
struct Run {
    policy: String,
    cap: u32,
    replayed: Replayed,
}

/// Runs it.
///
/// # Errors
/// A file, a name or a number that is wrong, before anything is written.
pub(super) fn run(args: &Replay, context: &Context) -> Result<Exit, Failure> {
    let environment = environment::Spec::parse(&args.environment)?;
    let named = args.policy.iter().map(|text| context.catalog.parse(text));
    let named: Vec<Spec> = named.collect::<Result<_, _>>()?;
    if args.record.is_some() && (args.streams.len() > 1 || named.len() > 1 || args.cap.len() > 1) {
        return Err(Failure::because("write one recording of several runs; name one of each"));
    }
    let seed = Seed::new(args.seed);
    let options = args.options();
    let files: Vec<_> = args
        .streams
        .iter()
        .map(|path| args.open(path, &options, &environment, context))
        .collect::<Result<_, _>>()?;
    let mut compared = Vec::new();
    let mut measured = Vec::new();
    for file in &files {
        let default = context.catalog.parse(file.kernel.policy)?;
        let policies = if named.is_empty() { std::slice::from_ref(&default) } else { &named };
        let fixed = Under {
            policy: &default,
            environment: &environment,
            seed: &seed,
            kernel: file.kernel,
            cap: file.survey.cap,
        };
        if args.expect == Some(Expect::Recorded) {
            let beside = file.source.path().and_then(ingest::sidecar);
            let bitmaps = beside.map(|path| Source::file(&path));
            for policy in policies {
                let cap = file.survey.cap;
                let under = Under { policy, cap, ..fixed };
                let found = replay::expect(&file.source, &options, bitmaps.as_ref(), &under)?;
                compared.push((file, policy.to_string(), found));
            }
            continue;
        }
        let caps = if args.cap.is_empty() { vec![file.survey.cap] } else { args.cap.clone() };
        let mut runs = Vec::new();
        for (policy, cap) in policies.iter().flat_map(|p| caps.iter().map(move |cap| (p, *cap))) {
            let under = Under { policy, cap, ..fixed };
            let replayed = args.replay(file, &options, &under, context)?;
            runs.push(Run { policy: policy.to_string(), cap, replayed });
        }
        measured.push((file, runs));
    }
    context.output(args.out.as_deref(), |out| match (args.expect, context.format) {
        (Some(_), format) => Ok(compare::write(&compared, format, out)?),
        (None, Format::Text) => Ok(show::text(&measured, out)?),
        (None, Format::Json) => Ok(show::json(&measured, &environment.to_string(), out)?),
        (None, Format::Csv) => Ok(show::csv(&measured, &environment.to_string(), out)?),
    })?;
    let bad = compared.iter().any(|(_, _, found)| found.mismatches > 0);
    Ok(if bad { Exit::Bad } else { Exit::Good })
}

impl Replay {
    fn replay(
        &self,
        file: &File,
        options: &Options,
        under: &Under<'_>,
        context: &Context,
    ) -> Result<Replayed, Failure> {
        let Some(path) = &self.record else {
            return Ok(replay::run(&file.source, options, &file.survey, under, &mut [])?);
        };
        let mut replayed = None;
        context.output(Some(path), |out| {
            let mut recorder = Recorder::new(under, out);
            let observers: &mut [&mut dyn Observer] = &mut [&mut recorder];
            let run = replay::run(&file.source, options, &file.survey, under, observers)?;
            replayed = Some(run);
            Ok(recorder.end()?)
        })?;
        Ok(replayed.expect("it was run"))
    }

    fn options(&self) -> Options {
        Options {
            recorded_cap: self.recorded_cap,
            geometry: Geometry {
                base_pfn: self.base_pfn,
                pages: self.pages,
                order_per_bit: self.order_per_bit,
            },
        }
    }

    fn open(
        &self,
        path: &Path,
        options: &Options,
        environment: &environment::Spec,
        context: &Context,
    ) -> Result<File, Failure> {
        let source = if path == Path::new("-") {
            Source::buffer("standard input", io::stdin().lock())?
        } else {
            Source::open_file(path)?
        };
        let survey = replay::survey(&source, options, environment)?;
        let reader = ingest::open(&source, options)?;
        for warning in &survey.warnings {
            context.warn(&format!("{}: {warning}", source.name()));
        }
        let kernel = self.kernel(reader.header(), source.name(), context)?;
        let (is_recording, area) = (reader.is_recording(), reader.area().cloned());
        Ok(File { source, is_recording, area, kernel, survey })
    }

    fn kernel(
        &self,
        header: &Header,
        file: &str,
        context: &Context,
    ) -> Result<&'static Kernel, Failure> {
        if let Some(name) = &self.kernel {
            let rows: Vec<_> = KERNELS.iter().map(|kernel| kernel.name).collect();
            let rows = rows.join(", ");
            return Kernel::find(name).ok_or_else(|| {
                Failure::because(format_args!(
                    "find kernel {}; a release from 4.11 on is allowed, or one of {rows}",
                    ingest::quoted(name)
                ))
            });
        }
        let recorded = header.get("kernel").unwrap_or(DEFAULT_KERNEL);
        if let Some(kernel) = Kernel::find(recorded) {
            return Ok(kernel);
        }
        let name = ingest::quoted(recorded);
        context.warn(&format!("{file}: kernel {name} is not known; taken as {DEFAULT_KERNEL}"));
        Ok(Kernel::find(DEFAULT_KERNEL).expect("a row of the table"))
    }
}
