//! What it costs in RAM: what sizes the same LOAD takes, and where the price comes from.

use maud::{Markup, PreEscaped, html};

use super::bars::{Bar, Bars, Part};
use super::names::{self, Named, Seen, Sign, mib};
use super::view::{View, Way};
use super::{left_out, more_in_summary, remark};
use crate::answer::{Least, SizeTried, Sizing, SummaryRow};
use crate::page::Page;
use crate::report::chart::axis::Axis;
use crate::report::chart::{Mark, Plot, Rule, Series};
use crate::report::page::sentence;
use crate::report::page::table::{self, Row, table};
use crate::report::words::{covers, on_boards};
use crate::stats::Interval;
use crate::words::mib_number;

/// Streams of which there are pictures.
const MOST_STREAMS: usize = 4;
/// Rows of the table.
const MOST_ROWS: usize = 24;

/// What the choice takes.
pub(super) fn gist(view: &View<'_>) -> String {
    let Some(one) = view.candidate() else { return "Nothing was run".to_string() };
    let mib = |pages: u64| mib(pages as f64, view.ready.plan.page);
    match one.pages_above_smallest {
        0 => format!("{}, the smallest board that was tried", mib(one.pages)),
        more => format!("{}: {} more than the smallest board", mib(one.pages), mib(more)),
    }
}

/// What it costs in RAM and in time.
pub(super) fn section(view: &View<'_>) -> Markup {
    html! { (smallest(view)) (sizes(view)) (time(view)) }
}

/// What the choice takes beside the smallest board.
fn smallest(view: &View<'_>) -> Markup {
    let is_chosen = view.choice().is_some_and(|choice| choice.chosen.is_some());
    let what = if is_chosen { "The choice" } else { "The nearest configuration" };
    html! {
        @if let Some(candidate) = view.candidate() {
            p {
                (what) " takes " (mib(candidate.pages as f64, view.ready.plan.page))
                @match candidate.pages_above_smallest {
                    0 => { ", the smallest board that was tried." },
                    more => {
                        ": " (mib(more as f64, view.ready.plan.page)) " more than the smallest board that was tried."
                    },
                }
            } "\n"
        }
    }
}

/// A ladder of sizes under a way that is drawn.
struct Tried<'a> {
    way: Way,
    name: Named,
    sizing: &'a Sizing,
}

impl<'a> Tried<'a> {
    /// The star is for the ladder with the board that was chosen, not for others with the same cap
    /// and policy.
    fn of(view: &View<'_>, sizing: &'a Sizing) -> Self {
        let way = Way { cap: sizing.cap, policy: sizing.policy };
        let rows = view.rows_of(sizing.stream, sizing.load, sizing.environment);
        let mut name = view.name(way, rows);
        let board = view.candidate().and_then(|candidate| candidate.board);
        let is_its = sizing.sizes.iter().any(|size| Some(size.board) == board);
        name.sign = name.sign.filter(|sign| *sign != Sign::Chosen || is_its);
        Self { way, name, sizing }
    }
}

/// What sizes the same LOAD takes.
fn sizes(view: &View<'_>) -> Markup {
    let all = &view.findings.sizing;
    if all.is_empty() {
        return PreEscaped(include_str!("prose/one-size.html").to_string());
    }
    let same = |a: &Sizing, b: &Sizing| {
        (a.stream, a.load, a.environment) == (b.stream, b.load, b.environment)
            && a.is_like(b, &view.ready.plan)
    };
    html! {
        @for (index, group) in all.chunk_by(same).take(MOST_STREAMS).enumerate() {
            @let shown = shown(view, group);
            @if shown.iter().any(|one| one.sizing.sizes.len() > 1) {
                (bigger(view, index, &shown).figure())
            }
            @if !shown.is_empty() { (ladder(view, index, &shown).figure()) }
        }
        (table_of(view, all))
    }
}

/// The ladders of a group that are drawn, in the order of their ways.
fn shown<'a>(view: &View<'_>, group: &'a [Sizing]) -> Vec<Tried<'a>> {
    let of_way =
        |way: &Way| group.iter().find(|one| (one.cap, one.policy) == (way.cap, way.policy));
    view.ways.iter().filter_map(of_way).map(|sizing| Tried::of(view, sizing)).collect()
}

fn title(view: &View<'_>, sizing: &Sizing) -> String {
    let name = names::stream(view.ready, sizing.stream, sizing.load);
    name + &names::environment(view.ready, sizing.environment) + &on_boards(view.ready, sizing)
}

/// What streams a ladder is of, and how long each is.
fn covered(view: &View<'_>, sizing: &Sizing) -> String {
    let rows = view.rows_of(sizing.stream, sizing.load, sizing.environment);
    // What was left out is on no ladder.
    let rows: Vec<_> = rows.filter(|row| row.streams > 0).collect();
    covers(view.ready, &rows)
}

