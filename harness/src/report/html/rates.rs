//! Rates over rho = LOAD / area, for every policy and cap. Never averaged over rho.

use maud::{Markup, PreEscaped, html};

use super::names::{self, percent, seen};
use super::sure::cut_note;
use super::view::{View, Way};
use super::{left_out, more_in_summary};
use crate::answer::{BLAME, SummaryRow};
use crate::report::chart::axis::Axis;
use crate::report::chart::{Mark, Plot, Rule, Series};
use crate::report::page::sentence;
use crate::report::page::table::{self, table};
use crate::report::words::{both_rates, covers};
use crate::sweep::Configuration;

/// Pictures at most.
const MOST_PLOTS: usize = 8;
/// Rows of the table at most.
const MOST_ROWS: usize = 60;

/// Rows that lie on one line each: a stream and environment, on boards that differ in size alone.
struct Group<'a> {
    at: Configuration,
    shape: String,
    rows: Vec<&'a SummaryRow>,
}

/// The lowest rate and the highest.
pub(super) fn gist(view: &View<'_>) -> String {
    let rows = view.findings.summary.rows.iter().filter(|row| row.is_whole());
    let rates = rows.filter_map(|row| row.rates[BLAME].mean);
    let ends = rates.fold(None, |ends: Option<(f64, f64)>, rate| {
        Some(ends.map_or((rate, rate), |(low, high)| (low.min(rate), high.max(rate))))
    });
    let said = |rate: f64| if rate == 0.0 { "none seen".to_string() } else { percent(rate) };
    match ends {
        None => "No rates: streams end at their first failure".to_string(),
        Some(_) if view.findings.summary.rows.iter().any(|row| row.ended_early > 0) => {
            "Streams end at their first failure: rates only where none fails".to_string()
        }
        Some((_, 0.0)) => "Withheld (R2): none seen".to_string(),
        Some((low, high)) if low == high => format!("Withheld (R2): {}", said(low)),
        Some((low, high)) => format!("Withheld (R2): {} to {}", said(low), said(high)),
    }
}

/// The pictures, and the table of what has one LOAD only.
pub(super) fn section(view: &View<'_>) -> Markup {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for row in &view.findings.summary.rows {
        let shape = shape(view, &row.at);
        let same = |group: &&mut Group<'_>| {
            (group.at.stream, group.at.environment) == (row.at.stream, row.at.environment)
                && group.shape == shape
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.rows.push(row),
            None => groups.push(Group { at: row.at, shape, rows: vec![row] }),
        }
    }
    let (lines, points): (Vec<_>, Vec<_>) = groups.iter().partition(|group| several(view, group));
    let points: Vec<_> = points.iter().flat_map(|group| &group.rows).copied().collect();
    html! {
        (PreEscaped(include_str!("prose/rates.html")))
        @for (index, group) in lines.iter().take(MOST_PLOTS).enumerate() {
            (plot(view, index, group))
        }
        (left_out(lines.len().saturating_sub(MOST_PLOTS)))
        @if !points.is_empty() { (table_of(view, &points)) }
        (both(view))
    }
}

/// What fails by who asks, where that is not known, of the policy of the kernel.
fn both(view: &View<'_>) -> Markup {
    let baseline = view.findings.summary.baseline;
    let rows = view.findings.summary.rows.iter().filter(|row| Some(row.policy) == baseline);
    let said: Vec<_> = rows.filter_map(|row| Some((row, both_rates(view.ready, row)?))).collect();
    html! {
        @if !said.is_empty() {
            p { "Who asks is not known, so each rate of the kernel's policy is two:" } "\n"
            ul {
                @for (row, rates) in said.iter().take(MOST_ROWS) {
                    li { (view.place(&row.at)) ", " (view.name_of(row).to_string()) ": " (rates) }
                }
            } "\n"
            (more_in_summary(said.len().saturating_sub(MOST_ROWS), ""))
        }
    }
}

/// What boards have in common that differ in size alone: the clients of each area.
fn shape(view: &View<'_>, at: &Configuration) -> String {
    let board = view.ready.board(at);
    let areas = board.areas.iter().map(|area| area.clients.join(" "));
    areas.collect::<Vec<_>>().join("|")
}

fn several(view: &View<'_>, group: &Group<'_>) -> bool {
    let mut all: Vec<_> = group.rows.iter().map(|row| (row.at.board, row.at.load)).collect();
    all.dedup();
    all.iter().any(|at| *at != all[0])
        && group.rows.iter().all(|row| names::rho(view.ready, row).is_some())
}

