//! `/sys/kernel/debug/dma_buf/bufinfo`: what is exported as dma-buf (`dma_buf_debug_show()`,
//! `drivers/dma-buf/dma-buf.c`; with inode and name from 4.19 on).

use std::sync::Arc;

use super::super::names::Names;
use super::super::{Holder, Part, Record, Sink};
use super::bytes;

/// The most exporters that are kept apart.
const MOST_EXPORTERS: usize = 32;

/// Lines without a buffer after which the table is cut: devices are attached to each.
const MOST_OTHERS: u32 = 64;

/// A table that goes on.
pub(super) struct Buffers {
    /// The line that it begins on.
    line: u64,
    /// Bytes and buffers of each exporter.
    of: Vec<(Arc<str>, u64, u64)>,
    others: u32,
    done: bool,
}

impl Buffers {
    /// Whether a table begins.
    pub(super) fn begin(text: &[u8]) -> bool {
        text.eq_ignore_ascii_case(b"dma-buf objects:")
    }

    pub(super) const fn new(line: u64) -> Self {
        Self { line, of: Vec::new(), others: 0, done: false }
    }

    /// Whether the line is of the table.
    pub(super) fn line(&mut self, text: &[u8], sink: &mut Sink<'_>, names: &mut Names) -> bool {
        if let Some((buffers, bytes)) = total(text) {
            self.done = true;
            self.say(sink);
            said(&mut sink.at(self.line), Part::All, bytes, buffers);
            return true;
        }
        self.others += 1;
        if let Some((bytes, exporter)) = buffer(text) {
            self.others = 0;
            self.add(names.get(exporter), bytes);
            return true;
        }
        let is_other = text.starts_with(b"[") || text.starts_with(b"<") || text.starts_with(b"==>");
        !is_other && self.others < MOST_OTHERS
    }

    fn add(&mut self, exporter: Arc<str>, bytes: u64) {
        match self.of.iter().position(|of| of.0 == exporter) {
            Some(index) => {
                let of = &mut self.of[index];
                (of.1, of.2) = (of.1.saturating_add(bytes), of.2 + 1);
            }
            None if self.of.len() < MOST_EXPORTERS => self.of.push((exporter, bytes, 1)),
            None => {}
        }
    }

    /// Whether its last line was read.
    pub(super) const fn is_done(&self) -> bool {
        self.done
    }

    /// The table is cut.
    pub(super) fn close(mut self, sink: &mut Sink<'_>) {
        self.say(sink);
    }

    fn say(&mut self, sink: &mut Sink<'_>) {
        for (exporter, bytes, buffers) in self.of.drain(..) {
            said(&mut sink.at(self.line), Part::Of(exporter), bytes, buffers);
        }
    }
}

fn said(sink: &mut Sink<'_>, part: Part, bytes: u64, buffers: u64) {
    let (holder, bytes, buffers) = (Holder::DmaBuf, Some(bytes), Some(buffers));
    sink.push(None, None, Record::Held { holder, part, bytes, buffers });
}

/// `Total 12 objects, 3936256 bytes`
fn total(text: &[u8]) -> Option<(u64, u64)> {
    let mut words = text.strip_prefix(b"Total ")?.split(|byte| *byte == b' ');
    let buffers = bytes::number(words.next()?)?;
    let objects = words.next()? == b"objects,";
    let bytes = bytes::number(words.next()?).filter(|_| objects)?;
    Some((buffers, bytes))
}

/// `01036288 00000002 00080007 00000001 linux,cma 00000019 <none>`: bytes and exporter.
fn buffer(text: &[u8]) -> Option<(u64, &[u8])> {
    let mut words = text.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let bytes = words.next().filter(|word| word.len() >= 8).and_then(bytes::number)?;
    let is_hex = |word: &[u8]| word.len() == 8 && word.iter().all(u8::is_ascii_hexdigit);
    let (flags, mode, count) = (words.next()?, words.next()?, words.next()?);
    let exporter = words.next()?;
    (is_hex(flags) && is_hex(mode) && is_hex(count)).then_some((bytes, exporter))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_has_bytes_and_an_exporter() {
        let old = b"01036288\t00000002\t00000007\t00000003\tvc4";
        assert_eq!(buffer(old), Some((1_036_288, &b"vc4"[..])));
        let new = b"08388608  00000002  00080007  00000001  linux,cma  00000019  <none>";
        assert_eq!(buffer(new), Some((8_388_608, &b"linux,cma"[..])));
        assert_eq!(buffer(b"\tsoc:gpu"), None);
        assert_eq!(
            buffer(b"size    \tflags   \tmode    \tcount   \texp_name\tino     \tname"),
            None
        );
        assert_eq!(total(b"Total 12 objects, 3936256 bytes"), Some((12, 3_936_256)));
        assert_eq!(total(b"Total 1 devices attached"), None);
    }
}
