//! A recording, written.

use std::io::{self, Write};

use cma_policies::Area;

use super::recording::{Answered, NAMES, Recorded};
use crate::op::{Op, Part};

/// Writes a recording of ops on an area of one range.
#[derive(Debug)]
pub struct RecordingWriter<W> {
    out: W,
    base_pfn: u64,
}

impl<W: Write> RecordingWriter<W> {
    /// Writes the header: the geometry, these keys, then the column names.
    ///
    /// # Errors
    /// Where the output takes no more, and an area of several ranges, which a recording cannot
    /// state.
    pub fn new(mut out: W, area: &Area, pairs: &[(&str, String)]) -> io::Result<Self> {
        let [range] = area.ranges() else {
            let why = format!("a recording has one range, the area {}", area.ranges().len());
            return Err(io::Error::other(why));
        };
        let base_pfn = range.pfn.0;
        for (key, value) in pairs {
            writeln!(out, "# {key}={}", value.split_whitespace().collect::<Vec<_>>().join("_"))?;
        }
        let (pages, order) = (range.count, area.order_per_bit());
        writeln!(out, "# base_pfn={base_pfn} pages={pages} order_per_bit={order}")?;
        writeln!(out, "{NAMES}")?;
        Ok(Self { out, base_pfn })
    }

    /// Writes op number `idx` and what was answered.
    ///
    /// # Errors
    /// Where the output takes no more.
    pub fn write(&mut self, idx: u64, op: Op, recorded: &Recorded) -> io::Result<()> {
        let optional = |number: Option<u64>| number.map_or_else(String::new, |n| n.to_string());
        let (kind, id, count, align) = match op {
            Op::Alloc { id, request, .. } => {
                ("alloc", id, Some(request.count()), Some(u64::from(request.align())))
            }
            Op::Free { id, part } => ("free", id, part.map(|part: Part| part.count), None),
            Op::Pin(run) => ("pin", run.pfn.0 - self.base_pfn, Some(run.count), None),
            Op::Unpin(run) => ("unpin", run.pfn.0 - self.base_pfn, Some(run.count), None),
        };
        let result = match recorded.result {
            None => String::new(),
            Some(Answered::Number(number)) => number.to_string(),
            Some(Answered::Nop) => "nop".to_string(),
        };
        let note =
            recorded.refused_at.map_or_else(String::new, |offset| format!("lastoff={offset}"));
        writeln!(
            self.out,
            "{idx},{kind},{id},{},{},{result},{},{},{},{note}",
            optional(count),
            optional(align),
            optional(recorded.retries),
            optional(recorded.free),
            optional(recorded.maxrun)
        )
    }
}
