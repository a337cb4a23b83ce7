//! The decision at a glance: boards and caps, and how often streams fail there, as a table whose
//! places are coloured. Every place says its number; the colour only repeats it.

use maud::{Markup, html};

use super::names::{self, NBSP, mib, percent};
use super::view::View;
use crate::answer::{BLAME, Candidate, Choice, SummaryRow};
use crate::report::words::at_least;
use crate::sweep::Target;
use crate::words::counted;

/// Boards of a table at most: of more those around the choice.
const MOST_BOARDS: usize = 16;
/// Policies of a table of one board at most.
const MOST_POLICIES: usize = 14;

/// What the tones are of: from none to the worst.
const TONES: usize = 6;

/// A row: what it is of, and a place for each cap.
struct Row<'a> {
    label: String,
    note: String,
    places: Vec<Option<&'a Candidate>>,
}

/// A table with its rows.
struct Table<'a> {
    caption: String,
    corner: &'static str,
    rows: Vec<Row<'a>>,
}

/// The tables, and what their colours and signs mean.
pub(super) fn section(view: &View<'_>) -> Markup {
    let Some(choice) = view.choice() else {
        return html! { p { "The plan has no stream: nothing can be chosen." } };
    };
    let mut boards: Vec<_> = choice.ranked.iter().map(|one| (one.pages, one.board)).collect();
    boards.sort_unstable();
    boards.dedup();
    let left = boards.len().saturating_sub(MOST_BOARDS);
    let boards = around(view, boards.into_iter().map(|(_, board)| board).collect());
    let policies = policies(view, choice);
    let (tables, left_out) = match boards[..] {
        [board] => (
            vec![of_board(view, choice, board, &policies)],
            policies.len().saturating_sub(MOST_POLICIES),
        ),
        _ => (each_board(view, choice, &boards, &policies), 0),
    };
    html! {
        div .heats { @for table in &tables { (markup(view, choice, table)) } } "\n"
        (legend(view, choice))
        (super::more_in_summary(left, if left == 1 { " board" } else { " boards" }))
        (super::more_in_summary(left_out, if left_out == 1 { " policy" } else { " policies" }))
    }
}

/// Of many boards those around that of the choice.
fn around(view: &View<'_>, boards: Vec<Option<usize>>) -> Vec<Option<usize>> {
    let own = view.candidate().and_then(|one| boards.iter().position(|board| *board == one.board));
    let most = boards.len().saturating_sub(MOST_BOARDS);
    let from = own.unwrap_or(0).saturating_sub(MOST_BOARDS / 2).min(most);
    boards.into_iter().skip(from).take(MOST_BOARDS).collect()
}

/// First that of the choice, then the kernel's own, then the others as they are ranked.
fn policies(view: &View<'_>, choice: &Choice) -> Vec<usize> {
    let own = view.candidate().map(|one| one.policy);
    let baseline = view.findings.summary.baseline;
    let ranked = choice.ranked.iter().map(|one| one.policy);
    let mut policies: Vec<usize> = Vec::new();
    for policy in own.into_iter().chain(baseline).chain(ranked) {
        if !policies.contains(&policy) {
            policies.push(policy);
        }
    }
    policies
}

/// A row of a board and policy.
fn row<'a>(
    view: &View<'a>,
    choice: &'a Choice,
    (board, policy): (Option<usize>, usize),
    (label, note): (String, String),
) -> Row<'a> {
    let at = |cap: usize| {
        let is_it = |one: &&Candidate| (one.board, one.policy, one.cap) == (board, policy, cap);
        choice.ranked.iter().find(is_it)
    };
    let places = (0..view.ready.plan.caps.len()).map(at).collect();
    Row { label, note, places }
}

/// The name of a board, and its size.
fn board_name(view: &View<'_>, choice: &Choice, board: Option<usize>) -> (String, String) {
    let plan = &view.ready.plan;
    let size = choice.ranked.iter().find(|one| one.board == board).map_or(0, |one| one.pages);
    let name = board.map_or("own area", |board| plan.boards[board].name.as_str());
    (name.to_string(), mib(size as f64, plan.page))
}

