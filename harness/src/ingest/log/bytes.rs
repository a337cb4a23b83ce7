//! Numbers, words and patterns in bytes, for all readers of a text.

use regex::bytes::Regex;

/// A pattern of this program.
pub(super) fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a pattern that is known")
}

/// A number of ASCII digits and nothing else.
pub(super) fn number<N: TryFrom<u64>>(text: &[u8]) -> Option<N> {
    let digits = (!text.is_empty()).then_some(text)?;
    let number = digits.iter().try_fold(0u64, |sum, byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        sum.checked_mul(10)?.checked_add(digit)
    });
    N::try_from(number?).ok()
}

/// Seconds with a fraction of at most nine digits, in microseconds, without what is below one.
pub(super) fn microseconds(text: &[u8]) -> Option<u64> {
    let dot = text.iter().position(|byte| *byte == b'.')?;
    let (whole, fraction) = (number::<u64>(&text[..dot])?, &text[dot + 1..]);
    number::<u64>(fraction).filter(|_| fraction.len() <= 9)?;
    let digit = |at: usize| fraction.get(at).map_or(0, |byte| u64::from(byte - b'0'));
    let fraction_us = (0..6).fold(0, |sum, at| sum * 10 + digit(at));
    whole.checked_mul(1_000_000)?.checked_add(fraction_us)
}

/// How many bytes at the start of `text` are of this kind.
pub(super) fn span(text: &[u8], of: impl Fn(&u8) -> bool) -> usize {
    text.iter().position(|byte| !of(byte)).unwrap_or(text.len())
}

/// The last word of `text`, and the text before it without blanks at its end.
pub(super) fn last_word(text: &[u8]) -> (&[u8], &[u8]) {
    let start = text.iter().rposition(|byte| matches!(byte, b' ' | b'\t')).map_or(0, |at| at + 1);
    (text[..start].trim_ascii_end(), &text[start..])
}

/// Without quote marks and blanks at its start.
pub(super) fn trim_quote(line: &[u8]) -> &[u8] {
    &line[span(line, |byte| matches!(byte, b'>' | b' ' | b'\t' | b'|' | b'`'))..]
}
