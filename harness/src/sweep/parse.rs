//! A plan out of TOML, with the place of whatever is wrong.

mod board;
mod keys;
mod mix;
mod size;
mod stream;
mod written;

use std::fmt;
use std::ops::Range;

use cma_policies::{Catalog, Spec};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use toml::Spanned;

pub use keys::{KEYS, Key, Within};

use super::mix::{MixOf, Place};
use super::plan::{FIRST_FAILURE, MOST_CELLS, Plan, Stream, What};
use super::target::Stop;
use super::target::Target;
use crate::after_failure::AfterFailure;
use crate::board::Board;
use crate::environment;
use crate::ingest::{DEFAULT_CAP, quoted};
use crate::kernel::Kind;
use crate::page::Page;
use crate::words::{because, near};
use written::{Written, page_kib};

/// Why a text is no plan: where, what is wrong there, and what is allowed. It reads on from
/// "failed to …".
#[derive(Clone, PartialEq, Eq, Default, Debug)]
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
    page_kib: Option<Spanned<Written>>,
    seed: Option<Spanned<i64>>,
    seeds: Option<Spanned<i64>>,
    stop: Option<Spanned<RawStop>>,
    target: Option<Spanned<String>>,
    until: Option<Spanned<String>>,
    policies: Option<Spanned<Vec<Spanned<String>>>>,
    caps: Option<Spanned<Vec<Spanned<i64>>>>,
    environments: Option<Spanned<Vec<Spanned<String>>>>,
    after_failure: Option<Spanned<String>>,
    #[serde(default)]
    boards: Vec<Spanned<board::RawBoard>>,
    streams: Spanned<Vec<Spanned<stream::RawStream>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "{ failed_share = a share }")]
struct RawStop {
    failed_share: Spanned<f64>,
}

/// The most entries of a list of a plan.
const MOST_ENTRIES: usize = 10_000;
/// The most bytes of the name of an area or a client.
const LONGEST_NAME: usize = 256;

/// What is wrong, and at which bytes.
type Wrong = (Range<usize>, String);

/// That `why` is wrong with `raw`.
fn wrong<T, U>(raw: &Spanned<T>, why: impl Into<String>) -> Result<U, Wrong> {
    Err((raw.span(), why.into()))
}

/// What `parse` makes of a text.
fn by<T>(raw: &Spanned<String>, parse: impl FnOnce(&str) -> Result<T, String>) -> Result<T, Wrong> {
    parse(raw.get_ref()).map_err(|why| (raw.span(), why))
}

/// A text, and what messages call it.
struct Text<'a> {
    source: &'a str,
    text: &'a str,
    /// Bytes at its beginning that nobody wrote, within the first line.
    before: usize,
}

impl Text<'_> {
    fn read<T: DeserializeOwned>(&self) -> Result<T, PlanError> {
        toml::from_str(self.text)
            .map_err(|error| self.locate((error.span().unwrap_or(0..0), meant(error.message()))))
    }

    fn locate(&self, (span, why): Wrong) -> PlanError {
        let before = &self.text[..self.text.floor_char_boundary(span.start)];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        let unwritten = if line == 1 { self.before } else { 0 };
        let column = column.saturating_sub(unwritten).max(1);
        PlanError { source: self.source.to_string(), line, column, why }
    }

    fn place(&self, span: Range<usize>) -> Place {
        Place(self.locate((span, String::new())))
    }
}

/// What TOML says, and of a key or a word that is not known the nearest one: serde's message has it
/// and those that are known in backticks.
fn meant(message: &str) -> String {
    let mut words = message.split('`').skip(1).step_by(2);
    match words.next() {
        Some(word) if message.starts_with("unknown ") => format!("{message}{}", near(word, words)),
        _ => message.to_string(),
    }
}

/// The plan that `text`, called `source` in messages, describes; policies are those of `catalog`.
/// Whether files can be read and areas hold the streams is [`prepare`](super::prepare)'s to say.
///
/// # Errors
/// No TOML, an unknown or missing key, a value that is not allowed.
pub fn parse(source: &str, text: &str, catalog: &Catalog) -> Result<Plan, PlanError> {
    parse_for(source, text, catalog, Kind::default())
}

