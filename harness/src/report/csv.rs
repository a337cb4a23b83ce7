//! `summary.csv`, `sizing.csv`, and what is in every column. A column never changes its meaning; new
//! ones go to the end.

mod documented;
mod summary;

use std::io::{self, Write};

use crate::answer::{SizeTried, Sizing};
use crate::stats::Interval;
use crate::sweep::Ready;
use crate::sweep::disk::{SCHEMA, decimal};
use crate::words::csv::{optional, table};

pub(in crate::report) use documented::header;
pub use documented::{Documented, documented};
pub use summary::{summary_header, write_summary, write_summary_json};

/// The columns of `sizing.csv`, without a line end.
pub fn sizing_header() -> String {
    documented::header("sizing.csv")
}

/// Writes `sizing.csv`. Only its columns where the plan has no two boards that differ in size
/// alone, or none that runs the same stream on both.
///
/// # Errors
/// Where the output takes no more.
pub fn write_sizing(ready: &Ready, sizing: &[Sizing], out: &mut dyn Write) -> io::Result<()> {
    let rows = sizing.iter().flat_map(|one| one.sizes.iter().map(|size| row(ready, one, size)));
    table(out, &sizing_header(), rows)
}

fn row(ready: &Ready, sizing: &Sizing, size: &SizeTried) -> Vec<String> {
    let plan = &ready.plan;
    let least = &sizing.least;
    let mut fields = vec![
        SCHEMA.to_string(),
        plan.name.clone(),
        plan.streams[sizing.stream].name().to_string(),
        plan.caps[sizing.cap].to_string(),
        plan.policies[sizing.policy].to_string(),
        plan.environments[sizing.environment].to_string(),
        plan.after_failure.to_string(),
        decimal(Some(sizing.load_pages)),
        decimal(sizing.aligned_load_pages),
        plan.boards[size.board].name.clone(),
        size.pages.to_string(),
        decimal(Some(size.per_load)),
        size.streams.to_string(),
        size.failed.to_string(),
    ];
    fields.extend(interval_fields(&size.interval));
    fields.push(size.structural.to_string());
    fields.push(decimal(least.median));
    fields.extend(interval_fields(&least.median_interval));
    fields.push(decimal(least.quantile_95));
    fields.extend(interval_fields(&least.quantile_95_interval));
    let counts = [least.at_smallest, least.above_largest, sizing.anomalies];
    fields.extend(counts.map(|count| count.to_string()));
    fields.push(decimal(sizing.certified_per_load));
    let area = sizing.area.map(|area| plan.boards[size.board].areas[area].area.name().to_string());
    fields.push(optional(area));
    fields.push(plan.page.kib().to_string());
    fields
}

fn interval_fields(interval: &Interval) -> [String; 3] {
    [decimal(interval.low), decimal(interval.high), interval.method.to_string()]
}
