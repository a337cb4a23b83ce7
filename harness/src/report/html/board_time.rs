//! How much board time an answer rests on, and what it says about that: a table.

use maud::{Markup, PreEscaped, html};

use super::names::{self, Seen};
use super::sure::cut_note;
use super::view::View;
use crate::answer::{SummaryRow, TimeRow};
use crate::report::page::table::{self, Field};
use crate::report::words::{at_least, from_to, span};
use crate::stats::Interval;
use crate::sweep::Configuration;

/// The table, of the ways that are drawn.
pub(super) fn section(view: &View<'_>, at: &Configuration) -> Markup {
    let rows = view.rows(at);
    let caption = format!("Board time: {}; {}", view.place(at), view.covers(at));
    html! {
        (view.table(&caption, &rows, |row| fields(view, row)))
        (PreEscaped(include_str!("prose/board-time.html")))
        (cut_note(rows.iter().map(|drawn| drawn.row)))
    }
}

fn fields(view: &View<'_>, row: &SummaryRow) -> Vec<Field> {
    let time = row.time.as_ref();
    let seen = time.map(|time| &time.evidence);
    let us = |title, us: Option<u64>| {
        table::number(title, us.map(|us| us as f64), |us| unbroken(&span(us)))
    };
    let median = time.map_or(Seen::new("–", ""), median);
    let per_day = time.map_or(Seen::new("–", ""), |time| per_day(row, time));
    let rises = time.filter(|time| time.evidence.failed > 0).map(|time| time.trend.p_rising);
    vec![
        names::count("Streams", Some(row.streams)),
        each(view, row),
        us("In all", time.map(|time| time.board_time_us)),
        us("Time at risk", seen.map(|seen| seen.at_risk_us)),
        names::count("First failures", seen.map(|seen| seen.failed)),
        table::number("MTBF at least", time.map(|time| time.mtbf_low_us), |us| {
            unbroken(&at_least(us))
        }),
        median.field("Half have failed after", time.and_then(|time| Some(time.median_us? as f64))),
        per_day.field("Failures per day", time.and_then(|time| Some(time.unserved_per_day?.0))),
        table::number("Hazard rises, p", rises, names::chance),
    ]
}

/// How long each stream is, by the plan or as it was measured, and how many ended before.
fn each(view: &View<'_>, row: &SummaryRow) -> Field {
    let planned = view.ready.plan.streams[row.at.stream].length.time_us();
    let each = row.time.as_ref().and_then(|time| planned.map(|us| [us; 2]).or(time.each_us));
    let sure = match (&row.time, row.ended_early) {
        (None, _) if row.streams == 0 => "not run".to_string(),
        (None, _) => "counted in requests".to_string(),
        (Some(_), 0) => String::new(),
        (Some(_), early) => format!("{} ended at the first failure", names::whole(early)),
    };
    let value = each.map_or_else(|| "–".to_string(), |each| unbroken(&from_to(each)));
    table::sure("Board time of each", each.map(|[_, most]| most as f64), &value, &sure)
}

/// When half have failed.
fn median(time: &TimeRow) -> Seen {
    let value = time.median_us.map(|us| unbroken(&span(us as f64)));
    let sure = match time.median_interval {
        Interval { low: Some(low), high: Some(high), .. } => {
            unbroken(&from_to([low as u64, high as u64]))
        }
        Interval { low: Some(low), .. } if low > 0.0 => {
            format!("{} or later", unbroken(&span(low)))
        }
        _ => String::new(),
    };
    Seen::new(value.unwrap_or("not seen".to_string()), sure)
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
    let sure = names::ends(&interval, digits, "no bound");
    Seen::new(digits(rate), sure.unwrap_or("no interval".to_string()))
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
