//! Finished cells as they end: what a stopped sweep leaves and goes on from, and what a shard
//! leaves for `merge`. Rows of `cells.csv`, each with a sum by which a torn one is known.

use std::io::{self, BufRead};

use super::row::{Row, cells_header, checksum, read_line};
use crate::sweep::{Known, Outcome, Ready, Shard, emit};

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
    pub fn new(ready: &Ready, shard: Shard, from: &str) -> Self {
        let plan = emit(ready);
        let times = ready.plan.streams.iter().filter_map(|stream| stream.length.time_us());
        Self {
            plan: checksum(&plan),
            version: env!("CARGO_PKG_VERSION").to_string(),
            shard,
            from: from.to_string(),
            base: checksum(&without_times(&plan)),
            times_us: times.collect(),
        }
    }

    /// Whether it is of the same plan as `other` but for streams that are longer.
    pub fn extends(&self, other: &Self) -> bool {
        let longer = self.times_us.iter().zip(&other.times_us).all(|(own, other)| own >= other);
        longer
            && self.plan != other.plan
            && self.times_us.len() == other.times_us.len()
            && (&self.version, self.shard, &self.from, self.base)
                == (&other.version, other.shard, &other.from, other.base)
    }

    /// The lines, the last with the names of the columns; with an end.
    pub fn text(&self) -> String {
        let Self { plan, version, shard, from, base, times_us } = self;
        let columns = cells_header();
        let times: Vec<_> = times_us.iter().map(u64::to_string).collect();
        let times = times.join(",");
        format!(
            "# plan={plan:016x} version={version} shard={shard} from={from} base={base:016x} \
             times_us={times}\n{columns},checksum\n"
        )
    }

    /// Reads what [`Head::text`] wrote; [`None`] where there is something else, or columns of
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
pub fn without_times(plan: &str) -> String {
    let lines = plan.lines().map(|line| if line.starts_with(TIME) { TIME } else { line });
    lines.collect::<Vec<_>>().join("\n")
}

/// How the line of a plan begins that says how long a stream is.
const TIME: &str = "hours = ";

/// What was found in such a file after its [`Head`].
#[derive(Clone, Debug)]
pub struct Left {
    /// The cells whose rows are whole.
    pub known: Known,
    /// Bytes up to the end of the last whole line: what follows was torn.
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
