//! What precedes the name of an event: who, on which CPU, when.

use super::super::bytes::{last_word, microseconds, number};
use super::super::prefix::Prefix;
use super::{ftrace, perf};
use crate::ingest::Format;

/// Events without a task: stripped by hand, or sent to the kernel log (`tp_printk`).
pub(super) const BARE: Format = Format {
    name: "trace-bare",
    about: "CMA trace events with at most a time before them",
    columns: "[SECONDS:] EVENT: FIELDS",
    kernels: "4.1 on",
    written: false,
};

/// Reads a head, from the right: `COMM-PID (TGID) [CPU] FLAGS TIME: `, where everything may be
/// missing; and whether perf printed it. `<...>` is no name of a task.
pub(super) fn read(text: &[u8]) -> (Prefix<'_>, bool) {
    let text = text.trim_ascii_end();
    let (text, perf) = text.strip_suffix(b"cma:").map_or((text, false), |text| (text, true));
    let (text, time_us) = time(without_difference(text.trim_ascii_end()));
    let (task, cpu) = cpu(text);
    let task = (cpu.is_some() || perf).then_some(task);
    let task = task.and_then(|task| ftrace::task(task).or_else(|| perf::task(task)));
    let (comm, pid) = task.map_or((None, None), |(comm, pid)| (comm, Some(pid)));
    (Prefix { time_us, comm, pid, cpu }, perf)
}

/// Without `(+3701)` at the end: the time since the event before, of `trace-cmd report --ts-diff`.
fn without_difference(text: &[u8]) -> &[u8] {
    if !text.ends_with(b")") {
        return text;
    }
    let (before, last) = last_word(text);
    let digits = last.strip_prefix(b"(+").and_then(|last| last.strip_suffix(b")"));
    digits.and_then(number::<u64>).map_or(text, |_| before)
}

/// `[002]` at the end, with or without a column of flags after it, and the text before it.
fn cpu(text: &[u8]) -> (&[u8], Option<u32>) {
    let (before, last) = last_word(text);
    if let Some(cpu) = bracketed(last) {
        return (before, Some(cpu));
    }
    let (before_flags, last) = last_word(before);
    bracketed(last).map_or((text, None), |cpu| (before_flags, Some(cpu)))
}

fn bracketed(word: &[u8]) -> Option<u32> {
    number(word.strip_prefix(b"[")?.strip_suffix(b"]")?)
}

/// The time at the end of `text` in microseconds, and the text before it: `281.004717:`,
/// `281.004717123:`, or a stamp of the kernel log `[  281.004717]`. A clock that only counts
/// (`trace_clock` counter, x86-tsc) gives no time.
fn time(text: &[u8]) -> (&[u8], Option<u64>) {
    if let Some(text) = text.strip_suffix(b":") {
        let (before, word) = last_word(text.trim_ascii_end());
        let counts = word.first().is_some_and(u8::is_ascii_digit);
        return if counts { (before, microseconds(word)) } else { (text, None) };
    }
    let stamp = text.strip_suffix(b"]").map(last_word);
    let stamp = stamp.map(|(before, word)| (before, word.strip_prefix(b"[").unwrap_or(word)));
    match stamp.and_then(|(before, word)| Some((before, microseconds(word)?))) {
        Some((before, time_us)) => (before, Some(time_us)),
        None => (text, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_since_the_event_before_is_none_of_the_event() {
        let (prefix, _) = read(b"lab: vload-248   [001] .....    19.530165: (+3701)  ");
        assert_eq!(
            (prefix.time_us, prefix.pid, prefix.cpu),
            (Some(19_530_165), Some(248), Some(1))
        );
    }

    #[test]
    fn times_of_every_shape() {
        assert_eq!(time(b"x  281.004717:"), (b"x".as_slice(), Some(281_004_717)));
        assert_eq!(time(b"281.004717999:"), (b"".as_slice(), Some(281_004_717)));
        assert_eq!(time(b"0.5:"), (b"".as_slice(), Some(500_000)));
        assert_eq!(time(b"[  281.004717]").1, Some(281_004_717));
        assert_eq!(time(b"[281.004717]").1, Some(281_004_717));
        // A clock that counts is used up, and says nothing.
        assert_eq!(time(b"x [000] 123456789:"), (b"x [000]".as_slice(), None));
        assert_eq!(time(b"[002]"), (b"[002]".as_slice(), None));
        assert_eq!(time(b""), (b"".as_slice(), None));
        assert_eq!(time(b"18446744073709551615.0:").1, None);
        assert_eq!(time(b"1.:").1, None);
    }
}
