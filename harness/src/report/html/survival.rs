//! How long it goes well: survival curves to the first request that its caller did
//! not get.

use std::io::{self, Write};

use super::axis::Axis;
use super::chart::{Mark, Plot, Series};
use super::names::{self, percent, percent_number};
use super::ways::{Page, Way};
use crate::report::summary::SummaryRow;
use crate::report::survival::{Curve, Point};
use crate::sweep::Configuration;

/// Lines with their intervals drawn; of the others the marks say them.
const BANDS: usize = 2;

/// Writes a picture for each stream.
pub(super) fn write(page: &Page<'_>, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "<p>The share of streams in which no caller went without its memory so far: the one measure \
         that does not change with what a caller does after a failure. A curve that ends high was \
         not watched any longer; it is no promise.</p>"
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
            "<p>{}: no stream fails under any cap and policy shown.</p>",
            super::escape::Escaped(page.place(at))
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

fn plot(page: &Page<'_>, id: &str, at: &Configuration, out: &mut dyn Write) -> io::Result<()> {
    let rows = page.rows(*at);
    let series: Vec<_> = rows
        .iter()
        .filter_map(|(way, index, row)| Some((*way, *row, page.findings.survival.get(*index)?)))
        .enumerate()
        .map(|(place, (way, row, curve))| line(page, (way, row), curve, place < BANDS))
        .collect();
    let end = series.iter().filter_map(|series| series.steps_to).fold(1.0, f64::max);
    let streams = rows.iter().map(|(_, _, row)| row.streams).max().unwrap_or(0);
    let failed = rows.iter().map(|(way, _, row)| {
        format!("{}: {} of {} fail", page.name(*way, [*row]), row.lost, row.streams)
    });
    let plot = Plot {
        id: id.to_string(),
        title: page.place(at),
        about: format!(
            "Share of streams without a failure over the number of requests made. {}",
            failed.collect::<Vec<_>>().join("; ")
        ),
        x: Axis::up_to("requests made", end, |at| names::whole(at as u64)),
        y: Axis::percent("streams without a failure, %", 1.0),
        series,
        rules: Vec::new(),
        note: format!(
            "{} streams for each line (Kaplan and Meier). Shaded: 95 % interval at each point, of \
             the first {BANDS} lines.",
            names::whole(streams)
        ),
    };
    plot.write(out)
}

fn line(page: &Page<'_>, of: (Way, &SummaryRow), curve: &Curve, band: bool) -> Series {
    let (way, row) = of;
    let mark = |point: &Point| Mark {
        x: point.requests as f64,
        y: point.surviving,
        interval: Some((point.low, point.high)),
        hollow: curve.failed == 0,
        text: format!(
            "after {} requests {} of {} streams go well ({} to {}), {} at risk",
            names::whole(point.requests),
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
            "none of {} streams fails: in {} requests, the shortest, {} of all do",
            names::whole(curve.streams),
            names::whole(curve.requests_all),
            bound.sure
        );
        marks.push(Mark { x: curve.requests_end as f64, text, ..last });
    }
    Series {
        name: page.name(way, [row]),
        look: page.look(way),
        marks,
        steps_to: Some(curve.requests_end as f64),
        band,
    }
}
