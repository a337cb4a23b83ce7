//! Kernel messages: what `mm/cma.c` prints of failures, free runs and calls, and what those around
//! it print.
//!
//! A message may be broken over lines by the kernel itself (a record holds some 1000 characters), by
//! a console, by mail or by hand, and lines of others may come between its pieces. So messages are
//! read by a grammar that can say "as far as it goes": [`open`] keeps those that go on.

pub(super) mod boot;
pub(super) mod calls;
mod cursor;
pub(super) mod driver;
pub(super) mod elsewhere;
pub(super) mod failed;
pub(super) mod grammar;
mod held;
mod list;
mod message;
mod open;
pub(super) mod release;
pub(super) mod runs;
pub(super) mod stack;
mod tail;
#[cfg(test)]
mod tests;
mod wrapped;

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::messages::Reader;
use super::{Record, Sink, Task, prefix, scan, text};
use crate::ingest::Format;
pub(super) use cursor::{Cursor, Stop};
pub use driver::{Asks, SHAPES};
pub use elsewhere::Elsewhere;
use list::{Fed, List};
use message::Parsed;
pub(super) use message::{Function, Message, Tools};
use open::Open;
pub use stack::{FRAMES, Frame};
use wrapped::Wrapped;

pub(super) const FORMAT: Format = Format {
    name: "dmesg",
    about: "kernel messages as dmesg, journal, logcat, a serial console, mail or a web page show \
            them: failures, free runs, debug lines, boot lines",
    columns: "cma: cma_alloc: AREA: alloc failed, req-size: N pages, ret: R; \
              cma: number of available pages: N@BIT+…=> N free of N total pages",
    kernels: "3.6 to 7.x, Android",
    written: false,
};

/// The most bytes of a line that goes on after a soft break of quoted-printable.
const LONGEST_SOFT: usize = 1 << 16;

/// A line end that is spelled out.
static NEWLINE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\\n"));

/// Lines after a message within which a list may be quoted.
const NEAR: u64 = 64;

/// Lines from the stamp of `dmesg --json` to its message: the caller may be between them.
const MOST_BETWEEN: u64 = 2;

#[derive(Default)]
pub(super) struct Dmesg {
    tools: Tools,
    open: Vec<Open>,
    /// A driver's line that may go on.
    wrapped: Option<Wrapped>,
    /// A line that goes on after a soft break, and where it began.
    soft: Vec<u8>,
    soft_line: u64,
    buffer: Vec<u8>,
    /// The next line is what `uname` prints.
    uname: bool,
    /// The line of the last message.
    near: Option<u64>,
    /// The stamp of the record that follows, and its line: `dmesg --json` has it before the
    /// message.
    stamp: Option<(u64, u64)>,
}

/// Where and by whom a message was begun.
#[derive(Clone, Debug)]
struct Origin {
    line: u64,
    time_us: Option<u64>,
    task: Option<Task>,
}

impl Dmesg {
    /// Reads a line. `true` where something in it was of use.
    pub(super) fn line(&mut self, line: &[u8], sink: &mut Sink<'_>) -> bool {
        // A soft break is inside a line: what has a prefix of its own is another one.
        let blanks = line.iter().take_while(|byte| b" \t".contains(byte)).count();
        let own = || {
            let hit = scan::wanted(&self.soft).unwrap_or(0);
            let before = &self.soft[..word_start(&self.soft, 0, hit)];
            prefix::body(line) > blanks
                || prefix::like(before, line).is_some()
                || self.open.iter().any(|open| open.piece(line, 0) > 0)
        };
        if !self.soft.is_empty() && own() {
            let mut soft = std::mem::take(&mut self.soft);
            soft.push(b'=');
            self.whole_line(&soft, &mut sink.at(self.soft_line));
        }
        if let Some(front) = line.strip_suffix(b"=").filter(|front| self.joins(front)) {
            if self.soft.is_empty() {
                self.soft_line = sink.line;
            }
            self.soft.extend_from_slice(front);
            return true;
        }
        if self.soft.is_empty() {
            return self.whole_line(line, sink);
        }
        let mut soft = std::mem::take(&mut self.soft);
        soft.extend_from_slice(&line[..line.len().min(LONGEST_SOFT)]);
        let used = self.whole_line(&soft, &mut sink.at(self.soft_line));
        soft.clear();
        self.soft = soft;
        used
    }

    /// Whether a line with `=` at its end goes on with the next one.
    fn joins(&self, front: &[u8]) -> bool {
        let some = !self.soft.is_empty() || !self.open.is_empty() || scan::wanted(front).is_some();
        some && front.len() + self.soft.len() < LONGEST_SOFT
    }

