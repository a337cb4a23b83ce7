//! Events without a task: stripped by hand, or sent to the kernel log (`tp_printk`).

use super::super::super::Format;
use super::digits;
use super::words::last_word;

pub(super) const FORMAT: Format = Format {
    name: "trace-bare",
    about: "CMA trace events with at most a time in front of them",
    columns: "[SECONDS:] EVENT: FIELDS",
    kernels: "4.1 on",
    written: false,
};

/// The time at the end of `text` in microseconds, and the text before it: `281.004717:`,
/// `281.004717123:`, or a stamp of the kernel log `[  281.004717]`. A clock that only counts
/// (`trace_clock` counter, x86-tsc) gives no time.
pub(super) fn time(text: &[u8]) -> (&[u8], Option<u64>) {
    if let Some(text) = text.strip_suffix(b":") {
        let (before, word) = last_word(text.trim_ascii_end());
        if word.first().is_some_and(u8::is_ascii_digit) {
            return (before, seconds(word));
        }
        return (text, None);
    }
    if let Some(stamped) = text.strip_suffix(b"]") {
        let (before, word) = last_word(stamped);
        let word = word.strip_prefix(b"[").unwrap_or(word);
        if let Some(time_us) = seconds(word) {
            return (before, Some(time_us));
        }
    }
    (text, None)
}

/// Seconds with a fraction, in microseconds, without what is below one.
fn seconds(text: &[u8]) -> Option<u64> {
    let dot = text.iter().position(|byte| *byte == b'.')?;
    let (whole, fraction) = (digits(&text[..dot])?, &text[dot + 1..]);
    if fraction.is_empty() || fraction.len() > 9 || digits(fraction).is_none() {
        return None;
    }
    let digit = |at: usize| fraction.get(at).map_or(0, |byte| u64::from(byte - b'0'));
    let fraction_us = (0..6).fold(0, |sum, at| sum * 10 + digit(at));
    whole.checked_mul(1_000_000)?.checked_add(fraction_us)
}

#[cfg(test)]
mod tests {
    use super::*;

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
