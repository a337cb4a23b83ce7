//! By cause: why requests were refused.

use maud::{Markup, PreEscaped, html};

use super::bars::{Bar, Bars, Part};
use super::left_out;
use super::names::{self, percent};
use super::view::{Drawn, View};
use crate::answer::SummaryRow;
use crate::cause::Cause;
use crate::report::chart::axis::Axis;
use crate::report::page::sentence;
use crate::report::words::covers;
use crate::sweep::Configuration;
use crate::words::percent_number;

/// A cause in words.
fn words(cause: Cause) -> &'static str {
    match cause {
        Cause::TooLarge => "too_large: more pages than the area has",
        Cause::Exhausted => "exhausted: too few pages free",
        Cause::Fragmentation => "fragmentation: enough free, no hole long enough",
        Cause::Alignment => "alignment: a hole long enough, not from an aligned page on",
        Cause::Interrupted => "interrupted: a fatal signal",
        Cause::Migration => "migration: no memory to move pages to",
        Cause::Busy => "busy: every place tried was busy",
        Cause::Transient => "transient: only because of requests in flight",
        Cause::Policy => "policy: a place was there, the policy did not take it",
    }
}

/// What most is refused for, under the policy of the kernel or all.
pub(super) fn gist(view: &View<'_>) -> String {
    let baseline = view.findings.summary.baseline;
    let is_meant = |row: &&SummaryRow| baseline.is_none_or(|policy| policy == row.policy);
    let mut by_cause = [0_u64; Cause::ALL.len()];
    for row in view.findings.summary.rows.iter().filter(is_meant) {
        for (sum, count) in by_cause.iter_mut().zip(row.refused) {
            *sum = sum.saturating_add(count);
        }
    }
    let all = by_cause.iter().fold(0, |sum: u64, count| sum.saturating_add(*count));
    let most = Cause::ALL.into_iter().zip(by_cause).rev().max_by_key(|(_, count)| *count);
    let under = baseline.map(|policy| format!(" under {}", view.ready.plan.policies[policy]));
    let under = under.unwrap_or_default();
    match most.filter(|_| all > 0) {
        None => format!("No request is refused{under}"),
        Some((cause, count)) => {
            let share = names::thin(&percent_number(count as f64 / all as f64, 0));
            let all = names::whole(all);
            format!("{cause} {share}\u{a0}% of all {all} refused requests{under}")
        }
    }
}

/// A picture for each stream; those without a refusal are named last.
pub(super) fn section(view: &View<'_>) -> Markup {
    let (cases, left) = view.cases();
    let (mut drawn, mut clean) = (Vec::new(), Vec::new());
    for (index, at) in cases.iter().enumerate() {
        let rows = view.rows(at).into_iter();
        let (rows, others): (Vec<_>, Vec<_>) = rows.partition(|drawn| drawn.row.is_whole());
        let covers = covers(view.ready, &rows.iter().map(|one| one.row).collect::<Vec<_>>());
        if !others.is_empty() {
            drawn.push(not_drawn(view, at, &others));
        }
        if rows.iter().any(|one| refused(one.row) > 0.0) {
            drawn.push(bars(index, view.place(at), &rows, &covers).figure());
        } else if !rows.is_empty() {
            clean.push(format!("{} ({covers})", view.place(at)));
        }
    }
    html! {
        (PreEscaped(include_str!("prose/causes.html")))
        @for one in drawn { (one) }
        @for place in clean {
            p { (place) ": no request is refused under any cap and policy shown here." } "\n"
        }
        (left_out(left))
    }
}

fn bars(index: usize, title: String, rows: &[Drawn<'_>], covered: &str) -> Bars {
    let most = rows.iter().map(|drawn| refused(drawn.row)).fold(0.0, f64::max);
    let bar = |Drawn { name, row, .. }: &Drawn<'_>| Bar {
        label: name.to_string(),
        numbers: numbers(row),
        parts: parts(row),
    };
    let there = |(kind, _): &(usize, Cause)| rows.iter().any(|drawn| drawn.row.refused[*kind] > 0);
    let kinds = Cause::ALL.into_iter().enumerate().filter(there);
    Bars {
        id: format!("cause{index}"),
        title,
        x: Axis::percent("refused requests of all requests, %", most),
        bars: rows.iter().map(bar).collect(),
        kinds: kinds.map(|(kind, cause)| (kind, words(cause).to_string())).collect(),
        note: sentence(covered),
    }
}

/// What is not drawn, and why: of streams that ended at their first failure the causes are counted.
fn not_drawn(view: &View<'_>, at: &Configuration, rows: &[Drawn<'_>]) -> Markup {
    html! {
        p {
            (view.place(at)) " (" (view.covers(at)) "). Not drawn are streams that ended at their \
            first failure, of which there are no rates over their length, and what was not run:"
        } "\n"
        ul { @for Drawn { name, row, .. } in rows {
            li {
                (name)
                @if row.streams > 0 {
                    ": " (row.ended_early) " of " (names::streams(row.streams)) " ended at the first \
                    failure; refused until then: "
                    (said(row))
                }
            } "\n"
        } } "\n"
    }
}

fn said(row: &SummaryRow) -> String {
    let each = counts(row).map(|(_, cause, count)| format!("{cause} {count}"));
    each.collect::<Vec<_>>().join(", ")
}

/// Causes and how many requests were refused for each, of those that occur.
fn counts(row: &SummaryRow) -> impl Iterator<Item = (usize, Cause, u64)> {
    let all = Cause::ALL.into_iter().zip(row.refused).enumerate();
    all.map(|(kind, (cause, count))| (kind, cause, count)).filter(|(.., count)| *count > 0)
}

fn share(count: u64, row: &SummaryRow) -> f64 {
    count as f64 / row.requests.max(1) as f64
}

fn refused(row: &SummaryRow) -> f64 {
    share(row.refused.iter().sum(), row)
}

fn parts(row: &SummaryRow) -> Vec<Part> {
    let part = |(kind, cause, count): (usize, Cause, u64)| {
        let length = share(count, row);
        let text = format!("{cause} {}, {}", names::requests(count), percent(length));
        Part { length, kind, text }
    };
    counts(row).map(part).collect()
}

/// What is refused in words: the whole, the withheld part with its interval, and the causes.
fn numbers(row: &SummaryRow) -> String {
    let all: u64 = row.refused.iter().sum();
    let streams = names::whole(row.streams);
    if all == 0 {
        let failed = names::failing(row.failed, row.streams, &row.failed_interval);
        return match row.streams {
            1 => "none seen in one stream".to_string(),
            _ => format!("none seen in {streams} streams: {} of streams have one", failed.sure),
        };
    }
    let mut causes: Vec<_> = counts(row).collect();
    causes.sort_by_key(|(.., count)| std::cmp::Reverse(*count));
    let of_all = |count: u64| names::thin(&percent_number(count as f64 / all as f64, 0));
    let causes = causes.into_iter().take(3);
    let causes: Vec<_> =
        causes.map(|(_, cause, count)| format!("{cause} {}\u{a0}%", of_all(count))).collect();
    let withheld = names::range(&row.rates[0].interval);
    let withheld = withheld.map_or_else(String::new, |range| format!(", withheld {range}"));
    format!("{}{withheld}: {}", percent(refused(row)), causes.join(", "))
}
