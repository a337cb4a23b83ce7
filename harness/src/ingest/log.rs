//! What a board prints: kernel logs, traces, debugfs, sysfs and proc, in one stream of records.
//!
//! [`open`] takes any text; each line yields records, nothing, or a located error, after which the
//! reading goes on. A line itself shows its format, never the name of a file.

pub mod boot;
mod bytes;
mod dmesg;
pub mod dts;
mod event;
mod journal;
mod lines;
mod messages;
mod names;
mod prefix;
mod record;
mod scan;
mod section;
mod text;

use std::collections::VecDeque;

use super::Format;
use super::error::IngestError;
use super::source::Source;
pub use dmesg::release::booted as release_booted;
pub use dmesg::{Asks, Elsewhere, FRAMES, Frame, SHAPES};
use lines::{Advance, RawLines};
pub use messages::{MESSAGES, Message};
pub use record::{
    DebugfsFile, Found, FreeBlocks, FreeRuns, Holder, Knob, Origin, Page, Part, RangeRuns, Record,
    Shape, Task,
};
pub(super) use section::is_known_file;

/// The lines at the start that are all looked at, whatever they say.
const FIRST: u64 = 64;

/// Every format that is read out of a text, by family.
pub const FORMATS: &[&[Format]] = &[&[dmesg::FORMAT], event::FORMATS, section::FORMATS];

/// Where the formats put what they find.
struct Sink<'a> {
    source: &'a str,
    /// The line that is read, from 1 on.
    line: u64,
    queue: &'a mut VecDeque<Result<Found, IngestError>>,
}

impl Sink<'_> {
    /// This line says `record`.
    fn push(&mut self, time_us: Option<u64>, task: Option<Task>, record: Record) {
        self.queue.push_back(Ok(Found { line: self.line, time_us, task, record }));
    }

    /// The same for what begins on an earlier line.
    fn at(&mut self, line: u64) -> Sink<'_> {
        Sink { source: self.source, line, queue: self.queue }
    }

    /// This line looks like the kernel's and is wrong at byte `column` (from 1 on).
    fn odd(&mut self, column: usize, why: String) {
        let (source, line) = (self.source.to_string(), self.line);
        self.queue.push_back(Err(IngestError { source, line, column: column as u64, why }));
    }
}

/// The records of a text, in order of the lines that they begin on.
pub struct Records {
    lines: RawLines,
    dmesg: dmesg::Dmesg,
    events: event::Events,
    sections: section::Sections,
    trees: dts::Trees,
    /// Records that may have to wait for one that begins before them.
    queue: VecDeque<Result<Found, IngestError>>,
    /// How many of them, at the front, need not wait.
    ready: usize,
    /// Where the oldest message begins that may go on.
    oldest: Option<u64>,
    /// The line read last was of a section or a trace: the next one is looked at.
    used: bool,
    done: bool,
    /// Why it could not be read to its end.
    cut: Option<IngestError>,
}

/// Opens `source`: a text of whatever a board printed.
///
/// # Errors
/// Where it cannot be opened.
pub fn open(source: &Source) -> Result<Records, IngestError> {
    Ok(Records {
        lines: RawLines::open(source)?,
        dmesg: dmesg::Dmesg::default(),
        events: event::Events::default(),
        sections: section::Sections::default(),
        trees: dts::Trees::default(),
        queue: VecDeque::new(),
        ready: 0,
        oldest: None,
        used: false,
        done: false,
        cut: None,
    })
}

impl Records {
    /// Lines read so far.
    pub fn lines(&self) -> u64 {
        self.lines.number()
    }

    /// Whether it is packed and whole, and bytes follow it that are no part of it, once it was read.
    pub fn is_longer(&self) -> bool {
        self.lines.is_longer()
    }

    /// Why it could not be read to its end, once it was read as far as it goes: it is packed and
    /// cut, or damaged.
    pub const fn cut(&self) -> Option<&IngestError> {
        self.cut.as_ref()
    }

    /// Goes to the next line that is looked at.
    fn advance(&mut self) -> Result<Advance, IngestError> {
        let waiting = self.used || self.dmesg.is_waiting() || self.sections.is_open();
        let tree = self.trees.is_open(self.lines.number());
        if self.lines.number() >= FIRST && !waiting && !tree {
            self.lines.skip()?;
        }
        self.lines.advance()
    }

    /// Reads a line. Whether more may follow.
    fn step(&mut self) -> bool {
        let advance = self.advance().unwrap_or_else(|error| {
            self.cut = Some(error);
            Advance::End
        });
        let Self { lines, dmesg, events, sections, trees, queue, .. } = self;
        let sink = &mut Sink { source: lines.name(), line: lines.number(), queue };
        match advance {
            Advance::Line => {
                let line = lines.bytes();
                if let Some(text) = journal::message(line) {
                    let parts = text.split(|byte| *byte == b'\n');
                    parts.for_each(|part| _ = dmesg.line(part, sink));
                    self.release();
                    return true;
                }
                // Events come in millions, and are recognised sooner; an open file must see what
                // ends it.
                let open = sections.is_open();
                self.used = open && sections.line(line, sink)
                    || events.line(line, sink)
                    || !open && sections.line(line, sink);
                if !self.used {
                    trees.line(line, sink);
                    dmesg.line(line, sink);
                }
            }
            Advance::TooLong => sink.odd(0, "the line is too long; it is left out".to_string()),
            Advance::End => {
                dmesg.end(sink);
                events.end(sink);
                sections.end(sink, lines.is_ended());
                trees.end(sink);
            }
        }
        self.release();
        advance != Advance::End
    }

    /// Lets those records go before which nothing can come any more.
    fn release(&mut self) {
        let oldest = self.dmesg.oldest();
        if self.queue.is_empty() || oldest.is_some() && oldest == self.oldest {
            self.oldest = oldest;
            return;
        }
        self.oldest = oldest;
        if oldest.is_none() && self.queue.len() == 1 {
            self.ready = 1;
            return;
        }
        let line = |item: &Result<Found, IngestError>| match item {
            Ok(found) => found.line,
            Err(error) => error.line,
        };
        let items = self.queue.make_contiguous();
        items.sort_by_key(line);
        self.ready =
            oldest.map_or(items.len(), |oldest| items.partition_point(|item| line(item) < oldest));
    }
}

impl Iterator for Records {
    type Item = Result<Found, IngestError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if self.ready > 0 {
                self.ready -= 1;
                return self.queue.pop_front();
            }
            if self.done {
                return None;
            }
            self.done = !self.step();
        }
    }
}
