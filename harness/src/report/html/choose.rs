//! What to choose.

use maud::{Markup, html};

use super::more_in_summary;
use super::names::{self, mib, percent};
use super::view::View;
use crate::answer::{Candidate, Choice, Scope, SummaryRow, Verdict};
use crate::report::page::sentence;
use crate::report::page::table::{self, Row, table};
use crate::report::words::{self as said, at_least, covers, need, span};
use crate::words;

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
        Verdict::NotReproduced => ("notmet", "No advice"),
    }
}

/// How many configurations meet the target.
pub(super) fn gist(view: &View<'_>) -> String {
    let Some(choice) = view.choice() else { return "Nothing was run".to_string() };
    let all = choice.ranked.len() as u64;
    let met = choice.ranked.iter().filter(|one| one.is_eligible()).count();
    match met {
        0 => format!("None of {} meets the target", words::counted(all, "configuration")),
        met => format!("{met} of {} can be chosen", words::counted(all, "configuration")),
    }
}

/// The answer: its numbers, what it takes, and the other candidates.
pub(super) fn section(view: &View<'_>) -> Markup {
    let Some(choice) = view.choice() else {
        return html! { p { "The plan has no stream: nothing can be chosen." } };
    };
    html! {
        @if let Some(candidate) = view.candidate() {
            @if choice.verdict == Verdict::NotReproduced {
                p .sub {
                    "Nothing is advised, since a fit does not fail as its file did. By streams drawn \
                    from it comes nearest:"
                } "\n"
            } @else if choice.chosen.is_none() {
                p .sub { "Nothing that was tried meets the target. The nearest:" } "\n"
            }
            dl .tiles {
                @for (label, value, note) in tiles(view, candidate) {
                    div { dt { (label) } dd { (value) small { (note) } } } "\n"
                }
            }
            @if choice.chosen.is_some() && !candidate.needs.is_empty() {
                h3 { "What it takes" }
                ul .needs { @for one in &candidate.needs { li { (need(one)) } } } "\n"
            }
        }
        (candidates(view, choice))
        (each(view))
    }
}

