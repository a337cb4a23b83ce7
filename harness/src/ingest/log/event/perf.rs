//! `perf script`.

use super::super::super::Format;
use super::super::bytes::{last_word, number, trim_quote};
use super::super::{Record, Sink};

pub(super) const FORMAT: Format = Format {
    name: "perf",
    about: "CMA trace events as perf script prints them",
    columns: "COMM PID[/TID] [CPU] SECONDS: cma:EVENT: FIELDS",
    kernels: "4.1 on",
    written: false,
};

/// `COMM PID` or `COMM PID/TID`: the last number is the thread, which is what ftrace calls pid.
pub(super) fn task(text: &[u8]) -> Option<(Option<&[u8]>, u32)> {
    let (comm, ids) = last_word(text);
    let tid = number(ids.rsplit(|byte| *byte == b'/').next()?)?;
    let comm = trim_quote(comm);
    Some(((!comm.is_empty()).then_some(comm), tid))
}

/// `… PERF_RECORD_LOST lost 12` (`--show-lost-events`).
pub(crate) fn furniture(line: &[u8], sink: &mut Sink<'_>) -> bool {
    const LOST: &[u8] = b"PERF_RECORD_LOST lost ";
    let Some(at) = memchr::memmem::find(line, LOST) else { return false };
    let events = line[at + LOST.len()..].split(|byte| *byte == b' ').next().and_then(number);
    sink.push(None, None, Record::Lost { cpu: None, events });
    true
}
