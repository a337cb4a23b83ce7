//! A driver's line that is wrapped: mail, forums and terminals break it, as any other.
//!
//! What a driver says has no grammar of its own, so the pieces are joined only where both together
//! are the words of a known row, or where the second is nothing but the rest of a number.

use super::{Dmesg, Origin, driver, emit, held};
use crate::ingest::log::{Record, Sink, prefix};

/// Shorter lines are not wrapped, in bytes.
const SHORTEST: usize = 40;

/// Longer ones are not kept, in bytes.
const LONGEST: usize = 400;

/// The most bytes of what is left of a number and its unit.
const LONGEST_REST: usize = 24;

/// A line that may go on with the next one.
#[derive(Debug)]
pub(super) struct Wrapped {
    pub(super) origin: Origin,
    text: Vec<u8>,
    /// The kernel's stamp, or the like, precedes it.
    has_prefix: bool,
    /// What it says alone.
    alone: Option<Record>,
}

impl Dmesg {
    /// What a driver or another allocator says in `line`, where it says something: at once, or with
    /// the next line.
    pub(super) fn driver(&mut self, line: &[u8], sink: &mut Sink<'_>) -> bool {
        let alone = held::read(line).or_else(|| driver::read(line));
        if !goes_on(line, alone.as_ref()) {
            let piece = || is_second_half(line).then_some(Record::DriverPiece);
            return match alone.or_else(piece) {
                Some(record) => self.found(line, line.len(), record, sink) > 0,
                None => false,
            };
        }
        let body = prefix::body(line);
        let has_prefix = line[..body].iter().any(|byte| !b" \t>|".contains(byte));
        let (origin, text) = (self.origin(line, sink), line.trim_ascii_end().to_vec());
        let is_used = alone.is_some();
        self.wrapped = Some(Wrapped { origin, text, has_prefix, alone });
        is_used
    }

    /// Goes on with the driver's line before, where `line` does: how many bytes are of it.
    pub(super) fn go_on_wrapped(&mut self, line: &[u8], sink: &mut Sink<'_>) -> usize {
        let Some(wrapped) = self.wrapped.take() else { return 0 };
        let body = prefix::body(line);
        let is_next = sink.line == wrapped.origin.line + 1;
        let is_rest = line[..body].iter().all(|byte| b" \t>|".contains(byte));
        let piece = line[body..].trim_ascii();
        let record = (is_next && is_rest && !piece.is_empty()).then(|| wrapped.joined(piece));
        match record.flatten() {
            Some(record) => {
                emit(&wrapped.origin, record, sink);
                line.len()
            }
            None => {
                wrapped.end(sink);
                0
            }
        }
    }

    /// Nothing goes on with the driver's line before.
    pub(super) fn end_wrapped(&mut self, sink: &mut Sink<'_>) {
        if let Some(wrapped) = self.wrapped.take() {
            wrapped.end(sink);
        }
    }
}

impl Wrapped {
    /// What both pieces say: a blank between them may be lost, and a number may be broken.
    fn joined(&self, piece: &[u8]) -> Option<Record> {
        let glued = || [&self.text, piece].concat();
        if self.states_size() {
            return is_rest_of_number(piece).then(|| driver::read(&glued()))?;
        }
        let blank = [&self.text, &b" "[..], piece].concat();
        [blank, glued()].into_iter().find_map(|text| {
            let record = driver::read(&text)?;
            let Record::Driver { bytes, shape, .. } = &record else { return None };
            let is_bound = shape.is_some() || bytes.is_some() && self.has_prefix;
            is_bound.then_some(record)
        })
    }

    fn states_size(&self) -> bool {
        matches!(self.alone, Some(Record::Driver { bytes: Some(_), .. }))
    }

    fn end(self, sink: &mut Sink<'_>) {
        emit(&self.origin, self.alone.unwrap_or(Record::DriverPiece), sink);
    }
}

/// Whether a line that says `alone` may go on with the next one.
fn goes_on(line: &[u8], alone: Option<&Record>) -> bool {
    if !(SHORTEST..=LONGEST).contains(&line.len()) {
        return false;
    }
    match alone {
        None => driver::is_begun(line),
        Some(Record::Driver { bytes: None, shape: None, .. }) => true,
        Some(Record::Driver { bytes: Some(_), .. }) => {
            line.trim_ascii_end().last().is_some_and(u8::is_ascii_digit)
        }
        Some(_) => false,
    }
}

