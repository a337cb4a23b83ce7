//! `cells.csv` and `summary.csv`. A column never changes its meaning; new ones go to the end.

use std::io::{self, Write};

mod documented;
mod sizing;
mod summary;

use crate::metric::{Value, column, columns};
use crate::stats::Interval;
use crate::sweep::{Cell, Configuration, Fnv, Ready, Table};
use crate::words::csv::{line, optional};

pub use documented::{Documented, documented};
pub use sizing::{sizing_header, write_sizing};
pub use summary::{summary_header, write_summary, write_summary_json};

/// The version of the columns: it stands in the first of them.
pub const SCHEMA: u32 = 1;

/// What every row of `cells.csv` begins with: everything that makes the cell.
const INPUTS: [&str; 14] = [
    "schema",
    "plan",
    "cell",
    "stream",
    "profile",
    "load",
    "area_pages",
    "base_pfn",
    "order_per_bit",
    "cap",
    "policy",
    "environment",
    "after_failure",
    "seed",
];

/// A sum over the bytes of a row, by which a torn one is known.
#[must_use]
pub fn checksum(row: &str) -> u64 {
    let mut hash = Fnv::new();
    hash.note(row.as_bytes());
    hash.sum()
}

fn decimal(value: Option<f64>) -> String {
    // What rounds to zero is zero: "-0.000000" would be another text for the same number.
    optional(value.map(|value| {
        let text = format!("{value:.6}");
        if text == "-0.000000" { "0.000000".to_string() } else { text }
    }))
}

/// The columns of `cells.csv`, without a line end.
#[must_use]
pub fn cells_header() -> String {
    let measured: Vec<_> = columns().map(|column| column.name).collect();
    let (first, later) = measured.split_at(first_measured());
    let mut names = INPUTS.to_vec();
    names.extend(first);
    names.extend(LATER_INPUTS);
    names.extend(later);
    names.join(",")
}

/// What came to the inputs when rows had been written already: it stands behind the first metrics.
pub(super) const LATER_INPUTS: [&str; 3] = ["board", "aligned", "fit_distance"];

/// How many of the measured columns stand before [`LATER_INPUTS`]: those up to the size classes.
pub(super) fn first_measured() -> usize {
    column("withheld_2049_up") + 1
}

/// What a row says about where its cell ran, up to and without policy.
fn place(ready: &Ready, at: &Configuration) -> [String; 6] {
    let (plan, board) = (&ready.plan, ready.board(at));
    let stream = &plan.streams[at.stream];
    // What stands for a board in one field is that of its default area.
    let area = &board.areas[0].area;
    [
        stream.name().to_string(),
        optional(stream.label()),
        optional(plan.load(at).map(|load| load.share_of(board.pages()))),
        board.pages().to_string(),
        area.ranges()[0].pfn.to_string(),
        area.order_per_bit().to_string(),
    ]
}

fn board(ready: &Ready, at: &Configuration) -> String {
    optional(at.board.map(|board| &ready.plan.boards[board].name))
}

fn fit_distance(ready: &Ready, stream: usize) -> String {
    let fit = ready.checked[stream].fit.as_ref();
    decimal(fit.map(|fit| fit.distances.largest()))
}

/// The row of cell number `index`, without a line end.
#[must_use]
pub fn cell_row(ready: &Ready, index: u64, cell: &Cell, values: &[Value]) -> String {
    let plan = &ready.plan;
    let mut fields = vec![SCHEMA.to_string(), plan.name.clone(), index.to_string()];
    fields.extend(place(ready, &cell.at));
    fields.extend([
        plan.caps[cell.at.cap].to_string(),
        plan.policies[cell.policy].to_string(),
        plan.environments[cell.at.environment].to_string(),
        plan.after_failure.to_string(),
        cell.seed.to_string(),
    ]);
    let (first, later) = values.split_at(first_measured());
    fields.extend(first.iter().map(Value::to_string));
    fields.push(board(ready, &cell.at));
    fields.push(ready.aligned[cell.policy].to_string());
    fields.push(fit_distance(ready, cell.at.stream));
    fields.extend(later.iter().map(Value::to_string));
    line(&fields)
}

/// Writes `cells.csv`.
///
/// # Errors
/// Where the output takes no more.
pub fn write_cells(table: &Table<'_>, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", cells_header())?;
    let rows = table.numbers.iter().zip(&table.cells).zip(&table.values);
    for ((number, cell), values) in rows {
        writeln!(out, "{}", cell_row(table.ready, *number, cell, values))?;
    }
    Ok(())
}

fn interval_fields(interval: &Interval) -> [String; 3] {
    [decimal(interval.low), decimal(interval.high), interval.method.to_string()]
}
