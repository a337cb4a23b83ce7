//! A recording, written.

use std::io::{self, Write};

use cma_policies::{Area, Run};

use super::geometry::stated;
use super::header::write_header;
use super::recording::{Answered, NAMES, Recorded};
use crate::op::{Op, Part};
use crate::words::csv::{optional, write};

/// Writes a recording of ops on an area; [`RecordingWriter::finish`] ends it.
#[derive(Debug)]
pub struct RecordingWriter<W: Write> {
    out: csv::Writer<W>,
    area: Area,
}

impl<W: Write> RecordingWriter<W> {
    /// Writes the header: the geometry, these keys, then the column names.
    ///
    /// # Errors
    /// Where the output takes no more.
    pub fn new(mut out: W, area: &Area, pairs: &[(&str, String)]) -> io::Result<Self> {
        write_header(&mut out, pairs)?;
        let geometry = stated(area).into_iter().map(|(key, value)| format!("{key}={value}"));
        writeln!(out, "# {}", geometry.collect::<Vec<_>>().join(" "))?;
        let mut out = csv::Writer::from_writer(out);
        write(&mut out, NAMES.split(','))?;
        Ok(Self { out, area: area.clone() })
    }

    /// The number of the first page of `run`, which is in the area.
    fn page(&self, run: Run) -> io::Result<u64> {
        self.area.page_of(run.pfn).ok_or_else(|| io::Error::other(format!("{run} is in no range")))
    }

    /// Writes op number `idx` and what was answered.
    ///
    /// # Errors
    /// Where the output takes no more.
    pub fn write(&mut self, idx: u64, op: Op, recorded: &Recorded) -> io::Result<()> {
        let (kind, id, count, align) = match op {
            Op::Alloc { id, request, .. } => {
                ("alloc", id, Some(request.count()), Some(u64::from(request.align())))
            }
            Op::Free { id, part } => ("free", id, part.map(|part: Part| part.count), None),
            Op::Pin(run) => ("pin", self.page(run)?, Some(run.count), None),
            Op::Unpin(run) => ("unpin", self.page(run)?, Some(run.count), None),
        };
        let result = match recorded.result {
            None => String::new(),
            Some(Answered::Number(number)) => number.to_string(),
            Some(Answered::Nop) => "nop".to_string(),
        };
        // Where a part begins does not show in the result if it was refused.
        let part = match op {
            Op::Free { part: Some(part), .. } => Some(part.offset),
            _ => None,
        };
        let available = recorded.available.filter(|pages| recorded.free != Some(*pages));
        let notes = [("lastoff", recorded.refused_at), ("offset", part), ("avail", available)];
        let notes = notes.iter().filter_map(|(key, value)| Some(format!("{key}={}", (*value)?)));
        let note = notes.collect::<Vec<_>>().join(" ");
        let [count, align] = [count, align].map(optional);
        let Recorded { retries, free, maxrun, .. } = *recorded;
        let [retries, free, maxrun] = [retries, free, maxrun].map(optional);
        let (idx, id) = (idx.to_string(), id.to_string());
        let row = [&*idx, kind, &id, &count, &align, &result, &retries, &free, &maxrun, &note];
        write(&mut self.out, row)
    }

    /// Writes what is left of it.
    ///
    /// # Errors
    /// Where the output takes no more.
    pub fn finish(mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::{Event, Source};
    use crate::reader::{Options, open};
    use cma_policies::Request;

    /// Parts used to be read back from the front of what is left, whatever was given back: where a
    /// later part had gone first, and where the policy had refused them.
    #[test]
    fn parts_come_back_from_where_they_were_given_back() {
        let area = Area::single(64, 32, 0).unwrap();
        let alloc = Op::Alloc { id: 7, request: Request::new(10, 0).unwrap(), dma: false };
        let free = |offset, count| Op::Free { id: 7, part: Some(Part { offset, count }) };
        let ops = [alloc, free(8, 1), free(0, 2), free(4, 3)];
        for results in [[Some(0), Some(8), Some(0), Some(4)], [Some(0), None, None, None]] {
            let mut text = Vec::new();
            let mut writer = RecordingWriter::new(&mut text, &area, &[]).unwrap();
            for (idx, (op, result)) in (0..).zip(ops.into_iter().zip(results)) {
                let result = result.map(Answered::Number);
                writer.write(idx, op, &Recorded { result, ..Recorded::default() }).unwrap();
            }
            writer.finish().unwrap();
            let reader = open(&Source::bytes("t", text), &Options::default()).unwrap();
            let read: Vec<_> = reader.skip(1).map(|row| row.unwrap().event).collect();
            assert_eq!(read, ops[1..].iter().map(|op| Event::Op(*op)).collect::<Vec<_>>());
        }
    }
}