    /// The text ends.
    pub(super) fn end(&mut self, sink: &mut Sink<'_>) {
        if !self.soft.is_empty() {
            let soft = std::mem::take(&mut self.soft);
            self.whole_line(&soft, &mut sink.at(self.soft_line));
        }
        self.end_wrapped(sink);
        while !self.open.is_empty() {
            self.close(0, sink);
        }
    }

    /// Where the oldest message begins that may go on.
    pub(super) fn oldest(&self) -> Option<u64> {
        let soft = (!self.soft.is_empty()).then_some(self.soft_line);
        let open = self.open.iter().map(|open| open.origin.line);
        let wrapped = self.wrapped.as_ref().map(|wrapped| wrapped.origin.line);
        open.chain(soft).chain(wrapped).min()
    }

    /// Whether the next line is of interest whatever it says.
    pub(super) fn is_waiting(&self) -> bool {
        let is_open = !self.open.is_empty() || self.wrapped.is_some();
        self.uname || is_open || !self.soft.is_empty()
    }

    /// Reads a line, which may hold several with their ends spelled out (`\\n`), as a program prints
    /// the text of another.
    fn whole_line(&mut self, line: &[u8], sink: &mut Sink<'_>) -> bool {
        let mut buffer = std::mem::take(&mut self.buffer);
        let line = text::plain(line, &mut buffer);
        let mut used = false;
        let mut from = 0;
        for end in NEWLINE.find_iter(line) {
            used |= self.one_line(trim_cr(&line[from..end]), sink);
            from = end + 2;
        }
        used |= self.one_line(&line[from..], sink);
        self.buffer = buffer;
        used
    }

    fn one_line(&mut self, line: &[u8], sink: &mut Sink<'_>) -> bool {
        if let Some(at) = stack::traced(line) {
            let frames = stack::frame(line, at);
            let any = !frames.is_empty();
            frames.into_iter().for_each(|frame| sink.push(None, None, frame));
            return any;
        }
        let mut used = 0;
        let output = if self.uname { &line[prefix::body(line)..] } else { &[] };
        // Between a command and its output there may be a blank line, or a fence of Markdown.
        if !output.is_empty() {
            self.uname = false;
            if let Some(record) = boot::uname(output) {
                sink.push(None, None, record);
                let machine = boot::says::arch(output);
                machine.into_iter().for_each(|record| sink.push(None, None, record));
                used = line.len();
            }
        }
        if used == 0 && self.wrapped.is_some() {
            used = self.go_on_wrapped(line, sink);
        }
        if used == 0 && !self.open.is_empty() {
            self.expire(sink);
            used = self.go_on(line, sink);
        }
        let found = self.begin(line, used, sink);
        found || used > 0
    }

    /// Reads the messages that begin in `line` from `from` on.
    fn begin(&mut self, line: &[u8], from: usize, sink: &mut Sink<'_>) -> bool {
        let mut done = from;
        let mut found = from > 0;
        let mut hit_any = false;
        let mut of_boot = false;
        for (hit, after, reader) in scan::hits(&line[from..]) {
            let (hit, after) = (from + hit, from + after);
            if hit < done {
                continue;
            }
            hit_any = true;
            if let Reader::Words(read) = reader
                && let records = read(line, word_start(line, 0, hit))
                && !records.is_empty()
            {
                let origin = self.origin(&line[..hit], sink);
                records.into_iter().for_each(|record| emit(&origin, record, sink));
                return true;
            }
            let record = match reader {
                Reader::Boot(read) => {
                    of_boot = true;
                    read(&line[after..])
                }
                Reader::Uname => {
                    let record = release::same_line(&line[after..]);
                    self.uname |= record.is_none() && line[after..].starts_with(b"-");
                    record
                }
                Reader::Stamp => {
                    self.stamp = release::stamp(&line[after..]).map(|us| (sink.line, us));
                    None
                }
                _ => None,
            };
            let end = match (reader, record) {
                (_, Some(record)) => Some(self.found(line, hit, record, sink)),
                (Reader::Line(..), _) => self.message(line, done, hit, sink),
                (Reader::Runs, _) => self.loose_list(line, done, hit, sink),
                _ => None,
            };
            if let Some(end) = end {
                done = end;
                found = true;
                self.near = Some(sink.line);
                // A list has hundreds of places where another one could begin.
                if done == line.len() {
                    break;
                }
            }
        }
        if (of_boot || !found) && self.phrases(line, sink) {
            return true;
        }
        found || hit_any && self.driver(line, sink)
    }

    /// Reads what the phrases of a boot in `line` say.
    fn phrases(&mut self, line: &[u8], sink: &mut Sink<'_>) -> bool {
        let mut found = false;
        for (hit, after, read) in scan::phrases(line) {
            if let Some(record) = read(&line[..hit], &line[after..]) {
                self.found(line, hit, record, sink);
                found = true;
            }
        }
        found
    }

