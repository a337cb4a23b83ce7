//! The rows of a file as ops to run.

use super::Reader;
use crate::ingest::{Answered, Event, IngestError, Row};
use crate::kernel::EINTR;
use crate::op::{Op, Timed};

/// The ops of a file under a cap, each with the line that it is on: see [`Reader::ops`].
pub struct Ops {
    reader: Reader,
    cap: u32,
    give_back: Option<(u64, Timed)>,
}

impl Reader {
    /// The ops of this file, where `dma` rows follow `cap` (`CONFIG_CMA_ALIGNMENT`). Looks at the
    /// state and allocs of no pages are left out.
    ///
    /// A buffer that the recorded kernel refused was never held by its caller, so nothing says how
    /// long it would have lived. Where it is granted here it is given back at once: the question
    /// is whether it fits, and what follows meets the buffers that were really there.
    pub const fn ops(self, cap: u32) -> Ops {
        Ops { reader: self, cap, give_back: None }
    }
}

impl Row {
    /// Whether a signal ended the request.
    pub fn is_interrupted(&self) -> bool {
        let errno = i64::from(EINTR);
        matches!(self.recorded.result, Some(Answered::Number(number)) if number == errno)
    }

    /// The op that follows this one at once, where there is one: see [`Reader::ops`].
    pub const fn give_back(&self) -> Option<Op> {
        match (self.event, self.recorded.result) {
            (Event::Op(Op::Alloc { id, .. }), Some(Answered::Number(..0))) => {
                Some(Op::Free { id, part: None })
            }
            _ => None,
        }
    }
}

impl Iterator for Ops {
    type Item = Result<(u64, Timed), IngestError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(op) = self.give_back.take() {
            return Some(Ok(op));
        }
        loop {
            match self.reader.next()? {
                Ok(row) => {
                    if let Event::Op(op) = row.event {
                        let timed = |op| (row.line, Timed { at_us: row.at_us, op });
                        self.give_back = row.give_back().map(timed);
                        return Some(Ok(timed(op.with_cap(self.cap))));
                    }
                }
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::Source;
    use crate::reader::{Options, open};

    #[test]
    fn what_was_refused_is_given_back_at_once() {
        let text = "# base_pfn=0 pages=64 order_per_bit=0\nidx,kind,id,count,align,result\n\
                    0,alloc,7,40,6,-12\n1,bitmap,,,,\n2,alloc,8,4,2,0\n3,free,7,,,nop\n";
        let reader = open(&Source::bytes("t", text.as_bytes()), &Options::default()).unwrap();
        let ops: Vec<_> = reader.ops(0).map(|op| op.unwrap()).collect();
        let ids: Vec<_> = ops
            .iter()
            .map(|(line, timed)| match timed.op {
                Op::Alloc { id, request, .. } => (*line, id, Some(request.align())),
                Op::Free { id, .. } => (*line, id, None),
                _ => unreachable!(),
            })
            .collect();
        assert_eq!(ids, [(3, 7, Some(0)), (3, 7, None), (5, 8, Some(0)), (6, 7, None)]);
    }
}
