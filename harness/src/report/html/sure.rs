//! How sure the answer is, and what cannot be chosen.

use std::io::{self, Write};

use super::board_time;
use super::escape::Escaped;
use super::names::{self, percent};
use super::table::{self, Row, numbers, words};
use super::ways::Page;
use crate::report::summary::{BLAME, SummaryRow};
use crate::sweep::Configuration;

/// Writes how sure the answer is.
pub(super) fn write(page: &Page<'_>, out: &mut dyn Write) -> io::Result<()> {
    let Some(choice) = page.choice() else { return Ok(()) };
    writeln!(out, "<ul>")?;
    let own = page.candidate().map(|candidate| candidate.sure.as_str());
    for note in own.into_iter().chain(choice.notes.iter().map(String::as_str)) {
        writeln!(out, "<li>{}</li>", Escaped(names::sentence(note)))?;
    }
    if page.findings.summary.rows.iter().any(|row| row.stopped) {
        writeln!(
            out,
            "<li>Some configurations stopped early: their intervals of shares and their tests hold \
             whenever one looks, their means lean to what stopped them.</li>"
        )?;
    }
    for remark in barred(page) {
        writeln!(out, "<li class=\"flag\">{}</li>", Escaped(remark))?;
    }
    writeln!(out, "</ul>")?;
    let Some(at) = page.worst() else { return Ok(()) };
    // Where the page allocator helps out, a refusal is not yet a caller without memory.
    let helped = page.rows(at).iter().any(|(_, _, row)| row.lost != row.failed);
    let mut columns = vec![
        words("Policy and cap"),
        numbers("Withheld per satisfiable request (R2)"),
        numbers("R2 minus the baseline's"),
        numbers("Streams that fail"),
        numbers("McNemar p"),
        numbers("after Holm"),
        numbers("First refused request (R5)"),
        numbers("Used then"),
    ];
    if helped {
        columns.push(numbers("Streams where a caller goes without"));
    }
    let rows: Vec<_> = page
        .rows(at)
        .into_iter()
        .map(|(way, _, row)| Row {
            class: class(page, row),
            fields: evidence(&page.name_of(way, row), row, helped),
        })
        .collect();
    let caption =
        format!("The row that the decision hangs on: {}; {}", page.place(&at), page.covers(&at));
    table::write(&caption, &columns, &rows, page.ways_left(), out)?;
    cut_note(page, &at, out)?;
    writeln!(
        out,
        "<p class=\"sub\">Intervals are at 95 %, over streams: a stream is one seed, and the unit \
         of every statement here. All policies get the same streams, so differences are taken \
         stream by stream. McNemar's exact test asks whether a policy fails in other streams than \
         the baseline; Holm's correction is over the policies of the configuration. The method of \
         each interval stands in <code>summary.csv</code>.</p>"
    )?;
    board_time::write(page, &at, out)
}

/// The remark on rates that are blank, where a table of this configuration has some.
pub(super) fn cut_note(page: &Page<'_>, at: &Configuration, out: &mut dyn Write) -> io::Result<()> {
    if page.rows(*at).iter().any(|(_, _, row)| row.ended_early > 0) {
        writeln!(out, "<p class=\"sub\">{}</p>", names::CUT_NOTE)?;
    }
    Ok(())
}

/// The class of a row's way.
pub(super) fn class(page: &Page<'_>, row: &SummaryRow) -> &'static str {
    let is_chosen = page.is_chosen(super::ways::Way { cap: row.at.cap, policy: row.policy });
    match (is_chosen, row.worse_classes.is_empty() && page.ready.aligned[row.policy]) {
        (true, _) => "chosen",
        (_, false) => "out",
        _ => "",
    }
}

fn evidence(name: &str, row: &SummaryRow, helped: bool) -> Vec<table::Field> {
    let difference = row.against_baseline.map_or_else(
        || names::Seen { value: "baseline".into(), sure: String::new() },
        |rate| names::difference(&rate),
    );
    let failed = names::failing(row.failed, row.streams, &row.failed_interval);
    let share = row.failed as f64 / row.streams.max(1) as f64;
    let used = row.utilisation.map_or_else(|| "–".to_string(), percent);
    let mut fields = vec![
        table::text(name),
        table::sure(row.rates[BLAME].mean, &names::rate(row, BLAME)),
        table::sure(row.against_baseline.and_then(|rate| rate.mean), &difference),
        table::sure(Some(share), &failed),
        table::number(row.mcnemar, &names::chance(row.mcnemar)),
        table::number(row.holm, &names::chance(row.holm)),
        table::sure(row.first_failure, &names::first_failure(row)),
        table::number(row.utilisation, &used),
    ];
    if helped {
        let lost = names::failing(row.lost, row.streams, &row.lost_interval);
        fields.push(table::sure(Some(row.lost as f64), &lost));
    }
    fields
}

/// Policies that must not be chosen, and why.
fn barred(page: &Page<'_>) -> Vec<String> {
    let plan = &page.ready.plan;
    let rows = &page.findings.summary.rows;
    let barred = |policy: usize| {
        let name = plan.policies[policy].to_string();
        if !page.ready.aligned[policy] {
            return Some(format!(
                "▲ {name} does not promise aligned grants: it is shown, but cannot be compared with \
                 policies that do, and is never chosen."
            ));
        }
        let flagged = || rows.iter().filter(|r| r.policy == policy && !r.worse_classes.is_empty());
        let mut classes: Vec<usize> =
            flagged().flat_map(|row| row.worse_classes.iter().copied()).collect();
        classes.sort_unstable();
        classes.dedup();
        let first = flagged().next()?;
        let classes: Vec<_> = classes.into_iter().map(names::class).collect();
        let of = rows.iter().filter(|row| row.policy == policy).count();
        Some(format!(
            "▲ {name} is flagged in {} of {}: it refuses more requests of {} than the baseline, for \
             instance {} at cap {}. A rate over all sizes can fall by refusing the large ones, so \
             it is not chosen there.",
            flagged().count(),
            names::counted(of, "row", "rows"),
            classes.join(" and of "),
            page.place(&first.at),
            plan.caps[first.at.cap],
        ))
    };
    (0..plan.policies.len()).filter_map(barred).collect()
}
