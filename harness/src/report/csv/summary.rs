//! `summary.csv`: a row for each configuration and policy.

use std::io::{self, Write};

use super::documented::{self, Documented};
use super::interval_fields;
use crate::answer::{CLASS_NAMES, Rate, Summary, SummaryRow};
use crate::stats::Interval;
use crate::sweep::disk::{SCHEMA, board, decimal, fit_distance, fit_held, place};
use crate::sweep::{Length, Ready};
use crate::words::csv::{optional, table};

/// The columns of `summary.csv`, without a line end.
pub fn summary_header() -> String {
    documented::header("summary.csv")
}

fn rate_fields(rate: Option<&Rate>) -> [String; 4] {
    let Some(rate) = rate else { return Default::default() };
    let [low, high, method] = interval_fields(&rate.interval);
    [decimal(rate.mean), low, high, method]
}

fn summary_row(ready: &Ready, row: &SummaryRow) -> Vec<String> {
    let plan = &ready.plan;
    let mut fields = vec![SCHEMA.to_string(), plan.name.clone()];
    fields.extend(place(ready, &row.at));
    fields.extend([
        plan.caps[row.at.cap].to_string(),
        plan.policies[row.policy].to_string(),
        plan.environments[row.at.environment].to_string(),
        plan.after_failure.to_string(),
        board(ready, &row.at),
        ready.aligned[row.policy].to_string(),
        row.streams.to_string(),
        row.requests.to_string(),
    ]);
    fields.extend(row.refused.map(|count| count.to_string()));
    fields.extend(row.rates.iter().flat_map(|rate| rate_fields(Some(rate))));
    fields.extend(rate_fields(row.against_baseline.as_ref()));
    fields.push(decimal(row.first_failure));
    fields.extend(interval_fields(&row.first_failure_interval));
    fields.push(row.failed.to_string());
    fields.extend(interval_fields(&row.failed_interval));
    fields.extend([row.mcnemar, row.holm, row.utilisation, row.load].map(decimal));
    let worse = row.worse_classes.iter().map(|&class| CLASS_NAMES[class]);
    fields.push(worse.collect::<Vec<_>>().join(" "));
    fields.extend(later_fields(row));
    fields.push(fit_distance(ready, row.at.stream));
    fields.extend(time_fields(row));
    fields.push(decimal(row.area_utilisation));
    fields.extend(row.area_loads.map(decimal));
    fields.push(plan.page.kib().to_string());
    fields.push(row.refused_beyond.to_string());
    fields.extend(fit_held(ready, row.at.stream));
    fields
}

/// What came when rows had been written already.
fn later_fields(row: &SummaryRow) -> Vec<String> {
    let mut fields = Vec::new();
    for class in row.classes {
        fields.extend([class.requests, class.refused, class.withheld].map(|n| n.to_string()));
    }
    fields.push(row.lost.to_string());
    fields.extend(interval_fields(&row.lost_interval));
    fields.push(optional(row.earliest.map(|earliest| earliest.requests)));
    fields.push(optional(row.earliest.map(|earliest| earliest.seed)));
    fields.push(decimal(row.load_pages));
    fields.push(optional(row.load_max_pages));
    fields.push(decimal(row.aligned_load_pages));
    fields.extend([row.structural, row.unserved, row.fell_back].map(|n| n.to_string()));
    fields.extend([row.latency_p50_us, row.latency_p99_us].map(decimal));
    fields.push(optional(row.latency_max_us));
    fields.push(row.migrated_pages.to_string());
    fields
}

/// What streams say about board time, in hours; empty where they have none.
fn time_fields(row: &SummaryRow) -> Vec<String> {
    let time = row.time.as_ref();
    let hours = |us: Option<f64>| decimal(us.map(|us| us / Length::HOUR_US as f64));
    let hours_of = |Interval { low, high, method }| [hours(low), hours(high), method.to_string()];
    let each = |which: usize| hours(time.and_then(|time| Some(time.each_us?[which] as f64)));
    let none = Interval::NO_VALUE;
    let restricted = time.and_then(|time| time.restricted_mean_us);
    let per_day = time.and_then(|time| time.unserved_per_day);
    let mut fields = vec![
        hours(time.map(|time| time.board_time_us as f64)),
        each(0),
        each(1),
        hours(time.map(|time| time.evidence.at_risk_us as f64)),
        hours(time.map(|time| time.mtbf_low_us)),
        hours(time.and_then(|time| time.median_us).map(|us| us as f64)),
    ];
    fields.extend(hours_of(time.map_or(none, |time| time.median_interval)));
    fields.push(hours(restricted.map(|(mean, _)| mean)));
    fields.extend(hours_of(restricted.map_or(none, |(_, interval)| interval)));
    fields.push(decimal(per_day.map(|(rate, _)| rate)));
    fields.extend(interval_fields(&per_day.map_or(none, |(_, interval)| interval)));
    fields.push(decimal(time.map(|time| time.trend.p_rising)));
    fields.push(row.ended_early.to_string());
    fields.push(optional(time.map(|time| time.ops)));
    fields.push(row.dropped.to_string());
    fields
}

/// Writes `summary.csv`.
///
/// # Errors
/// Where the output takes no more.
pub fn write_summary(ready: &Ready, summary: &Summary, out: &mut dyn Write) -> io::Result<()> {
    table(out, &summary_header(), summary.rows.iter().map(|row| summary_row(ready, row)))
}

/// Writes the summary as a JSON array of one object a row, numbers as numbers, what is missing as
/// null.
///
/// # Errors
/// Where the output takes no more.
pub fn write_summary_json(ready: &Ready, summary: &Summary, out: &mut dyn Write) -> io::Result<()> {
    let columns: Vec<_> = documented::columns_of("summary.csv").collect();
    // A board named 12 is text all the same.
    let value = |column: &Documented, text: String| match text.parse::<serde_json::Number>() {
        _ if text.is_empty() => serde_json::Value::Null,
        Ok(number) if column.unit != "text" => number.into(),
        _ if column.unit == "boolean" || column.name == "aligned" => (text == "true").into(),
        _ => text.into(),
    };
    let object = |row: &SummaryRow| {
        let fields = columns.iter().zip(summary_row(ready, row));
        let fields = fields.map(|(column, text)| (column.name.clone(), value(column, text)));
        fields.collect::<serde_json::Map<_, _>>()
    };
    let rows: Vec<_> = summary.rows.iter().map(object).collect();
    writeln!(out, "{}", serde_json::json!({ "schema": SCHEMA, "rows": rows }))
}
