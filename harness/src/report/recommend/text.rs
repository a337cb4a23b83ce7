//! For people.

use std::io::{self, Write};

use super::Shown;
use super::costs::{cap, drivers, needs, served};
use super::words::{
    asked_for, changes, headline, held, more, often, rests_on, seen, shares, size_alone,
};
use crate::recommend::{Candidate, Found, Point, Verdict};
use crate::words::table::aligned;
use crate::words::{mib, mib_number, wrapped};

/// The width of the text.
const WIDTH: usize = 100;

/// Candidates that are shown.
const ROWS: usize = 12;

pub(super) fn paragraph(out: &mut dyn Write, name: &str, text: &str) -> io::Result<()> {
    let first = format!("{name:<13}");
    for line in wrapped(text, WIDTH, (&first, "             ")) {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

/// For people: the answer first, then what it rests on.
///
/// # Errors
/// Where `out` takes no more.
pub fn text(shown: &Shown<'_>, out: &mut dyn Write) -> io::Result<()> {
    for line in wrapped(&headline(shown), WIDTH, ("", "  ")) {
        writeln!(out, "{line}")?;
    }
    writeln!(out)?;
    board(shown, out)?;
    let Some(found) = &shown.advice.found else { return Ok(()) };
    table(shown, found, out)?;
    smallest(shown, found, out)?;
    for (at, line) in needs(shown).iter().enumerate() {
        paragraph(out, if at == 0 { "placement" } else { "" }, line)?;
    }
    costs(shown, found, out)?;
    curves(shown, found, out)?;
    sure(shown, found, out)?;
    for taken in &shown.task.base.taken {
        paragraph(out, "taken", taken)?;
    }
    shown.paste.map_or(Ok(()), |pasted| super::paste::text(pasted, out))
}

/// The board as it is, and whether streams fail as it did.
fn board(shown: &Shown<'_>, out: &mut dyn Write) -> io::Result<()> {
    let task = shown.task;
    let (base, page) = (&task.base, task.base.ground.page);
    let size = base.pages.map_or("of no stated size".to_string(), |pages| mib(pages, page));
    let line = format!("{}, {size}, CONFIG_CMA_ALIGNMENT {}", super::words::area(base), base.cap);
    paragraph(out, "the board", &line)?;
    if let Some(shares) = shares(task) {
        paragraph(out, "it does", &shares)?;
    }
    for (work, shown) in task.works.iter().zip(&shown.advice.reproduced) {
        paragraph(out, "reproduced", &held(work, shown.as_ref()))?;
    }
    let Some(found) = &shown.advice.found else { return Ok(()) };
    paragraph(out, "asked for", &asked_for(base, found))
}

/// Every candidate, the best first.
fn table(shown: &Shown<'_>, found: &Found, out: &mut dyn Write) -> io::Result<()> {
    let task = shown.task;
    let head = ["", "RAM", "class", "failures", "change"].map(String::from);
    let row = |(at, one): (usize, &Candidate)| {
        let mark = if found.chosen == Some(at) { "*" } else { "" };
        let is_open = one.proven.streams == 0 || one.verdict == Verdict::Open;
        let open = if is_open { " (not proven)" } else { "" };
        [
            mark.to_string(),
            more(&task.base, one),
            one.class().name().to_string(),
            often(task, one.evidence()) + open,
            changes(&task.base, one),
        ]
    };
    let mut rows = vec![head];
    rows.extend(found.ranked.iter().enumerate().take(ROWS).map(row));
    writeln!(out)?;
    last_wrapped(out, &rows)?;
    if found.ranked.len() > ROWS {
        writeln!(out, "and {} more: --format csv", found.ranked.len() - ROWS)?;
    }
    writeln!(out)
}

/// A table whose last column goes on in lines of its own where it is too long.
fn last_wrapped<const N: usize>(out: &mut dyn Write, rows: &[[String; N]]) -> io::Result<()> {
    let width = |at: usize| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0);
    let before: usize = (0..N - 1).map(|at| width(at) + 2).sum();
    let mut lines = Vec::new();
    for row in rows {
        let last = wrapped(&row[N - 1], WIDTH.saturating_sub(before).max(30), ("", "  "));
        for (number, part) in last.into_iter().enumerate() {
            let mut line = if number == 0 { row.clone() } else { [const { String::new() }; N] };
            line[N - 1] = part;
            lines.push(line);
        }
    }
    aligned(out, "", &lines, |_| false)
}

/// The smallest change that suffices, and what was kept from helping.
fn smallest(shown: &Shown<'_>, found: &Found, out: &mut dyn Write) -> io::Result<()> {
    let base = &shown.task.base;
    if let Some(at) = found.smallest.filter(|at| Some(*at) != found.chosen) {
        let one = &found.ranked[at];
        let line = format!("{}, RAM {}", changes(base, one), more(base, one));
        paragraph(out, "smallest", &line)?;
    }
    paragraph(out, "size alone", &size_alone(base, found))?;
    if !found.barred.is_empty() {
        paragraph(out, "not tried", &format!("{} (by options)", found.barred.join(", ")))?;
    }
    Ok(())
}

/// What sizes come to.
fn curves(shown: &Shown<'_>, found: &Found, out: &mut dyn Write) -> io::Result<()> {
    let page = shown.task.base.ground.page;
    for curve in found.curves.iter().filter(|curve| !curve.is_empty()) {
        writeln!(out, "\nsizes at cap {}", curve[0].cap)?;
        let row = |point: &Point| {
            [
                mib_number(point.pages as f64, page),
                "MiB".to_string(),
                often(shown.task, &point.evidence),
                seen(shown.task, &point.evidence),
            ]
        };
        aligned(out, "  ", &curve.iter().map(row).collect::<Vec<_>>(), |column| column == 0)?;
    }
    Ok(())
}

/// What a smaller cap and drivers' changes cost and assume, and what the page allocator did.
fn costs(shown: &Shown<'_>, found: &Found, out: &mut dyn Write) -> io::Result<()> {
    if let Some((cap, line)) = cap(&shown.task.base, found) {
        paragraph(out, &format!("cap {cap}"), &line)?;
    }
    for line in drivers(&found.ranked[..found.ranked.len().min(ROWS)]) {
        paragraph(out, "driver", &line)?;
    }
    match served(found) {
        Some(line) => paragraph(out, "relies on", &line),
        None => Ok(()),
    }
}

/// What it rests on.
fn sure(shown: &Shown<'_>, found: &Found, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out)?;
    paragraph(out, "rests on", &rests_on(shown.task, found))
}
