//! What it costs in RAM: what sizes the same LOAD takes, and where the price comes from.

use std::io::{self, Write};

use super::axis::Axis;
use super::bars::{Bar, Bars, Part};
use super::chart::{Mark, Plot, Series};
use super::names::{self, mib, mib_number};
use super::table::{self, Row, numbers, words};
use super::ways::{Page, Way};
use crate::report::sizing::{Least, SizeTried, Sizing};
use crate::report::summary::SummaryRow;
use crate::report::time::covers;
use crate::stats::Interval;

/// Streams of which there are pictures.
const MOST_STREAMS: usize = 4;
/// Rows of the table.
const MOST_ROWS: usize = 24;

/// Writes it.
pub(super) fn write(page: &Page<'_>, out: &mut dyn Write) -> io::Result<()> {
    smallest(page, out)?;
    sizes(page, out)?;
    time(page, out)
}

/// What sizes the same LOAD takes.
fn sizes(page: &Page<'_>, out: &mut dyn Write) -> io::Result<()> {
    let all = &page.findings.sizing;
    if all.is_empty() {
        return writeln!(
            out,
            "<p>No stream of the plan has the same LOAD on boards of several sizes, so this sweep \
             does not say what a smaller or larger area would do. A plan with <code>loads_mib</code> \
             and several <code>[[boards]]</code> does.</p>"
        );
    }
    let same = |a: &Sizing, b: &Sizing| {
        (a.stream, a.load, a.environment) == (b.stream, b.load, b.environment)
            && a.is_like(b, &page.ready.plan)
    };
    for (index, group) in all.chunk_by(same).take(MOST_STREAMS).enumerate() {
        let shown: Vec<_> = page.ways.iter().filter_map(|way| find(group, *way)).collect();
        if shown.iter().any(|(_, sizing)| sizing.sizes.len() > 1) {
            bigger(page, index, &shown, out)?;
        }
        ladder(page, index, &shown, out)?;
    }
    table(page, all, out)
}

fn find(group: &[Sizing], way: Way) -> Option<(Way, &Sizing)> {
    let found = group.iter().find(|sizing| (sizing.cap, sizing.policy) == (way.cap, way.policy));
    found.map(|sizing| (way, sizing))
}

/// What the choice takes beside the smallest board.
fn smallest(page: &Page<'_>, out: &mut dyn Write) -> io::Result<()> {
    let Some(candidate) = page.candidate() else { return Ok(()) };
    let all = mib(candidate.pages as f64);
    let chosen = page.choice().is_some_and(|choice| choice.chosen.is_some());
    let what = if chosen { "The choice" } else { "The nearest configuration" };
    match candidate.pages_above_smallest {
        0 => writeln!(out, "<p>{what} takes {all}, the smallest board that was tried.</p>"),
        more => writeln!(
            out,
            "<p>{what} takes {all}: {} more than the smallest board that was tried.</p>",
            mib(more as f64)
        ),
    }
}

fn title(page: &Page<'_>, sizing: &Sizing) -> String {
    let name = names::stream(page.ready, sizing.stream, sizing.load);
    name + &names::environment(page.ready, sizing.environment) + &sizing.on_boards(&page.ready.plan)
}

/// What streams a ladder is of, and how long each is.
fn covered(page: &Page<'_>, sizing: &Sizing) -> String {
    let rows = page.rows_of(sizing.stream, sizing.load, sizing.environment);
    // What was left out stands on no ladder.
    let rows: Vec<_> = rows.filter(|row| row.streams > 0).collect();
    covers(page.ready, &rows)
}

/// The share of streams that fail over the size of the area.
fn bigger(
    page: &Page<'_>,
    index: usize,
    shown: &[(Way, &Sizing)],
    out: &mut dyn Write,
) -> io::Result<()> {
    let Some((_, first)) = shown.first() else { return Ok(()) };
    let mark = |size: &SizeTried| {
        let failed = names::failing(size.failed, size.streams, &size.interval);
        let structural = match size.structural {
            Some(0) | None => String::new(),
            Some(streams) => format!("; structural in {streams}"),
        };
        Mark {
            x: size.per_load,
            y: size.failed as f64 / size.streams.max(1) as f64,
            interval: size.interval.low.zip(size.interval.high),
            hollow: size.failed == 0,
            text: format!(
                "{} ({:.2} × LOAD): {} streams fail ({}){structural}",
                mib(size.pages as f64),
                size.per_load,
                failed.value,
                failed.sure
            ),
        }
    };
    let series = shown.iter().map(|(way, sizing)| Series {
        name: name(page, *way, sizing),
        look: page.look(*way),
        marks: sizing.sizes.iter().map(mark).collect(),
        steps_to: None,
        band: false,
    });
    let series: Vec<_> = series.collect();
    let places = || series.iter().flat_map(|series| &series.marks).map(|mark| mark.x);
    // Up to the end of the highest bar: nothing is told by empty room above it.
    let marks = series.iter().flat_map(|series| &series.marks);
    let tops = marks.map(|mark| mark.interval.map_or(mark.y, |(_, high)| high.max(mark.y)));
    let highest = tops.fold(0.0, f64::max);
    let (least, widest) = (places().fold(1.0, f64::min), places().fold(1.0, f64::max));
    let plot = Plot {
        id: format!("size{index}"),
        title: format!("Would a bigger area help? {}", title(page, first)),
        about:
            "Share of streams in which a caller goes without its memory over the size of the area \
                as a multiple of LOAD; a line for each cap and policy. The table below has the numbers."
                .to_string(),
        x: Axis::between("area / LOAD", least, widest, |at| format!("{at:.2}")),
        y: Axis::percent("streams that fail, %", highest),
        series,
        rules: vec![super::chart::Rule { x: 1.0, text: "area = LOAD".to_string() }],
        note: format!(
            "{} Bars: 95 % interval of the share of streams. A hollow marker: no stream failed, \
             and the bar says what share still may.",
            names::sentence(&covered(page, first))
        ),
    };
    plot.write(out)
}

