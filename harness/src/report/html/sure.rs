//! How sure the answer is, and what cannot be chosen.

use maud::{Markup, PreEscaped, html};

use super::names::{self, Seen, percent};
use super::view::View;
use super::{board_time, remark};
use crate::answer::{BLAME, SummaryRow};
use crate::report::page::sentence;
use crate::report::page::table;
use crate::report::words;
use crate::sweep::Configuration;
use crate::words::counted;

/// The share of streams that fail, and what that allows.
pub(super) fn gist(view: &View<'_>) -> String {
    let Some(one) = view.candidate() else { return "Nothing was run".to_string() };
    let failing = names::failing(one.failed, one.streams, &one.interval);
    let workloads = match one.rows {
        1 => String::new(),
        rows => format!(", in the worst of {rows} workloads"),
    };
    match one.streams {
        0 => "Nothing was run".to_string(),
        1 => format!("One stream{workloads}, which says nothing of others"),
        _ => format!("Streams that fail: {}{workloads}", failing.line()),
    }
}

/// How sure the answer is.
pub(super) fn section(view: &View<'_>) -> Markup {
    let (ready, summary) = (view.ready, &view.findings.summary);
    let Some(choice) = view.choice() else { return Markup::default() };
    let own = view.candidate().map(|candidate| words::sure(ready, summary, candidate));
    let notes = own.into_iter().chain(words::notes(ready, choice));
    html! {
        ul {
            @for note in notes { li { (sentence(&note)) } "\n" }
            @if summary.rows.iter().any(|row| row.stopped) {
                li {
                    "Some configurations stopped early: their intervals of shares and their tests \
                    hold whenever one looks, their means lean to what stopped them."
                }
            }
            @for policy in 0..ready.plan.policies.len() {
                @if let Some(remark) = barred(view, policy) { li .flag { (remark) } "\n" }
            }
        } "\n"
        @if let Some(at) = view.worst() { (evidence(view, &at)) (board_time::section(view, &at)) }
    }
}

/// The rows that the decision hangs on.
fn evidence(view: &View<'_>, at: &Configuration) -> Markup {
    let rows = view.rows(at);
    // Where the page allocator helps out, a refusal is not yet a caller without memory.
    let helped = rows.iter().any(|drawn| drawn.row.lost != drawn.row.failed);
    let caption =
        format!("The row that the decision hangs on: {}; {}", view.place(at), view.covers(at));
    html! {
        (view.table(&caption, &rows, |row| fields(row, helped)))
        (cut_note(rows.iter().map(|drawn| drawn.row)))
        (PreEscaped(include_str!("prose/sure.html")))
    }
}

/// The remark on rates that are blank, where a table of these rows has some.
pub(super) fn cut_note<'a>(mut rows: impl Iterator<Item = &'a SummaryRow>) -> Markup {
    html! { @if rows.any(|row| row.ended_early > 0) { (remark(names::CUT_NOTE)) } }
}

fn fields(row: &SummaryRow, helped: bool) -> Vec<table::Field> {
    let difference =
        row.against_baseline.as_ref().map_or(Seen::new("baseline", ""), names::difference);
    let failed = names::failing(row.failed, row.streams, &row.failed_interval);
    let share = row.failed as f64 / row.streams.max(1) as f64;
    let change = row.against_baseline.and_then(|rate| rate.mean);
    let mut fields = vec![
        names::rate(row, BLAME).field(names::R2, row.rates[BLAME].mean),
        difference.field("R2 minus the baseline's", change),
        failed.field("Streams that fail", Some(share)),
        table::number("McNemar p", row.mcnemar, names::chance),
        table::number("after Holm", row.holm, names::chance),
        names::first_failure(row).field(names::R5, row.first_failure),
        table::number("Used then", row.area_utilisation, percent),
    ];
    if helped {
        let lost = names::failing(row.lost, row.streams, &row.lost_interval);
        fields.push(lost.field("Streams where a caller goes without", Some(row.lost as f64)));
    }
    fields
}

/// Why a policy must not be chosen, where it must not.
fn barred(view: &View<'_>, policy: usize) -> Option<String> {
    let plan = &view.ready.plan;
    let name = &plan.policies[policy];
    if !view.ready.aligned[policy] {
        return Some(format!(
            "▲ {name} does not promise aligned grants: it is shown, but cannot be compared with \
             policies that do, and is never chosen."
        ));
    }
    let (flagged, classes, of) = view.findings.summary.flagged(policy);
    let first = flagged.first()?;
    let classes: Vec<_> = classes.into_iter().map(words::size_class).collect();
    Some(format!(
        "▲ {name} is flagged in {} of {}: it refuses more requests of {} than the baseline, for \
         instance {} at cap {}. A rate over all sizes can fall by refusing the large ones, so it is \
         not chosen there.",
        flagged.len(),
        counted(of as u64, "row"),
        classes.join(" and of "),
        view.place(&first.at),
        plan.caps[first.at.cap],
    ))
}
