//! Numbers, words and patterns in bytes, for all readers of a text.

use regex::bytes::Regex;

/// A pattern of this program.
pub(super) fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a pattern that is known")
}

/// A number of ASCII digits and nothing else.
pub(super) fn number<N: TryFrom<u64>>(text: &[u8]) -> Option<N> {
    let digit = |byte: &u8| byte.is_ascii_digit().then(|| u64::from(byte - b'0'));
    let number = match text.len() {
        0 => None,
        // Fewer digits than the largest number has: they cannot be too many.
        1..20 => text.iter().try_fold(0u64, |sum, byte| Some(sum * 10 + digit(byte)?)),
        _ => text.iter().try_fold(0u64, |sum, byte| sum.checked_mul(10)?.checked_add(digit(byte)?)),
    };
    N::try_from(number?).ok()
}

/// Seconds with a fraction of at most nine digits, in microseconds, without what is below one.
pub(super) fn microseconds(text: &[u8]) -> Option<u64> {
    let dot = memchr::memchr(b'.', text)?;
    let (whole, fraction) = (number::<u64>(&text[..dot])?, &text[dot + 1..]);
    let digits = u32::try_from(fraction.len()).ok().filter(|digits| *digits <= 9)?;
    let fraction_us = number::<u64>(fraction)? * 1_000_000 / 10u64.pow(digits);
    whole.checked_mul(1_000_000)?.checked_add(fraction_us)
}

/// How many bytes at the start of `text` are of this kind.
pub(super) fn span(text: &[u8], of: impl Fn(&u8) -> bool) -> usize {
    text.iter().position(|byte| !of(byte)).unwrap_or(text.len())
}

/// The last word of `text`, and the text before it without blanks at its end.
pub(super) fn last_word(text: &[u8]) -> (&[u8], &[u8]) {
    // A word is too short for a search by vectors to pay.
    let blank = text.iter().rposition(|byte| matches!(byte, b' ' | b'\t'));
    let start = blank.map_or(0, |at| at + 1);
    (text[..start].trim_ascii_end(), &text[start..])
}

/// Without quote marks and blanks at its start.
pub(super) fn trim_quote(line: &[u8]) -> &[u8] {
    &line[span(line, |byte| matches!(byte, b'>' | b' ' | b'\t' | b'|' | b'`'))..]
}
