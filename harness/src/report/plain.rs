//! Numbers and texts as they are shown.

pub(in crate::report) use crate::percent::percent;

/// `1 page`, `2 pages`.
pub(in crate::report) fn counted(number: u64, what: &str) -> String {
    let end = if number == 1 { "" } else { "s" };
    format!("{number} {what}{end}")
}

/// Microseconds as seconds, with all decimals.
pub(in crate::report) fn seconds(us: u64) -> String {
    format!("{}.{:06}", us / 1_000_000, us % 1_000_000)
}

/// Text of a log: its control characters must not steer a terminal, nor those that turn the
/// direction of writing the eye.
pub(in crate::report) fn clean(text: &str) -> String {
    let harmless = |c: char| match c {
        '\t' => ' ',
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        c if c.is_control() => '\u{fffd}',
        c => c,
    };
    text.chars().map(harmless).collect()
}
