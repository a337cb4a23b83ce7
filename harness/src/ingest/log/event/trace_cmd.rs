//! `trace-cmd report`.

use super::super::super::Format;
use super::super::Sink;
use super::super::bytes::number;
use super::ftrace;

pub(super) const FORMAT: Format = Format {
    name: "trace-cmd",
    about: "CMA trace events as trace-cmd report prints them, with microseconds or nanoseconds",
    columns: "COMM-PID [CPU] [FLAGS] SECONDS: EVENT:      FIELDS",
    kernels: "4.1 on",
    written: false,
};

/// Reads what surrounds the events: `cpus=4`, `CPU 2 is empty`, and where events were lost.
pub(crate) fn furniture(line: &[u8], sink: &mut Sink<'_>) -> bool {
    let counts = line.strip_prefix(b"cpus=").or(line.strip_prefix(b"version = "));
    let empty = line.strip_prefix(b"CPU ").and_then(|rest| rest.strip_suffix(b" is empty"));
    counts.or(empty).and_then(number::<u64>).is_some() || ftrace::lost(line, sink)
}
