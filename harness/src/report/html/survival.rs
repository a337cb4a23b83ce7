//! How long it goes well: survival curves to the first request that its caller did
//! not get, over board time or, where streams have none, over requests.

use std::io::{self, Write};

use super::axis::Axis;
use super::chart::{Mark, Plot, Series};
use super::escape::Escaped;
use super::names::{self, percent, percent_number};
use super::ways::{Page, Way};
use crate::report::summary::SummaryRow;
use crate::report::survival::{Curve, CurveUnit, Point};
use crate::report::time::span;
use crate::sweep::Configuration;

/// Lines with their intervals drawn; of the others the marks say them.
const BANDS: usize = 2;

/// Writes a picture for each stream.
pub(super) fn write(page: &Page<'_>, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "<p>The share of streams in which no caller went without its memory so far: the one measure \
         that does not change with what a caller does after a failure. A curve that ends high was \
         not watched any longer; it is no promise. Streams are watched over board time; recordings \
         have none, and are counted in requests.</p>"
    )?;
    let (cases, left) = page.cases();
    for (index, at) in cases.iter().enumerate() {
        let failing = |at: &Configuration| page.rows(*at).iter().any(|(_, _, row)| row.lost > 0);
        if failing(at) {
            plot(page, &format!("live{index}"), at, out)?;
            continue;
        }
        writeln!(
            out,
            "<p>{}: {}</p>",
            Escaped(page.place(at)),
            Escaped(match page.rows(*at).iter().any(|(_, _, row)| row.streams > 0) {
                true =>
                    format!("no stream fails under any cap and policy shown ({}).", page.covers(at)),
                false => "no stream was run, as the race had dropped every cap and policy shown \
                          before."
                    .to_string(),
            })
        )?;
        // Where it goes wrong can be seen on a smaller board only.
        if let Some(smaller) = smaller(page, at).into_iter().find(failing) {
            plot(page, &format!("live{index}"), &smaller, out)?;
        }
    }
    super::left_out(left, out)
}

/// The same stream on smaller boards, the largest first.
fn smaller(page: &Page<'_>, at: &Configuration) -> Vec<Configuration> {
    let pages = |at: &Configuration| page.ready.board(at).pages();
    let mut found: Vec<_> = page
        .ready
        .plan
        .configurations()
        .filter(|other| {
            Configuration { board: at.board, ..*other } == *at && pages(other) < pages(at)
        })
        .collect();
    found.sort_by_key(|other| std::cmp::Reverse(pages(other)));
    found
}

/// The row of a way and its curve.
type Lived<'a> = (Way, &'a SummaryRow, &'a Curve);

fn plot(page: &Page<'_>, id: &str, at: &Configuration, out: &mut dyn Write) -> io::Result<()> {
    let rows = page.rows(*at);
    let (run, not_run): (Vec<_>, Vec<_>) = rows
        .into_iter()
        .filter_map(|(way, index, row)| Some((way, row, page.findings.survival.get(index)?)))
        .partition(|(_, row, _)| row.streams > 0);
    let end = run.iter().map(|(_, _, curve)| curve.end).fold(1, u64::max);
    // All are of one stream of the plan.
    let unit = run.first().map_or(CurveUnit::Requests, |(_, _, curve)| curve.unit);
    let (over, x) = match unit {
        CurveUnit::BoardTime => ("board time", Axis::board_time(end as f64)),
        CurveUnit::Requests => (
            "the number of requests made",
            Axis::up_to("requests made", end as f64, |at| names::whole(at as u64)),
        ),
    };
    let failed = run.iter().map(|(way, row, _)| {
        format!("{}: {} of {} fail", page.name_of(*way, row), row.lost, row.streams)
    });
    let failed = failed.collect::<Vec<_>>().join("; ");
    let series = run.iter().enumerate().map(|(place, lived)| line(page, *lived, place < BANDS));
    let plot = Plot {
        id: id.to_string(),
        title: page.place(at),
        about: format!("Share of streams without a failure over {over}. {failed}"),
        x,
        y: Axis::percent("streams without a failure, %", 1.0),
        series: series.collect(),
        rules: Vec::new(),
        note: note(page, at, &not_run),
    };
    plot.write(out)
}

/// What a picture covers, how far its streams are watched, and what is not in it.
fn note(page: &Page<'_>, at: &Configuration, not_run: &[Lived<'_>]) -> String {
    let mut note = format!(
        "{}, for each line (Kaplan and Meier). Shaded: 95 % interval at each point, of the first \
         {BANDS} lines.",
        names::sentence(&page.covers(at)).trim_end_matches('.')
    );
    let length_us = page.ready.plan.streams[at.stream].drawn_us();
    if let Some((target, length_us)) = page.ready.plan.target.zip(length_us) {
        let length = span(length_us as f64);
        note += &match target.is_within(length_us) {
            true => format!(" The horizon is {length}; target {target} lies within it."),
            false => format!(
                " The horizon is {length}: target {target} is longer, and what lies behind the \
                 horizon is not seen here."
            ),
        };
    }
    if !not_run.is_empty() {
        let ways = not_run.iter().map(|(way, ..)| names::way(page.ready, way.cap, way.policy));
        let ways = ways.collect::<Vec<_>>().join("; ");
        note += &format!(" Not run, as the race had dropped them before: {ways}.");
    }
    note
}

fn line(page: &Page<'_>, (way, row, curve): Lived<'_>, band: bool) -> Series {
    let so_long = |at: u64| match curve.unit {
        CurveUnit::BoardTime => span(at as f64),
        CurveUnit::Requests => format!("{} requests", names::whole(at)),
    };
    let mark = |point: &Point| Mark {
        x: point.at as f64,
        y: point.surviving,
        interval: Some((point.low, point.high)),
        hollow: curve.failed == 0,
        text: format!(
            "after {} {} of {} streams go well ({} to {}), {} at risk",
            so_long(point.at),
            percent(point.surviving),
            names::whole(curve.streams),
            percent_number(point.low),
            percent(point.high),
            names::whole(point.at_risk)
        ),
    };
    let mut marks: Vec<_> = curve.points.iter().map(mark).collect();
    // What can be asked for of a curve that steps nowhere is its end.
    if curve.failed == 0
        && let Some(last) = marks.last().cloned()
    {
        let bound = names::failing(0, curve.streams, &crate::stats::Interval::ONE_STREAM);
        let text = format!(
            "none of {} streams fails: in {}, the shortest, {} of all do",
            names::whole(curve.streams),
            so_long(curve.all),
            bound.sure
        );
        marks.push(Mark { x: curve.end as f64, text, ..last });
    }
    Series {
        name: page.name_of(way, row),
        look: page.look(way),
        marks,
        steps_to: Some(curve.end as f64),
        band,
    }
}
