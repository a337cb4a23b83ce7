//! A recording, written.

use std::io::{self, Write};

use cma_policies::Area;

use super::header::write_header;
use super::recording::{Answered, NAMES, Recorded};
use crate::op::{Op, Part};
use crate::words::csv::{optional, write, writer};

/// Writes a recording of ops on an area of one range; [`RecordingWriter::finish`] ends it.
#[derive(Debug)]
pub struct RecordingWriter<W: Write> {
    out: csv::Writer<W>,
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
        write_header(&mut out, pairs)?;
        let (pages, order) = (range.count, area.order_per_bit());
        writeln!(out, "# base_pfn={base_pfn} pages={pages} order_per_bit={order}")?;
        let mut out = writer(out);
        write(&mut out, NAMES.split(','))?;
        Ok(Self { out, base_pfn })
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
            Op::Pin(run) => ("pin", run.pfn.0 - self.base_pfn, Some(run.count), None),
            Op::Unpin(run) => ("unpin", run.pfn.0 - self.base_pfn, Some(run.count), None),
        };
        let result = match recorded.result {
            None => String::new(),
            Some(Answered::Number(number)) => number.to_string(),
            Some(Answered::Nop) => "nop".to_string(),
        };
        // Where a part begins does not show in the result if it was refused.
        let note = match (recorded.refused_at, op) {
            (Some(offset), _) => format!("lastoff={offset}"),
            (None, Op::Free { part: Some(part), .. }) => format!("offset={}", part.offset),
            _ => String::new(),
        };
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
