//! Rates by size of the request: a rate over all sizes can be made better by refusing the large
//! ones.

use maud::{Markup, PreEscaped, html};

use super::left_out;
use super::names::{self, Seen, percent};
use super::view::View;
use crate::answer::{ClassCounts, SummaryRow};
use crate::metric::CLASSES;
use crate::report::page::table::{self, Field, numbers};
use crate::report::words::covers;
use crate::sweep::Configuration;

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
    let mut columns: Vec<_> = there.iter().map(|class| numbers(TITLES[*class])).collect();
    columns.extend([numbers("Streams"), numbers("By pages (R3)"), table::words("Dominance")]);
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
        @if !rows.is_empty() { (view.table(&title, &columns, &rows, |row| fields(row, &there))) }
    }
}

const TITLES: [&str; CLASSES.len()] =
    ["1 to 16 pages", "17 to 256 pages", "257 to 2048 pages", "2049 pages and more"];

fn fields(row: &SummaryRow, there: &[usize]) -> Vec<Field> {
    let mut fields: Vec<_> = there.iter().map(|class| field(row, *class)).collect();
    fields.push(table::number(Some(row.streams as f64), names::whole(row.streams)));
    let pages = &row.rates[BY_PAGES];
    fields.push(names::seen(pages, row.streams).field(pages.mean));
    let worse: Vec<_> = row.worse_classes.iter().map(|class| names::class(*class)).collect();
    fields.push(table::text(match worse.is_empty() {
        true => "not worse in any class".to_string(),
        false => format!("▲ worse for {}", worse.join(" and ")),
    }));
    fields
}

/// The place of R3 among the rates.
const BY_PAGES: usize = 2;

fn field(row: &SummaryRow, class: usize) -> Field {
    let ClassCounts { requests, refused, withheld } = row.classes[class];
    if requests == 0 {
        return table::number(None, "–");
    }
    let share = |count: u64| count as f64 / requests as f64;
    let mark = if row.worse_classes.contains(&class) { "▲ " } else { "" };
    let seen = match refused {
        0 => Seen { value: "none seen".into(), sure: format!("of {}", names::whole(requests)) },
        _ => Seen {
            value: format!("{mark}{}", percent(share(refused))),
            sure: format!("{} withheld; of {}", percent(share(withheld)), names::whole(requests)),
        },
    };
    seen.field(Some(share(refused)))
}
