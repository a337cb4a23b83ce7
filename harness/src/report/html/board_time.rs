//! How much board time an answer rests on, and what it says about that: a table.

use std::io::{self, Write};

use super::names::{self, Seen};
use super::table::{self, Field, Row, numbers, words};
use super::ways::{Page, Way};
use crate::report::summary::{SummaryRow, TimeRow};
use crate::report::time::{at_least, from_to, span};
use crate::stats::Interval;
use crate::sweep::Configuration;

/// Writes it, of the ways that are drawn.
pub(super) fn write(page: &Page<'_>, at: &Configuration, out: &mut dyn Write) -> io::Result<()> {
    let columns = [
        words("Policy and cap"),
        numbers("Streams"),
        numbers("Board time of each"),
        numbers("In all"),
        numbers("Time at risk"),
        numbers("First failures"),
        numbers("MTBF at least"),
        numbers("Half have failed after"),
        numbers("Failures per day"),
        numbers("Hazard rises, p"),
    ];
    let rows = page.rows(*at);
    let row = |(way, _, row): &(Way, usize, &SummaryRow)| Row {
        class: super::sure::class(page, row),
        fields: fields(page, *way, row),
    };
    let rows: Vec<_> = rows.iter().map(row).collect();
    let caption = format!("Board time: {}; {}", page.place(at), page.covers(at));
    table::write(&caption, &columns, &rows, page.ways_left(), out)?;
    writeln!(
        out,
        "<p class=\"sub\">Time at risk: until the first failure of each stream or, where it has none, \
         its end. <b>MTBF at least</b> is a one-sided bound at 95 %, exact where the hazard is \
         constant; nothing says that it is not much longer. <b>Half have failed after</b> (Kaplan \
         and Meier) and <b>failures per day</b>, all of them, with streams as clusters, have \
         two-sided intervals at 95 %. <b>Hazard rises</b>: one-sided p of the test that failures do \
         not become more frequent with age; where it is small, no bound speaks of longer times. \
         Recordings have no board time.</p>"
    )?;
    super::sure::cut_note(page, at, out)
}

fn fields(page: &Page<'_>, way: Way, row: &SummaryRow) -> Vec<Field> {
    let name = table::text(&page.name_of(way, row));
    let streams = table::number(Some(row.streams as f64), &names::whole(row.streams));
    let Some(time) = &row.time else {
        let why = match row.streams {
            0 => "not run",
            _ => "counted in requests",
        };
        let none = || table::number(None, "–");
        let why = table::sure(None, &Seen { value: "–".to_string(), sure: why.to_string() });
        return [name, streams, why].into_iter().chain((3..10).map(|_| none())).collect();
    };
    let seen = &time.evidence;
    let us = |us: u64| table::number(Some(us as f64), &unbroken(&span(us as f64)));
    let rises = (seen.failed > 0).then_some(time.trend.p_rising);
    vec![
        name,
        streams,
        each(page, row, time),
        us(time.board_time_us),
        us(seen.at_risk_us),
        table::number(Some(seen.failed as f64), &names::whole(seen.failed)),
        table::number(Some(time.mtbf_low_us), &unbroken(&at_least(time.mtbf_low_us))),
        table::sure(time.median_us.map(|us| us as f64), &median(time)),
        table::sure(time.unserved_per_day.map(|(rate, _)| rate), &per_day(row, time)),
        table::number(rises, &names::chance(rises)),
    ]
}

/// How long each stream is, by the plan or as it was measured, and how many ended before.
fn each(page: &Page<'_>, row: &SummaryRow, time: &TimeRow) -> Field {
    let planned = page.ready.plan.streams[row.at.stream].length.time_us();
    let each = planned.map(|us| [us; 2]).or(time.each_us);
    let sure = match row.ended_early {
        0 => String::new(),
        early => format!("{} ended at the first failure", names::whole(early)),
    };
    let value = each.map_or_else(|| "–".to_string(), |each| unbroken(&from_to(each)));
    table::sure(each.map(|[_, most]| most as f64), &Seen { value, sure })
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
        return Seen { value: names::CUT.to_string(), sure: sure.to_string() };
    };
    if rate == 0.0 {
        return Seen { value: "none seen".into(), sure: "see MTBF".into() };
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
