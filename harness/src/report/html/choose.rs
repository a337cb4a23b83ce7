//! What to choose.

use std::io::{self, Write};

use super::escape::Escaped;
use super::names::{self, mib, percent};
use super::table::{self, Row, numbers, words};
use super::ways::Page;
use crate::report::choice::{Candidate, Choice, Verdict};
use crate::report::summary::SummaryRow;
use crate::report::time::{at_least, covers, span};

/// Candidates of a table.
const MOST_ROWS: usize = 14;
/// Streams of the table of answers for one stream.
const MOST_STREAMS: usize = 12;

/// The word for an ending, and its class.
pub(super) fn badge(verdict: Verdict) -> (&'static str, &'static str) {
    match verdict {
        Verdict::Met => ("met", "Choose"),
        Verdict::NotMet => ("notmet", "Not met"),
        Verdict::Structural => ("structural", "Structural"),
        Verdict::Overloaded => ("structural", "Overloaded"),
    }
}

/// Writes the answer: its numbers, what it takes, and the other candidates.
pub(super) fn write(page: &Page<'_>, out: &mut dyn Write) -> io::Result<()> {
    let Some(choice) = page.choice() else {
        return writeln!(out, "<p>The plan has no stream: nothing can be chosen.</p>");
    };
    if let Some(candidate) = page.candidate() {
        tiles(page, choice, candidate, out)?;
    }
    candidates(page, choice, out)?;
    each(page, out)
}

fn tile(label: &str, value: &str, note: &str, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "<div><dt>{}</dt><dd>{}<small>{}</small></dd></div>",
        Escaped(label),
        Escaped(value),
        Escaped(note)
    )
}

fn tiles(
    page: &Page<'_>,
    choice: &Choice,
    candidate: &Candidate,
    out: &mut dyn Write,
) -> io::Result<()> {
    let plan = &page.ready.plan;
    if choice.chosen.is_none() {
        writeln!(
            out,
            "<p class=\"sub\">Nothing that was tried meets the target. The nearest:</p>"
        )?;
    }
    writeln!(out, "<dl class=\"tiles\">")?;
    let (board, areas) = match candidate.board.map(|board| &plan.boards[board]) {
        Some(board) if board.areas.len() > 1 => {
            let names = board
                .areas
                .iter()
                .map(|area| format!("{} {}", area.area.name(), mib(area.area.pages() as f64)));
            (board.name.as_str(), names.collect::<Vec<_>>().join(" + "))
        }
        Some(board) => (board.name.as_str(), "one area, all clients".to_string()),
        None => ("the stream's own area", String::new()),
    };
    tile("CMA", &mib(candidate.pages as f64), &format!("board {board}; {areas}"), out)?;
    tile("CONFIG_CMA_ALIGNMENT", &plan.caps[candidate.cap].to_string(), "the alignment cap", out)?;
    let policy = plan.policies[candidate.policy].to_string();
    let kind = if Some(candidate.policy) == page.findings.summary.baseline {
        "what the kernel does"
    } else {
        "a kernel patch"
    };
    tile("Policy", &policy, kind, out)?;
    let failing = names::failing(candidate.failed, candidate.streams, &candidate.interval);
    let over = match candidate.rows {
        1 => "of streams fail".to_string(),
        rows => {
            format!("of streams fail, in the worst of {rows} workloads, for all of them at once")
        }
    };
    let worst = page.findings.summary.rows.get(candidate.worst_row);
    let covers = worst.map_or_else(String::new, |row| covers(page.ready, &[row]));
    let sure = format!("{} {over}; {covers}", failing.sure);
    tile("Streams that fail", &failing.value, &sure, out)?;
    if let Some(time) = worst.and_then(|row| row.time.as_ref()) {
        let at_risk = span(time.evidence.at_risk_us as f64);
        let note = format!(
            "MTBF; one-sided bound at 95 % where the hazard is constant, of {at_risk} at risk"
        );
        tile("Between failures, at least", &at_least(time.mtbf_low_us), &note, out)?;
    }
    if let Some(rho) = candidate.rho {
        tile("LOAD / area", &percent(rho), "rho; of the workload that is fullest", out)?;
    }
    writeln!(out, "</dl>")?;
    if !candidate.needs.is_empty() {
        writeln!(out, "<h3>What it takes</h3>\n<ul class=\"needs\">")?;
        for need in &candidate.needs {
            writeln!(out, "<li>{}</li>", Escaped(need))?;
        }
        writeln!(out, "</ul>")?;
    }
    Ok(())
}