/// The same for a kernel of this kind, as far as the plan does not state another: see
/// [`kind_of_files`](super::kind_of_files).
///
/// # Errors
/// As [`parse`].
pub fn parse_for(
    source: &str,
    text: &str,
    catalog: &Catalog,
    kind: Kind,
) -> Result<Plan, PlanError> {
    let text = Text { source, text, before: 0 };
    build(text.read()?, &text, catalog, kind).map_err(|wrong| text.locate(wrong))
}

/// The mix that `text`, called `source` in messages, describes by its one key, on a board with pages
/// of this size.
///
/// # Errors
/// As [`parse`].
pub fn parse_mix(source: &str, text: &str, page: Page) -> Result<MixOf, PlanError> {
    mix_of(&Text { source, text, before: 0 }, page)
}

/// The mix that `value` is, as it is written after `mix = `.
///
/// # Errors
/// As [`parse`].
pub fn parse_mix_value(source: &str, value: &str, page: Page) -> Result<MixOf, PlanError> {
    const KEY: &str = "mix = ";
    mix_of(&Text { source, text: &format!("{KEY}{value}"), before: KEY.len() }, page)
}

fn mix_of(text: &Text<'_>, page: Page) -> Result<MixOf, PlanError> {
    let raw: mix::RawMixFile = text.read()?;
    mix::mix(&raw.mix, text, page).map_err(|wrong| text.locate(wrong))
}

fn build(raw: RawPlan, text: &Text<'_>, catalog: &Catalog, known: Kind) -> Result<Plan, Wrong> {
    let stated = raw.page_kib.as_ref().map(page_kib).transpose()?.or(known.page);
    let kind = Kind { page: Some(stated.unwrap_or_default()), ..known };
    let page = stated.unwrap_or_default();
    let everything = || Spanned::new(0..0, vec![Spanned::new(0..0, "all".to_string())]);
    let cap = || Spanned::new(0..0, vec![Spanned::new(0..0, i64::from(DEFAULT_CAP))]);
    let pinned = || Spanned::new(0..0, vec![Spanned::new(0..0, "pinned".to_string())]);
    let (target, streams) = (raw.target.as_ref(), raw.streams.span());
    let after_failure = raw
        .after_failure
        .as_ref()
        .map(|raw| by(raw, |text| AfterFailure::parse(text).map_err(|error| because(&error))));
    let mut plan = Plan {
        page,
        is_page_stated: stated.is_some(),
        stop: stop(&raw)?,
        target: target.map(|raw| by(raw, Target::parse)).transpose()?,
        until_first_failure: until(raw.until.as_ref())?,
        after_failure: AfterFailure::Drop,
        name: name(raw.name, "name")?,
        seed: raw.seed.map_or(Ok(1), |seed| number(&seed, "seed", 0, i64::MAX))?,
        seeds: raw.seeds.map_or(Ok(1), |seeds| number(&seeds, "seeds", 1, 1_000_000))?,
        policies: policies(raw.policies.unwrap_or_else(everything), catalog)?,
        are_caps_stated: raw.caps.is_some(),
        caps: list(raw.caps.unwrap_or_else(cap), "caps", |cap| {
            Ok(number(cap, "cap", 0, 63)? as u32)
        })?,
        environments: list(raw.environments.unwrap_or_else(pinned), "environments", |raw| {
            by(raw, |text| environment::Spec::parse(text).map_err(|error| because(&error)))
        })?,
        boards: boards(raw.boards, catalog, kind)?,
        streams: list(raw.streams, "streams", |raw| stream::stream(raw, text, page))?,
    };
    let is_fitted = |stream: &Stream| match &stream.what {
        What::Fitted(_) => true,
        What::Mix(mix) => mix.is_fitted(),
        What::File(_) | What::Recorded(_) | What::Profile(_) => false,
    };
    plan.after_failure = match after_failure {
        Some(stated) => stated?,
        None if plan.streams.iter().any(is_fitted) => AfterFailure::Fitted,
        None => AfterFailure::Drop,
    };
    if !plan.streams.iter().any(Stream::reads_files) {
        plan.boards.iter_mut().for_each(|board| board.is_caller_open = false);
    }
    if plan.cell_count().is_none() {
        let why = format!("more than {MOST_CELLS} cells; take fewer seeds or streams");
        return Err((streams, why));
    }
    Ok(plan)
}

