//! Trace events of the CMA allocator (`include/trace/events/cma.h`), as their readers print them.
//!
//! A line is `HEAD NAME: PAYLOAD`. Who prints it decides about the head ([`head`]), the kernel
//! about the payload ([`payload`]); the name between them is what a line is told by.

mod bare;
mod ftrace;
mod head;
pub(in crate::ingest::log) mod names;
mod open;
mod payload;
mod perf;
mod quoted;
#[cfg(test)]
mod tests;
mod trace_cmd;
mod words;

use memchr::memmem::Finder;

use super::super::Format;
use super::{Found, Origin, Record, Sink, Task};
use head::Head;
use names::Names;
use open::Open;
use payload::{Kind, Payload, Wrong};

/// Every container of trace events.
pub(super) const FORMATS: &[Format] =
    &[ftrace::FORMAT, trace_cmd::FORMAT, perf::FORMAT, bare::FORMAT];

/// Reads trace events.
pub(super) struct Events {
    marker: Finder<'static>,
    areas: Names,
    comms: Names,
    /// An event that its line breaks off.
    open: Option<Open>,
    /// The text is perf's, as far as it was read.
    perf: bool,
}

impl Default for Events {
    fn default() -> Self {
        Self {
            marker: Finder::new(b"cma_"),
            areas: Names::default(),
            comms: Names::default(),
            open: None,
            perf: false,
        }
    }
}

impl Events {
    /// Whether the line was an event or furniture of a trace, and is used up.
    pub(super) fn line(&mut self, line: &[u8], sink: &mut Sink<'_>) -> bool {
        let line = trim_end(line);
        let event = Line::find(line, &self.marker);
        if let Some(open) = self.open.take() {
            if event.is_some() {
                self.give_up(open, sink);
            } else if self.resume(open, line, sink) {
                return true;
            }
        }
        let Some(event) = event else {
            return ftrace::furniture(line, sink)
                || trace_cmd::furniture(line, sink)
                || self.perf && perf::furniture(line, sink);
        };
        let head = head::read(event.head);
        self.perf |= head.perf;
        let (time_us, task) = (head.time_us, self.task(&head));
        let column = event.column(line);
        // A mail's encoding hides the fields, or only the end of the line.
        let (text, soft) = quoted::decoded(event.payload);
        match payload::read(event.kind, &text) {
            Ok(payload) if !soft => {
                if let Some(record) = self.record(event.kind, &payload) {
                    sink.push(time_us, task, record);
                }
            }
            Ok(_) | Err(Wrong::Cut) => {
                let text = text.get(..open::MOST).unwrap_or(&text).to_vec();
                let (line, kind) = (sink.line, event.kind);
                self.open = Some(Open { line, column, time_us, task, kind, text, lines: 1, soft });
            }
            Err(Wrong::Bad { at, why }) => sink.odd(column + at, why),
        }
        true
    }

    /// No line follows.
    pub(super) fn end(&mut self, sink: &mut Sink<'_>) {
        if let Some(open) = self.open.take() {
            self.give_up(open, sink);
        }
    }

    /// Whether `line` goes on with an event that was broken off; if not, it is what it was.
    fn resume(&mut self, mut open: Open, line: &[u8], sink: &mut Sink<'_>) -> bool {
        match open.join(line, &self.areas) {
            open::Joined::Whole(text) => {
                open.text = text;
                self.close(open, sink);
                true
            }
            open::Joined::Part(text, soft) => {
                (open.text, open.soft) = (text, soft);
                open.lines += 1;
                self.open = Some(open);
                true
            }
            open::Joined::Apart => {
                self.give_up(open, sink);
                false
            }
        }
    }

    fn close(&mut self, open: Open, sink: &mut Sink<'_>) {
        let Open { line, time_us, task, kind, text, .. } = open;
        let record = payload::read(kind, &text).ok().and_then(|fields| self.record(kind, &fields));
        if let Some(record) = record {
            sink.push_found(Found { line, time_us, task, record });
        }
    }

