//! The boards of a plan.

use std::collections::BTreeMap;

use cma_policies::{Area, Catalog, Run};
use serde::Deserialize;
use toml::Spanned;

use super::{Wrong, name, number};
use crate::board::{Board, BoardArea, CALLERS, Caller};
use crate::ingest::quoted;
use crate::words::PAGES_IN_MIB;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawBoard {
    pub(super) name: Spanned<String>,
    areas: Spanned<Vec<Spanned<RawArea>>>,
    caller: Option<Spanned<String>>,
    #[serde(default)]
    callers: BTreeMap<Spanned<String>, Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawArea {
    name: Option<Spanned<String>>,
    mib: Option<Spanned<i64>>,
    pages: Option<Spanned<i64>>,
    base_pfn: Option<Spanned<i64>>,
    order_per_bit: Option<Spanned<i64>>,
    policy: Option<Spanned<String>>,
    clients: Option<Spanned<Vec<Spanned<String>>>>,
}

/// The most areas of a board: `MAX_CMA_AREAS` is 20 on the largest machines.
const MOST_AREAS: usize = 64;
/// The most names of clients of a board.
const MOST_CLIENTS: usize = 1000;
/// The most bytes of the name of an area or a client.
const LONGEST_NAME: usize = 256;
/// The last page of 4 KiB that has a physical address of 64 bits.
const LAST_PFN: i64 = (1 << 52) - 1;
/// Where an area may begin that does not say where: at a pageblock of 2 MiB, the least alignment
/// of an area on arm64 with pages of 4 KiB (`CMA_MIN_ALIGNMENT_PAGES`, include/linux/cma.h, 5.19).
const PAGEBLOCK: u64 = 512;

/// A board.
///
/// # Errors
/// No area, several default ones, two that overlap or have one name, a client of two areas, a
/// caller that there is not.
pub(super) fn board(raw: Spanned<RawBoard>, catalog: &Catalog) -> Result<Board, Wrong> {
    let raw = raw.into_inner();
    let name = name(raw.name, "the name of a board")?;
    let (span, raw_areas) = (raw.areas.span(), raw.areas.into_inner());
    if raw_areas.is_empty() || raw_areas.len() > MOST_AREAS {
        let why =
            format!("board {name} has {} areas; 1 to {MOST_AREAS} are allowed", raw_areas.len());
        return Err((span, why));
    }
    let mut areas: Vec<BoardArea> = Vec::new();
    for raw in &raw_areas {
        let area = area_of(raw, catalog, &areas)?;
        // The default area is the first, wherever the plan names it.
        let at = if area.clients.is_empty() { 0 } else { areas.len() };
        areas.insert(at, area);
    }
    if !areas[0].clients.is_empty() {
        let why = format!("board {name} has no default area: one without clients, for everybody");
        return Err((span, why));
    }
    let caller = raw.caller.as_ref().map_or(Ok(&CALLERS[0]), caller)?;
    let callers = raw.callers.iter().map(|(client, word)| {
        if !is_name(client.get_ref()) {
            return Err((client.span(), format!("callers has the {}", bad_name(client.get_ref()))));
        }
        Ok((client.get_ref().clone(), self::caller(word)?))
    });
    let callers: Vec<_> = callers.collect::<Result<_, Wrong>>()?;
    let clients = callers.len() + areas.iter().map(|area| area.clients.len()).sum::<usize>();
    if clients > MOST_CLIENTS {
        let why = format!("board {name} names {clients} clients; {MOST_CLIENTS} are allowed");
        return Err((span, why));
    }
    Ok(Board { name, areas, caller, callers })
}

fn is_name(name: &str) -> bool {
    (1..=LONGEST_NAME).contains(&name.len()) && !name.chars().any(char::is_control)
}

fn bad_name(name: &str) -> String {
    let name = quoted(name);
    format!("name {name}; a name is 1 to {LONGEST_NAME} bytes without control characters")
}

fn caller(word: &Spanned<String>) -> Result<&'static Caller, Wrong> {
    Caller::find(word.get_ref()).ok_or_else(|| {
        let known: Vec<_> = CALLERS.iter().map(|caller| caller.name).collect();
        let word = (word.span(), quoted(word.get_ref()));
        (word.0, format!("no caller is named {}; there are {}", word.1, known.join(", ")))
    })
}

