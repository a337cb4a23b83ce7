//! `cmalab generate`: a stream of a workload profile.

use std::path::PathBuf;

use clap::Args;

use super::context::{Context, Format};
use super::failure::{Exit, Failure};
use crate::ingest::{StreamWriter, Unwritable};
use crate::seed::Seed;
use crate::workload::{self, Setup};

/// Pages of the area where neither the caller nor the profile says so: 1120 MiB, the i.MX note's.
const DEFAULT_PAGES: u64 = 286_720;

/// Writes a stream of a workload profile for a seed: the same bytes for the same arguments.
///
/// Examples:
///   cmalab generate camera --seed 7 -o camera-7.csv
///   cmalab generate gpu --pages 65536 --load 0.9 --ops 5000 | cmalab replay - --policy kernel
#[derive(Args, Debug)]
#[command(verbatim_doc_comment)]
pub(super) struct Generate {
    /// A profile: see `cmalab list profiles`
    profile: String,
    /// The seed
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Pages of the area that it is meant for [default: the profile's own, else 286720]
    #[arg(long)]
    pages: Option<u64>,
    /// LOAD as a share of the area [default: the profile's own]
    #[arg(long)]
    load: Option<f64>,
    /// Ops after which it ends
    #[arg(long, default_value_t = 10_000)]
    ops: u64,
    /// Writes to this file
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Writes it.
///
/// # Errors
/// A profile, load or area that there is no stream for.
pub(super) fn run(args: &Generate, context: &Context) -> Result<Exit, Failure> {
    if context.format == Format::Json {
        return Err(Failure::because("write a stream as json; a stream is CSV"));
    }
    let make = |error| Failure::because(format_args!("make the stream: {error}"));
    let profile = workload::profile(&args.profile).map_err(make)?;
    let area_pages = args.pages.or(profile.area.map(|area| area.count)).unwrap_or(DEFAULT_PAGES);
    let base_pfn = profile.area.map_or(0, |area| area.pfn.0);
    let load = args.load.unwrap_or(profile.default_load);
    // What no area has is not worth a stream, and bounds what a profile may plan for.
    cma_policies::Area::single(base_pfn, area_pages, 0).map_err(|error| {
        Failure::because(format_args!("make a stream for an area of {area_pages} pages: {error}"))
    })?;
    let setup = Setup { area_pages, load, seed: Seed::new(args.seed), ops: args.ops };
    let ops = profile.open(&setup).map_err(make)?;
    let pairs = [
        ("profile", profile.name.to_string()),
        ("seed", args.seed.to_string()),
        ("load", load.to_string()),
        ("base_pfn", base_pfn.to_string()),
        ("pages", area_pages.to_string()),
        ("order_per_bit", "0".to_string()),
    ];
    context.output(args.out.as_deref(), |out| {
        let write = |error: Unwritable| match error {
            Unwritable::Io(error) => Failure::from(error),
            Unwritable::NotInAStream(_) => Failure::because(format_args!("write: {error}")),
        };
        let clients: Vec<_> = ops.clients().iter().map(String::as_str).collect();
        let mut stream = StreamWriter::new(out, &pairs, &clients, false).map_err(write)?;
        ops.into_iter().try_for_each(|op| stream.write(op)).map_err(write)
    })?;
    Ok(Exit::Good)
}
