//! An event that its line breaks off: a mail wrapped it, or the name of its area ends with a line
//! (`cma0` and a newline, the default name up to 6.12 at least).

use super::super::Task;
use super::super::bytes::{last_word, trim_quote};
use super::super::names::Names;
use super::kinds::Event;
use super::payload::{self, Wrong};
use super::quoted;

/// The most bytes of an event.
pub(super) const MOST: usize = 1024;

/// The most lines that an event is spread over.
const MOST_LINES: u32 = 4;

/// An event of which a part was read.
pub(super) struct Open {
    /// The line that it begins on, from 1 on.
    pub(super) line: u64,
    /// The byte of that line that its payload begins at, from 1 on.
    pub(super) column: usize,
    pub(super) time_us: Option<u64>,
    pub(super) task: Option<Task>,
    pub(super) event: &'static Event,
    /// Its payload so far.
    pub(super) text: Vec<u8>,
    /// The lines so far.
    pub(super) lines: u32,
    /// The encoding of a mail broke it: nothing is missing between the lines.
    pub(super) soft: bool,
}

impl Open {
    /// Puts `line` after it: with a blank, or without where a number was broken. Whether it is whole
    /// then; `None` where the line is none of it.
    pub(super) fn join(&mut self, line: &[u8], areas: &Names) -> Option<bool> {
        let line = if self.soft { line } else { trim_quote(line) };
        // The rest of an encoded event is encoded too; it need not begin with a field.
        let (line, broken) = quoted::decoded(line);
        let line = line.as_ref();
        if line.is_empty() || self.lines >= MOST_LINES || self.text.len() + line.len() >= MOST {
            return None;
        }
        let apart = [&self.text, b" ".as_slice(), line].concat();
        let together = [self.text.as_slice(), line].concat();
        let blank = payload::read(self.event, &apart);
        let none = payload::read(self.event, &together);
        let goes_on = broken || self.soft && none == Err(Wrong::Cut);
        let (text, is_whole) = match (blank, none) {
            _ if goes_on => (together, false),
            (_, Ok(_)) if self.soft => (together, true),
            // Broken within the name of an area, if that makes a name that was seen before.
            (Ok(_), Ok(glued)) if glued.name.is_some_and(|name| areas.knows(name)) => {
                (together, true)
            }
            (Ok(_), _) => (apart, true),
            (_, Ok(_)) => (together, true),
            (Err(Wrong::Cut), _) if starts_with_field(line) => (apart, false),
            (_, Err(Wrong::Cut)) if starts_with_field(last_word(&together).1) => (together, false),
            _ => return None,
        };
        (self.text, self.soft, self.lines) = (text, broken, self.lines + 1);
        Some(is_whole)
    }
}

/// Whether the text begins with a field of an event.
fn starts_with_field(text: &[u8]) -> bool {
    let fields: [&[u8]; 7] =
        [b"name=", b"pfn=", b"page=", b"count=", b"request_count=", b"available_count=", b"align="];
    fields.iter().any(|field| text.starts_with(field))
}