/// The share of streams that fail over the size of the area.
fn bigger(view: &View<'_>, index: usize, shown: &[Tried<'_>]) -> Plot {
    let first = shown[0].sizing;
    let mark = |size: &SizeTried| {
        let failed = names::failing(size.failed, size.streams, &size.interval);
        let structural = match size.structural {
            0 => String::new(),
            streams => format!("; structural in {}", names::streams(streams)),
        };
        Mark {
            x: size.per_load,
            y: size.failed as f64 / size.streams.max(1) as f64,
            interval: size.interval.low.zip(size.interval.high),
            hollow: size.failed == 0,
            rises: false,
            text: format!(
                "{} ({:.2} × LOAD): {}{}{structural}",
                mib(size.pages as f64, view.ready.plan.page),
                size.per_load,
                names::so_many_fail(size.failed, size.streams),
                if size.streams > 1 { format!(" ({})", failed.sure) } else { String::new() }
            ),
        }
    };
    let series = shown.iter().map(|one| Series {
        name: one.name.to_string(),
        short: one.name.short(),
        look: view.look(one.way),
        marks: one.sizing.sizes.iter().map(mark).collect(),
        steps_to: None,
        band: false,
    });
    let series: Vec<_> = series.collect();
    let marks = || series.iter().flat_map(|series| &series.marks);
    // Up to the end of the highest bar: nothing is said by empty room above it.
    let highest = marks().map(Mark::top).fold(0.0, f64::max);
    let least = marks().map(|mark| mark.x).fold(1.0, f64::min);
    let widest = marks().map(|mark| mark.x).fold(1.0, f64::max);
    Plot {
        id: format!("size{index}"),
        title: format!("Would a bigger area help? {}", title(view, first)),
        about: "Share of streams in which a caller goes without its memory over the size of the \
                area as a multiple of LOAD; a line for each cap and policy. The table below has \
                the numbers."
            .to_string(),
        x: Axis::between("area / LOAD", least, widest, |at| format!("{at:.2}")),
        y: Axis::percent("streams that fail, %", highest),
        series,
        level: None,
        rules: vec![Rule { x: 1.0, text: "area = LOAD".to_string() }],
        note: format!(
            "{} Bars: 95 % interval of the share of streams. A hollow marker: no stream failed, \
             and the bar says what share still may.",
            sentence(&covered(view, first))
        ),
    }
}

/// What the parts of a bar are.
const KINDS: [&str; 3] = [
    "LOAD: no area below it can work",
    "to aligned LOAD: what the cap costs, whatever the policy",
    "to the size that serves 95 % of streams: packing, and not knowing the future",
];

/// Where the price comes from: LOAD, its alignment, and the rest.
fn ladder(view: &View<'_>, index: usize, shown: &[Tried<'_>]) -> Bars {
    let first = shown[0].sizing;
    let largest = first.sizes.iter().map(|size| size.per_load).fold(1.0, f64::max);
    let bars: Vec<_> = shown.iter().map(|one| bar(one, largest, view.ready.plan.page)).collect();
    let there = |kind: usize| bars.iter().flat_map(|bar| &bar.parts).any(|part| part.kind == kind);
    let kinds = KINDS.iter().enumerate().filter(|(kind, _)| there(*kind));
    Bars {
        id: format!("price{index}"),
        title: format!("What the area has to hold: {}", title(view, first)),
        x: Axis::up_to("area / LOAD", largest, |at| format!("{at:.2}")),
        kinds: kinds.map(|(kind, name)| (kind, (*name).to_string())).collect(),
        bars,
        note: format!(
            "{} Sizes are those of the boards that were tried: the true least size lies between one \
             step of that ladder and the next.",
            sentence(&covered(view, first))
        ),
    }
}

fn bar(Tried { name, sizing, .. }: &Tried<'_>, largest: f64, page: Page) -> Bar {
    let load = sizing.load_pages;
    let aligned = sizing.aligned_load_pages.map_or(1.0, |pages| (pages / load).max(1.0));
    let need = sizing.least.quantile_95.map(|per_load| per_load.max(aligned));
    let mut parts = vec![Part { length: 1.0, kind: 0, text: format!("LOAD {}", mib(load, page)) }];
    if aligned > 1.0 {
        let text = format!("aligned LOAD {}", about(aligned, load, page));
        parts.push(Part { length: aligned - 1.0, kind: 1, text });
    }
    let numbers = match need {
        Some(need) => {
            let text = format!("for 95 % of streams {}", about(need, load, page));
            parts.push(Part { length: need - aligned, kind: 2, text });
            format!("95 % of streams: {} ({})", about(need, load, page), ends(sizing))
        }
        None => format!("95 % of streams: more than {}, the largest", about(largest, load, page)),
    };
    Bar { label: name.to_string(), numbers, parts }
}