fn stop(raw: &RawPlan) -> Result<Option<Stop>, Wrong> {
    let Some(stop) = &raw.stop else { return Ok(None) };
    if let Some(other) =
        raw.target.as_ref().map(|_| "target").or(raw.until.as_ref().map(|_| "until"))
    {
        let why = format!(
            "stop and {other} exclude each other: stop asks on which side of a share each \
             configuration lies, target which one meets it; leave one of them out"
        );
        return wrong(stop, why);
    }
    let failed_share = *stop.get_ref().failed_share.get_ref();
    if failed_share > 0.0 && failed_share < 1.0 {
        return Ok(Some(Stop { failed_share }));
    }
    let why = format!(
        "failed_share {failed_share} is the share of failing streams that is asked about; above 0 \
         and below 1 is allowed"
    );
    wrong(&stop.get_ref().failed_share, why)
}

/// Whether a cell ends at its first failure.
fn until(raw: Option<&Spanned<String>>) -> Result<bool, Wrong> {
    match raw {
        Some(raw) if raw.get_ref() != FIRST_FAILURE => {
            let until = quoted(raw.get_ref());
            wrong(raw, format!("until is {until}; \"{FIRST_FAILURE}\" is allowed"))
        }
        raw => Ok(raw.is_some()),
    }
}

fn boards(
    raw: Vec<Spanned<board::RawBoard>>,
    catalog: &Catalog,
    kind: Kind,
) -> Result<Vec<Board>, Wrong> {
    let mut names = std::collections::BTreeSet::new();
    let board = |raw: Spanned<board::RawBoard>| {
        let (span, board) = (raw.get_ref().name.span(), board::board(raw, catalog, kind)?);
        if !names.insert(board.name.clone()) {
            let name = quoted(&board.name);
            return Err((span, format!("a second board is named {name}; give it another name")));
        }
        Ok(board)
    };
    raw.into_iter().map(board).collect()
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
            return wrong(&raw, format!("this is in {key} twice"));
        }
        if built.len() == MOST_ENTRIES {
            return wrong(&raw, format!("more than {MOST_ENTRIES} entries of {key}"));
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
    let all = |span: Range<usize>| {
        let entries = catalog.entries().iter();
        entries.map(|entry| Spanned::new(span.clone(), entry.name.to_string())).collect()
    };
    let names = raw.into_inner().into_iter().flat_map(|text| match text.get_ref().as_str() {
        "all" => all(text.span()),
        _ => vec![text],
    });
    list(Spanned::new(span, names.collect()), "policies", |raw| policy(raw, catalog))
}

fn policy(raw: &Spanned<String>, catalog: &Catalog) -> Result<Spec, Wrong> {
    by(raw, |text| catalog.parse(text).map_err(|error| because(&error)))
}

fn number(raw: &Spanned<i64>, key: &str, least: i64, most: i64) -> Result<u64, Wrong> {
    match *raw.get_ref() {
        value if (least..=most).contains(&value) => Ok(value.unsigned_abs()),
        value => wrong(
            raw,
            format!("{key} is {value}; a whole number from {least} to {most} is allowed"),
        ),
    }
}

/// A path that fits in one line of a table.
fn one_line<T>(path: &str, at: &Spanned<T>) -> Result<String, Wrong> {
    if path.chars().any(char::is_control) {
        let text = quoted(path);
        return wrong(at, format!("file is {text}; a path without line ends is allowed"));
    }
    Ok(path.to_string())
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
        return wrong(&raw, why);
    }
    Ok(raw.into_inner())
}

/// The name of an area or a client, of up to so many bytes.
fn name_up_to(most: usize, raw: &Spanned<String>, key: &str) -> Result<String, Wrong> {
    let name = raw.get_ref();
    if (1..=most).contains(&name.len()) && !name.chars().any(char::is_control) {
        return Ok(name.clone());
    }
    let name = quoted(name);
    wrong(raw, format!("{key} is {name}; it takes 1 to {most} bytes without control characters"))
}

/// That each key that is stated is allowed: where it is, what it is, and whose it is.
fn only_for(keys: &[(Option<Range<usize>>, &str, bool, &str)]) -> Result<(), Wrong> {
    let wrong = keys.iter().find(|(span, _, allowed, _)| span.is_some() && !allowed);
    wrong.map_or(Ok(()), |(span, key, _, whose)| {
        Err((span.clone().unwrap_or(0..0), format!("{key} is for {whose} only")))
    })
}

/// Where a key is, if it is stated.
fn span<T>(raw: Option<&Spanned<T>>) -> Option<Range<usize>> {
    raw.map(Spanned::span)
}