/// The name of a way on the boards of a ladder: the star is for the ladder with the board that was
/// chosen, not for others with the same cap and policy.
fn name(page: &Page<'_>, way: Way, sizing: &Sizing) -> String {
    let name = page.name(way, page.rows_of(sizing.stream, sizing.load, sizing.environment));
    let board = page.candidate().and_then(|candidate| candidate.board);
    if sizing.sizes.iter().any(|size| Some(size.board) == board) {
        name
    } else {
        name.replace(" ★ chosen", "")
    }
}

/// Where the price comes from: LOAD, its alignment, and the rest.
fn ladder(
    page: &Page<'_>,
    index: usize,
    shown: &[(Way, &Sizing)],
    out: &mut dyn Write,
) -> io::Result<()> {
    let Some((_, first)) = shown.first() else { return Ok(()) };
    let largest = first.sizes.iter().map(|size| size.per_load).fold(1.0, f64::max);
    let bar = |(way, sizing): &(Way, &Sizing)| {
        let load = sizing.load_pages;
        let aligned = sizing.aligned_load_pages.map_or(1.0, |pages| (pages / load).max(1.0));
        let need = sizing.least.quantile_95.map(|per_load| per_load.max(aligned));
        let mut parts = vec![Part { length: 1.0, kind: 0, text: format!("LOAD {}", mib(load)) }];
        if aligned > 1.0 {
            let text = format!("aligned LOAD {}", about(aligned, load));
            parts.push(Part { length: aligned - 1.0, kind: 1, text });
        }
        let numbers = match need {
            Some(need) => {
                let text = format!("for 95 % of streams {}", about(need, load));
                parts.push(Part { length: need - aligned, kind: 2, text });
                format!("95 % of streams: {} ({})", about(need, load), ends(sizing))
            }
            None => format!("95 % of streams: more than {}, the largest", about(largest, load)),
        };
        Bar { label: name(page, *way, sizing), numbers, parts }
    };
    let kinds = [
        "LOAD: no area below it can work",
        "to aligned LOAD: what the cap costs, whatever the policy",
        "to the size that serves 95 % of streams: packing, and not knowing the future",
    ];
    let bars: Vec<_> = shown.iter().map(bar).collect();
    let there = |kind: usize| bars.iter().flat_map(|bar| &bar.parts).any(|part| part.kind == kind);
    let bars = Bars {
        id: format!("price{index}"),
        title: format!("What the area has to hold: {}", title(page, first)),
        x: Axis::up_to("area / LOAD", largest, |at| format!("{at:.2}")),
        kinds: kinds
            .iter()
            .enumerate()
            .filter(|(kind, _)| there(*kind))
            .map(|(kind, name)| (kind, (*name).to_string()))
            .collect(),
        bars,
        note: format!(
            "{} Sizes are those of the boards that were tried: the true least size lies between one \
             step of that ladder and the next.",
            names::sentence(&covered(page, first))
        ),
    };
    bars.write(out)
}

/// What it costs in time, where the pages of an area take some to be emptied.
fn time(page: &Page<'_>, out: &mut dyn Write) -> io::Result<()> {
    let (cases, left) = page.cases();
    let columns = [
        words("Policy and cap"),
        numbers("Median, µs"),
        numbers("99 %, µs"),
        numbers("Longest, µs"),
        numbers("Pages migrated per request"),
        numbers("Streams"),
    ];
    let mut any = false;
    for at in &cases {
        let rows = page.rows(*at);
        if !rows.iter().any(|(_, _, row)| row.latency_max_us.is_some_and(|us| us > 0)) {
            continue;
        }
        any = true;
        let us = |us: Option<f64>| {
            table::number(us, &us.map_or_else(|| "–".to_string(), |us| names::whole(us as u64)))
        };
        let row = |(way, _, row): &(Way, usize, &SummaryRow)| {
            let moved = row.migrated_pages.filter(|_| row.requests > 0);
            let moved = moved.map(|pages| pages as f64 / row.requests as f64);
            let moved_text = moved.map_or_else(|| "–".to_string(), |pages| format!("{pages:.1}"));
            let fields = vec![
                table::text(&page.name_of(*way, row)),
                us(row.latency_p50_us),
                us(row.latency_p99_us),
                us(row.latency_max_us.map(|us| us as f64)),
                table::number(moved, &moved_text),
                table::number(Some(row.streams as f64), &names::whole(row.streams)),
            ];
            Row { class: super::sure::class(page, row), fields }
        };
        let rows: Vec<_> = rows.iter().map(row).collect();
        let caption =
            format!("Time to get a buffer (model): {}; {}", page.place(at), page.covers(at));
        table::write(&caption, &columns, &rows, page.ways_left(), out)?;
        if page.rows(*at).iter().any(|(_, _, row)| row.ended_early > 0) {
            writeln!(
                out,
                "<p class=\"sub\">Of streams that ended at their first failure: up to that.</p>"
            )?;
        }
    }
    if any {
        writeln!(
            out,
            "<p class=\"sub\">A <b>model</b> of emptying pages, with the costs that the environment \
             states: good for comparing, not for a deadline. Median and 99 % are medians over \
             streams, the longest is that of any stream; there is no interval of them.</p>"
        )?;
        super::left_out(left, out)?;
    }
    Ok(())
}