/// `72`, `72 buffer.`
fn is_rest_of_number(piece: &[u8]) -> bool {
    let digits = piece.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let rest = piece[digits..].trim_ascii();
    let word = [&b""[..], b".", b"!", b")", b"bytes", b"buffer", b"buffer."].contains(&rest);
    digits > 0 && piece.len() <= LONGEST_REST && word
}

/// Whether `line` begins in the middle of what drivers say: `allocate from CMA:`.
fn is_second_half(line: &[u8]) -> bool {
    let body = prefix::body(line);
    let is_rest = line[..body].iter().all(|byte| b" \t>|".contains(byte));
    let starts = |word: &&[u8]| line[body..].starts_with(word);
    const FRONTS: &[&[u8]] = &[
        b"allocate from ",
        b"to allocate from ",
        b"allocate buffer ",
        b"to allocate buffer ",
        b"alloc failed",
        b"allocate DMA ",
        b"to allocate DMA ",
    ];
    is_rest && FRONTS.iter().any(starts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::Source;
    use crate::ingest::log::open;

    fn records(text: &str) -> Vec<Record> {
        let records = open(&Source::bytes("test", text.as_bytes())).expect("opens");
        records.filter_map(Result::ok).map(|found| found.record).collect()
    }

    fn said(text: &str) -> Vec<String> {
        let all = records(text).into_iter().filter_map(|record| match record {
            Record::Driver { bytes, .. } => Some(format!("driver {}", bytes.unwrap_or(0))),
            Record::DriverPiece => Some("piece".to_string()),
            _ => None,
        });
        all.collect()
    }

    #[test]
    fn a_line_that_is_wrapped_anywhere_is_joined() {
        for line in [
            "[   65.010000] foo-codec 13400000.codec: dma_alloc_coherent of size 2097152 failed",
            "[   65.010000] omapdss_gem omapdss_gem.12: failed to allocate buffer with size 4198400",
            "[   65.010000] mxc_g2d 38000000.gpu: RKNPU: failed to allocate 3145728 buffer.",
            "[   65.010000] hva 8c85000.hva: H264 dma_alloc_attrs failed for seq (size=65536)",
        ] {
            let whole = said(line);
            assert_eq!(whole.len(), 1, "{line}");
            let from = line.find("alloc").expect("it is there") + 12;
            for at in from.max(SHORTEST)..line.len() {
                let (front, rest) = line.split_at(at);
                for text in [format!("{front}\n{rest}\n"), format!("> {front}\n> {rest}\n")] {
                    assert_eq!(said(&text), whole, "{text}");
                }
            }
        }
    }

    #[test]
    fn the_next_message_is_no_rest() {
        let front = "[   65.010000] foo-codec 13400000.codec: dma_alloc_coherent of size 2097152";
        for next in ["[   66.000000] bar: failed", "", "> ", "bar: probe failed with error -12"] {
            assert_eq!(said(&format!("{front}\n{next}\n")), ["piece"], "{next}");
        }
        let size = "[   65.010000] omapdss_gem: failed to allocate buffer with size 4198";
        for next in ["400 of these", "4000 bytes from", "usb 1-1: new"] {
            assert_eq!(said(&format!("{size}\n{next}\n")), ["driver 4198"], "{next}");
        }
        // Not the next line.
        assert_eq!(said(&format!("{size}\n\n400\n")), ["driver 4198"]);
        assert_eq!(said(front), ["piece"]);
    }

    #[test]
    fn a_pointer_that_begins_with_zeros_is_no_null_where_it_is_broken() {
        for (text, null) in [
            ("cma: cma_alloc(): returned 000000000\nba3d687\n", Some(false)),
            ("cma: cma_alloc(): returned 000000000\n0000000\n", Some(true)),
            ("cma: cma_alloc(): returned 000000000\n", None),
        ] {
            let is_null = records(text).into_iter().find_map(|record| match record {
                Record::Finish { page, .. } => Some(page == crate::ingest::log::Page::Null),
                _ => None,
            });
            assert_eq!(is_null, null, "{text}");
        }
    }

    #[test]
    fn the_second_half_alone_is_a_piece() {
        assert_eq!(said("allocate from CMA:\n"), ["piece"]);
        assert_eq!(said("[    1.000000] allocate from CMA:\n"), Vec::<String>::new());
    }
}
