//! Rates by size of the request: a rate over all sizes can be made better by refusing the large
//! ones.

use maud::{Markup, PreEscaped, html};

use super::left_out;
use super::names::{self, Seen, percent};
use super::view::View;
use crate::answer::{ClassCounts, SummaryRow};
use crate::metric::CLASSES;
use crate::report::page::table::{self, Field};
use crate::report::words::{covers, size_class};
use crate::sweep::Configuration;

/// The sizes that are refused most often, under the policy of the kernel or all.
pub(super) fn gist(view: &View<'_>) -> String {
    let baseline = view.findings.summary.baseline;
    let is_meant = |row: &&SummaryRow| baseline.is_none_or(|policy| policy == row.policy);
    let rows = || view.findings.summary.rows.iter().filter(is_meant).filter(|row| row.is_whole());
    let share = |class: usize| {
        let sum = |of: fn(&ClassCounts) -> u64| {
            rows().fold(0_u64, |sum, row| sum.saturating_add(of(&row.classes[class])))
        };
        let (refused, requests) = (sum(|class| class.refused), sum(|class| class.requests));
        (class, refused as f64 / requests.max(1) as f64)
    };
    let most = (0..CLASSES.len()).map(share).rev().max_by(|a, b| a.1.total_cmp(&b.1));
    match most {
        _ if view.findings.summary.rows.iter().any(|row| row.ended_early > 0) => {
            "Streams end at their first failure: rates only where none fails".to_string()
        }
        Some((class, share)) if share > 0.0 => {
            format!("Refused most often: {}, {} of them", size_class(class), percent(share))
        }
        _ => "No size is refused".to_string(),
    }
}

/// A table for each stream.
pub(super) fn section(view: &View<'_>) -> Markup {
    let (cases, left) = view.cases();
    html! {
        (PreEscaped(include_str!("prose/classes.html")))
        @for at in &cases { (of_case(view, at)) }
        (left_out(left))
    }
}

fn of_case(view: &View<'_>, at: &Configuration) -> Markup {
    let rows = view.rows(at).into_iter();
    let (rows, others): (Vec<_>, Vec<_>) = rows.partition(|drawn| drawn.row.is_whole());
    let run: Vec<_> = rows.iter().map(|drawn| drawn.row).collect();
    let asked = |class: &usize| run.iter().any(|row| row.classes[*class].requests > 0);
    let there: Vec<usize> = (0..CLASSES.len()).filter(asked).collect();
    let title = format!("By size of the request: {}; {}", view.place(at), covers(view.ready, &run));
    html! {
        @if !others.is_empty() {
            p {
                (view.place(at)) ", "
                (others.len()) @if others.len() == 1 { " cap and policy" } @else { " caps and policies" }
                " left out: ended at the first failure, so that there are no rates over the length \
                of streams, or not run."
            } "\n"
        }
        @if !rows.is_empty() { (view.table(&title, &rows, |row| fields(row, &there))) }
    }
}

fn fields(row: &SummaryRow, there: &[usize]) -> Vec<Field> {
    let mut fields: Vec<_> = there.iter().map(|class| field(row, *class)).collect();
    fields.push(names::count("Streams", Some(row.streams)));
    let pages = &row.rates[BY_PAGES];
    fields.push(names::seen(pages, row.streams).field("By pages (R3)", pages.mean));
    let worse: Vec<_> = row.worse_classes.iter().map(|class| size_class(*class)).collect();
    let dominance = match worse.is_empty() {
        true => "not worse in any class".to_string(),
        false => format!("▲ worse for {}", worse.join(" and ")),
    };
    fields.push(table::text("Dominance", dominance));
    fields
}

/// The place of R3 among the rates.
const BY_PAGES: usize = 2;

fn field(row: &SummaryRow, class: usize) -> Field {
    let ClassCounts { requests, refused, withheld } = row.classes[class];
    if requests == 0 {
        return names::count(&size_class(class), None);
    }
    let share = |count: u64| count as f64 / requests as f64;
    let mark = if row.worse_classes.contains(&class) { "▲ " } else { "" };
    let seen = match refused {
        0 => Seen::new("none seen", format!("of {}", names::whole(requests))),
        _ => Seen::new(
            format!("{mark}{}", percent(share(refused))),
            format!("{} withheld; of {}", percent(share(withheld)), names::whole(requests)),
        ),
    };
    seen.field(&size_class(class), Some(share(refused)))
}