fn plot(view: &View<'_>, index: usize, group: &Group<'_>) -> Markup {
    let rows_of = |way: Way| group.rows.iter().copied().filter(move |row| Way::of(row) == way);
    let stream = view.ready.plan.streams[group.at.stream].name();
    let shape = match view.ready.board(&group.at).areas.len() {
        1 => String::new(),
        areas => format!(", {areas} areas"),
    };
    let environment = names::environment(view.ready, group.at.environment);
    let title = format!("{stream}{shape}{environment}");
    // What is left of a way of which some streams were ended at their first failure is what went
    // well: a line of zeros.
    let (whole, out_of_it): (Vec<Way>, Vec<Way>) = view.ways.iter().partition(|way| {
        rows_of(**way).any(|row| row.streams > 0) && rows_of(**way).all(|row| row.ended_early == 0)
    });
    let drawn = group
        .rows
        .iter()
        .copied()
        .filter(|row| row.streams > 0 && (whole.is_empty() || whole.contains(&Way::of(row))));
    let covers = sentence(&covers(view.ready, &drawn.collect::<Vec<_>>()));
    if whole.is_empty() {
        return html! {
            p {
                (title) ": ended at the first failure, so that there are no rates over the length \
                of streams, or not run. " (covers)
            } "\n"
        };
    }
    let line = |way: Way| {
        let mut marks: Vec<_> = rows_of(way).filter_map(|row| mark(view, row)).collect();
        marks.sort_by(|a, b| a.x.total_cmp(&b.x));
        let name = view.name(way, group.rows.iter().copied());
        let (name, short) = (name.to_string(), name.short());
        Series { name, short, look: view.look(way), marks, steps_to: None, band: false }
    };
    let series: Vec<_> = whole.into_iter().map(line).filter(|s| !s.marks.is_empty()).collect();
    let marks = || series.iter().flat_map(|series| &series.marks);
    // As high as what was seen: what a clean point still allows may be many times that, and would
    // press everything else onto the axis.
    let seen = marks().filter(|mark| !mark.hollow).map(Mark::top).fold(0.0, f64::max);
    let most = if seen > 0.0 { seen } else { marks().map(Mark::top).fold(0.0, f64::max) };
    let widest = marks().map(|mark| mark.x).fold(1.0, f64::max);
    let least = marks().map(|mark| mark.x).fold(1.0, f64::min);
    let plot = Plot {
        id: format!("rho{index}"),
        title,
        about: "Rate of withheld requests over LOAD / area, a line for each cap and policy. \
                summary.csv has the numbers of every point."
            .to_string(),
        x: Axis::between("rho = LOAD / area", least, widest, |at| format!("{at:.2}")),
        y: Axis::percent("withheld per satisfiable request (R2), %", most),
        level: None,
        rules: rules(view, group),
        note: format!(
            "{covers} Bars: 95 % intervals over streams. A hollow marker: no request was withheld \
             in any stream; its broken bar is what that still allows, and may leave the plot. To \
             the right of the dotted line of a cap the area is too small for any policy \
             (structural).{}",
            not_drawn(view, &out_of_it)
        ),
        series,
    };
    plot.figure()
}

/// What a picture leaves out.
fn not_drawn(view: &View<'_>, ways: &[Way]) -> String {
    let mut text = match view.ways_left() {
        0 => String::new(),
        more => format!(" {more} more caps and policies: summary.csv."),
    };
    if !ways.is_empty() {
        let ways = ways.iter().map(|way| names::way(view.ready, way.cap, way.policy));
        text += &format!(
            " Left out, as streams ended at the first failure, which leaves no rates over their \
             length, or were not run: {}.",
            ways.collect::<Vec<_>>().join("; ")
        );
    }
    text
}

/// A row as a place over its rho.
fn mark(view: &View<'_>, row: &SummaryRow) -> Option<Mark> {
    let rate = &row.rates[BLAME];
    let (x, y) = (names::rho(view.ready, row)?, rate.mean?);
    let interval = rate.interval.low.zip(rate.interval.high);
    let structural = match row.structural {
        0 => String::new(),
        streams => {
            format!(
                "; structural in {}: some request fails under any policy",
                names::streams(streams)
            )
        }
    };
    let text = format!(
        "{}: rho {x:.3}, R2 {}; {}{structural}",
        names::board(view.ready, &row.at),
        seen(rate, row.streams).line(),
        names::so_many_fail(row.failed, row.streams)
    );
    Some(Mark { x, y, interval, hollow: y == 0.0, rises: false, text })
}

/// Where aligned LOAD is the area: from there on no policy can help.
fn rules(view: &View<'_>, group: &Group<'_>) -> Vec<Rule> {
    let caps = view.ready.plan.caps.iter().enumerate();
    let drawn = caps.filter(|(index, _)| view.ways.iter().any(|way| way.cap == *index));
    let rule = |(index, cap): (usize, &u32)| {
        // Of a stream whose LOAD follows the board the border moves with it: the fullest counts.
        let of_cap = group.rows.iter().filter(|row| row.at.cap == index);
        let border = of_cap.filter_map(|row| {
            let (load, aligned) = (row.load_pages?, row.aligned_load_pages?);
            Some((names::rho(view.ready, row)?, load / aligned))
        });
        let (_, x) = border.max_by(|a, b| a.0.total_cmp(&b.0))?;
        (x < 0.999).then(|| Rule { x, text: format!("cap {cap}: aligned LOAD = area") })
    };
    let mut rules: Vec<_> = drawn.filter_map(rule).collect();
    rules.sort_by(|a, b| a.x.total_cmp(&b.x));
    rules.push(Rule { x: 1.0, text: "LOAD = area".to_string() });
    rules
}

/// Streams of one LOAD on one board, as a table: a line needs two places.
fn table_of(view: &View<'_>, rows: &[&SummaryRow]) -> Markup {
    let drawn = rows.iter().filter(|row| view.ways.contains(&Way::of(row)));
    let row = |row: &&SummaryRow| {
        let rho = names::rho(view.ready, row);
        let failing = names::failing(row.failed, row.streams, &row.failed_interval);
        let fields = vec![
            table::noted("Stream and board", &view.place(&row.at), &covers(view.ready, &[*row])),
            table::text("Policy and cap", view.name_of(row).to_string()),
            table::number("rho", rho, percent),
            names::rate(row, BLAME).field(names::R2, row.rates[BLAME].mean),
            failing.field("Streams that fail", Some(row.failed as f64)),
            names::first_failure(row).field(names::R5, row.first_failure),
        ];
        view.table_row(row, fields)
    };
    let shown: Vec<_> = drawn.take(MOST_ROWS).map(row).collect();
    html! {
        p { "Streams that were run at one LOAD on one board:" } "\n"
        (table("Streams at one rho", &shown))
        (more_in_summary(rows.len() - shown.len(), ""))
        (cut_note(rows.iter().copied()))
    }
}