    /// A record of this line alone, at byte `at`; nothing else of the line is read.
    fn found(&mut self, line: &[u8], at: usize, record: Record, sink: &mut Sink<'_>) -> usize {
        let origin = self.origin(&line[..at], sink);
        emit(&origin, record, sink);
        line.len()
    }

    /// Who printed what follows `before`.
    fn origin(&mut self, before: &[u8], sink: &Sink<'_>) -> Origin {
        let prefix = prefix::read(before);
        let task = prefix.task(&mut self.tools.names);
        let is_next = |line: u64| before.ends_with(b"\"") && sink.line - line <= MOST_BETWEEN;
        let stamp = self.stamp.filter(|(line, _)| is_next(*line)).map(|(_, us)| us);
        Origin { line: sink.line, time_us: prefix.time_us.or(stamp), task }
    }

    /// Reads the message with the word that holds byte `hit`: where it ends.
    fn message(
        &mut self,
        line: &[u8],
        done: usize,
        hit: usize,
        sink: &mut Sink<'_>,
    ) -> Option<usize> {
        let start = word_start(line, done, hit);
        // The end of a name such as `linux,cma` is no head.
        let part = start.checked_sub(1).is_some_and(|before| b",.-/@".contains(&line[before]));
        if part && line[start..].starts_with(b"cma") && !line[start..].starts_with(b"cma_") {
            return None;
        }
        let mut c = Cursor::new(line, start, false);
        match grammar::message(&mut c, &mut self.tools) {
            Ok(Message { soft: true, .. }) | Err(Stop::More) => {
                let rest = line[start..].trim_ascii_end();
                if rest.len() > open::LONGEST_TEXT {
                    return None;
                }
                let soft = grammar::message(&mut Cursor::new(line, start, false), &mut self.tools)
                    .is_ok_and(|message| message.soft);
                let origin = self.origin(&line[..start], sink);
                self.keep(Open::text(origin, &line[..start], rest, soft), sink);
                Some(line.len())
            }
            Ok(Message { parsed: Parsed::List { head: false }, .. })
                if let Some(used) = self.go_on_list(line, start, sink) =>
            {
                Some(start + used)
            }
            Ok(Message { parsed, .. }) => {
                let origin = self.origin(&line[..start], sink);
                let parsed = parsed.of(&line[..start]);
                self.say(parsed, &origin, line, (start, c.at), sink)
            }
            Err(Stop::No) => None,
        }
    }

    /// Says what was read, from `start` to `at`; of a list it reads the rest of the line.
    fn say(
        &mut self,
        parsed: Parsed,
        origin: &Origin,
        line: &[u8],
        (start, at): (usize, usize),
        sink: &mut Sink<'_>,
    ) -> Option<usize> {
        match parsed {
            Parsed::Records(records) => {
                records.into_iter().for_each(|record| emit(origin, record, sink));
            }
            Parsed::List { head } => {
                if head {
                    self.close_overtaken(origin, sink);
                }
                let mut list = List::new(head, false);
                let fed = list.feed(&line[at..]);
                list.runs.inline =
                    head && !list.place.ranged && (list.place.added > 0 || list.is_open());
                return match fed {
                    Fed::Done(used) => {
                        self.list(list, origin, sink);
                        Some(at + used)
                    }
                    Fed::End => {
                        self.keep(Open::list(origin.clone(), &line[..start], list), sink);
                        Some(line.len())
                    }
                    // The tail may follow.
                    Fed::Odd(used) if head => {
                        list.something_is_odd();
                        self.keep(Open::list(origin.clone(), &line[..start], list), sink);
                        Some(at + used)
                    }
                    Fed::Odd(_) => None,
                };
            }
        }
        Some(at)
    }

    fn list(&mut self, list: List, origin: &Origin, sink: &mut Sink<'_>) {
        if let Some(runs) = list.finish() {
            emit(origin, Record::FreeRuns(runs), sink);
        }
    }
}

/// `\r` spelled out before a line end.
fn trim_cr(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\\r").unwrap_or(line)
}

fn emit(origin: &Origin, record: Record, sink: &mut Sink<'_>) {
    let Origin { line, time_us, task } = origin.clone();
    sink.at(line).push(time_us, task, record);
}

/// Where the word of letters, digits and `_` around `hit` begins, not before `from`.
pub(super) fn word_start(line: &[u8], from: usize, hit: usize) -> usize {
    const LONGEST: usize = 48;
    let least = from.max(hit.saturating_sub(LONGEST));
    let part = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'_';
    hit - line[least..hit].iter().rev().take_while(part).count()
}
