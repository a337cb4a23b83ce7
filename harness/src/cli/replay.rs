//! `cmalab replay`: files of ops under policies.

mod compare;
mod show;

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use cma_policies::Spec;

use super::context::{Context, Format, Show, is_standard};
use super::failure::{Exit, Failure};
use super::given::{self, Given, Setup};
use super::policies::policies;
use super::size::order;
use super::view::{self, Wish};
use crate::environment;
use crate::ingest::{self, Source};
use crate::reader::{self, Options};
use crate::replay::{self, Comparison, Recorder, Replayed, Survey, Under};
use crate::simulate::Observer;
use crate::words;

/// Runs streams, recordings or traces under one or more policies and caps.
///
/// Prints for each what was refused and why, and the first failure with its arithmetic. Reads .gz
/// and .zst as they are, and "-" as standard input.
///
/// A trace is the text of the cma events of ftrace, trace-cmd or perf, alone or with other output of
/// the board. How many of its calls the kernel's policy answers as the kernel did is printed. Where
/// the area lies is taken from debugfs files in the text or of --snapshot, else from the pages seen;
/// what was live before is put in place first, by each policy in its own way: what a bitmap or a
/// list of that time shows, else the pools that the boot made, the count of the area, and what the
/// calls show by where they went. Other texts of the board named beside a trace (its kernel log, a
/// folder of debugfs) say what it does not.
///
/// Examples:
///   cmalab replay trace.csv.gz --policy kernel,best-fit --cap 8,4
///   cmalab replay stream.csv --pages 1120M --format csv -o out.csv
///   cmalab replay recording.csv.gz --policy kernel --expect recorded
///   cmalab replay stream.csv --pages 65536 --record new.csv
///   cmalab replay stream.csv --ranges 0x12fe00:76800,0x110200:102400 --kernel 7.3
///   cmalab replay trace.txt --policy kernel,buddy:trim=false,max_order=9 --cap 8 --cap 4
///   cmalab replay dmesg.txt trace.txt
///   cmalab replay trace.txt --area linux,cma --snapshot cma/linux,cma --expect recorded
///   cmalab replay trace.txt --to-stream stream.csv
///   cmalab replay trace.txt --format html -o view.html   # as `cmalab view` shows it
#[derive(Args, Debug)]
#[command(verbatim_doc_comment)]
pub(super) struct Replay {
    /// Streams, recordings or traces, and other texts of a trace's board; "-" is standard input
    #[arg(required = true, value_name = "STREAM")]
    streams: Vec<PathBuf>,
    /// Policies, as `name` or `name:key=value,…`, with commas between; may be given several times
    /// [default: the file's, else its kernel's]
    #[arg(long, value_name = "POLICY,…")]
    policy: Vec<String>,
    /// CONFIG_CMA_ALIGNMENT that dma rows follow; several with commas between, or given several times
    /// [default: as recorded]
    #[arg(long, value_name = "ORDER,…", value_delimiter = ',', value_parser = order)]
    cap: Vec<u32>,
    #[command(flatten)]
    given: Given,
    /// Compares every recorded answer with what comes out here; exit status 1 if one differs
    #[arg(long, value_enum, value_name = "WHAT", conflicts_with = "cap")]
    expect: Option<Expect>,
    /// Writes what came out as a recording to this file: of one stream, policy and cap
    #[arg(long, value_name = "FILE", conflicts_with = "expect")]
    record: Option<PathBuf>,
    /// Writes the ops of one file as a stream to this file
    #[arg(long, value_name = "FILE")]
    to_stream: Option<PathBuf>,
    /// Writes to this file
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
enum Expect {
    /// Result, retries, free, maxrun, pins, and the bitmaps beside the recording.
    Recorded,
}

/// A file and what it was found to hold.
struct File {
    /// Its policy is what it is run under where the caller names none.
    setup: Setup,
    source: Source,
    area: Option<cma_policies::Area>,
    survey: Survey,
    /// How the kernel's policy answers the calls of a trace.
    checked: Option<Comparison>,
}

impl File {
    /// Whether it says what a real kernel answered.
    fn is_recorded(&self) -> bool {
        self.setup.format != "stream"
    }

    /// What a driver does to its area that gives back a part of a bit.
    fn parts(&self) -> Option<String> {
        let cut = self.survey.cut_bits;
        let granule = self.area.as_ref().map_or(1, cma_policies::Area::granule);
        (cut > 0).then(|| {
            format!(
                "{} of a part of a buffer cut a bit of {}: the kernel clears all of it while pages \
                 of the buffer are live there, so later claims over them are busy, and clears it \
                 again with the rest, when it may be another buffer's",
                words::counted(cut, "release"),
                words::pages(granule)
            )
        })
    }

