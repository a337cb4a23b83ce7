//! `cmalab fit`: what a stream is made of, and streams like it.

mod show;

use std::path::{Path, PathBuf};

use clap::Args;
use cma_policies::Area;

use super::bar;
use super::context::{Context, Format};
use super::failure::{Exit, Failure};
use super::given::{Placed, Read, STANDARD_INPUT};
use super::size::{order, pages};
use super::yardstick;
use crate::ingest::{DEFAULT_CAP, StreamWriter, stated};
use crate::kernel::Kind;
use crate::op::Timed;
use crate::page::Page;
use crate::reader;
use crate::reproduce::{
    Beat, OneRun, Reproduction, STREAMS, forecast, predict_watched, reproduce_watched,
};
use crate::seed::Seed;
use crate::size::Size;
use crate::words::mib as mib_of;
use crate::workload::fit;
use show::Predicted;

/// Fits a model to a trace, a recording or a stream, and says how far streams drawn from it are
/// from the file.
///
/// Prints what is asked for by kind of client, size and order, with lifetimes; bursts; LOAD; and
/// the distances between the file and drawn streams of its length, from 0 (alike) to 1 (nothing in
/// common). The largest is the distance of the fit: what is in cells.csv where a plan has
/// `fit = "FILE"` in place of `file = "FILE"`. What chance alone makes of a distance is printed
/// beside it.
///
/// First it says whether it reproduces the file: the board of the file runs 79 drawn streams under
/// the kernel's policy, with clients who do after a refusal what those of the file did. Where the
/// file's rate of refusals is not in their range, what is predicted for other boards does not hold. A
/// stream does not say what was refused, so that is not known of one.
///
/// Other texts of the board named beside a trace, in any order, say what it does not, as for
/// `cmalab replay`: its kernel log the size of a page, where the area lies and what of it the boot
/// took, a folder of debugfs what was live. LOAD is without what was there before the trace.
///
/// A recording has no time: its lifetimes are in ops. Pins and the geometry of the area
/// (order_per_bit among it) are not fitted: they are not what clients ask for.
///
/// What any placement of its requests needs is LOAD, more with aligns, and more again since buffers do
/// not pack: how much is said as bounds that no policy can beat, beside what the kernel's first fit
/// needs. What lies between is all that another placement could save.
///
/// What it predicts for areas of other sizes, and at other caps, is a range for one run as long as
/// the file: wider by what one file can say, and, where the file is not in the range of the streams
/// on its own board, as far as the model missed it.
///
/// Examples:
///   cmalab fit trace.txt --area linux,cma
///   cmalab fit trace.txt dmesg.txt
///   cmalab fit trace.txt --area vpu_pool --predict 26,28 --predict-cap 8,4
///   cmalab fit recording.csv.gz --format json -o fit.json
///   cmalab fit trace.txt --draw like-it.csv --seed 7 --load-mib 200
#[derive(Args, Debug)]
#[command(verbatim_doc_comment)]
pub(super) struct Fit {
    /// A stream, a recording or a trace, and other texts of a trace's board; "-" is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Classes of requests that are shown as text, those with most pages first
    #[arg(long, value_name = "N", default_value_t = 20)]
    top: usize,
    #[command(flatten)]
    placed: Placed,
    #[command(flatten)]
    read: Read,
    /// Says how often requests will fail on an area of so many MiB, in place of that of the file;
    /// several with commas between
    #[arg(long, value_name = "MIB,…", value_delimiter = ',', value_parser = Size::in_mib)]
    predict: Vec<Size>,
    /// The same at these caps [default: that of the file]
    #[arg(
        long,
        value_name = "ORDER,…",
        value_delimiter = ',',
        value_parser = order
    )]
    predict_cap: Vec<u32>,
    /// Requests of the run that is predicted, at the pace of the file [default: as many as it has]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1 << 24))]
    predict_requests: Option<u64>,
    /// Writes a stream drawn from the fit to this file; "-" is standard output, without the report
    #[arg(long, value_name = "FILE")]
    draw: Option<PathBuf>,
    /// Seed of that stream
    #[arg(long, default_value_t = 1, requires = "draw")]
    seed: u64,
    /// Ops of that stream [default: as many as the file has]
    #[arg(long, value_name = "N", requires = "draw")]
    ops: Option<u64>,
    /// LOAD of that stream in pages, without what was there before: more or fewer sessions at once
    /// [default: the file's]
    #[arg(long, value_name = "PAGES", value_parser = Size::in_pages, requires = "draw",
        conflicts_with = "load_mib")]
    load_pages: Option<Size>,
    /// LOAD of that stream in MiB
    #[arg(long, value_name = "MIB", value_parser = Size::in_mib, requires = "draw")]
    load_mib: Option<Size>,
    /// Writes to this file
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Fit {
    /// Areas and caps that something is predicted for.
    const fn cells(&self) -> u64 {
        match (self.predict.len() as u64, self.predict_cap.len() as u64) {
            (areas, 0) => areas,
            (0, caps) => caps,
            (areas, caps) => areas * caps,
        }
    }
}

