//! What stands in front of the name of an event: who, on which CPU, when.

use super::words::{last_word, number};
use super::{bare, ftrace, perf};

/// The head of a line.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Head<'a> {
    /// The task's name, where it is one (`<...>` is none).
    pub(super) comm: Option<&'a [u8]>,
    /// Its pid, as the kernel counts threads.
    pub(super) pid: Option<u32>,
    /// The CPU.
    pub(super) cpu: Option<u32>,
    /// Microseconds.
    pub(super) time_us: Option<u64>,
    /// perf printed it.
    pub(super) perf: bool,
}

/// Reads a head, from the right: `COMM-PID (TGID) [CPU] FLAGS TIME: `, where everything may be
/// missing.
pub(super) fn read(text: &[u8]) -> Head<'_> {
    let text = text.trim_ascii_end();
    let (text, perf) = text.strip_suffix(b"cma:").map_or((text, false), |text| (text, true));
    let (text, time_us) = bare::time(text.trim_ascii_end());
    let mut head = Head { time_us, perf, ..Head::default() };
    let (task, cpu) = cpu(text);
    head.cpu = cpu;
    if cpu.is_some() || perf {
        let found = ftrace::task(task).or_else(|| perf::task(task));
        if let Some((comm, pid)) = found {
            (head.comm, head.pid) = (comm, Some(pid));
        }
    }
    head
}

/// `[002]` at the end, with or without a column of flags behind it, and what stands before it.
fn cpu(text: &[u8]) -> (&[u8], Option<u32>) {
    let (before, last) = last_word(text);
    if let Some(cpu) = bracketed(last) {
        return (before, Some(cpu));
    }
    let (before_flags, last) = last_word(before);
    match bracketed(last) {
        Some(cpu) => (before_flags, Some(cpu)),
        None => (text, None),
    }
}

fn bracketed(word: &[u8]) -> Option<u32> {
    number(word.strip_prefix(b"[")?.strip_suffix(b"]")?)
}
