//! Numbers and texts as they are shown.

pub(in crate::report) use crate::words::{counted, percent_of as percent, seconds};

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