    /// Nothing goes on with it: takes it where enough of it is there.
    fn give_up(&mut self, open: Open, sink: &mut Sink<'_>) {
        let Open { line, column, time_us, task, kind, text, .. } = open;
        let record = payload::read_part(kind, &text).and_then(|fields| self.record(kind, &fields));
        match record {
            Some(record) => sink.push_found(Found { line, time_us, task, record }),
            None if kind == Kind::Info => {}
            None => {
                let why = format!("the event {} is broken off", kind.name());
                Sink { source: sink.source, line, queue: sink.queue }.odd(column, why);
            }
        }
    }

    fn task(&mut self, head: &Head<'_>) -> Option<Task> {
        if head.comm.is_none() && head.pid.is_none() && head.cpu.is_none() {
            return None;
        }
        let comm = head.comm.map(|comm| self.comms.get(comm));
        Some(Task { comm, pid: head.pid, cpu: head.cpu })
    }

    /// The record of an event; `None` for one that is read past.
    fn record(&mut self, kind: Kind, payload: &Payload<'_>) -> Option<Record> {
        let Payload { count, available, total, align, pfn, page, raw_page, errno, .. } = *payload;
        let area = payload.name.map(|name| self.areas.get(name));
        let origin = Origin::Trace;
        Some(match kind {
            Kind::Start => Record::Start {
                origin,
                area,
                count: count?,
                align: align?,
                available,
                total,
                vendor: false,
                named: false,
            },
            Kind::Busy => Record::Busy { origin, area, pfn, page: raw_page, count, align },
            Kind::Finish | Kind::Single => {
                let alone = kind == Kind::Single;
                Record::Finish { origin, area, page: page?, pfn, count, align, errno, alone }
            }
            Kind::Release => Record::Release { origin, area, pfn, count },
            Kind::Info => return None,
        })
    }
}

/// A line that holds an event, in its three parts.
struct Line<'a> {
    head: &'a [u8],
    kind: Kind,
    payload: &'a [u8],
}

impl<'a> Line<'a> {
    /// The event of `line`: the first name that a payload follows.
    fn find(line: &'a [u8], marker: &Finder<'_>) -> Option<Self> {
        let mut from = 0;
        while let Some(at) = marker.find(&line[from..]) {
            let at = from + at;
            if let Some(found) = Self::at(line, at) {
                return Some(found);
            }
            from = at + b"cma_".len();
        }
        None
    }

    fn at(line: &'a [u8], at: usize) -> Option<Self> {
        let (head, rest) = line.split_at(at);
        // A name within a word is no event: `trace_cma_alloc_start`, `__cma_alloc`.
        if head.last().is_some_and(|&byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            return None;
        }
        let (kind, rest) = Kind::split(rest)?;
        let payload = rest.strip_prefix(b":")?.trim_ascii_start();
        // Debug lines and failure lines begin with the same words, and go on otherwise.
        let opens = payload.starts_with(b"name=") || payload.starts_with(b"pfn=");
        if !opens {
            let Head { cpu, time_us, .. } = head::read(head);
            let begins = b"name=".starts_with(payload) || b"pfn=".starts_with(payload);
            let breaks_off = begins && cpu.is_some() && time_us.is_some();
            if !breaks_off {
                return None;
            }
        }
        Some(Self { head, kind, payload })
    }

    /// The byte of `line` that the payload begins at, from 1 on.
    fn column(&self, line: &[u8]) -> usize {
        line.len() - self.payload.len() + 1
    }
}

/// Without line ends, blanks and the marks of Markdown behind it.
fn trim_end(line: &[u8]) -> &[u8] {
    let end = line.iter().rposition(|byte| !matches!(byte, b'\n' | b'\r' | b' ' | b'\t' | b'`'));
    &line[..end.map_or(0, |last| last + 1)]
}

/// Without quote marks and blanks in front of it.
pub(super) fn trim_quote(line: &[u8]) -> &[u8] {
    let start = line.iter().position(|byte| !matches!(byte, b'>' | b' ' | b'\t' | b'|' | b'`'));
    &line[start.unwrap_or(line.len())..]
}

/// A number of ASCII digits and nothing else.
pub(super) fn digits(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0u64, |sum, byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        sum.checked_mul(10)?.checked_add(digit)
    })
}