/// One board: a row for each policy.
fn of_board<'a>(
    view: &View<'a>,
    choice: &'a Choice,
    board: Option<usize>,
    policies: &[usize],
) -> Table<'a> {
    let named = |policy: &usize| {
        let is_baseline = view.findings.summary.baseline == Some(*policy);
        let note = if is_baseline { "baseline".to_string() } else { String::new() };
        row(view, choice, (board, *policy), (view.ready.plan.policies[*policy].to_string(), note))
    };
    let (name, size) = board_name(view, choice, board);
    Table {
        caption: format!("{}, on {name} ({size})", measure(view, choice)),
        corner: "policy",
        rows: policies.iter().take(MOST_POLICIES).map(named).collect(),
    }
}

/// Several boards: a table for the policy of the choice, and one for the kernel's own.
fn each_board<'a>(
    view: &View<'a>,
    choice: &'a Choice,
    boards: &[Option<usize>],
    policies: &[usize],
) -> Vec<Table<'a>> {
    let baseline = view.findings.summary.baseline;
    let is_shown = |(index, policy): &(usize, &usize)| *index == 0 || baseline == Some(**policy);
    let table = |(_, policy): (usize, &usize)| {
        let is_other = policies.first() != Some(policy);
        let own = if is_other { " (baseline)" } else { "" };
        let under = match view.ready.plan.policies.len() {
            1 => String::new(),
            _ => format!(", policy {}{own}", view.ready.plan.policies[*policy]),
        };
        let each = boards.iter();
        let rows = each
            .map(|board| row(view, choice, (*board, *policy), board_name(view, choice, *board)));
        Table {
            caption: format!("{}{under}", measure(view, choice)),
            corner: "board",
            rows: rows.collect(),
        }
    };
    policies.iter().enumerate().filter(is_shown).map(table).collect()
}

/// What a number is.
fn measure(view: &View<'_>, choice: &Choice) -> &'static str {
    match view.ready.plan.target {
        None if all_fail(view, choice) => "Withheld requests (R2) in the worst workload",
        None => "Streams that fail",
        Some(Target::Mtbf(_)) => "MTBF at least",
        Some(Target::FailingPerDay(_)) => "Streams that fail in a day at most",
    }
}

/// Whether in each place every stream of some workload fails, so that their share tells nothing
/// apart, and there are rates that may.
fn all_fail(view: &View<'_>, choice: &Choice) -> bool {
    choice.ranked.iter().all(|one| {
        one.streams > 0 && one.failed == one.streams && rows(view, one).all(SummaryRow::is_whole)
    })
}

/// The rows that a candidate was judged by.
fn rows<'a>(view: &View<'a>, one: &Candidate) -> impl Iterator<Item = &'a SummaryRow> {
    let all = &view.findings.summary.rows;
    let worst = all[one.worst_row].at;
    let key = (one.board, one.cap, one.policy);
    all.iter().filter(move |row| {
        let (at, own) = (&row.at, (row.at.stream, row.at.load, row.at.environment));
        (at.board, at.cap, row.policy) == key
            && (at.board.is_some() || own == (worst.stream, worst.load, worst.environment))
    })
}

/// The rate of the workload with most, and its name.
fn withheld(view: &View<'_>, one: &Candidate) -> Shown {
    let rated = rows(view, one).filter_map(|row| Some((row.rates[BLAME].mean?, row)));
    let most = rated.max_by(|a, b| a.0.total_cmp(&b.0));
    match most.filter(|(rate, _)| *rate > 0.0) {
        Some((rate, row)) => Shown {
            number: percent(rate),
            note: names::stream_short(view.ready, row.at.stream, row.at.load),
            tone: Some(tone_of_share(rate, &RATES)),
        },
        None => Shown { number: "none".to_string(), note: "withheld".to_string(), tone: Some(0) },
    }
}

