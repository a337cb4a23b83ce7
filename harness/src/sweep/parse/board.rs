//! The boards of a plan.

use std::collections::BTreeMap;

use cma_policies::{Area, BuildError, Catalog, Run};
use serde::Deserialize;
use toml::Spanned;

use super::size::{Size, Sizes, made_by};
use super::written::{Written, pfn};
use super::{LONGEST_NAME, Wrong, name, name_up_to, number, policy, wrong};
use crate::board::{Board, BoardArea, CALLERS, Caller, MadeBy};
use crate::ingest::quoted;
use crate::kernel::Kind;
use crate::words::near;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawBoard {
    pub(super) name: Spanned<String>,
    areas: Spanned<Vec<Spanned<RawArea>>>,
    caller: Option<Spanned<String>>,
    #[serde(default)]
    callers: BTreeMap<Spanned<String>, Spanned<String>>,
    pub(super) arch: Option<Spanned<String>>,
    pub(super) kernel: Option<Spanned<String>>,
    pub(super) step_mib: Option<Spanned<Written>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawArea {
    name: Option<Spanned<String>>,
    mib: Option<Spanned<Written>>,
    pages: Option<Spanned<Written>>,
    base_pfn: Option<Spanned<Written>>,
    ranges: Option<Spanned<Vec<Spanned<RawRange>>>>,
    order_per_bit: Option<Spanned<i64>>,
    policy: Option<Spanned<String>>,
    clients: Option<Spanned<Vec<Spanned<String>>>>,
    made_by: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRange {
    base_pfn: Spanned<Written>,
    mib: Option<Spanned<Written>>,
    pages: Option<Spanned<Written>>,
}

/// The most areas of a board: `MAX_CMA_AREAS` is 20 on the largest machines.
const MOST_AREAS: usize = 64;
/// The most ranges of an area; mainline has at most 8.
const MOST_RANGES: usize = 1024;
/// The most names of clients of a board.
const MOST_CLIENTS: usize = 1000;

/// A board.
///
/// # Errors
/// No area, several default ones, two that overlap or have one name, a client of two areas, a
/// caller that there is not, a size that its kernel does not make.
pub(super) fn board(raw: Spanned<RawBoard>, catalog: &Catalog, kind: Kind) -> Result<Board, Wrong> {
    let raw = raw.into_inner();
    let sizes = Sizes::of(&raw, kind)?;
    let name = name(raw.name, "the name of a board")?;
    let count = raw.areas.get_ref().len();
    if !(1..=MOST_AREAS).contains(&count) {
        let why = format!("board {name} has {count} areas; 1 to {MOST_AREAS} are allowed");
        return wrong(&raw.areas, why);
    }
    let mut areas: Vec<BoardArea> = Vec::new();
    for raw in raw.areas.get_ref() {
        let area = area_of(raw, catalog, &areas, &sizes)?;
        // The default area is the first, wherever the plan names it.
        let at = if area.clients.is_empty() { 0 } else { areas.len() };
        areas.insert(at, area);
    }
    if !areas[0].clients.is_empty() {
        let why = format!("board {name} has no default area: one without clients, for everybody");
        return wrong(&raw.areas, why);
    }
    let caller = raw.caller.as_ref().map_or(Ok(&CALLERS[0]), caller)?;
    let callers = raw.callers.iter().map(|(client, word)| {
        Ok((name_up_to(LONGEST_NAME, client, "a client of callers")?, self::caller(word)?))
    });
    let callers: Vec<_> = callers.collect::<Result<_, Wrong>>()?;
    let clients = callers.len() + areas.iter().map(|area| area.clients.len()).sum::<usize>();
    if clients > MOST_CLIENTS {
        let why = format!("board {name} names {clients} clients; {MOST_CLIENTS} are allowed");
        return wrong(&raw.areas, why);
    }
    // Last, since what else is wrong is wrong on any kernel.
    raw.areas.get_ref().iter().try_for_each(|raw| check(raw.get_ref(), &sizes))?;
    let (is_caller_open, step_pages) = (raw.caller.is_none(), sizes.step_pages());
    Ok(Board { name, areas, caller, is_caller_open, callers, step_pages })
}

/// That the kernel of the board makes this area.
fn check(raw: &RawArea, sizes: &Sizes) -> Result<(), Wrong> {
    let made_by = made_by(raw.made_by.as_ref())?;
    if let Some(size) = Size::of(raw.mib.as_ref(), raw.pages.as_ref()) {
        sizes.check(size, made_by)?;
        sizes.check_base(size, raw.base_pfn.as_ref())?;
    }
    for range in raw.ranges.iter().flat_map(Spanned::get_ref).map(Spanned::get_ref) {
        if let Some(size) = Size::of(range.mib.as_ref(), range.pages.as_ref()) {
            sizes.check_range(size)?;
            sizes.check_base(size, Some(&range.base_pfn))?;
        }
    }
    Ok(())
}

fn caller(raw: &Spanned<String>) -> Result<&'static Caller, Wrong> {
    Caller::find(raw.get_ref()).map_or_else(
        || {
            let known: Vec<_> = CALLERS.iter().map(|caller| caller.name).collect();
            let near = near(raw.get_ref(), known.iter().copied());
            let (word, known) = (quoted(raw.get_ref()), known.join(", "));
            wrong(raw, format!("no caller is named {word}; there are {known}{near}"))
        },
        Ok,
    )
}

fn area_of(
    at: &Spanned<RawArea>,
    catalog: &Catalog,
    before: &[BoardArea],
    sizes: &Sizes,
) -> Result<BoardArea, Wrong> {
    let raw = at.get_ref();
    let made_by = made_by(raw.made_by.as_ref())?;
    let order = raw.order_per_bit.as_ref();
    let order = order.map_or(Ok(0), |raw| number(raw, "order_per_bit", 0, 63))? as u32;
    let ranges = match &raw.ranges {
        Some(ranges) => self::ranges(at, ranges, sizes)?,
        None => vec![range(at, past(before, order, sizes.step_pages()), sizes, made_by)?],
    };
    let name = raw.name.as_ref().map(|raw| name_up_to(LONGEST_NAME, raw, "the name of an area"));
    let name = name.unwrap_or(Ok("cma".to_string()))?;
    let area = Area::new(&name, order, &ranges).or_else(|error| {
        let why = format!("no such area: {error}");
        match raw.ranges.as_ref().zip(blamed(&error)) {
            Some((ranges, range)) => wrong(&ranges.get_ref()[range], why),
            None => wrong(at, why),
        }
    })?;
    let clients = clients(raw.clients.as_ref(), before)?;
    if clients.is_empty() && before.iter().any(|other| other.clients.is_empty()) {
        let why = "a second area without clients; a board has one default area, the others name \
                   the clients that use them";
        return wrong(at, why);
    }
    if let (MadeBy::Cmdline, Some(raw), false) = (made_by, &raw.made_by, clients.is_empty()) {
        let why = "the command line makes the default area alone; a pool is a node: \"dts\"";
        return wrong(raw, why);
    }
    if before.iter().any(|other| other.area.name() == name) {
        return wrong(at, format!("two areas of one board are named {}", quoted(&name)));
    }
    let shares = |run: &Run| {
        let others = before.iter().flat_map(|other| other.area.ranges());
        others.copied().any(|other| other.overlaps(*run))
    };
    if area.ranges().iter().any(shares) {
        return wrong(at, "it overlaps another area of the board");
    }
    let policy = raw.policy.as_ref().map(|raw| policy(raw, catalog)).transpose()?;
    Ok(BoardArea { area, clients, policy, made_by })
}

/// The one range of an area that states its size, at `past` where it does not say.
fn range(
    at: &Spanned<RawArea>,
    past: Option<u64>,
    sizes: &Sizes,
    made_by: MadeBy,
) -> Result<Run, Wrong> {
    let raw = at.get_ref();
    let Some(size) = Size::of(raw.mib.as_ref(), raw.pages.as_ref()) else {
        let why = "an area states its size once: as mib, as pages or as ranges";
        return wrong(at, why);
    };
    let pages = sizes.made(size, made_by)?;
    let base_pfn = match (&raw.base_pfn, past) {
        (Some(raw), _) => pfn(raw, sizes.last_pfn())?,
        (None, Some(past)) => past,
        (None, None) => return wrong(at, "there is no place past the others"),
    };
    Ok(Run::new(base_pfn, pages))
}

/// The ranges of an area, in the kernel's order.
fn ranges(
    at: &Spanned<RawArea>,
    raw: &Spanned<Vec<Spanned<RawRange>>>,
    sizes: &Sizes,
) -> Result<Vec<Run>, Wrong> {
    let RawArea { mib, pages, base_pfn, made_by, .. } = at.get_ref();
    if let Some(made_by) = made_by {
        let why = "beside ranges, which neither a node nor a command line makes";
        return wrong(made_by, why);
    }
    if let Some(also) = mib.as_ref().or(pages.as_ref()).or(base_pfn.as_ref()) {
        let why = "beside ranges, each of which states its own base_pfn and mib or pages";
        return wrong(also, why);
    }
    let count = raw.get_ref().len();
    if !(1..=MOST_RANGES).contains(&count) {
        let why = format!("an area of {count} ranges; 1 to {MOST_RANGES} are allowed");
        return wrong(raw, why);
    }
    let range = |at: &Spanned<RawRange>| {
        let raw = at.get_ref();
        let Some(size) = Size::of(raw.mib.as_ref(), raw.pages.as_ref()) else {
            return wrong(at, "a range states its size once: as mib or as pages");
        };
        let base_pfn = pfn(&raw.base_pfn, sizes.last_pfn())?;
        Ok(Run::new(base_pfn, sizes.pages(size)?))
    };
    raw.get_ref().iter().map(range).collect()
}

/// The range that an area cannot be built for.
const fn blamed(error: &BuildError) -> Option<usize> {
    match error {
        BuildError::Overlap { range, .. }
        | BuildError::PastEnd { range }
        | BuildError::NoBit { range, .. } => Some(*range),
        _ => None,
    }
}

/// Where an area goes that does not say: past the others, so that they do not overlap, at a step of
/// its kernel.
fn past(before: &[BoardArea], order_per_bit: u32, step_pages: u64) -> Option<u64> {
    let ranges = before.iter().flat_map(|other| other.area.ranges());
    let ends = ranges.map(|range| range.end().0);
    let granule = 1_u64.checked_shl(order_per_bit)?;
    ends.max().unwrap_or(0).checked_next_multiple_of(granule.max(step_pages))
}

fn clients(
    raw: Option<&Spanned<Vec<Spanned<String>>>>,
    before: &[BoardArea],
) -> Result<Vec<String>, Wrong> {
    let mut clients: Vec<String> = Vec::new();
    for raw in raw.into_iter().flat_map(Spanned::get_ref) {
        let client = name_up_to(LONGEST_NAME, raw, "a client")?;
        if clients.len() == MOST_CLIENTS {
            return wrong(raw, format!("more than {MOST_CLIENTS} clients of an area"));
        }
        if before.iter().flat_map(|other| &other.clients).chain(&clients).any(|one| *one == client)
        {
            let client = quoted(&client);
            return wrong(raw, format!("client {client} has an area already; a device has one"));
        }
        clients.push(client);
    }
    Ok(clients)
}
