//! Finished cells as they end: what a stopped sweep leaves and goes on from, and what a shard
//! leaves for `merge`. Rows of `cells.csv`, each with a sum by which a torn one is known.

use std::io::{self, BufRead, Read, Write};

use super::csv;
use crate::metric::{Value, column, columns};
use crate::sweep::{Cell, Known, Outcome, Ready, Shard, emit};

/// What such a file begins with: which plan, as run by which version, its rows are of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Head {
    /// The sum over the plan as run.
    pub plan: u64,
    /// The version that ran it.
    pub version: String,
    /// Which part of the plan it is.
    pub shard: Shard,
    /// Where the plan came from: a word of the command line.
    pub from: String,
    /// The sum over the plan without the board times of its streams.
    pub base: u64,
    /// Those board times, in microseconds, stream by stream.
    pub times_us: Vec<u64>,
}

impl Head {
    /// Of a plan that comes `from` somewhere, a word without spaces, run by this version.
    #[must_use]
    pub fn new(ready: &Ready, shard: Shard, from: &str) -> Self {
        let plan = emit(ready);
        let times = ready.plan.streams.iter().filter_map(|stream| stream.length.time_us());
        Self {
            plan: csv::checksum(&plan),
            version: env!("CARGO_PKG_VERSION").to_string(),
            shard,
            from: from.to_string(),
            base: csv::checksum(&without_times(&plan)),
            times_us: times.collect(),
        }
    }

    /// Whether it is of the same plan as `other` but for streams that are longer.
    #[must_use]
    pub fn extends(&self, other: &Self) -> bool {
        let longer = self.times_us.iter().zip(&other.times_us).all(|(own, other)| own >= other);
        longer
            && self.plan != other.plan
            && self.times_us.len() == other.times_us.len()
            && (&self.version, self.shard, &self.from, self.base)
                == (&other.version, other.shard, &other.from, other.base)
    }

    /// The lines, the last with the names of the columns; with an end.
    #[must_use]
    pub fn text(&self) -> String {
        let Self { plan, version, shard, from, base, times_us } = self;
        let columns = csv::cells_header();
        let times: Vec<_> = times_us.iter().map(u64::to_string).collect();
        let times = times.join(",");
        format!(
            "# plan={plan:016x} version={version} shard={shard} from={from} base={base:016x} \
             times_us={times}\n{columns},checksum\n"
        )
    }

    /// Reads what [`Head::text`] wrote; [`None`] where it stands something else, or columns of
    /// another version.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn read(file: &mut impl BufRead) -> io::Result<Option<Self>> {
        let mut line = Vec::new();
        read_line(file, &mut line)?;
        let head = std::str::from_utf8(&line).ok().and_then(Self::parse);
        let Some(head) = head else { return Ok(None) };
        let mut columns = Vec::new();
        read_line(file, &mut columns)?;
        line.append(&mut columns);
        Ok((line == head.text().as_bytes()).then_some(head))
    }

    fn parse(line: &str) -> Option<Self> {
        let mut words = line.strip_prefix("# ")?.split_whitespace();
        let mut word = |key: &str| words.next()?.strip_prefix(key)?.strip_prefix('=');
        let plan = u64::from_str_radix(word("plan")?, 16).ok()?;
        let version = word("version")?.to_string();
        let shard = Shard::parse(word("shard")?).ok()?;
        let from = word("from")?.to_string();
        let base = u64::from_str_radix(word("base")?, 16).ok()?;
        let times = word("times_us")?;
        let times = times.split(',').filter(|time| !time.is_empty());
        let times_us = times.map(|time| time.parse().ok()).collect::<Option<_>>()?;
        Some(Self { plan, version, shard, from, base, times_us })
    }
}

/// A plan as written, without the board times of its streams.
#[must_use]
pub fn without_times(plan: &str) -> String {
    let lines = plan.lines().map(|line| if line.starts_with(TIME) { TIME } else { line });
    lines.collect::<Vec<_>>().join("\n")
}