fn markup(view: &View<'_>, choice: &Choice, table: &Table<'_>) -> Markup {
    let caps = &view.ready.plan.caps;
    html! {
        div .heatbox tabindex="0" role="region" aria-label=(table.caption) {
            table .heat {
                caption { (table.caption) }
                thead { tr {
                    th scope="col" { (table.corner) }
                    @for cap in caps { th scope="col" { "cap " (cap) } }
                } } "\n"
                tbody {
                    @for Row { label, note, places } in &table.rows {
                        tr {
                            th scope="row" {
                                (label) @if !note.is_empty() { " " small { (note) } }
                            }
                            @for place in places { (of_place(view, choice, *place)) }
                        } "\n"
                    }
                }
            }
        } "\n"
    }
}

/// What a place shows.
#[derive(Debug, PartialEq)]
struct Shown {
    number: String,
    note: String,
    /// From 0, none, to the worst; none where nothing was run.
    tone: Option<usize>,
}

fn of_place(view: &View<'_>, choice: &Choice, place: Option<&Candidate>) -> Markup {
    let Some(one) = place else { return html! { td .none { "–" } } };
    let is_rate = view.ready.plan.target.is_none() && all_fail(view, choice);
    let Shown { number, note, tone } = if is_rate { withheld(view, one) } else { shown(view, one) };
    let best = choice.ranked.get(choice.chosen.unwrap_or(0)).is_some_and(|best| best == one);
    let (class, word) = match (best, choice.chosen) {
        (true, Some(_)) => (" chosen", Some("★ chosen")),
        (true, None) => (" nearest", Some("☆ nearest")),
        _ => ("", None),
    };
    let signs = [
        word,
        (one.meets && word.is_none()).then_some("✓ meets"),
        (one.flagged || one.unaligned).then_some("▲ barred"),
        (one.structural > 0).then_some("structural"),
        one.dropped.then_some("✕ dropped"),
    ];
    let signs = signs.into_iter().flatten().collect::<Vec<_>>().join(", ");
    let tone = tone.map_or("none".to_string(), |tone| format!("t{tone}"));
    html! {
        td class={ (tone) (class) } {
            b { (number) } br; small { (note) }
            @if !signs.is_empty() { br; small { (signs) } }
        }
    }
}

fn shown(view: &View<'_>, one: &Candidate) -> Shown {
    let row = &view.findings.summary.rows[one.worst_row];
    let of = |number: &str, note: String, tone| Shown { number: number.to_string(), note, tone };
    if one.streams == 0 {
        return of("–", "not run".to_string(), None);
    }
    let fails = match (one.failed, one.streams) {
        (0, streams) => format!("none of {streams} fails"),
        (1, streams) => format!("1 of {streams} fails"),
        (failed, streams) => format!("{failed} of {streams} fail"),
    };
    let share = one.failed as f64 / one.streams as f64;
    let drawn = view.ready.plan.streams[row.at.stream].drawn_us().and(row.time.as_ref());
    let (number, met) = match (view.ready.plan.target, drawn) {
        _ if one.streams == 1 && (drawn.is_none() || view.ready.plan.target.is_none()) => {
            let word = if one.failed == 0 { "passes" } else { "fails" };
            return of(word, "one stream".to_string(), Some((TONES - 1) * one.failed as usize));
        }
        (Some(target @ Target::Mtbf(_)), Some(time)) => {
            let low = at_least(time.mtbf_low_us).replace(' ', &NBSP.to_string());
            (format!("≥{NBSP}{low}"), time.mtbf_low_us / target.mtbf_us())
        }
        (Some(Target::FailingPerDay(target)), Some(time)) => {
            let high = time.failing_in_a_day_high;
            (format!("≤{NBSP}{}", percent(high)), target / high)
        }
        _ if one.failed == 0 => {
            let bound = names::failing(0, one.streams, &one.interval).sure;
            return of("none", format!("of {}: {bound}", one.streams), Some(0));
        }
        _ => return of(&percent(share), fails, Some(tone_of_share(share, &SHARES))),
    };
    of(&number, fails, Some(if one.meets { 0 } else { tone_of_target(met) }))
}

