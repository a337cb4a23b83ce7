//! Lines of bytes, numbered, each of bounded length; those without a word of CMA are passed over in
//! bulk.

use std::io::Read;
use std::ops::Range;

use memchr::{memchr, memchr_iter, memrchr};

use super::super::error::IngestError;
use super::super::source::Source;
use super::scan;
use super::utf16;

/// The most bytes of a line: the bitmap of an area of 256 GiB fits.
const LONGEST: usize = 24 << 20;

/// The bytes read at once.
const WINDOW: usize = 256 << 10;

/// Reads a source line by line.
pub(super) struct RawLines {
    name: String,
    input: Box<dyn Read>,
    longest: usize,
    number: u64,
    buffer: Vec<u8>,
    /// What is read and not yet looked at begins here.
    start: usize,
    /// What is read ends here.
    filled: usize,
    line: Range<usize>,
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
    /// The lines of `source`: UTF-16 with a mark in front is read as UTF-8.
    pub(super) fn open(source: &Source) -> Result<Self, IngestError> {
        Self::new(source, LONGEST, WINDOW)
    }

    fn new(source: &Source, longest: usize, window: usize) -> Result<Self, IngestError> {
        let name = source.name().to_string();
        let input = utf16::decoded(source.open()?).map_err(|error| at(&name, 0, &error))?;
        let (number, start, filled, line) = (0, 0, 0, 0..0);
        let buffer = vec![0; window];
        let ended = false;
        Ok(Self { name, input, longest, number, buffer, start, filled, line, ended })
    }

    /// What the source is called in messages.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The number of the line that was read last, from 1 on.
    pub(super) const fn number(&self) -> u64 {
        self.number
    }

    /// The line that was read last, without its end.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.buffer[self.line.clone()]
    }

    /// Passes over lines that say nothing of CMA, as far as the bytes show it.
    pub(super) fn skip(&mut self) -> Result<(), IngestError> {
        loop {
            let fresh = &self.buffer[self.start..self.filled];
            let whole = if self.ended {
                fresh.len()
            } else {
                memrchr(b'\n', fresh).map_or(0, |newline| newline + 1)
            };
            let whole = &fresh[..whole];
            let hit = scan::wanted(whole);
            let upto = &whole[..hit.unwrap_or(whole.len())];
            let passed = match hit {
                Some(_) => memrchr(b'\n', upto).map_or(0, |newline| newline + 1),
                None => upto.len(),
            };
            self.number += memchr_iter(b'\n', &upto[..passed]).count() as u64;
            self.start += passed;
            if hit.is_some() || self.ended {
                return Ok(());
            }
            // A line that fills the buffer is left to `advance`.
            if self.start == 0 && self.filled == self.buffer.len() {
                return Ok(());
            }
            self.fill()?;
        }
    }

    /// Reads the next line.
    pub(super) fn advance(&mut self) -> Result<Advance, IngestError> {
        let mut seen = 0;
        loop {
            let fresh = &self.buffer[self.start..self.filled];
            if let Some(newline) = memchr(b'\n', &fresh[seen..]) {
                let end = self.start + seen + newline;
                self.take(end, end + 1);
                break;
            }
            seen = fresh.len();
            if self.ended {
                self.line = self.filled..self.filled;
                if seen == 0 {
                    return Ok(Advance::End);
                }
                self.take(self.filled, self.filled);
                break;
            }
            if seen > self.longest {
                return self.pass_over();
            }
            self.fill()?;
        }
        let long = self.line.len() > self.longest;
        Ok(if long { Advance::TooLong } else { Advance::Line })
    }

    /// The line from `start` to `end` is the next one; behind it `next`.
    fn take(&mut self, end: usize, next: usize) {
        self.number += 1;
        let mut end = end;
        while end > self.start && matches!(self.buffer[end - 1], b'\r' | 0) {
            end -= 1;
        }
        self.line = self.start..end;
        self.start = next;
    }

    /// To the end of a line that is too long, without keeping it.
    fn pass_over(&mut self) -> Result<Advance, IngestError> {
        self.number += 1;
        self.line = 0..0;
        loop {
            self.start = self.filled;
            self.fill()?;
            let fresh = &self.buffer[self.start..self.filled];
            if let Some(newline) = memchr(b'\n', fresh) {
                self.start += newline + 1;
                self.buffer.truncate(self.filled.max(WINDOW));
                self.buffer.shrink_to_fit();
                return Ok(Advance::TooLong);
            }
            if self.ended {
                self.start = self.filled;
                return Ok(Advance::TooLong);
            }
        }
    }

    /// Reads more behind what is there; what was looked at goes.
    fn fill(&mut self) -> Result<(), IngestError> {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.filled, 0);
            self.filled -= self.start;
            self.start = 0;
        }
        if self.filled == self.buffer.len() {
            let more = self.buffer.len().min(self.longest + 2 - self.filled.min(self.longest));
            self.buffer.resize(self.filled + more.max(1), 0);
        }
        // Before this call `line` was used for the last time.
        self.line = 0..0;
        let read = loop {
            match self.input.read(&mut self.buffer[self.filled..]) {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                read => break read.map_err(|error| at(&self.name, self.number + 1, &error))?,
            }
        };
        self.filled += read;
        self.ended = read == 0;
        Ok(())
    }
}

fn at(name: &str, line: u64, error: &std::io::Error) -> IngestError {
    IngestError { source: name.to_string(), line, column: 0, why: error.to_string() }
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
}