/// A multiple of LOAD, and what that is.
fn about(per_load: f64, load_pages: f64) -> String {
    format!("{per_load:.2} × LOAD ≈ {:.0}\u{a0}MiB", per_load * load_pages / 256.0)
}

/// How sure the size that serves 95 % of streams is.
fn ends(sizing: &Sizing) -> String {
    let Least { at_smallest, streams, .. } = sizing.least;
    if at_smallest == streams {
        return format!("all {streams} streams pass at the smallest size");
    }
    let interval = &sizing.least.quantile_95_interval;
    match (interval.low, interval.high) {
        (Some(low), Some(high)) => format!("{low:.2} to {high:.2}"),
        (Some(low), None) => format!("{low:.2} or more: {streams} streams"),
        _ => format!("{streams} streams"),
    }
}

fn table(page: &Page<'_>, all: &[Sizing], out: &mut dyn Write) -> io::Result<()> {
    let columns = [
        words("Stream"),
        words("Policy and cap"),
        numbers("LOAD, MiB"),
        numbers("Aligned LOAD, MiB"),
        numbers("Median least area / LOAD"),
        numbers("Area / LOAD for 95 % of streams"),
        numbers("Certified area / LOAD"),
        numbers("Fail again when larger"),
    ];
    let drawn =
        |sizing: &&Sizing| page.ways.contains(&Way { cap: sizing.cap, policy: sizing.policy });
    let row = |sizing: &Sizing| {
        let way = Way { cap: sizing.cap, policy: sizing.policy };
        let name = name(page, way, sizing);
        let size = |pages: Option<f64>| {
            table::number(pages, &pages.map_or_else(|| "–".to_string(), mib_number))
        };
        let least = |per_load: Option<f64>, interval: &Interval, percent: u64| {
            let bound = if sizing.least.is_at_most(percent) { "≤\u{2009}" } else { "" };
            let value =
                per_load.map_or_else(|| "above all".to_string(), |at| format!("{bound}{at:.2}"));
            let sure = match (interval.low, interval.high) {
                (Some(low), Some(high)) => format!("{low:.2} to {high:.2}"),
                (Some(low), None) => format!("{low:.2} to no bound"),
                _ => format!("{} streams", sizing.least.streams),
            };
            table::sure(per_load, &names::Seen { value, sure })
        };
        let certified = sizing.certified_per_load;
        let certified_text = certified.map_or_else(|| "–".to_string(), |at| format!("{at:.2}"));
        let class = if name.contains('▲') { "out" } else { "" };
        let fields = vec![
            table::text(&title(page, sizing)),
            table::text(&name),
            size(Some(sizing.load_pages)),
            size(sizing.aligned_load_pages),
            least(sizing.least.median, &sizing.least.median_interval, 50),
            least(sizing.least.quantile_95, &sizing.least.quantile_95_interval, 95),
            table::number(certified, &certified_text),
            table::number(Some(sizing.anomalies as f64), &sizing.anomalies.to_string()),
        ];
        Row { class, fields }
    };
    let rows: Vec<_> = all.iter().filter(drawn).take(MOST_ROWS).map(row).collect();
    let more = all.len() - rows.len();
    let mut streams: Vec<_> = all.iter().filter(drawn).take(MOST_ROWS).collect();
    streams.dedup_by_key(|sizing| sizing.stream);
    let streams = streams.into_iter().map(|sizing| {
        let name = page.ready.plan.streams[sizing.stream].name();
        format!("; {name}: {}", covered(page, sizing))
    });
    let caption = format!("The least area, of the sizes tried{}", streams.collect::<String>());
    table::write(&caption, &columns, &rows, more, out)?;
    writeln!(
        out,
        "<p class=\"sub\">Certified: what a theorem guarantees for every stream of this LOAD and \
         largest request (Robson, 1977; first-fit, no alignment), however unlucky; the sizes beside \
         it are what these streams took. \"Fail again when larger\": streams that fail at a size \
         though they pass at a smaller one.</p>"
    )
}