/// Up to which share of failing streams a tone goes, from the second on.
const SHARES: [f64; TONES - 1] = [0.05, 0.2, 0.4, 0.7, 1.0];
/// The same of rates of requests.
const RATES: [f64; TONES - 1] = [0.01, 0.02, 0.05, 0.1, 1.0];

fn tone_of_share(share: f64, tones: &[f64; TONES - 1]) -> usize {
    match share {
        0.0 => 0,
        share => 1 + tones.iter().position(|most| share <= *most).unwrap_or(TONES - 2),
    }
}

/// From which part of the target on a tone is for what does not meet it.
const PARTS: [f64; TONES - 2] = [1.0, 0.5, 0.2, 0.05];

fn tone_of_target(met: f64) -> usize {
    1 + PARTS.iter().position(|least| met >= *least).unwrap_or(TONES - 2)
}

/// What colours and signs mean, and what a place is of.
fn legend(view: &View<'_>, choice: &Choice) -> Markup {
    let is_rate = view.ready.plan.target.is_none() && all_fail(view, choice);
    let tones: [&str; TONES] = match view.ready.plan.target {
        None if is_rate => ["none", "to 1 %", "to 2 %", "to 5 %", "to 10 %", "more"],
        None => ["none fails", "to 5 %", "to 20 %", "to 40 %", "to 70 %", "to all"],
        Some(_) => [
            "meets the target",
            "reaches it by itself, not as one of all",
            "half of it",
            "a fifth",
            "a twentieth",
            "less",
        ],
    };
    let kinds = choice.ranked.iter().map(|one| one.rows).max().unwrap_or(1);
    let any = |is: fn(&Candidate) -> bool| choice.ranked.iter().any(is);
    html! {
        p .sub .tones {
            @for (tone, name) in tones.iter().enumerate() {
                span .key {
                    svg .swatch viewBox="0 0 12 12" aria-hidden="true" {
                        rect .{ "t" (tone) } width="12" height="12" {}
                    }
                    " " (name)
                }
                " "
            }
        } "\n"
        p .sub {
            @match view.ready.plan.target {
                None if is_rate => {
                    "In every place all streams of some workload fail. So a place is the share of \
                    satisfiable requests that are refused though enough pages are free (R2), of \
                    the workload with most"
                },
                None => {
                    "A place is the share of streams in which a caller goes without its memory"
                },
                Some(target) => {
                    "Target " b { (target) } ". A place is the bound at 95 % that its streams \
                    give by themselves"
                },
            }
            @if kinds > 1 && !is_rate { ", of the worst of " (counted(kinds as u64, "workload")) }
            "."
            @if any(|one| one.flagged || one.unaligned) {
                " ▲ barred: refuses more requests of some size than the kernel's own, or does not \
                align; never chosen."
            }
            @if any(|one| one.structural > 0) {
                " structural: no policy can help at this size and cap."
            }
            @if any(|one| one.dropped) {
                " ✕ dropped: the race ended it before its last stream."
            }
        } "\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_begins_where_its_legend_says() {
        let shares = [0.0, 0.01, 0.05, 0.06, 0.2, 0.4, 0.7, 0.71, 1.0];
        assert_eq!(shares.map(|share| tone_of_share(share, &SHARES)), [0, 1, 1, 2, 2, 3, 4, 5, 5]);
        let parts = [2.0, 1.0, 0.99, 0.5, 0.2, 0.1, 0.05, 0.01, 0.0];
        assert_eq!(parts.map(tone_of_target), [1, 1, 2, 2, 3, 4, 4, 5, 5]);
    }
}
