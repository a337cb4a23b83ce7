//! `trace-cmd report`.

use super::super::super::Format;
use super::super::bytes::number;
use super::super::{Record, Sink};
use super::ftrace;

pub(super) const FORMAT: Format = Format {
    name: "trace-cmd",
    about: "CMA trace events as trace-cmd report prints them, with microseconds or nanoseconds",
    columns: "COMM-PID [CPU] [FLAGS] SECONDS: EVENT:      FIELDS",
    kernels: "4.1 on",
    written: false,
};

/// Reads what surrounds the events: `cpus=4`, and where events were lost.
pub(crate) fn furniture(line: &[u8], sink: &mut Sink<'_>) -> bool {
    match line.first() {
        Some(b'c') => line.strip_prefix(b"cpus=").and_then(number::<u64>).is_some(),
        Some(b'v') => line.strip_prefix(b"version = ").and_then(number::<u64>).is_some(),
        Some(b'C') => dropped(line, sink),
        _ => false,
    }
}

/// `CPU:2 [12 EVENTS DROPPED]`, `CPU:2 [EVENTS DROPPED]`, and `CPU 2 is empty`.
fn dropped(line: &[u8], sink: &mut Sink<'_>) -> bool {
    if let Some(rest) = line.strip_prefix(b"CPU ") {
        return rest.strip_suffix(b" is empty").and_then(number::<u64>).is_some();
    }
    let Some((cpu, what)) = ftrace::of_cpu(line) else { return false };
    let Some(events) = what.strip_suffix(b"EVENTS DROPPED") else { return false };
    sink.push(None, None, Record::Lost { cpu, events: number(events.trim_ascii()) });
    true
}
