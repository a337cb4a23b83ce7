//! How long it goes well: survival curves to the first request that its caller did
//! not get, over board time or, where streams have none, over requests.

use maud::{Markup, PreEscaped, html};

use super::left_out;
use super::names::{self, percent, percent_number};
use super::view::{Drawn, View};
use crate::answer::{Curve, CurveUnit};
use crate::report::chart::axis::Axis;
use crate::report::chart::{Mark, Plot, Series};
use crate::report::page::capital;
use crate::report::words::span;
use crate::stats::Survival;
use crate::sweep::Configuration;

/// Lines with their intervals drawn; of the others the marks say them.
const BANDS: usize = 2;

/// What share of streams goes well to the end, from the worst way shown to the best.
pub(super) fn gist(view: &View<'_>) -> String {
    let (cases, _) = view.cases();
    let rows: Vec<_> = cases.iter().flat_map(|at| view.rows(at)).collect();
    let run = rows.iter().map(|drawn| drawn.row).filter(|row| row.streams > 0);
    let well = run.map(|row| (row.streams - row.lost) as f64 / row.streams as f64);
    let ends = well.fold(None, |ends: Option<(f64, f64)>, share| {
        Some(ends.map_or((share, share), |(low, high)| (low.min(share), high.max(share))))
    });
    let said = |share: f64| match share {
        0.0 => "no stream".to_string(),
        1.0 => "all".to_string(),
        share => percent(share),
    };
    match ends {
        None => "Nothing was run".to_string(),
        Some((1.0, _)) => "No stream fails under any cap and policy shown".to_string(),
        Some((_, 0.0)) => "Every stream fails under each cap and policy shown".to_string(),
        Some((low, high)) if low == high => format!("{} of streams go well", said(low)),
        Some((low, high)) => {
            format!("By cap and policy, {} to {} go well to the end", said(low), said(high))
        }
    }
}

/// A picture for each stream.
pub(super) fn section(view: &View<'_>) -> Markup {
    let (cases, left) = view.cases();
    html! {
        (PreEscaped(include_str!("prose/survival.html")))
        @for (index, at) in cases.iter().enumerate() { (of_case(view, &format!("live{index}"), at)) }
        (left_out(left))
    }
}

fn of_case(view: &View<'_>, id: &str, at: &Configuration) -> Markup {
    let failing = |at: &Configuration| view.rows(at).iter().any(|drawn| drawn.row.lost > 0);
    if failing(at) {
        return plot(view, id, at).figure();
    }
    let said = match view.rows(at).iter().any(|drawn| drawn.row.streams > 0) {
        true => format!("no stream fails under any cap and policy shown ({}).", view.covers(at)),
        false => "no stream was run, as the race had dropped every cap and policy shown before."
            .to_string(),
    };
    html! {
        p { (view.place(at)) ": " (said) } "\n"
        // Where it goes wrong can be seen on a smaller board only.
        @if let Some(smaller) = smaller(view, at).into_iter().find(failing) {
            (plot(view, id, &smaller).figure())
        }
    }
}

/// The same stream on smaller boards, the largest first.
fn smaller(view: &View<'_>, at: &Configuration) -> Vec<Configuration> {
    let pages = |at: &Configuration| view.ready.board(at).pages();
    let is_smaller = |other: &Configuration| {
        Configuration { board: at.board, ..*other } == *at && pages(other) < pages(at)
    };
    let mut found: Vec<_> = view.ready.plan.configurations().filter(is_smaller).collect();
    found.sort_by_key(|other| std::cmp::Reverse(pages(other)));
    found
}

