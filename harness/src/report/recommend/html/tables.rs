//! Candidates, sizes and clients as tables.

use maud::{Markup, html};

use super::super::Shown;
use super::super::words::{area, changes, is_in_ops, more, often, seen, time};
use super::sureness;
use crate::page::Page;
use crate::recommend::{Base, Candidate, Client, Evidence, Found, Point, Task};
use crate::report::page::table::{self, Field, Row, table};
use crate::report::plain::clean;
use crate::words::{mib, mib_number};

/// Sizes of a client that are named.
const SIZES: usize = 4;

/// The board as it is.
pub(super) fn board(base: &Base) -> String {
    let size = base.pages.map_or_else(
        || "of no stated size".to_string(),
        |pages| format!("of {}", mib(pages, base.ground.page)),
    );
    format!("The board: {} {size}, CONFIG_CMA_ALIGNMENT {}", area(base), base.cap)
}

/// How often a failure comes, sorted by what is sure of it.
fn comes(task: &Task, evidence: &Evidence) -> Field {
    let words = often(task, evidence);
    let (words, sure) = words.split_once(" (").unwrap_or((&words, ""));
    let key = evidence.mtbf_us().or(evidence.interval(task.target, 0.05).low);
    table::sure("Failures", key, words, sure.trim_end_matches(')'))
}

pub(super) fn candidates(shown: &Shown<'_>, found: &Found) -> Markup {
    let (task, base) = (shown.task, &shown.task.base);
    let row = |(at, one): (usize, &Candidate)| {
        let is_chosen = found.chosen == Some(at);
        let mark = if is_chosen { "★ " } else { "" };
        let fields = vec![
            table::text("Change", format!("{mark}{}", changes(base, one))),
            table::noted("Class", one.class().name(), if is_chosen { "chosen" } else { "" }),
            table::digits("RAM", &more(base, one), ""),
            comes(task, one.evidence()),
            table::noted("Seen", &seen(task, one.evidence()), sureness(one)),
        ];
        Row { class: if is_chosen { "chosen" } else { "" }, fields }
    };
    let rows: Vec<_> = found.ranked.iter().enumerate().map(row).collect();
    html! {
        @if rows.is_empty() {
            p { "Nothing that was tried meets the target, and nothing states the board as it is." }
        } @else { (table("Candidates, the best first", &rows)) }
    }
}

pub(super) fn sizes(task: &Task, points: &[&Point]) -> Markup {
    let page = task.base.ground.page;
    let row = |point: &&Point| {
        let fields = vec![
            table::digits("Area, MiB", &mib_number(point.pages as f64, page), ""),
            table::digits("Cap", &point.cap.to_string(), ""),
            comes(task, &point.evidence),
            table::text("Seen", seen(task, &point.evidence)),
        ];
        Row { class: "", fields }
    };
    table("Sizes, by streams of the search", &points.iter().map(row).collect::<Vec<_>>())
}

pub(super) fn clients(shown: &Shown<'_>, found: &Found) -> Option<Markup> {
    let task = shown.task;
    let (page, cap) = (task.base.ground.page, task.base.cap as usize);
    let clients: Vec<_> = found.survey.clients.iter().map(|one| client(task, one)).collect();
    let cap_row = |(own, pages): (usize, &u64)| {
        let mark = if own == cap { "as it is" } else { "" };
        let fields = vec![
            table::digits("Cap", &own.to_string(), mark),
            table::digits("Aligned LOAD, MiB", &mib_number(*pages as f64, page), ""),
        ];
        Row { class: "", fields }
    };
    let caps: Vec<_> = found.survey.aligned_load_pages.iter().enumerate().map(cap_row).collect();
    (!clients.is_empty()).then(|| {
        html! {
            p { "In the stream of each input that was looked at first:" } "\n"
            (table("Kinds of clients", &clients))
            p {
                "Together they hold " (mib(found.survey.load_pages, page)) " at once at most \
                (LOAD). At a cap they take at least aligned LOAD, since buffers begin at multiples \
                of up to 2 to the power of the cap in pages; in an area below that some request \
                fails under every policy."
            } "\n"
            details { summary { "Aligned LOAD by cap" } (table("Aligned LOAD by cap", &caps)) } "\n"
        }
    })
}

fn client(task: &Task, client: &Client) -> Row {
    let page = task.base.ground.page;
    let name = clean(&client.name);
    let life = client.life_us().map(|us| time(us as f64, is_in_ops(task)));
    let fields = vec![
        table::text("Client", if name.is_empty() { "no name" } else { &name }),
        table::number("Requests", Some(client.requests as f64), |n| n.to_string()),
        table::number("Most at once, MiB", Some(client.most_pages as f64), |pages| {
            mib_number(pages, page)
        }),
        table::text("Asked for most", sizes_of(client, page)),
        table::text("Buffers live", life.unwrap_or_else(|| "to the end".to_string())),
    ];
    Row { class: "", fields }
}

/// The sizes that most of its requests are of: `257 pages (1 MiB) × 120`.
fn sizes_of(client: &Client, page: Page) -> String {
    let mut sizes: Vec<_> = client.sizes.iter().collect();
    sizes.sort_by_key(|(pages, requests)| (std::cmp::Reverse(**requests), **pages));
    let all = sizes.iter().take(SIZES).map(|(pages, requests)| {
        let size = crate::words::pages(**pages);
        format!("{size} ({}) × {requests}", mib(**pages, page))
    });
    let mut text = all.collect::<Vec<_>>().join(", ");
    if sizes.len() > SIZES {
        text += &format!(" and {} more sizes", sizes.len() - SIZES);
    }
    text
}
