//! Words and numbers at the ends of a text.

/// The last word of `text`, and the text before it without blanks at its end.
pub(super) fn last_word(text: &[u8]) -> (&[u8], &[u8]) {
    let start = text.iter().rposition(|byte| matches!(byte, b' ' | b'\t')).map_or(0, |at| at + 1);
    (text[..start].trim_ascii_end(), &text[start..])
}

/// A number of 32 bits.
pub(super) fn number(text: &[u8]) -> Option<u32> {
    super::digits(text).and_then(|number| u32::try_from(number).ok())
}