/// A label, a value, and what has to be known of it.
type Tile = (&'static str, String, String);

fn tiles(view: &View<'_>, candidate: &Candidate) -> Vec<Tile> {
    let (plan, summary) = (&view.ready.plan, &view.findings.summary);
    let page = plan.page;
    let (board, areas) = match candidate.board.map(|board| &plan.boards[board]) {
        Some(board) if board.areas.len() > 1 => {
            let names = board.areas.iter().map(|area| {
                format!("{} {}", area.area.name(), mib(area.area.pages() as f64, page))
            });
            (board.name.as_str(), names.collect::<Vec<_>>().join(" + "))
        }
        Some(board) => (board.name.as_str(), "one area, all clients".to_string()),
        None => ("the stream's own area", String::new()),
    };
    let kind = match Some(candidate.policy) == summary.baseline {
        true => "what the kernel does",
        false => "a kernel patch",
    };
    let failing = names::failing(candidate.failed, candidate.streams, &candidate.interval);
    let over = match candidate.rows {
        1 => "of streams fail".to_string(),
        rows => {
            format!("of streams fail, in the worst of {rows} workloads, for all of them at once")
        }
    };
    let worst = &summary.rows[candidate.worst_row];
    let sure = format!("{} {over}; {}", failing.sure, covers(view.ready, &[worst]));
    let (cap, policy) = (plan.caps[candidate.cap], &plan.policies[candidate.policy]);
    let mut tiles = vec![
        ("CMA", mib(candidate.pages as f64, page), format!("board {board}; {areas}")),
        ("CONFIG_CMA_ALIGNMENT", cap.to_string(), "the alignment cap".to_string()),
        ("Policy", policy.to_string(), kind.to_string()),
        ("Streams that fail", failing.value, sure),
    ];
    tiles.extend(worst.time.as_ref().map(|time| {
        let at_risk = span(time.evidence.at_risk_us as f64);
        let note = format!(
            "MTBF; one-sided bound at 95 % where the hazard is constant, of {at_risk} at risk"
        );
        ("Between failures, at least", at_least(time.mtbf_low_us), note)
    }));
    let note = || "rho; of the workload that is fullest".to_string();
    tiles.extend(candidate.rho.map(|rho| ("LOAD / area", percent(rho), note())));
    tiles
}

/// Why a candidate is not, or cannot be, chosen.
fn remarks(candidate: &Candidate, row: &SummaryRow) -> String {
    let structural = Some(candidate.structural).filter(|streams| *streams > 0);
    let remarks = [
        structural.map(|streams| format!("structural in {}", names::streams(streams))),
        candidate.rho.filter(|rho| *rho >= 1.0).map(|_| "overloaded".to_string()),
        candidate.dropped.then(|| match row.dropped && row.streams > 0 {
            true => format!("✕ dropped by the race after {}", names::streams(row.streams)),
            false => "✕ dropped by the race".to_string(),
        }),
        candidate.ages.then(|| "fails more often with age".to_string()),
        candidate.larger_fails.then(|| "a larger board fails".to_string()),
        candidate.unaligned.then(|| "▲ does not align".to_string()),
        candidate.flagged.then(|| "▲ flagged".to_string()),
    ];
    remarks.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// A row of the table of candidates.
fn row(view: &View<'_>, candidate: &Candidate, is_chosen: bool) -> Row {
    let plan = &view.ready.plan;
    let worst = &view.findings.summary.rows[candidate.worst_row];
    let failed = names::failing(candidate.failed, candidate.streams, &candidate.interval);
    let share = candidate.failed as f64 / candidate.streams.max(1) as f64;
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
    let board = candidate.board.map_or("own area", |board| plan.boards[board].name.as_str());
    let cap = plan.caps[candidate.cap];
    let fields = vec![
        table::text("Board", board),
        table::number("CMA, MiB", Some(candidate.pages as f64), |pages| {
            words::mib_number(pages, plan.page)
        }),
        table::number("Cap", Some(cap.into()), |_| cap.to_string()),
        table::text("Policy", plan.policies[candidate.policy].to_string()),
        table::number("LOAD / area", candidate.rho, percent),
        failed.field("Streams that fail", Some(share)),
        names::first_failure(worst).field("First refused request", worst.first_failure),
        table::noted("Meets the target", meets, &remarks(candidate, worst)),
    ];
    Row { class, fields }
}

fn candidates(view: &View<'_>, choice: &Choice) -> Markup {
    let ranked = choice.ranked.iter().enumerate().take(MOST_ROWS);
    let rows = ranked.map(|(index, one)| row(view, one, choice.chosen == Some(index)));
    let caption = format!(
        "Configurations: those that meet the target first, of these those without a patch of the \
         kernel, then the cheapest in RAM; {}",
        view.all_covers().join("; ")
    );
    html! {
        (table(&caption, &rows.collect::<Vec<_>>()))
        (more_in_summary(choice.ranked.len().saturating_sub(MOST_ROWS), ""))
        p .sub {
            "The target: "
            @match view.ready.plan.target {
                None => { "in no stream a caller goes without its memory" },
                Some(target) => {
                    b { (target) } ", of the first request of a stream that its caller goes \
                    without; met is what is proven at 95 %, for the choice as a whole"
                },
            }
            ". A candidate counts as its worst row, over all streams, LOADs and environments of the \
            plan that run on the board. " b { "▲ flagged" } ": worse than the baseline for requests \
            of some size, whatever its rate over all sizes. " b { "▲ does not align" } ": it breaks \
            what drivers ask for. Neither is ever chosen. " b { "structural" } ": aligned LOAD is \
            above the area, so no policy can help, only size, cap or another pool. "
            b { "overloaded" } ": LOAD is the area or more."
            @if choice.ranked.iter().any(|one| one.dropped) {
                " " b { "✕ dropped" } ": the race ended it, as it misses the target or cannot prove \
                it any more; it was not run to its last stream."
            }
        } "\n"
    }
}

/// The answer for each stream on its own.
fn each(view: &View<'_>) -> Markup {
    let (ready, choices) = (view.ready, &view.findings.choices);
    if choices.len() < 2 && view.findings.headline.is_some() {
        return Markup::default();
    }
    let row = |choice: &Choice| {
        let name = match choice.scope {
            Scope::Together => "every stream, each alone".to_string(),
            Scope::One { stream, load, environment } => {
                names::stream(ready, stream, load) + &names::environment(ready, environment)
            }
        };
        let words = said::sentence(ready, &view.findings.summary, choice);
        let fields = vec![
            table::text("Stream", name),
            table::text("Verdict", badge(choice.verdict).1),
            table::text("What to choose for it alone", sentence(&words)),
        ];
        Row { class: "", fields }
    };
    let rows: Vec<_> = choices.iter().take(MOST_STREAMS).map(row).collect();
    html! {
        (table("The answer for each stream on its own", &rows))
        (more_in_summary(choices.len().saturating_sub(MOST_STREAMS), ""))
    }
}
