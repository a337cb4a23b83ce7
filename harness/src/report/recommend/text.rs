//! For people.

use std::io::{self, Write};

use super::Shown;
use super::words::{changes, headline, is_in_ops, more, often, reproduced, seen, time};
use cma_policies::dma_align;

use crate::recommend::{Candidate, Found, Lever, Point, SizeAlone, Verdict, Work};
use crate::report::plain::clean;
use crate::report::words::any_placement_needs;
use crate::words::table::aligned;
use crate::words::{counted, mib, mib_number, percent, wrapped};

/// The width of the text.
const WIDTH: usize = 100;

/// Candidates that are shown.
const ROWS: usize = 12;

pub(super) fn paragraph(out: &mut dyn Write, name: &str, text: &str) -> io::Result<()> {
    let first = format!("{name:<12}");
    for line in wrapped(text, WIDTH, (&first, "            ")) {
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
    cap_costs(shown, found, out)?;
    assumes(found, out)?;
    curves(shown, found, out)?;
    sure(shown, found, out)?;
    shown.paste.map_or(Ok(()), |pasted| super::paste::text(pasted, out))
}

/// The board as it is, and whether streams fail as it did.
fn board(shown: &Shown<'_>, out: &mut dyn Write) -> io::Result<()> {
    let task = shown.task;
    let (base, page) = (&task.base, task.base.ground.page);
    let size = base.pages.map_or("of no stated size".to_string(), |pages| mib(pages, page));
    let line = format!("{}, {size}, CONFIG_CMA_ALIGNMENT {}", super::words::area(base), base.cap);
    paragraph(out, "the board", &line)?;
    if task.works.len() > 1 {
        let all: f64 = task.works.iter().map(|work| work.weight).sum();
        let share = |work: &Work| {
            format!("{} {} of the time", clean(&work.name), percent(work.weight / all, 0))
        };
        let shares: Vec<_> = task.works.iter().map(share).collect();
        paragraph(out, "it does", &shares.join(", "))?;
    }
    for (work, held) in task.works.iter().zip(&shown.advice.reproduced) {
        let name = clean(&work.name);
        let line = match held {
            Some(held) if held.is_known() => format!("{name}: {}", reproduced(held)),
            _ => format!(
                "{name} does not say how its requests ended: nothing to hold streams against"
            ),
        };
        paragraph(out, "reproduced", &line)?;
    }
    let Some(found) = &shown.advice.found else { return Ok(()) };
    let aligned = found.survey.aligned_load_pages.get(base.cap as usize).copied().unwrap_or(0);
    let least = format!(
        "LOAD {}, aligned LOAD {} at cap {}: no area below that can do, whatever the policy",
        mib(found.survey.load_pages, page),
        mib(aligned, page),
        base.cap
    );
    paragraph(out, "asked for", &least)
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
        paragraph(out, "least change", &line)?;
    }
    let size = match found.size {
        SizeAlone::Least(pages) => format!(
            "at cap {} {} meet the target, as all larger sizes do that were tried",
            base.cap,
            mib(pages, base.ground.page)
        ),
        SizeAlone::None if found.survey.aligned_load_pages[base.cap as usize] > found.most_pages => {
            format!("no more than {} may be had", mib(found.most_pages, base.ground.page))
        }
        SizeAlone::None => format!(
            "more memory is no remedy: at cap {} no size up to {} meets the target",
            base.cap,
            mib(found.most_pages, base.ground.page)
        ),
        SizeAlone::Open => "not known: the search ended before".to_string(),
    };
    paragraph(out, "size alone", &size)?;
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

/// What any placement needs.
fn needs(shown: &Shown<'_>) -> Vec<String> {
    let page = shown.task.base.ground.page;
    shown.advice.yardstick.iter().flat_map(|one| any_placement_needs(one, page)).collect()
}

/// What a smaller cap costs: who loses the alignment that requests have now.
fn cap_costs(shown: &Shown<'_>, found: &Found, out: &mut dyn Write) -> io::Result<()> {
    let base = &shown.task.base;
    let caps = found.ranked.iter().map(|one| one.config.cap);
    let Some(cap) = caps.filter(|cap| *cap < base.cap).min() else { return Ok(()) };
    let page = base.ground.page;
    let relies = found.survey.clients.iter().filter_map(|client| {
        let loses = |count: &u64| dma_align(*count, base.cap) > cap;
        let sizes: Vec<_> = client.sizes.keys().copied().filter(loses).collect();
        let (least, most) = (sizes.first()?, sizes.last()?);
        let sizes = match least == most {
            true => format!("{least}"),
            false => format!("{least} to {most}"),
        };
        Some(format!("{} ({sizes} pages)", name_of(&client.name)))
    });
    let relies: Vec<_> = relies.take(NAMED).collect();
    let line = format!(
        "buffers begin at multiples of {} then, in every area of the board: a device that needs more \
         (a window, an IOMMU's large pages) fails. Larger requests come from {}",
        bytes((1u64 << cap) * page.bytes()),
        relies.join(", ")
    );
    paragraph(out, &format!("cap {cap}"), &line)
}

/// Bytes as they are said of an alignment.
fn bytes(bytes: u64) -> String {
    match bytes {
        mib if mib >= 1 << 20 => format!("{} MiB", mib >> 20),
        kib => format!("{} KiB", kib >> 10),
    }
}

/// Clients that are named at most.
const NAMED: usize = 6;

fn name_of(client: &str) -> String {
    if client.is_empty() { "a client without a name".to_string() } else { clean(client) }
}

/// What drivers' changes assume, and what the page allocator did.
fn assumes(found: &Found, out: &mut dyn Write) -> io::Result<()> {
    let levers = found.ranked.iter().take(ROWS).flat_map(|one| &one.levers);
    let mut said = Vec::new();
    for lever in levers {
        let Lever::Driver(proposal) = lever else { continue };
        let name = clean(&proposal.change.to_string());
        if said.contains(&name) {
            continue;
        }
        let line = format!(
            "{name}: {}. It is for the {}, and assumes that {}",
            clean(&proposal.why()),
            proposal.change.who(),
            proposal.change.assumes()
        );
        paragraph(out, "driver", &line)?;
        said.push(name);
    }
    let chosen = found.chosen.or(found.baseline).map(|at| &found.ranked[at]);
    let served = chosen.map_or(0, |one| one.evidence().fell_back);
    if served > 0 {
        let line = format!(
            "of the streams of this answer the area refused {}, which the page allocator served, as it \
             is taken to do for who asks; it may not always have the blocks: --strict counts them as \
             failures",
            counted(served, "request")
        );
        paragraph(out, "relies on", &line)?;
    }
    Ok(())
}

/// What it rests on.
fn sure(shown: &Shown<'_>, found: &Found, out: &mut dyn Write) -> io::Result<()> {
    let task = shown.task;
    writeln!(out)?;
    let cut =
        if found.is_cut { "; it ended before everything was tried (--time, --ops)" } else { "" };
    let line = format!(
        "{} run{cut}; streams of {} each, started anew after a failure; a model of the board, \
         whose pages all can be moved",
        counted(found.ops, "op"),
        time(found.length_us as f64, is_in_ops(task)),
    );
    paragraph(out, "rests on", &line)
}
