//! `cells.csv`: a row for each cell. A column never changes its meaning; new ones go to the end.

use std::io::{self, BufRead, Read, Write};

use crate::metric::{Value, column, columns};
use crate::sweep::{Cell, Configuration, Held, Ready};
use crate::words::csv::{line, optional};

/// The version of the columns: it is in the first of them.
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

/// The columns of `cells.csv`, without a line end.
pub fn cells_header() -> String {
    let measured: Vec<_> = columns().map(|column| column.name).collect();
    let (first, later) = measured.split_at(first_measured());
    let mut names = INPUTS.to_vec();
    names.extend(first);
    names.extend(LATER_INPUTS);
    names.extend(later);
    names.extend(LAST_INPUTS);
    names.join(",")
}

/// What came to the inputs when rows had been written already: it comes after the first metrics.
const LATER_INPUTS: [&str; 3] = ["board", "aligned", "fit_distance"];

/// What came later still: it is at the end.
const LAST_INPUTS: [&str; 2] = ["fit_reproduces", "fit_refused_distance"];

/// How many of the measured columns come before [`LATER_INPUTS`]: those up to the size classes.
pub(crate) fn first_measured() -> usize {
    column("withheld_2049_up") + 1
}

/// A row, read back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// The number of its cell.
    pub number: u64,
    /// The row as it is in `cells.csv`, without a line end.
    pub text: String,
    /// The values of all [`columns`].
    pub values: Vec<Value>,
}

/// Columns before the number of the cell: schema, plan. Neither can hold a comma.
const BEFORE: usize = 2;

impl Row {
    /// Of a cell that ended.
    pub fn of(ready: &Ready, number: u64, cell: &Cell, values: &[Value]) -> Self {
        let text = cell_row(ready, number, cell, values);
        Self { number, text, values: values.to_vec() }
    }

    /// Writes it with its sum.
    ///
    /// # Errors
    /// Where the output takes no more.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        // In one piece: a file that is not buffered gets whole rows.
        out.write_all(format!("{},{:016x}\n", self.text, checksum(&self.text)).as_bytes())
    }

    /// Reads a line with its end and its sum; [`None`] where it is torn or was changed.
    pub fn parse(line: &[u8]) -> Option<Self> {
        let line = std::str::from_utf8(line).ok()?.strip_suffix('\n')?;
        let (row, sum) = line.rsplit_once(',')?;
        if u64::from_str_radix(sum, 16).ok()? != checksum(row) {
            return None;
        }
        Self::parse_plain(row)
    }

    /// Reads a row of `cells.csv`, which has no sum.
    pub fn parse_plain(row: &str) -> Option<Self> {
        let number = row.split(',').nth(BEFORE)?.parse().ok()?;
        // From the end on: before the values there are names, which may hold commas. The name of a
        // board holds none.
        let all = columns().count();
        let later = all - first_measured();
        let mut fields = row.rsplit(',').skip(LAST_INPUTS.len());
        // No more room than that: those of a million streams are in memory at once.
        let mut values = Vec::with_capacity(all);
        for field in fields.by_ref().take(later) {
            values.push(Value::parse(field)?);
        }
        for field in fields.skip(LATER_INPUTS.len()).take(first_measured()) {
            values.push(Value::parse(field)?);
        }
        values.reverse();
        let whole = values.len() == all && values[column("refused")] != Value::None;
        whole.then(|| Self { number, text: row.to_string(), values })
    }
}

/// The row of cell number `index`, without a line end.
fn cell_row(ready: &Ready, index: u64, cell: &Cell, values: &[Value]) -> String {
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
    fields.extend(fit_held(ready, cell.at.stream));
    line(&fields)
}

/// What a row says about where its cell ran, up to and without policy.
pub(crate) fn place(ready: &Ready, at: &Configuration) -> [String; 6] {
    let (plan, board) = (&ready.plan, ready.board(at));
    let stream = &plan.streams[at.stream];
    // What is written of a board in one field is that of its default area.
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

pub(crate) fn board(ready: &Ready, at: &Configuration) -> String {
    optional(at.board.map(|board| &ready.plan.boards[board].name))
}

pub(crate) fn fit_distance(ready: &Ready, stream: usize) -> String {
    let fit = ready.checked[stream].fit.as_ref();
    decimal(fit.map(|fit| fit.distances.largest()))
}

/// Whether the fits of a stream fail as their files did, and how far the shares of refused requests are
/// apart: of several the furthest.
pub(crate) fn fit_held(ready: &Ready, stream: usize) -> [String; 2] {
    let apart = ready.fits_of(stream).filter_map(Held::rate_distance).max_by(f64::total_cmp);
    [optional(ready.reproduces(stream)), decimal(apart)]
}

pub(crate) fn decimal(value: Option<f64>) -> String {
    // What rounds to zero is zero: "-0.000000" would be another text for the same number.
    optional(value.map(|value| {
        let text = format!("{value:.6}");
        if text == "-0.000000" { "0.000000".to_string() } else { text }
    }))
}

/// A sum over bytes that come in pieces (FNV-1a).
pub(crate) struct Fnv(u64);

impl Fnv {
    pub(crate) const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    pub(crate) fn note(&mut self, bytes: &[u8]) {
        let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        self.0 = bytes.iter().fold(self.0, step);
    }

    pub(crate) const fn sum(&self) -> u64 {
        self.0
    }
}

/// A sum over the bytes of a row, by which a torn one is known.
pub fn checksum(row: &str) -> u64 {
    let mut hash = Fnv::new();
    hash.note(row.as_bytes());
    hash.sum()
}

/// A line of more bytes is none of ours: it is read, and refused, in pieces.
const MOST_BYTES_OF_A_LINE: u64 = 1 << 20;

/// Reads a line with its end into `line`, and says how many bytes it has: 0 at the end.
pub(crate) fn read_line(file: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<usize> {
    line.clear();
    file.take(MOST_BYTES_OF_A_LINE).read_until(b'\n', line)
}
