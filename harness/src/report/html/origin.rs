//! How to make the report again, what it assumes, and what its words mean.

use maud::{Markup, PreEscaped, html};

use super::names;
use super::view::View;
use crate::metric::{cause_column, columns};
use crate::report::words::callers_are;
use crate::sweep::disk::SCHEMA;
use crate::sweep::{Stream, What, emit};
use crate::words::counted;

/// Version and seeds.
pub(super) fn gist(view: &View<'_>) -> String {
    let (plan, version) = (&view.ready.plan, env!("CARGO_PKG_VERSION"));
    let last = plan.seed.wrapping_add(plan.seeds.saturating_sub(1));
    let seeds = match plan.seeds {
        1 => format!("seed {last}"),
        _ => format!("seeds {} to {last}", plan.seed),
    };
    format!("One line of cmalab {version}, {seeds}")
}

/// Where it comes from.
pub(super) fn section(view: &View<'_>) -> Markup {
    html! {
        (PreEscaped(include_str!("prose/again.html")))
        pre .wide tabindex="0" { (view.command) } "\n"
        dl .facts {
            @for (label, lines) in facts(view) {
                @if lines.iter().any(|line| !line.is_empty()) {
                    div { dt { (label) } dd { @for line in lines { p { (line) } } } } "\n"
                }
            }
        } "\n"
        (model(view))
        details {
            summary { "The plan as it was run, all defaults filled in" }
            pre .wide tabindex="0" { (emit(view.ready)) }
        } "\n"
        (glossary())
    }
}

/// What the report is of: a word and some lines each.
fn facts(view: &View<'_>) -> [(&'static str, Vec<String>); 10] {
    let plan = &view.ready.plan;
    let last = plan.seed.wrapping_add(plan.seeds.saturating_sub(1));
    let rows = &view.findings.summary.rows;
    let requests = rows.iter().fold(0_u64, |sum, row| sum.saturating_add(row.requests));
    let requests = names::whole(requests);
    let after = plan.after_failure;
    let version = env!("CARGO_PKG_VERSION");
    let stream = |stream: &Stream| match &stream.what {
        What::Profile(profile) => format!("{}: {}", profile.name, profile.about),
        What::Fitted(_) => format!("{}: drawn from what was fitted to it", stream.name()),
        What::File(_) | What::Recorded(_) => format!("{}: a recording", stream.name()),
        What::Mix(mix) => format!("{}: {}", mix.name, mix.about()),
    };
    let pages = plan.environments.iter().map(|spec| format!("{spec}: {}", spec.entry().about));
    let policies = plan.policies.iter().map(|spec| format!("{spec}: {}", spec.entry().about));
    let stated = plan.boards.iter().map(|board| {
        format!("board {}: {}, {}", board.name, board.caller.name, board.caller.about)
    });
    let callers = callers_are(view.ready, &view.findings.summary)
        .map_or_else(|| stated.collect(), |taken| vec![taken]);
    [
        ("Version", vec![format!("cmalab {version}, columns of schema {SCHEMA}")]),
        ("Plan", vec![plan.name.clone()]),
        ("Seeds", vec![format!("{} to {last}: one stream of each profile for each", plan.seed)]),
        (
            "Requests",
            vec![format!(
                "{requests} in {}",
                counted(rows.len() as u64, "row") + " of summary.csv"
            )],
        ),
        ("Board time", view.all_covers()),
        ("After a failure", vec![format!("{after}: {}", after.about())]),
        ("Pages", pages.collect()),
        ("Streams", plan.streams.iter().map(stream).collect()),
        ("Policies", policies.collect()),
        ("Callers", callers),
    ]
}

/// What is measured, and what is assumed.
fn model(view: &View<'_>) -> Markup {
    let profiles = view.ready.plan.streams.iter().filter_map(Stream::profile);
    let mut profiles: Vec<_> = profiles.map(|p| (p.name, p.source)).collect();
    profiles.dedup();
    html! {
        h3 { "What is a model here" } "\n"
        ul {
            (PreEscaped(include_str!("prose/model.html")))
            @for (name, source) in profiles { li { "Sizes and times of " (name) ": " (source) } "\n" }
        } "\n"
    }
}

/// What the words of the tables and files mean.
fn glossary() -> Markup {
    let about = |column: &crate::metric::Column| {
        let cause = crate::cause::Cause::ALL.into_iter().find(|c| cause_column(*c) == column.name);
        cause.filter(|_| column.about.is_empty()).map_or(column.about, crate::cause::Cause::name)
    };
    html! {
        (PreEscaped(include_str!("prose/words.html")))
        details {
            summary { "Columns of cells.csv and summary.csv" }
            dl .words {
                @for column in columns() {
                    dt { (column.name) } dd { (about(column)) " " small { (column.unit) } } "\n"
                }
            } "\n"
            (PreEscaped(include_str!("prose/columns.html")))
        }
    }
}