/// Fits, draws and prints.
///
/// # Errors
/// A file that cannot be read or asks for nothing; a LOAD that no stream of it has.
pub(super) fn run(args: &Fit, context: &Context) -> Result<Exit, Failure> {
    let (rows, options) = args.read.files(&args.files, &args.placed)?;
    let source = reader::only(rows)?;
    let fit = fit::Fit::read(&source, &options)?;
    // Text and JSON say what is left out themselves.
    let is_csv = context.format == Format::Csv;
    let left_out = if is_csv { fit.left_out.warnings() } else { Vec::new() };
    for warning in fit.warnings.iter().cloned().chain(left_out) {
        context.warn(&format!("{}: {warning}", source.name()));
    }
    if let Some(path) = &args.draw {
        draw(args, &fit, (source.name(), path), context)?;
    }
    let style = bar::style("{wide_bar} {percent} % of the streams, {eta} left");
    let bar = bar::bar(Some(STREAMS * (1 + args.cells())), style, context.progress);
    let beat = || bar.inc(1);
    let reproduction = reproduce_watched(&fit, &beat).map_err(|error| {
        Failure::because(format_args!("hold the fit against its file: {error}"))
    })?;
    let (name, reproduction) = (source.name(), reproduction.as_ref());
    let run =
        args.predict_requests.map_or_else(|| OneRun::of(&fit), |requests| OneRun { requests });
    let predictions = match reproduction {
        Some(_) if args.cells() == 0 => Vec::new(),
        Some(known) => {
            let kind = Kind { page: Some(fit.paged.page), ..reader::kind(&source, &options)? };
            let areas = areas(args, &known.area, kind, fit.paged.page, context)?;
            predictions(args, &fit, (known, run), &areas, &beat)?
        }
        None if args.cells() == 0 => Vec::new(),
        None => {
            return Err(Failure::because(
                "predict from a file that does not say which area it is of; state it with --base-pfn \
                 and --pages, or name a text beside the trace that does",
            ));
        }
    };
    bar.finish_and_clear();
    let yardstick = if is_csv { None } else { yardstick::of_file(&source, &options)? };
    let shown =
        show::Fitted { name, fit: &fit, top: args.top, reproduction, run, predictions, yardstick };
    context.show(args.out.as_deref(), &[args.draw.as_deref()], &shown)?;
    Ok(Exit::Good)
}

/// What is expected on each area and at each cap that is asked for.
fn predictions(
    args: &Fit,
    fit: &fit::Fit,
    (known, run): (&Reproduction, OneRun),
    areas: &[Area],
    beat: Beat<'_>,
) -> Result<Vec<Predicted>, Failure> {
    let caps = if args.predict_cap.is_empty() { vec![fit.cap] } else { args.predict_cap.clone() };
    let mut predictions = Vec::new();
    for area in areas {
        for cap in &caps {
            let there = predict_watched(fit, (area, *cap), run, beat).map_err(|error| {
                Failure::because(format_args!("predict for {} pages: {error}", area.pages()))
            })?;
            let expected = forecast(fit, run, &known.streams, &there);
            predictions.extend(expected.map(|expected| (area.pages(), *cap, expected)));
        }
    }
    Ok(predictions)
}

/// The areas that something is predicted for: those of the sizes that are asked for, as a kernel of
/// this kind makes them, else that of the file.
fn areas(
    args: &Fit,
    own: &Area,
    kind: Kind,
    page: Page,
    context: &Context,
) -> Result<Vec<Area>, Failure> {
    let mut areas = Vec::new();
    for size in &args.predict {
        let asked = pages("--predict", *size, page)?;
        // Where the area of the file is none that such a kernel makes, its kind is not known.
        let step = kind.step().map_or(1, |step| (step.bytes / page.bytes()).max(1));
        let step = if own.pages().is_multiple_of(step) { step } else { 1 };
        let made = asked.checked_next_multiple_of(step).unwrap_or(asked);
        if made != asked {
            context.warn(&format!(
                "no kernel makes an area of {}, whose size is a multiple of {}: {} is predicted, as \
                 cma={size} makes it; a node of the device tree is refused",
                mib_of(asked, page),
                mib_of(step, page),
                mib_of(made, page)
            ));
        }
        let area = Area::single(own.ranges()[0].pfn.0, made, own.order_per_bit())
            .map_err(|error| Failure::because(format_args!("predict for {size}: {error}")))?;
        if !areas.contains(&area) {
            areas.push(area);
        }
    }
    if areas.is_empty() {
        areas.push(own.clone());
    }
    Ok(areas)
}

/// Writes a drawn stream, before it what was live then: `before_pages`, which are no part of
/// `load_pages`.
fn draw(
    args: &Fit,
    fit: &fit::Fit,
    (name, path): (&str, &Path),
    context: &Context,
) -> Result<(), Failure> {
    let asked = [("--load-mib", args.load_mib), ("--load-pages", args.load_pages)];
    let asked = asked.into_iter().find_map(|(option, size)| Some((option, size?)));
    let asked = asked.map(|(option, size)| pages(option, size, fit.paged.page)).transpose()?;
    let load_pages = asked.unwrap_or(fit.load_pages());
    let ops = args.ops.unwrap_or(fit.ops());
    let made = fit
        .open(load_pages, &Seed::new(args.seed), ops)
        .map_err(|error| Failure::because(format_args!("draw the stream: {error}")))?;
    let mut pairs = vec![
        ("model", if name == STANDARD_INPUT { "-" } else { name }.to_string()),
        ("seed", args.seed.to_string()),
        ("load_pages", load_pages.to_string()),
    ];
    if fit.before_pages() > 0 {
        pairs.push(("before_pages", fit.before_pages().to_string()));
    }
    if fit.cap != DEFAULT_CAP {
        pairs.push(("cap", fit.cap.to_string()));
    }
    pairs.extend(fit.paged.pair());
    pairs.extend(fit.area.iter().flat_map(stated));
    context.output(Some(path), |out| {
        let names: Vec<_> = made.clients().iter().map(String::as_str).collect();
        let stream = StreamWriter::new(out, &pairs, &names, false)?;
        let before = fit.before().into_iter().map(|op| Timed { at_us: 0, op });
        Ok(stream.write_all(before.chain(made))?)
    })
}
