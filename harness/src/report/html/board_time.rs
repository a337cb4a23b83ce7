//! How much board time an answer rests on, and what it says about that: a table.

use maud::{Markup, PreEscaped, html};

use super::names::{self, Seen};
use super::sure::cut_note;
use super::view::View;
use crate::answer::{SummaryRow, TimeRow};
use crate::report::page::table::{self, Field, numbers};
use crate::report::words::{at_least, from_to, span};
use crate::stats::Interval;
use crate::sweep::Configuration;

/// The table, of the ways that are drawn.
pub(super) fn section(view: &View<'_>, at: &Configuration) -> Markup {
    let columns = [
        "Streams",
        "Board time of each",
        "In all",
        "Time at risk",
        "First failures",
        "MTBF at least",
        "Half have failed after",
        "Failures per day",
        "Hazard rises, p",
    ];
    let rows = view.rows(at);
    let caption = format!("Board time: {}; {}", view.place(at), view.covers(at));
    html! {
        (view.table(&caption, &columns.map(numbers), &rows, |row| fields(view, row)))
        (PreEscaped(include_str!("prose/board-time.html")))
        (cut_note(rows.iter().map(|drawn| drawn.row)))
    }
}

fn fields(view: &View<'_>, row: &SummaryRow) -> Vec<Field> {
    let streams = table::number(Some(row.streams as f64), names::whole(row.streams));
    let Some(time) = &row.time else {
        let why = if row.streams == 0 { "not run" } else { "counted in requests" };
        let none = (0..7).map(|_| table::number(None, "–"));
        return [streams, table::sure(None, "–", why)].into_iter().chain(none).collect();
    };
    let seen = &time.evidence;
    let us = |us: u64| table::number(Some(us as f64), unbroken(&span(us as f64)));
    let rises = (seen.failed > 0).then_some(time.trend.p_rising);
    vec![
        streams,
        each(view, row, time),
        us(time.board_time_us),
        us(seen.at_risk_us),
        table::number(Some(seen.failed as f64), names::whole(seen.failed)),
        table::number(Some(time.mtbf_low_us), unbroken(&at_least(time.mtbf_low_us))),
        median(time).field(time.median_us.map(|us| us as f64)),
        per_day(row, time).field(time.unserved_per_day.map(|(rate, _)| rate)),
        table::number(rises, names::chance(rises)),
    ]
}

/// How long each stream is, by the plan or as it was measured, and how many ended before.
fn each(view: &View<'_>, row: &SummaryRow, time: &TimeRow) -> Field {
    let planned = view.ready.plan.streams[row.at.stream].length.time_us();
    let each = planned.map(|us| [us; 2]).or(time.each_us);
    let sure = match row.ended_early {
        0 => String::new(),
        early => format!("{} ended at the first failure", names::whole(early)),
    };
    let value = each.map_or_else(|| "–".to_string(), |each| unbroken(&from_to(each)));
    table::sure(each.map(|[_, most]| most as f64), &value, &sure)
}

/// When half have failed.
fn median(time: &TimeRow) -> Seen {
    let value =
        time.median_us.map_or_else(|| "not seen".to_string(), |us| unbroken(&span(us as f64)));
    let sure = match time.median_interval {
        Interval { low: Some(low), high: Some(high), .. } => {
            unbroken(&from_to([low as u64, high as u64]))
        }
        Interval { low: Some(low), .. } if low > 0.0 => {
            format!("{} or later", unbroken(&span(low)))
        }
        _ => String::new(),
    };
    Seen { value, sure }
}

/// All failures in a day.
fn per_day(row: &SummaryRow, time: &TimeRow) -> Seen {
    let Some((rate, interval)) = time.unserved_per_day else {
        let sure = match row.ended_early {
            0 => "",
            _ => "not counted: streams end at their first failure",
        };
        return Seen::new(names::CUT, sure);
    };
    if rate == 0.0 {
        return Seen::new("none seen", "see MTBF");
    }
    let sure = match (interval.low, interval.high) {
        (Some(low), Some(high)) => format!("{} to {}", digits(low), digits(high)),
        (Some(low), None) => format!("{} to no bound", digits(low)),
        _ => "no interval".to_string(),
    };
    Seen { value: digits(rate), sure }
}

/// A time whose unit stays with its number.
fn unbroken(time: &str) -> String {
    match time.rsplit_once(' ') {
        Some((number, unit)) => format!("{number}{}{unit}", names::NBSP),
        None => time.to_string(),
    }
}

/// A rate with three digits or so.
fn digits(rate: f64) -> String {
    match rate {
        small if small < 0.1 => format!("{small:.3}"),
        small if small < 10.0 => format!("{small:.2}"),
        _ if rate < 1000.0 => format!("{rate:.0}"),
        _ => names::whole(libm::round(rate) as u64),
    }
}
