//! The cells of a sweep that is not at its end: what a stopped one leaves, and goes on from.

use std::io::{self, Write};

use super::csv;
use crate::metric::{Value, columns};
use crate::sweep::{Cell, Ready, emit};

/// Values for some of the cells of a plan, by the number of the cell.
pub type Known = Vec<Option<Vec<Value>>>;

/// What the file begins with: which plan, as run by which version, its rows are of.
#[must_use]
pub fn header(ready: &Ready) -> String {
    let plan = csv::checksum(&emit(ready));
    let version = env!("CARGO_PKG_VERSION");
    format!("# plan={plan:016x} version={version}\n{},checksum", csv::cells_header())
}

/// Writes the row of a cell that ended.
///
/// # Errors
/// Where the output takes no more.
pub fn write(
    ready: &Ready,
    index: usize,
    cell: &Cell,
    values: &[Value],
    out: &mut dyn Write,
) -> io::Result<()> {
    let row = csv::cell_row(ready, index, cell, values);
    // In one piece: a file that is not buffered gets whole rows.
    out.write_all(format!("{row},{:016x}\n", csv::checksum(&row)).as_bytes())
}

/// The cells that `text` holds. A torn row, or one that was changed, is left out: its cell is run
/// again. [`None`]: it is of another plan or version.
#[must_use]
pub fn read(ready: &Ready, text: &str) -> Option<Known> {
    let rows = text.strip_prefix(&header(ready))?;
    let mut known = vec![None; ready.plan.cells().len()];
    for (index, values) in rows.lines().filter_map(read_row) {
        if let Some(place) = known.get_mut(index) {
            *place = Some(values);
        }
    }
    Some(known)
}

/// Columns before the number of the cell: schema, plan. Neither can hold a comma.
const BEFORE: usize = 2;

fn read_row(line: &str) -> Option<(usize, Vec<Value>)> {
    let (row, checksum) = line.rsplit_once(',')?;
    if u64::from_str_radix(checksum, 16).ok()? != csv::checksum(row) {
        return None;
    }
    let index = row.split(',').nth(BEFORE)?.parse().ok()?;
    // From the end on: before the values there are names, which may hold commas. The name of a
    // board holds none.
    let later = columns().count() - csv::first_measured();
    let mut fields = row.rsplit(',');
    let mut values: Vec<_> =
        fields.by_ref().take(later).map(Value::parse).collect::<Option<_>>()?;
    let fields = fields.skip(csv::LATER_INPUTS.len()).take(csv::first_measured());
    for field in fields {
        values.push(Value::parse(field)?);
    }
    values.reverse();
    Some((index, values))
}