fn area_of(
    raw: &Spanned<RawArea>,
    catalog: &Catalog,
    before: &[BoardArea],
) -> Result<BoardArea, Wrong> {
    let (span, raw) = (raw.span(), raw.get_ref());
    let pages = match (&raw.mib, &raw.pages) {
        (Some(mib), None) => number(mib, "mib", 1, i64::MAX / PAGES_IN_MIB as i64)? * PAGES_IN_MIB,
        (None, Some(pages)) => number(pages, "pages", 1, i64::MAX)?,
        _ => {
            let why = "an area states its size once: as mib (of 4 KiB pages) or as pages";
            return Err((span, why.to_string()));
        }
    };
    let order_per_bit = raw.order_per_bit.as_ref();
    let order = order_per_bit.map_or(Ok(0), |raw| number(raw, "order_per_bit", 0, 63))? as u32;
    let base_pfn = match &raw.base_pfn {
        Some(raw) => number(raw, "base_pfn", 0, LAST_PFN)?,
        None => behind(before, order)
            .ok_or_else(|| (span.clone(), "there is no place behind the others".to_string()))?,
    };
    let name = raw.name.as_ref().map_or("cma", |name| name.get_ref());
    if let Some(raw) = raw.name.as_ref().filter(|raw| !is_name(raw.get_ref())) {
        return Err((raw.span(), format!("an area has the {}", bad_name(name))));
    }
    let area = Area::new(name, order, &[Run::new(base_pfn, pages)])
        .map_err(|error| (span.clone(), format!("no such area: {error}")))?;
    let clients = clients(raw.clients.as_ref(), before)?;
    if clients.is_empty() && before.iter().any(|other| other.clients.is_empty()) {
        let why = "a second area without clients; a board has one default area, the others name \
                   the clients that use them";
        return Err((span, why.to_string()));
    }
    if before.iter().any(|other| other.area.name() == name) {
        return Err((span, format!("two areas of one board are named {}", quoted(name))));
    }
    if before.iter().any(|other| other.area.ranges()[0].overlaps(area.ranges()[0])) {
        return Err((span, "it overlaps another area of the board".to_string()));
    }
    let policy = raw.policy.as_ref();
    let policy = policy
        .map(|text| catalog.parse(text.get_ref()).map_err(|error| (text.span(), error.why)))
        .transpose()?;
    Ok(BoardArea { area, clients, policy })
}

/// Where an area goes that does not say: behind the others, so that they do not overlap.
fn behind(before: &[BoardArea], order_per_bit: u32) -> Option<u64> {
    let ends = before.iter().map(|other| other.area.ranges()[0].end().0);
    let granule = 1_u64.checked_shl(order_per_bit)?;
    ends.max().unwrap_or(0).checked_next_multiple_of(granule.max(PAGEBLOCK))
}

fn clients(
    raw: Option<&Spanned<Vec<Spanned<String>>>>,
    before: &[BoardArea],
) -> Result<Vec<String>, Wrong> {
    let mut clients: Vec<String> = Vec::new();
    for raw in raw.map_or(&[] as &[_], |raw| raw.get_ref()) {
        let client = raw.get_ref();
        let taken = before.iter().flat_map(|other| &other.clients).chain(&clients);
        if !is_name(client) {
            return Err((raw.span(), format!("a client has the {}", bad_name(client))));
        }
        if clients.len() == MOST_CLIENTS {
            return Err((raw.span(), format!("more than {MOST_CLIENTS} clients of an area")));
        }
        if taken.clone().any(|other| other == client) {
            let why = format!("client {} has an area already; a device has one", quoted(client));
            return Err((raw.span(), why));
        }
        clients.push(client.clone());
    }
    Ok(clients)
}
