//! Lines of bytes, numbered, each of bounded length; those without a word of CMA are passed over in
//! bulk.

use std::io::{self, BufRead, BufReader, Read};

use encoding_rs_io::DecodeReaderBytesBuilder;
use memchr::{memchr, memchr_iter, memrchr};

use super::super::error::IngestError;
use super::super::source::{PastEnd, Source};
use super::scan;

/// The most bytes of a line: the bitmap of an area of 256 GiB fits.
const LONGEST: usize = 24 << 20;

/// The bytes read at once.
const WINDOW: usize = 256 << 10;

/// Reads a source line by line.
pub(super) struct RawLines {
    name: String,
    input: BufReader<Box<dyn Read>>,
    longest: usize,
    number: u64,
    /// The line that was read last, where it is not whole in the buffer of `input`.
    line: Vec<u8>,
    /// The bytes of that buffer that it has, its end included, where it is.
    held: usize,
    /// The next line was read by [`skip`](Self::skip).
    ahead: Option<Advance>,
    past_end: PastEnd,
    /// The line that was read last has an end.
    ended: bool,
}

/// What [`RawLines::advance`] came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Advance {
    /// A line.
    Line,
    /// A line that is too long: it is left out.
    TooLong,
    /// Nothing more.
    End,
}

impl RawLines {
    /// The lines of `source`: UTF-16 that begins with its mark is read as UTF-8.
    pub(super) fn open(source: &Source) -> Result<Self, IngestError> {
        Self::new(source, LONGEST, WINDOW)
    }

    fn new(source: &Source, longest: usize, window: usize) -> Result<Self, IngestError> {
        let mut decoder = DecodeReaderBytesBuilder::new();
        let past_end = PastEnd::noted();
        let bytes = source.open_noting(&past_end)?;
        let decoder = decoder.utf8_passthru(true).strip_bom(true).build(bytes);
        let mut input = BufReader::with_capacity(window, Box::new(decoder) as Box<dyn Read>);
        let name = source.name().to_string();
        // What cannot be read at all is said at once.
        let first =
            input.fill_buf().err().filter(|error| error.kind() != io::ErrorKind::Interrupted);
        if let Some(error) = first {
            return Err(at(&name, 0, &error));
        }
        let (line, number, held, ahead, ended) = (Vec::new(), 0, 0, None, true);
        Ok(Self { name, input, longest, number, line, held, ahead, past_end, ended })
    }

    /// What the source is called in messages.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The number of the line that was read last, from 1 on.
    pub(super) const fn number(&self) -> u64 {
        self.number
    }

    /// Whether bytes that are no part of it follow the end of what is packed, once that was read.
    pub(super) fn is_longer(&self) -> bool {
        self.past_end.is_found()
    }

    /// Whether the line that was read last has an end: else the text may end within it.
    pub(super) const fn is_ended(&self) -> bool {
        self.ended
    }

    /// The line that was read last, without its end.
    pub(super) fn bytes(&self) -> &[u8] {
        let held = self.input.buffer()[..self.held].strip_suffix(b"\n");
        trim_end(held.unwrap_or(&self.line))
    }

    /// Passes over lines that say nothing of CMA, as far as the bytes show it.
    pub(super) fn skip(&mut self) -> Result<(), IngestError> {
        while self.ahead.is_none() {
            self.input.consume(std::mem::take(&mut self.held));
            let fresh = match self.input.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                fresh => fresh.map_err(|error| at(&self.name, self.number + 1, &error))?,
            };
            let whole = memrchr(b'\n', fresh).map_or(0, |newline| newline + 1);
            let hit = scan::passed(&fresh[..whole]);
            let passed = hit.map_or(whole, |hit| {
                memrchr(b'\n', &fresh[..hit]).map_or(0, |newline| newline + 1)
            });
            self.number += memchr_iter(b'\n', &fresh[..passed]).count() as u64;
            self.input.consume(passed);
            if hit.is_some() {
                break;
            }
            // A line that only begins here is read as one.
            let advance = self.read_line()?;
            let plain = advance == Advance::Line && scan::passed(self.bytes()).is_none();
            self.ahead = (!plain).then_some(advance);
        }
        Ok(())
    }

    /// Reads the next line.
    pub(super) fn advance(&mut self) -> Result<Advance, IngestError> {
        self.ahead.take().map_or_else(|| self.read_line(), Ok)
    }

    fn read_line(&mut self) -> Result<Advance, IngestError> {
        self.input.consume(std::mem::take(&mut self.held));
        let whole = memchr(b'\n', self.input.buffer()).filter(|newline| *newline <= self.longest);
        if let Some(newline) = whole {
            (self.held, self.number, self.ended) = (newline + 1, self.number + 1, true);
            return Ok(Advance::Line);
        }
        self.line.clear();
        let part = &mut self.input.by_ref().take(self.longest as u64 + 2);
        let read = part.read_until(b'\n', &mut self.line);
        if read.map_err(|error| at(&self.name, self.number + 1, &error))? == 0 {
            return Ok(Advance::End);
        }
        self.number += 1;
        self.ended = self.line.pop_if(|byte| *byte == b'\n').is_some();
        if !self.ended && self.line.len() > self.longest {
            self.input.skip_until(b'\n').map_err(|error| at(&self.name, self.number, &error))?;
        } else if trim_end(&self.line).len() <= self.longest {
            return Ok(Advance::Line);
        }
        self.line = Vec::new();
        Ok(Advance::TooLong)
    }
}

