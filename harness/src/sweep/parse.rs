//! A plan out of TOML, with the place of whatever is wrong.

mod board;
mod length;
mod mix;
mod stop;

use std::fmt;
use std::ops::Range;

use cma_policies::{Catalog, Spec};
use serde::Deserialize;
use toml::Spanned;

use super::builtin::recordings;
use super::mix::MixOf;
use super::plan::{Load, MOST_CELLS, Plan, Stream, What};
use crate::after_failure::AfterFailure;
use crate::environment;
use crate::ingest::{DEFAULT_CAP, quoted};
use crate::words::PAGES_IN_MIB;
use crate::workload::{self, Setup};

/// Why a text is no plan: where, what is wrong there, and what is allowed. It reads on from
/// "failed to …".
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PlanError {
    /// The file, as it was named.
    pub source: String,
    /// The line, from 1 on.
    pub line: usize,
    /// The character of the line, from 1 on.
    pub column: usize,
    /// What is wrong, and what is allowed.
    pub why: String,
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { source, line, column, why } = self;
        write!(f, "read plan {source} line {line}, column {column}: {why}")
    }
}

impl std::error::Error for PlanError {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPlan {
    name: Spanned<String>,
    seed: Option<Spanned<i64>>,
    seeds: Option<Spanned<i64>>,
    stop: Option<Spanned<stop::RawStop>>,
    target: Option<Spanned<String>>,
    until: Option<Spanned<String>>,
    policies: Option<Spanned<Vec<Spanned<String>>>>,
    caps: Option<Spanned<Vec<Spanned<i64>>>>,
    environments: Option<Spanned<Vec<Spanned<String>>>>,
    after_failure: Option<Spanned<String>>,
    #[serde(default)]
    boards: Vec<Spanned<board::RawBoard>>,
    streams: Spanned<Vec<Spanned<RawStream>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawStream {
    profile: Option<Spanned<String>>,
    file: Option<Spanned<String>>,
    fit: Option<Spanned<String>>,
    recorded: Option<Spanned<String>>,
    mix: Option<Spanned<mix::RawMix>>,
    loads: Option<Spanned<Vec<Spanned<f64>>>>,
    loads_mib: Option<Spanned<Vec<Spanned<i64>>>>,
    ops: Option<Spanned<i64>>,
    hours: Option<Spanned<f64>>,
    days: Option<Spanned<f64>>,
    own_area: Option<bool>,
    recorded_cap: Option<Spanned<i64>>,
    area: Option<Spanned<String>>,
    snapshot: Option<Spanned<String>>,
}

/// The most entries of a list of a plan.
const MOST_ENTRIES: usize = 10_000;

/// What is wrong, and at which bytes.
type Wrong = (Range<usize>, String);

/// The plan that `text`, called `source` in messages, describes; policies are those of `catalog`.
/// Whether files can be read and areas hold the streams is [`prepare`](super::prepare)'s to say.
///
/// # Errors
/// No TOML, an unknown or missing key, a value that is not allowed.
pub fn parse(source: &str, text: &str, catalog: &Catalog) -> Result<Plan, PlanError> {
    let locate = |wrong: Wrong| place(source, text, wrong);
    let raw: RawPlan = toml::from_str(text)
        .map_err(|error| locate((error.span().unwrap_or(0..0), error.message().to_string())))?;
    let starts = raw.streams.get_ref().iter();
    let starts: Vec<_> =
        starts.map(|raw| (raw.span().start, mix::starts(raw.get_ref().mix.as_ref()))).collect();
    let mut plan = build(raw, catalog).map_err(locate)?;
    for (stream, (start, parts)) in plan.streams.iter_mut().zip(starts) {
        stream.line = line_of(text, start);
        if let What::Mix(mix) = &mut stream.what {
            mix.place(parts.into_iter().map(|start| locate((start..start, String::new()))));
        }
    }
    Ok(plan)
}

/// The mix that `text`, called `source` in messages, describes by its one key.
///
/// # Errors
/// As [`parse`].
pub fn parse_mix(source: &str, text: &str) -> Result<MixOf, PlanError> {
    mix_behind(0, source, text)
}

/// The mix that `value` is, as it stands behind `mix = `.
///
/// # Errors
/// As [`parse`].
pub fn parse_mix_value(source: &str, value: &str) -> Result<MixOf, PlanError> {
    const KEY: &str = "mix = ";
    mix_behind(KEY.len(), source, &format!("{KEY}{value}"))
}

/// The mix of a text whose first line has so many bytes in front that nobody wrote.
fn mix_behind(before: usize, source: &str, text: &str) -> Result<MixOf, PlanError> {
    let locate = |wrong: Wrong| {
        let PlanError { source, line, column, why } = place(source, text, wrong);
        let before = if line == 1 { before } else { 0 };
        PlanError { source, line, column: column.saturating_sub(before).max(1), why }
    };
    let raw: mix::RawMixFile = toml::from_str(text)
        .map_err(|error| locate((error.span().unwrap_or(0..0), error.message().to_string())))?;
    let mut mix = mix::mix(&raw.mix).map_err(locate)?;
    let starts = mix::starts(Some(&raw.mix)).into_iter();
    mix.place(starts.map(|start| locate((start..start, String::new()))));
    Ok(mix)
}

/// What is wrong in `text`, and where.
fn place(source: &str, text: &str, (span, why): Wrong) -> PlanError {
    let before = &text[..text.floor_char_boundary(span.start)];
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    PlanError {
        source: source.to_string(),
        line: line_of(text, span.start),
        column: before[line_start..].chars().count() + 1,
        why,
    }
}

/// The line of the text that this byte is in, from 1 on.
fn line_of(text: &str, byte: usize) -> usize {
    text[..text.floor_char_boundary(byte)].matches('\n').count() + 1
}

fn build(raw: RawPlan, catalog: &Catalog) -> Result<Plan, Wrong> {
    let everything = || Spanned::new(0..0, vec![Spanned::new(0..0, "all".to_string())]);
    let cap = || Spanned::new(0..0, vec![Spanned::new(0..0, i64::from(DEFAULT_CAP))]);
    let pinned = || Spanned::new(0..0, vec![Spanned::new(0..0, "pinned".to_string())]);
    let after_failure = raw.after_failure.map_or(Ok(AfterFailure::Drop), |text| {
        AfterFailure::parse(text.get_ref()).map_err(|error| (text.span(), error.why))
    })?;
    let ends = stop::Ends {
        stop: raw.stop.as_ref(),
        target: raw.target.as_ref(),
        until: raw.until.as_ref(),
    };
    let (stop, target, until_first_failure) = ends.build()?;
    let span = raw.streams.span();
    let board_spans: Vec<_> = raw.boards.iter().map(|raw| raw.get_ref().name.span()).collect();
    let plan = Plan {
        name: name(raw.name, "name")?,
        seed: raw.seed.map_or(Ok(1), |seed| number(&seed, "seed", 0, i64::MAX))?,
        seeds: raw.seeds.map_or(Ok(1), |seeds| number(&seeds, "seeds", 1, 1_000_000))?,
        stop,
        target,
        until_first_failure,
        policies: policies(raw.policies.unwrap_or_else(everything), catalog)?,
        caps: list(raw.caps.unwrap_or_else(cap), "caps", |cap| {
            Ok(number(cap, "cap", 0, 63)? as u32)
        })?,
        environments: list(raw.environments.unwrap_or_else(pinned), "environments", |text| {
            environment::Spec::parse(text.get_ref()).map_err(|error| (text.span(), error.why))
        })?,
        after_failure,
        boards: raw
            .boards
            .into_iter()
            .map(|raw| board::board(raw, catalog))
            .collect::<Result<_, _>>()?,
        streams: list(raw.streams, "streams", stream)?,
    };
    let mut names = std::collections::BTreeSet::new();
    for (board, span) in plan.boards.iter().zip(board_spans) {
        if !names.insert(&board.name) {
            let why =
                format!("a second board is named {}; give it another name", quoted(&board.name));
            return Err((span, why));
        }
    }
    if plan.cell_count().is_none() {
        return Err((span, format!("more than {MOST_CELLS} cells; take fewer seeds or streams")));
    }
    Ok(plan)
}

/// A list with at least one entry, no two of which print the same.
fn list<T, U: fmt::Debug>(
    raw: Spanned<Vec<Spanned<T>>>,
    key: &str,
    entry: impl Fn(&Spanned<T>) -> Result<U, Wrong>,
) -> Result<Vec<U>, Wrong> {
    let span = raw.span();
    let mut built: Vec<U> = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    for raw in raw.into_inner() {
        let one = entry(&raw)?;
        if !seen.insert(format!("{one:?}")) {
            return Err((raw.span(), format!("this stands twice in {key}")));
        }
        if built.len() == MOST_ENTRIES {
            return Err((raw.span(), format!("more than {MOST_ENTRIES} entries of {key}")));
        }
        built.push(one);
    }
    if built.is_empty() {
        return Err((span, format!("{key} is empty; at least one is needed")));
    }
    Ok(built)
}

fn policies(raw: Spanned<Vec<Spanned<String>>>, catalog: &Catalog) -> Result<Vec<Spec>, Wrong> {
    let span = raw.span();
    let mut names = Vec::new();
    for text in raw.into_inner() {
        if text.get_ref() == "all" {
            let entries = catalog.entries().iter();
            names.extend(entries.map(|entry| Spanned::new(text.span(), entry.name.to_string())));
        } else {
            names.push(text);
        }
    }
    list(Spanned::new(span, names), "policies", |text| {
        catalog.parse(text.get_ref()).map_err(|error| (text.span(), error.why))
    })
}

fn number(raw: &Spanned<i64>, key: &str, least: i64, most: i64) -> Result<u64, Wrong> {
    let value = *raw.get_ref();
    if (least..=most).contains(&value) {
        Ok(value.unsigned_abs())
    } else {
        let why = format!("{key} is {value}; a whole number from {least} to {most} is allowed");
        Err((raw.span(), why))
    }
}

/// A path that stands in one line of a table.
fn one_line(path: &Spanned<String>) -> Result<String, Wrong> {
    if path.get_ref().chars().any(char::is_control) {
        let why =
            format!("file is {}; a path without line ends is allowed", quoted(path.get_ref()));
        return Err((path.span(), why));
    }
    Ok(path.get_ref().clone())
}

/// A word that can name a folder and a field of a table.
fn name(raw: Spanned<String>, key: &str) -> Result<String, Wrong> {
    let good = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let text = raw.get_ref();
    if text.is_empty() || text.len() > 64 || text.starts_with('.') || !text.chars().all(good) {
        let why = format!(
            "{key} is {}; it takes 1 to 64 letters, digits, '-', '_' and '.', and does not begin \
             with '.'",
            quoted(text)
        );
        return Err((raw.span(), why));
    }
    Ok(raw.into_inner())
}

/// Where the ops of a stream come from: one of the keys that say so.
fn what(span: Range<usize>, raw: &RawStream) -> Result<What, Wrong> {
    match (&raw.profile, &raw.file, &raw.recorded, &raw.fit, &raw.mix) {
        (Some(name), None, None, None, None) => {
            let profile = workload::profile(name.get_ref());
            Ok(What::Profile(profile.map_err(|error| (name.span(), error.to_string()))?))
        }
        (None, Some(path), None, None, None) => Ok(What::File(one_line(path)?)),
        (None, None, Some(name), None, None) => {
            let found = recordings().iter().find(|recording| recording.name == name.get_ref());
            Ok(What::Recorded(found.ok_or_else(|| {
                let names: Vec<_> = recordings().iter().map(|recording| recording.name).collect();
                let why = format!(
                    "no recording {} is built in; there are {}; others are read with file = …",
                    quoted(name.get_ref()),
                    names.join(", ")
                );
                (name.span(), why)
            })?))
        }
        (None, None, None, Some(path), None) => Ok(What::Fitted(one_line(path)?)),
        (None, None, None, None, Some(raw)) => Ok(What::Mix(mix::mix(raw)?)),
        _ => {
            let why = "a stream is one of profile = …, file = …, fit = …, mix = … and recorded = …";
            Err((span, why.to_string()))
        }
    }
}

fn stream(raw: &Spanned<RawStream>) -> Result<Stream, Wrong> {
    let (span, raw) = (raw.span(), raw.get_ref());
    let what = what(span.clone(), raw)?;
    let profile = match what {
        What::Profile(profile) => Some(profile),
        What::File(_) | What::Fitted(_) | What::Recorded(_) | What::Mix(_) => None,
    };
    let (fitted, mixed) = (matches!(what, What::Fitted(_)), matches!(what, What::Mix(_)));
    let only_for = |span: Option<Range<usize>>, key: &str, allowed: bool, whose: &str| match span {
        Some(span) if !allowed => Err((span, format!("{key} is for {whose} only"))),
        _ => Ok(()),
    };
    let (made, read) = (profile.is_some() || fitted, profile.is_none() && !mixed);
    let loads_for = "a profile or a fit";
    only_for(raw.loads.as_ref().map(Spanned::span), "loads", made, loads_for)?;
    only_for(raw.loads_mib.as_ref().map(Spanned::span), "loads_mib", made, loads_for)?;
    let read_for = "a recording or a file";
    only_for(raw.recorded_cap.as_ref().map(Spanned::span), "recorded_cap", read, read_for)?;
    only_for(raw.area.as_ref().map(Spanned::span), "area", read, read_for)?;
    only_for(raw.snapshot.as_ref().map(Spanned::span), "snapshot", read, read_for)?;
    let length = length::length(raw, &what)?;
    let loads = match (&raw.loads, &raw.loads_mib, profile) {
        (Some(_), Some(mib), _) => {
            let why = "a stream states its LOAD once: as loads (shares) or as loads_mib";
            return Err((mib.span(), why.to_string()));
        }
        (Some(loads), None, _) => list(loads.clone(), "loads", load)?,
        (None, Some(mib), _) => list(mib.clone(), "loads_mib", load_mib)?,
        (None, None, Some(profile)) => vec![Load::Share(profile.default_load)],
        (None, None, None) => match &what {
            What::Mix(mix) => mix.load_pages().map(Load::Pages).into_iter().collect(),
            _ => Vec::new(),
        },
    };
    if mixed && raw.own_area == Some(true) {
        let why = "own_area is for a recording or a file only; a mix runs on the boards";
        return Err((span, why.to_string()));
    }
    let recorded_cap = raw.recorded_cap.as_ref();
    Ok(Stream {
        line: 0,
        // A stream file states no area; a recording and some profiles do. What is fitted goes to
        // the boards where there are some.
        own_area: raw.own_area.unwrap_or_else(|| match &what {
            What::Profile(profile) => profile.area.is_some(),
            What::Fitted(_) | What::Mix(_) => false,
            What::File(_) | What::Recorded(_) => true,
        }),
        area: raw.area.as_ref().map(|area| area.get_ref().clone()),
        snapshot: raw.snapshot.as_ref().map(|path| path.get_ref().clone()),
        what,
        loads,
        length,
        recorded_cap: recorded_cap
            .map_or(Ok(u64::from(DEFAULT_CAP)), |cap| number(cap, "recorded_cap", 0, 63))?
            as u32,
    })
}

fn load(raw: &Spanned<f64>) -> Result<Load, Wrong> {
    let load = *raw.get_ref();
    if load > 0.0 && load <= Setup::MAX_LOAD {
        return Ok(Load::Share(load));
    }
    let most = Setup::MAX_LOAD;
    let why = format!("load {load} is a share of the area; above 0 and at most {most} is allowed");
    Err((raw.span(), why))
}

fn load_mib(raw: &Spanned<i64>) -> Result<Load, Wrong> {
    let mib = number(raw, "load_mib", 1, i64::MAX / PAGES_IN_MIB as i64)?;
    Ok(Load::Pages(mib * PAGES_IN_MIB))
}
