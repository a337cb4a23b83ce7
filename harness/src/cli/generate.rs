//! `cmalab generate`: a stream of a workload profile, or of several that run together.

pub(super) mod mix;

use std::path::PathBuf;

use clap::Args;
use cma_policies::{Area, Run};

use super::context::Context;
use super::failure::{Exit, Failure};
use super::size::{Ranges, page, pages};
use super::sweep::hours;
use crate::ingest::{self, DEFAULT_CAP, StreamWriter, quoted, stated, strange};
use crate::op::Timed;
use crate::page::Page;
use crate::seed::Seed;
use crate::size::Size;
use crate::sweep::{Length, MixOf};
use crate::words::near;
use crate::workload::mix::MIXES;
use crate::workload::{self, Setup, SetupError, Workload};

/// Pages of the area where neither the caller nor the profile says so: 1120 MiB, the i.MX note's.
const DEFAULT_PAGES: u64 = 286_720;
/// Ops where neither they nor the hours are stated.
const DEFAULT_OPS: u64 = 10_000;

/// Writes a stream of a workload profile or a mix for a seed: the same bytes for the same arguments.
///
/// A mix is what runs together on one board, as `mix = …` of a plan: the name of one that is built
/// in, its parts as they are in a plan, a file that ends in .toml with that key alone, or a plan.
///
/// Examples:
///   cmalab generate camera --seed 7 -o camera-7.csv
///   cmalab generate gpu --pages 256M --load 0.9 --ops 5000 | cmalab replay - --policy kernel
///   cmalab generate rpi-camera-encoder-gpu --pages 98304 --hours 1 -o together.csv
///   cmalab generate '[{ profile = "camera", load_mib = 120 }, { profile = "gpu", load_mib = 64 }]'
///   cmalab generate plan.toml --stream 2 --seed 7 -o mix-7.csv
#[derive(Args, Debug)]
#[command(verbatim_doc_comment)]
pub(super) struct Generate {
    /// A profile or a mix: see `cmalab list profiles` and `cmalab list mixes`; parts, or a .toml
    #[arg(value_name = "PROFILE|MIX|FILE")]
    what: String,
    /// The seed
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Pages of the area that it is meant for, or its size as 640M [default: the profile's own, else
    /// 286720]
    #[arg(long, value_name = "PAGES", value_parser = Size::in_pages)]
    pages: Option<Size>,
    /// KiB of a page: 4, 16 or 64 [default: 4; of a plan: as it states]
    #[arg(long, value_name = "KIB", value_parser = page)]
    page_kib: Option<Page>,
    /// Ranges of that area in the kernel's order, in place of --pages
    #[arg(long, value_name = "BASE:PAGES,…", value_parser = Ranges::parse, conflicts_with = "pages")]
    ranges: Option<Ranges>,
    /// LOAD of a profile as a share of the area [default: the profile's own]
    #[arg(long, value_name = "SHARE")]
    load: Option<f64>,
    /// Ops after which it ends [default: 10000]
    #[arg(long, value_name = "N", conflicts_with = "hours")]
    ops: Option<u64>,
    /// Hours of board time after which it ends, in place of ops
    #[arg(long, value_parser = hours)]
    hours: Option<f64>,
    /// The stream of a plan that is meant, from 1 on [default: its only mix]
    #[arg(long, value_name = "N")]
    stream: Option<usize>,
    /// Writes to this file
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// A stream, and what is written above it.
struct Made {
    ops: Workload,
    pairs: Vec<(&'static str, String)>,
    frees_parts: bool,
}

/// Writes it.
///
/// # Errors
/// A profile, a mix, a load or an area that there is no stream for.
pub(super) fn run(args: &Generate, context: &Context) -> Result<Exit, Failure> {
    if args.stream.is_some() && !mix::is_file(&args.what) {
        let why = "take --stream, which is for a plan in a file that ends in .toml";
        return Err(Failure::because(why));
    }
    let made = if mix::is_mix(&args.what) {
        let (mix, page) = mix::mix(&args.what, args.stream, args.page_kib, context)?;
        of_mix(args, (&mix, page), context)?
    } else {
        of_profile(args, context)?
    };
    context.output(args.out.as_deref(), |out| {
        let Made { mut ops, pairs, frees_parts } = made;
        let clients: Vec<_> = ops.clients().to_vec();
        let clients: Vec<_> = clients.iter().map(String::as_str).collect();
        let stream = StreamWriter::new(out, &pairs, &clients, frees_parts)?;
        let before = ops.before().to_vec().into_iter().map(|op| Timed { at_us: 0, op });
        let time_us = args.hours.and_then(Length::of_hours).and_then(Length::time_us);
        stream.write_all(before.chain(within(&mut ops, time_us)))?;
        ops.end().map_err(Failure::from)
    })?;
    Ok(Exit::Good)
}

/// The ops of so much board time from the first one on, as a sweep watches it.
fn within(ops: &mut Workload, time_us: Option<u64>) -> impl Iterator<Item = Timed> {
    let mut end_us = None;
    ops.take_while(move |timed| {
        let time_us = time_us.unwrap_or(u64::MAX);
        timed.at_us < *end_us.get_or_insert(timed.at_us.saturating_add(time_us))
    })
}

impl Generate {
    fn ops(&self) -> u64 {
        let unbounded = if self.hours.is_some() { u64::MAX } else { DEFAULT_OPS };
        self.ops.unwrap_or(unbounded)
    }
}

/// The area that is asked for, in pages of this size, else `one` with as many pages as are asked for.
/// What no area has is not worth a stream, and bounds what a profile may plan for.
fn area(args: &Generate, one: Run, page: Page, context: &Context) -> Result<Area, Failure> {
    let count = args.pages.map_or(Ok(one.count), |size| pages("--pages", size, page))?;
    let ranges = match &args.ranges {
        Some(ranges) => ranges.of(page)?,
        None => ingest::Ranges(vec![Run { count, ..one }]),
    };
    let area = Area::new("cma", 0, &ranges.0).map_err(|error| {
        let what = match ranges.0[..] {
            [Run { count, .. }] => format!("{count} pages"),
            _ => format!("the ranges {ranges}"),
        };
        Failure::because(format_args!("make a stream for an area of {what}: {error}"))
    })?;
    if let Some(warning) = strange(&area) {
        context.warn(&warning);
    }
    Ok(area)
}

fn of_profile(args: &Generate, context: &Context) -> Result<Made, Failure> {
    let make = |error| Failure::because(format_args!("make the stream: {error}"));
    let profile = workload::profile(&args.what).map_err(|error| match error {
        SetupError::NoProfile(name) => no_such(&name),
        error => make(error),
    })?;
    let load = args.load.unwrap_or(profile.default_load);
    let page = args.page_kib.unwrap_or_default();
    let area = area(args, profile.area.unwrap_or(Run::new(0, DEFAULT_PAGES)), page, context)?;
    let area_pages = area.pages();
    let setup = Setup { area_pages, load, seed: Seed::new(args.seed), ops: args.ops() };
    let ops = profile.open_in(&setup, page).map_err(make)?;
    let mut pairs = vec![
        ("profile", profile.name.to_string()),
        ("seed", args.seed.to_string()),
        ("load", load.to_string()),
    ];
    pairs.extend(args.page_kib.map(stated_page));
    pairs.extend(stated(&area));
    Ok(Made { ops, pairs, frees_parts: false })
}

/// That neither a profile nor a mix has this name.
fn no_such(name: &str) -> Failure {
    let profiles: Vec<_> = workload::PROFILES.iter().map(|profile| profile.name).collect();
    let mixes: Vec<_> = MIXES.iter().map(|mix| mix.name).collect();
    let near = near(name, profiles.iter().chain(&mixes).copied());
    let (name, profiles, mixes) = (quoted(name), profiles.join(", "), mixes.join(", "));
    Failure::because(format_args!(
        "make the stream: no profile is named {name}; there are {profiles}; no mix is named {name} \
         either; there are {mixes}{near}"
    ))
}

/// What the header says of the size of a page.
fn stated_page(page: Page) -> (&'static str, String) {
    ("page_kib", page.kib().to_string())
}

/// `page` is the size of a page, where it is stated.
fn of_mix(
    args: &Generate,
    (mix, page): (&MixOf, Option<Page>),
    context: &Context,
) -> Result<Made, Failure> {
    if args.load.is_some() {
        let why = "take --load for a mix: each of its parts states its own load_mib";
        return Err(Failure::because(why));
    }
    let one = Run::new(0, DEFAULT_PAGES);
    let area = area(args, one, page.unwrap_or_default(), context)?;
    let made = mix.read().map_err(Failure::because)?;
    for warning in mix.warnings(&made) {
        context.warn(&warning);
    }
    let ops = made.open(&Seed::new(args.seed), args.ops());
    let ops = ops.map_err(|error| Failure::because(format_args!("make the stream: {error}")))?;
    let mut pairs = vec![
        ("mix", mix.name.clone()),
        ("seed", args.seed.to_string()),
        ("load_pages", made.load_pages().to_string()),
    ];
    pairs.extend(made.cap().filter(|cap| *cap != DEFAULT_CAP).map(|cap| ("cap", cap.to_string())));
    pairs.extend(page.map(stated_page));
    pairs.extend(stated(&area));
    Ok(Made { ops, pairs, frees_parts: made.frees_parts() })
}