/// Without what may precede the end of a line.
fn trim_end(line: &[u8]) -> &[u8] {
    let last = line.iter().rposition(|byte| !matches!(byte, b'\r' | 0));
    &line[..last.map_or(0, |last| last + 1)]
}

fn at(name: &str, line: u64, error: &io::Error) -> IngestError {
    IngestError { line, ..IngestError::of(name, error) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &[u8], longest: usize, window: usize) -> Vec<(u64, Advance, String)> {
        let source = Source::bytes("test", text);
        let mut lines = RawLines::new(&source, longest, window).expect("opens");
        let mut found = Vec::new();
        loop {
            let advance = lines.advance().expect("reads");
            if advance == Advance::End {
                return found;
            }
            let text = String::from_utf8_lossy(lines.bytes()).into_owned();
            found.push((lines.number(), advance, text));
        }
    }

    #[test]
    fn lines_are_the_same_whatever_the_window() {
        let text = b"\xef\xbb\xbfone\r\n\n\0two\0\r\r\nthree four five\nlast";
        let one = lines(text, 100, 100);
        let texts: Vec<_> = one.iter().map(|(_, _, text)| text.as_str()).collect();
        assert_eq!(texts, ["one", "", "\0two", "three four five", "last"]);
        assert_eq!(one.last().map(|(number, ..)| *number), Some(5));
        for window in 1..40 {
            assert_eq!(lines(text, 100, window), one, "window {window}");
        }
    }

    #[test]
    fn a_line_that_is_too_long_is_left_out_and_the_next_one_is_read() {
        let text = format!("a\n{}\nb\n{}", "x".repeat(500), "y".repeat(21));
        for window in [1, 7, 64, 1000] {
            let found = lines(text.as_bytes(), 20, window);
            let short: Vec<_> = found.iter().map(|(number, how, _)| (*number, *how)).collect();
            assert_eq!(
                short,
                [
                    (1, Advance::Line),
                    (2, Advance::TooLong),
                    (3, Advance::Line),
                    (4, Advance::TooLong)
                ],
                "window {window}"
            );
        }
    }

    #[test]
    fn lines_without_a_word_of_cma_are_counted_and_passed_over() {
        let text = "nothing\nnothing at all\ncma: here\nno\nno\n[1.0] cma_alloc: there";
        for window in 1..60 {
            let source = Source::bytes("test", text.as_bytes());
            let mut lines = RawLines::new(&source, 1000, window).expect("opens");
            let mut hits = Vec::new();
            loop {
                lines.skip().expect("reads");
                if lines.advance().expect("reads") == Advance::End {
                    break;
                }
                if scan::wanted(lines.bytes()).is_some() {
                    hits.push(lines.number());
                }
            }
            assert_eq!(hits, [3, 6], "window {window}");
        }
    }

    fn read(bytes: &[u8]) -> String {
        let texts: Vec<_> = lines(bytes, 100, 3).into_iter().map(|(.., text)| text).collect();
        texts.join("\n")
    }

    #[test]
    fn both_orders_and_pairs_are_read() {
        let text = "cma: 4@572…\n\u{1f600}x";
        let units: Vec<u16> = std::iter::once(0xfeff).chain(text.encode_utf16()).collect();
        for bytes in [u16::to_le_bytes, u16::to_be_bytes] {
            let bytes: Vec<u8> = units.iter().flat_map(|unit| bytes(*unit)).collect();
            assert_eq!(read(&bytes), text);
        }
    }

    #[test]
    fn what_has_no_mark_is_left_alone() {
        assert_eq!(read(b"cma"), "cma");
        assert_eq!(read(b"c"), "c");
        assert_eq!(read(b"\xef\xbb\xbfcma"), "cma");
        assert_eq!(read(b""), "");
    }

    #[test]
    fn halves_are_no_panic() {
        assert_eq!(read(&[0xff, 0xfe, 0x00, 0xd8, b'a', 0, b'b']), "\u{fffd}a\u{fffd}");
        assert_eq!(read(&[0xff, 0xfe, 0x00, 0xdc, b'a', 0]), "\u{fffd}a");
    }
}