fn plot(view: &View<'_>, id: &str, at: &Configuration) -> Plot {
    let rows = view.rows(at).into_iter();
    let (run, not_run): (Vec<_>, Vec<_>) = rows.partition(|drawn| drawn.row.streams > 0);
    let end = run.iter().map(|drawn| drawn.curve.end).fold(1, u64::max);
    // All are of one stream of the plan.
    let unit = run.first().map_or(CurveUnit::Requests, |drawn| drawn.curve.unit);
    let (over, x) = match unit {
        CurveUnit::BoardTime => ("board time", Axis::board_time(end as f64)),
        CurveUnit::Requests => (
            "the number of requests made",
            Axis::up_to("requests made", end as f64, |at| names::whole(at as u64)),
        ),
    };
    let failed = run.iter().map(|Drawn { name, row, .. }| {
        format!("{name}: {}", names::so_many_fail(row.lost, row.streams))
    });
    let failed = failed.collect::<Vec<_>>().join("; ");
    let series = run.iter().enumerate().map(|(place, drawn)| line(view, drawn, place < BANDS));
    Plot {
        id: id.to_string(),
        title: view.place(at),
        about: format!("Share of streams without a failure over {over}. {failed}"),
        x,
        y: Axis::percent("streams without a failure, %", 1.0),
        series: series.collect(),
        level: None,
        rules: Vec::new(),
        note: note(view, at, &run, &not_run),
    }
}

/// What a picture covers, how far its streams are watched, and what is not in it.
fn note(view: &View<'_>, at: &Configuration, run: &[Drawn<'_>], not_run: &[Drawn<'_>]) -> String {
    let mut note = format!("{}, for each line (Kaplan and Meier).", capital(&view.covers(at)));
    // One stream has no interval.
    let banded = run.iter().take(BANDS).filter(|drawn| drawn.curve.streams > 1).count();
    note += match (banded, run.len()) {
        (0, _) => "",
        (banded, all) if banded == all => " Shaded: 95 % interval at each point.",
        (1, _) => " Shaded: 95 % interval at each point, of the first line.",
        _ => " Shaded: 95 % interval at each point, of the first two lines.",
    };
    let length_us = view.ready.plan.streams[at.stream].drawn_us();
    if let Some((target, length_us)) = view.ready.plan.target.zip(length_us) {
        let length = span(length_us as f64);
        note += &match target.is_within(length_us) {
            true => format!(" The horizon is {length}; target {target} lies within it."),
            false => format!(
                " The horizon is {length}: target {target} is longer, and what comes after the \
                 horizon is not seen here."
            ),
        };
    }
    if !not_run.is_empty() {
        let ways = not_run.iter().map(|drawn| drawn.name.name.as_str());
        let ways = ways.collect::<Vec<_>>().join("; ");
        note += &format!(" Not run, as the race had dropped them before: {ways}.");
    }
    note
}

fn line(view: &View<'_>, drawn: &Drawn<'_>, band: bool) -> Series {
    let curve: &Curve = drawn.curve;
    let so_long = |at: u64| match curve.unit {
        CurveUnit::BoardTime => span(at as f64),
        CurveUnit::Requests => names::requests(at),
    };
    let mark = |point: &Survival| Mark {
        x: point.at as f64,
        y: point.surviving,
        interval: (curve.streams > 1).then_some((point.low, point.high)),
        hollow: curve.failed == 0,
        rises: false,
        text: match curve.streams {
            1 if point.surviving > 0.0 => {
                format!("after {} the one stream goes well", so_long(point.at))
            }
            1 => format!("after {} the one stream has failed", so_long(point.at)),
            streams => format!(
                "after {} {} of {} streams go well ({} to {}), {} at risk",
                so_long(point.at),
                percent(point.surviving),
                names::whole(streams),
                percent_number(point.low),
                percent(point.high),
                names::whole(point.at_risk)
            ),
        },
    };
    let mut marks: Vec<_> = curve.points.iter().map(mark).collect();
    // What can be asked for of a curve that steps nowhere is its end.
    if curve.failed == 0
        && let Some(last) = marks.last().cloned()
    {
        let bound = names::failing(0, curve.streams, &crate::stats::Interval::ONE_STREAM);
        let text = match curve.streams {
            1 => format!("the one stream, of {}, does not fail", so_long(curve.all)),
            streams => format!(
                "none of {} streams fails: in {}, the shortest, {} of all do",
                names::whole(streams),
                so_long(curve.all),
                bound.sure
            ),
        };
        marks.push(Mark { x: curve.end as f64, text, ..last });
    }
    Series {
        name: drawn.name.to_string(),
        short: drawn.name.short(),
        look: view.look(drawn.way),
        marks,
        steps_to: Some(curve.end as f64),
        band,
    }
}
