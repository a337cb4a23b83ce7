//! `trace` and `trace_pipe` of tracefs.

use std::sync::LazyLock;

use regex::bytes::Regex;

use super::super::super::Format;
use super::super::bytes::{self, number, trim_quote};
use super::super::{Record, Sink};

pub(super) const FORMAT: Format = Format {
    name: "ftrace",
    about: "CMA trace events as tracefs prints them (trace, trace_pipe)",
    columns: "COMM-PID [(TGID)] [CPU] [FLAGS] SECONDS: EVENT: FIELDS",
    kernels: "4.1 on",
    written: false,
};

/// `COMM-PID`, and perhaps `(TGID)`: the name may hold blanks and `-`, so the last `-` counts.
pub(super) fn task(text: &[u8]) -> Option<(Option<&[u8]>, u32)> {
    let text = without_tgid(text);
    let dash = text.iter().rposition(|byte| !byte.is_ascii_digit())?;
    let (comm, pid) = text.split_at(dash);
    let pid = number(pid.strip_prefix(b"-")?)?;
    let comm = without_file(trim_quote(comm).trim_ascii_end());
    Some(((!comm.is_empty() && comm != b"<...>").then_some(comm), pid))
}

/// Without the name of a file or machine that trace-cmd prints before the padded name of a task
/// (`lab:            vload`): a name has at most 15 bytes (`TASK_COMM_LEN`, `include/linux/sched.h`).
fn without_file(comm: &[u8]) -> &[u8] {
    const LONGEST: usize = 15;
    let blank = comm.iter().rposition(|byte| *byte == b' ');
    match blank {
        Some(at) if comm.len() > LONGEST && comm[..at].trim_ascii_end().ends_with(b":") => {
            &comm[at + 1..]
        }
        _ => comm,
    }
}

fn without_tgid(text: &[u8]) -> &[u8] {
    let Some(inside) = text.strip_suffix(b")") else { return text };
    let Some(open) = inside.iter().rposition(|byte| *byte == b'(') else { return text };
    let tgid = inside[open + 1..].iter().all(|byte| matches!(byte, b'0'..=b'9' | b'-' | b' '));
    if tgid { text[..open].trim_ascii_end() } else { text }
}

/// Reads what surrounds the events: the header, and where events were lost.
pub(crate) fn furniture(line: &[u8], sink: &mut Sink<'_>) -> bool {
    match line.first() {
        Some(b'#') => header(line, sink),
        Some(b'C' | b'>' | b' ') => lost(trim_quote(line), sink),
        _ => false,
    }
}

fn header(line: &[u8], sink: &mut Sink<'_>) -> bool {
    const WRITTEN: &[u8] = b"entries-in-buffer/entries-written:";
    let text = line[1..].trim_ascii_start();
    if let Some(counts) = text.strip_prefix(WRITTEN) {
        let mut counts = counts.trim_ascii_start().split(|byte| matches!(byte, b'/' | b' '));
        let mut count = || counts.next().and_then(number::<u64>);
        if let (Some(kept), Some(written)) = (count(), count())
            && kept < written
        {
            sink.push(None, None, Record::Lost { cpu: None, events: Some(written - kept) });
        }
        return true;
    }
    let known: [&[u8]; 3] = [b"tracer: ", b"TASK-PID", b"TASK/PID"];
    // The rest of the header is drawn: `_-----=> irqs-off`, `|||| /     delay`, `| |   |`.
    let drawn = text.starts_with(b"_-") || text.starts_with(b"/ _-") || text.starts_with(b"|");
    text.is_empty() || drawn || known.iter().any(|known| text.starts_with(known))
}

/// `CPU:2 [LOST 12 EVENTS]`, and `CPU:2 [12 EVENTS DROPPED]` of trace-cmd; the number may be missing.
static LOST: LazyLock<Regex> = LazyLock::new(|| {
    bytes::pattern(r"(?-u)^CPU:?\s*(\d+)\s*\[(?:LOST\s+(\d*)\s*EVENTS|(\d*)\s*EVENTS DROPPED)\]$")
});

pub(super) fn lost(line: &[u8], sink: &mut Sink<'_>) -> bool {
    let Some(found) = line.starts_with(b"CPU").then(|| LOST.captures(line)).flatten() else {
        return false;
    };
    let events = found.get(2).or(found.get(3)).and_then(|events| number(events.as_bytes()));
    sink.push(None, None, Record::Lost { cpu: number(&found[1]), events });
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_is_called_as_its_kernel_calls_it() {
        let name = |text: &'static str| {
            let (comm, pid) = task(text.as_bytes()).unwrap();
            (comm.map(|comm| str::from_utf8(comm).unwrap()), pid)
        };
        assert_eq!(name("  vload-248"), (Some("vload"), 248));
        assert_eq!(name("lab:            vload-248"), (Some("vload"), 248));
        assert_eq!(name("a b: c-7 (   12)"), (Some("a b: c"), 7));
        assert_eq!(name("<...>-9"), (None, 9));
    }
}