    /// What is strange about it.
    fn warnings(&self) -> Vec<String> {
        self.survey.warnings.iter().cloned().chain(self.parts()).collect()
    }
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
    if context.format == Format::Html {
        return args.page(context);
    }
    args.given.named_environment()?;
    let named = policies(&args.policy, &context.catalog)?;
    if [&args.to_stream, &args.record].iter().all(|path| is_standard(path.as_deref())) {
        return Err(Failure::because("write two results to standard output; name a file for one"));
    }
    let (sources, options) = args.given.files(&args.streams)?;
    if args.record.is_some() && (sources.len() > 1 || named.len() > 1 || args.cap.len() > 1) {
        return Err(Failure::because("write one recording of several runs; name one of each"));
    }
    if args.to_stream.is_some() && sources.len() > 1 {
        return Err(Failure::because("write one stream of several files; name one of them"));
    }
    let mut files: Vec<_> = sources
        .into_iter()
        .map(|source| args.open(source, &options, named.first(), context))
        .collect::<Result<_, _>>()?;
    for file in files.iter_mut().filter(|file| file.setup.format == "trace") {
        if args.expect.is_none() {
            file.checked = Some(check(file, &options, context)?);
        }
    }
    if let (Some(path), Some(file)) = (&args.to_stream, files.first()) {
        context.output(Some(path), |out| {
            Ok(replay::to_stream(&file.source, &options, file.setup.kernel.name, out)?)
        })?;
    }
    let mut compared = Vec::new();
    let mut measured = Vec::new();
    for file in &files {
        let policies =
            if named.is_empty() { std::slice::from_ref(&file.setup.policy) } else { &named };
        if args.expect == Some(Expect::Recorded) {
            let beside = file.source.path().and_then(ingest::sidecar);
            let bitmaps = beside.map(|path| Source::file(&path));
            for policy in policies {
                let under = Under { policy, ..file.setup.under() };
                let found =
                    replay::expect(&file.source, &options, &file.survey, bitmaps.as_ref(), &under)?;
                compared.push((file, policy.to_string(), found));
            }
            continue;
        }
        let caps = if args.cap.is_empty() { vec![file.setup.cap] } else { args.cap.clone() };
        let mut runs = Vec::new();
        for (policy, cap) in policies.iter().flat_map(|p| caps.iter().map(move |cap| (p, *cap))) {
            let under = Under { policy, cap, ..file.setup.under() };
            let replayed = args.replay(file, &options, &under, context)?;
            runs.push(Run { policy: policy.to_string(), cap, replayed });
        }
        measured.push((file, runs));
    }
    let results = [args.to_stream.as_deref(), args.record.as_deref()];
    let report: &dyn Show = if args.expect.is_some() { &compared } else { &measured };
    let shown = context.show(args.out.as_deref(), &results, report)?;
    let bad = compared.iter().any(|(_, _, found)| found.mismatches > 0);
    if bad && !shown {
        context.warn("there are mismatches; -o FILE has them");
    }
    Ok(if bad { Exit::Bad } else { Exit::Good })
}

/// How the policy of its kernel answers the calls of a trace, with claims that end as traced.
fn check(file: &File, options: &Options, context: &Context) -> Result<Comparison, Failure> {
    let environment = &environment::Spec::parse(given::TRACE_ENVIRONMENT)?;
    let policy = &context.catalog.parse(file.setup.kernel.policy)?;
    let under = Under { policy, environment, ..file.setup.under() };
    let survey = if file.setup.environment.entry().reads_script {
        &file.survey
    } else {
        &replay::survey(&file.source, options, environment)?
    };
    Ok(replay::expect(&file.source, options, survey, None, &under)?)
}

impl Replay {
    /// The same as `view` shows it.
    fn page(&self, context: &Context) -> Result<Exit, Failure> {
        let others = [
            ("--expect", self.expect.is_some()),
            ("--record", self.record.is_some()),
            ("--to-stream", self.to_stream.is_some()),
        ];
        if let Some((option, _)) = others.into_iter().find(|(_, is_given)| *is_given) {
            return Err(Failure::because(format_args!(
                "write html beside {option}; run it once for each"
            )));
        }
        let wish = Wish {
            streams: &self.streams,
            policies: &self.policy,
            caps: &self.cap,
            given: &self.given,
            is_case: false,
        };
        view::page(&wish, self.out.as_deref(), context)?;
        Ok(Exit::Good)
    }

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
            let mut recorder = Recorder::new(under, out).with_pages(file.survey.paged);
            let observers: &mut [&mut dyn Observer] = &mut [&mut recorder];
            let run = replay::run(&file.source, options, &file.survey, under, observers)?;
            replayed = Some(run);
            Ok(recorder.end()?)
        })?;
        Ok(replayed.expect("it was run"))
    }

    fn open(
        &self,
        source: Source,
        options: &Options,
        named: Option<&Spec>,
        context: &Context,
    ) -> Result<File, Failure> {
        let reader = reader::open(&source, options)?;
        let (setup, survey) = self.given.open((&source, options), &reader, named, context)?;
        Ok(File { setup, area: reader.area().cloned(), source, survey, checked: None })
    }
}
