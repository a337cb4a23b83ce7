//! Trace events of the CMA allocator (`include/trace/events/cma.h`), as their readers print them.
//!
//! A line is `HEAD NAME: PAYLOAD`. Who prints it decides about the head ([`head`]), the kernel
//! about the payload ([`payload`]); a line is known by the name between them.

pub(super) mod ftrace;
mod head;
pub(super) mod kinds;
mod open;
mod payload;
pub(super) mod perf;
mod perf_trace;
mod quoted;
#[cfg(test)]
mod tests;
pub(super) mod trace_cmd;

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::super::Format;
use super::messages::{
    self,
    Reader::{Around, Trace},
};
use super::names::Names;
use super::prefix::Prefix;
use super::{Record, Sink};
use kinds::Event;
use open::Open;
use payload::{Payload, Wrong};

/// Readers of lines that are no events, and whether only a text of perf has them.
static AROUND: LazyLock<Vec<(bool, messages::Around)>> = LazyLock::new(|| {
    let around = |reader| if let Around(perf, read) = reader { Some((perf, read)) } else { None };
    messages::all(around).collect()
});

static EVENTS: LazyLock<Vec<&Event>> = LazyLock::new(|| {
    messages::all(|reader| if let Trace(event) = reader { Some(event) } else { None }).collect()
});

/// Every container of trace events.
pub(super) const FORMATS: &[Format] =
    &[ftrace::FORMAT, trace_cmd::FORMAT, perf::FORMAT, perf_trace::FORMAT, head::BARE];

/// What the name of every event begins with.
static MARKER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"cma_"));

/// Reads trace events.
#[derive(Default)]
pub(super) struct Events {
    areas: Names,
    comms: Names,
    /// An event that its line breaks off.
    open: Option<Open>,
    /// The text is perf's, as far as it was read.
    perf: bool,
    /// The kernel is known to have an errno in its events, in a text of `perf trace`.
    has_errno: bool,
}

impl Events {
    /// Whether the line was an event or furniture of a trace, and is used up.
    pub(super) fn line(&mut self, line: &[u8], sink: &mut Sink<'_>) -> bool {
        let line = trim_end(line);
        let event = Line::find(line);
        if event.is_none()
            && let Some(plain) = perf_trace::plain(line, &mut self.has_errno)
        {
            return self.line(&plain, sink);
        }
        if let Some(open) = self.open.take() {
            if event.is_some() {
                self.close(open, sink);
            } else if self.resume(open, line, sink) {
                return true;
            }
        }
        let Some(event) = event else {
            let mut around = AROUND.iter().filter(|(of_perf, _)| self.perf || !of_perf);
            return around.any(|(_, read)| read(line, sink));
        };
        let (head, perf) = head::read(event.head);
        self.perf |= perf;
        let (time_us, task) = (head.time_us, head.task(&mut self.comms));
        let column = event.column(line);
        // A mail's encoding hides the fields, or only the end of the line.
        let (text, soft) = quoted::decoded(event.payload);
        match payload::read(event.event, &text) {
            Ok(payload) if !soft => {
                if let Some(record) = self.record(event.event, &payload) {
                    sink.push(time_us, task, record);
                }
            }
            Ok(_) | Err(Wrong::Cut) => {
                let text = text.get(..open::MOST).unwrap_or(&text).to_vec();
                let (line, event) = (sink.line, event.event);
                self.open = Some(Open { line, column, time_us, task, event, text, lines: 1, soft });
            }
            Err(Wrong::Bad { at, why }) => sink.odd(column + at, why),
        }
        true
    }

    /// No line follows.
    pub(super) fn end(&mut self, sink: &mut Sink<'_>) {
        if let Some(open) = self.open.take() {
            self.close(open, sink);
        }
    }

    /// Whether `line` goes on with an event that was broken off; if not, it is what it was.
    fn resume(&mut self, mut open: Open, line: &[u8], sink: &mut Sink<'_>) -> bool {
        let is_whole = open.join(line, &self.areas);
        match is_whole {
            Some(false) => self.open = Some(open),
            _ => self.close(open, sink),
        }
        is_whole.is_some()
    }

    /// Nothing more goes on with it: takes it where enough of it is there.
    fn close(&mut self, open: Open, sink: &mut Sink<'_>) {
        let Open { line, column, time_us, task, event, text, .. } = open;
        let fields = payload::read_part(event, &text);
        let record = fields.and_then(|fields| self.record(event, &fields));
        match record {
            Some(record) => sink.at(line).push(time_us, task, record),
            None if event.record.is_none() => {}
            None => sink.at(line).odd(column, format!("the event {} is broken off", event.name)),
        }
    }

    /// The record of an event; `None` for one that is read past.
    fn record(&mut self, event: &Event, payload: &Payload<'_>) -> Option<Record> {
        let read = event.record?;
        read(payload, payload.name.map(|name| self.areas.get(name)))
    }
}

/// A line that holds an event, in its three parts.
struct Line<'a> {
    head: &'a [u8],
    event: &'static Event,
    payload: &'a [u8],
}

impl<'a> Line<'a> {
    /// The event of `line`: the first name that a payload follows.
    fn find(line: &'a [u8]) -> Option<Self> {
        MARKER.find_iter(line).find_map(|at| Self::at(line, at))
    }

    fn at(line: &'a [u8], at: usize) -> Option<Self> {
        let (head, rest) = line.split_at(at);
        // A name within a word is no event: `trace_cma_alloc_start`, `__cma_alloc`.
        if head.last().is_some_and(|&byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            return None;
        }
        let (name, rest) = rest.split_at(memchr::memchr(b':', rest)?);
        let event = EVENTS.iter().find(|event| event.name.as_bytes() == name)?;
        let payload = rest[1..].trim_ascii_start();
        // Debug lines and failure lines begin with the same words, and go on otherwise.
        let opens = payload.starts_with(b"name=") || payload.starts_with(b"pfn=");
        if !opens {
            let begins = b"name=".starts_with(payload) || b"pfn=".starts_with(payload);
            if !begins {
                return None;
            }
            let (Prefix { cpu, time_us, .. }, _) = head::read(head);
            if cpu.is_none() || time_us.is_none() {
                return None;
            }
        }
        Some(Self { head, event, payload })
    }

    /// The byte of `line` that the payload begins at, from 1 on.
    fn column(&self, line: &[u8]) -> usize {
        line.len() - self.payload.len() + 1
    }
}

/// Without line ends, blanks and the marks of Markdown at its end.
fn trim_end(line: &[u8]) -> &[u8] {
    let end = line.iter().rposition(|byte| !matches!(byte, b'\n' | b'\r' | b' ' | b'\t' | b'`'));
    &line[..end.map_or(0, |last| last + 1)]
}