/// How the line of a plan begins that says how long a stream is.
const TIME: &str = "hours = ";

/// Writes the row of a cell that ended.
///
/// # Errors
/// Where the output takes no more.
pub fn write(
    ready: &Ready,
    number: u64,
    cell: &Cell,
    values: &[Value],
    out: &mut dyn Write,
) -> io::Result<()> {
    let row = csv::cell_row(ready, number, cell, values);
    write_row(&row, out)
}

/// Writes a row of `cells.csv` with its sum.
///
/// # Errors
/// Where the output takes no more.
pub fn write_row(row: &str, out: &mut dyn Write) -> io::Result<()> {
    // In one piece: a file that is not buffered gets whole rows.
    out.write_all(format!("{row},{:016x}\n", csv::checksum(row)).as_bytes())
}

/// What was found in such a file behind its [`Head`].
#[derive(Clone, Debug)]
pub struct Left {
    /// The cells whose rows are whole.
    pub known: Known,
    /// Bytes up to the end of the last whole line: what is behind was torn.
    pub bytes: u64,
}

/// Looks through the rows of a file that is read up to the end of its [`Head`]. A torn row, or one
/// that was changed, is left out: its cell is run again.
///
/// # Errors
/// A file that cannot be read.
pub fn look_through(ready: &Ready, file: &mut impl BufRead) -> io::Result<Left> {
    let most = ready.plan.cell_count().unwrap_or(0);
    let mut left = Left { known: Known::of(&ready.plan), bytes: 0 };
    let (mut line, mut read) = (Vec::new(), 0);
    while read_line(file, &mut line)? > 0 {
        read += line.len() as u64;
        if line.last() == Some(&b'\n') {
            left.bytes = read;
        }
        if let Some(row) = Row::parse(&line).filter(|row| row.number < most) {
            left.known.note(row.number, Outcome::of(&row.values));
        }
    }
    Ok(left)
}

/// A line of more bytes is none of ours: it is read, and refused, in pieces.
const MOST_BYTES_OF_A_LINE: u64 = 1 << 20;

/// Reads a line with its end into `line`, and says how many bytes it has: 0 at the end.
pub(super) fn read_line(file: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<usize> {
    line.clear();
    file.take(MOST_BYTES_OF_A_LINE).read_until(b'\n', line)
}

/// A row, read back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// The number of its cell.
    pub number: u64,
    /// The row as it stands in `cells.csv`, without a line end.
    pub text: String,
    /// The values of all [`columns`].
    pub values: Vec<Value>,
}

/// Columns before the number of the cell: schema, plan. Neither can hold a comma.
const BEFORE: usize = 2;

impl Row {
    /// Reads a line with its end and its sum; [`None`] where it is torn or was changed.
    #[must_use]
    pub fn parse(line: &[u8]) -> Option<Self> {
        let line = std::str::from_utf8(line).ok()?.strip_suffix('\n')?;
        let (row, checksum) = line.rsplit_once(',')?;
        if u64::from_str_radix(checksum, 16).ok()? != csv::checksum(row) {
            return None;
        }
        Self::parse_plain(row)
    }

    /// Reads a row of `cells.csv`, which has no sum.
    #[must_use]
    pub fn parse_plain(row: &str) -> Option<Self> {
        let number = row.split(',').nth(BEFORE)?.parse().ok()?;
        // From the end on: before the values there are names, which may hold commas. The name of a
        // board holds none.
        let all = columns().count();
        let later = all - csv::first_measured();
        let mut fields = row.rsplit(',');
        // No more room than that: those of a million streams are in memory at once.
        let mut values = Vec::with_capacity(all);
        for field in fields.by_ref().take(later) {
            values.push(Value::parse(field)?);
        }
        for field in fields.skip(csv::LATER_INPUTS.len()).take(csv::first_measured()) {
            values.push(Value::parse(field)?);
        }
        values.reverse();
        let whole = values.len() == all && values[column("refused")] != Value::None;
        whole.then(|| Self { number, text: row.to_string(), values })
    }
}