/// Why a candidate is not, or cannot be, chosen.
fn remarks(candidate: &Candidate, row: Option<&SummaryRow>) -> String {
    let structural = candidate.structural.filter(|streams| *streams > 0);
    let remarks = [
        structural.map(|streams| format!("structural in {} streams", names::whole(streams))),
        candidate.rho.filter(|rho| *rho >= 1.0).map(|_| "overloaded".to_string()),
        candidate.dropped.then(|| match row {
            Some(row) if row.dropped && row.streams > 0 => {
                format!("✕ dropped by the race after {} streams", names::whole(row.streams))
            }
            _ => "✕ dropped by the race".to_string(),
        }),
        candidate.ages.then(|| "fails more often with age".to_string()),
        candidate.larger_fails.then(|| "a larger board fails".to_string()),
        candidate.unaligned.then(|| "▲ does not align".to_string()),
        candidate.flagged.then(|| "▲ flagged".to_string()),
    ];
    remarks.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

fn candidates(page: &Page<'_>, choice: &Choice, out: &mut dyn Write) -> io::Result<()> {
    let plan = &page.ready.plan;
    let columns = [
        words("Board"),
        numbers("CMA, MiB"),
        numbers("Cap"),
        words("Policy"),
        numbers("LOAD / area"),
        numbers("Streams that fail"),
        numbers("First refused request"),
        words("Meets the target"),
    ];
    let row = |(index, candidate): (usize, &Candidate)| {
        let worst = page.findings.summary.rows.get(candidate.worst_row);
        let failed = names::failing(candidate.failed, candidate.streams, &candidate.interval);
        let share = candidate.failed as f64 / candidate.streams.max(1) as f64;
        let board = candidate.board.map_or("own area", |board| plan.boards[board].name.as_str());
        let rho = candidate.rho.map_or_else(|| "–".to_string(), percent);
        let first = worst.map(names::first_failure);
        let is_chosen = choice.chosen == Some(index);
        let class = match (is_chosen, candidate.flagged || candidate.unaligned) {
            (true, _) => "chosen",
            (_, true) => "out",
            _ => "",
        };
        let meets = match (candidate.meets, is_chosen) {
            (_, true) => "★ chosen",
            (true, _) => "yes",
            _ => "no",
        };
        let pages = candidate.pages as f64;
        let cap = plan.caps[candidate.cap];
        let fields = vec![
            table::text(board),
            table::number(Some(pages), &names::mib_number(pages)),
            table::number(Some(cap.into()), &cap.to_string()),
            table::text(&plan.policies[candidate.policy].to_string()),
            table::number(candidate.rho, &rho),
            table::sure(Some(share), &failed),
            match first {
                Some(first) => table::sure(worst.and_then(|row| row.first_failure), &first),
                None => table::text("–"),
            },
            table::noted(meets, &remarks(candidate, worst)),
        ];
        Row { class, fields }
    };
    let rows: Vec<_> = choice.ranked.iter().enumerate().take(MOST_ROWS).map(row).collect();
    let more = choice.ranked.len().saturating_sub(MOST_ROWS);
    let caption = format!(
        "Configurations: those that meet the target first, of these those without a patch of the \
         kernel, then the cheapest in RAM; {}",
        page.all_covers().join("; ")
    );
    table::write(&caption, &columns, &rows, more, out)?;
    let target = match plan.target {
        None => "in no stream a caller goes without its memory".to_string(),
        Some(target) => format!(
            "<b>{target}</b>, of the first request of a stream that its caller goes without; met is \
             what is proven at 95 %, for the choice as a whole"
        ),
    };
    writeln!(
        out,
        "<p class=\"sub\">The target: {target}. A candidate \
         counts as its worst row, over all streams, LOADs and environments of the plan that run on the board. \
         <b>▲ flagged</b>: worse than the baseline for requests of some size, whatever its rate over \
         all sizes. <b>▲ does not align</b>: it breaks what drivers ask for. Neither is ever chosen. \
         <b>structural</b>: aligned LOAD is above the area, so no policy can help, only size, cap or \
         another pool. <b>overloaded</b>: LOAD is the area or more.{}</p>",
        match choice.ranked.iter().any(|one| one.dropped) {
            true =>
                " <b>✕ dropped</b>: the race ended it, as it misses the target or cannot prove it \
                 any more; it was not run to its last stream.",
            false => "",
        }
    )
}

/// The answer for each stream on its own.
fn each(page: &Page<'_>, out: &mut dyn Write) -> io::Result<()> {
    use crate::report::choice::Scope;
    let choices = &page.findings.choices;
    if choices.len() < 2 && page.findings.headline.is_some() {
        return Ok(());
    }
    let row = |choice: &Choice| {
        let name = match choice.scope {
            Scope::Together => "every stream, each alone".to_string(),
            Scope::One { stream, load, environment } => {
                let name = names::stream(page.ready, stream, load);
                name + &names::environment(page.ready, environment)
            }
        };
        let fields = vec![
            table::text(&name),
            table::text(badge(choice.verdict).1),
            table::text(&names::sentence(&choice.sentence)),
        ];
        Row { class: "", fields }
    };
    let rows: Vec<_> = choices.iter().take(MOST_STREAMS).map(row).collect();
    let more = choices.len().saturating_sub(MOST_STREAMS);
    let columns = [words("Stream"), words("Verdict"), words("What to choose for it alone")];
    table::write("The answer for each stream on its own", &columns, &rows, more, out)
}