/// What it costs in time, where the pages of an area take some to be emptied.
fn time(view: &View<'_>) -> Markup {
    let (cases, left) = view.cases();
    let takes_time = |row: &SummaryRow| row.latency_max_us.is_some_and(|us| us > 0);
    let cases = cases.iter().map(|at| (at, view.rows(at)));
    let cases: Vec<_> =
        cases.filter(|(_, rows)| rows.iter().any(|drawn| takes_time(drawn.row))).collect();
    html! {
        @for (at, rows) in &cases {
            @let caption = format!(
                "Time to get a buffer (model): {}; {}", view.place(at), view.covers(at)
            );
            (view.table(&caption, rows, time_fields))
            @if rows.iter().any(|drawn| drawn.row.ended_early > 0) {
                (remark("Of streams that ended at their first failure: up to that."))
            }
        }
        @if !cases.is_empty() {
            (PreEscaped(include_str!("prose/latency.html")))
            (left_out(left))
        }
    }
}

fn time_fields(row: &SummaryRow) -> Vec<table::Field> {
    let us = |title, us: Option<f64>| names::count(title, us.map(|us| us as u64));
    let moved = Some(row.migrated_pages).filter(|_| row.requests > 0);
    let moved = moved.map(|pages| pages as f64 / row.requests as f64);
    vec![
        us("Median, µs", row.latency_p50_us),
        us("99 %, µs", row.latency_p99_us),
        names::count("Longest, µs", row.latency_max_us),
        table::number("Pages migrated per request", moved, |pages| format!("{pages:.1}")),
        names::count("Streams", Some(row.streams)),
    ]
}

/// A multiple of LOAD, and what that is.
fn about(per_load: f64, load_pages: f64, page: Page) -> String {
    format!("{per_load:.2} × LOAD ≈ {:.0}\u{a0}MiB", per_load * load_pages / page.in_mib() as f64)
}

/// How sure the size that serves 95 % of streams is.
fn ends(sizing: &Sizing) -> String {
    let Least { at_smallest, streams, .. } = sizing.least;
    if at_smallest == streams {
        return match streams {
            1 => "the one stream passes at the smallest size".to_string(),
            _ => format!("all {streams} streams pass at the smallest size"),
        };
    }
    let interval = &sizing.least.quantile_95_interval;
    match (interval.low, interval.high) {
        (Some(low), Some(high)) => format!("{low:.2} to {high:.2}"),
        (Some(low), None) => format!("{low:.2} or more: {}", names::streams(streams)),
        _ => names::streams(streams),
    }
}

fn table_of(view: &View<'_>, all: &[Sizing]) -> Markup {
    let of_way = |one: &&Sizing| view.ways.contains(&Way { cap: one.cap, policy: one.policy });
    let shown: Vec<_> = all.iter().filter(of_way).take(MOST_ROWS).collect();
    let mut streams = shown.clone();
    streams.dedup_by_key(|sizing| sizing.stream);
    let streams = streams.into_iter().map(|sizing| {
        let name = view.ready.plan.streams[sizing.stream].name();
        format!("; {name}: {}", covered(view, sizing))
    });
    let caption = format!("The least area, of the sizes tried{}", streams.collect::<String>());
    let rows: Vec<_> = shown.iter().map(|sizing| row(view, &Tried::of(view, sizing))).collect();
    html! {
        (table(&caption, &rows))
        (more_in_summary(all.len() - rows.len(), ""))
        (PreEscaped(include_str!("prose/sizes.html")))
    }
}

fn row(view: &View<'_>, Tried { name, sizing, .. }: &Tried<'_>) -> Row {
    let page = view.ready.plan.page;
    let size =
        |title, pages: Option<f64>| table::number(title, pages, |pages| mib_number(pages, page));
    let least = |title, percent: u64, per_load: Option<f64>, interval: &Interval| {
        let bound = if sizing.least.is_at_most(percent) { "≤\u{2009}" } else { "" };
        let value =
            per_load.map_or_else(|| "above all".to_string(), |at| format!("{bound}{at:.2}"));
        let sure = names::ends(interval, |end| format!("{end:.2}"), "no bound");
        let sure = sure.unwrap_or_else(|| names::streams(sizing.least.streams));
        Seen::new(value, sure).field(title, per_load)
    };
    let class = name.sign.filter(|sign| *sign != Sign::Chosen).map_or("", Sign::class);
    let its = &sizing.least;
    let fields = vec![
        table::text("Stream", title(view, sizing)),
        table::text("Policy and cap", name.to_string()),
        size("LOAD, MiB", Some(sizing.load_pages)),
        size("Aligned LOAD, MiB", sizing.aligned_load_pages),
        least("Median least area / LOAD", 50, its.median, &its.median_interval),
        least("Area / LOAD for 95 % of streams", 95, its.quantile_95, &its.quantile_95_interval),
        table::number("Certified area / LOAD", sizing.certified_per_load, |at| format!("{at:.2}")),
        table::number("Fail again when larger", Some(sizing.anomalies as f64), |n| n.to_string()),
    ];
    Row { class, fields }
}
