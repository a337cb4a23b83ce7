//! Values of properties: cells, strings, references.

use super::super::bytes;

/// The most cells of a property that are kept.
const MOST: usize = 32;

/// The cells of `<0 0x2000000>, <&x>`: numbers; `None` where one is neither a number nor a product
/// or a sum of numbers.
pub(super) fn cells(value: &[u8]) -> Option<Vec<u32>> {
    let mut cells = Vec::new();
    for group in groups(value) {
        for word in words(group) {
            cells.push(cell(word)?);
            if cells.len() == MOST {
                return Some(cells);
            }
        }
    }
    Some(cells)
}

/// What is between `<` and `>`.
fn groups(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let parts = value.split(|byte| *byte == b'<').skip(1);
    parts.map(|part| &part[..bytes::span(part, |byte| *byte != b'>')])
}

/// Words parted by blanks, outside of brackets.
fn words(group: &[u8]) -> Vec<&[u8]> {
    let mut words = Vec::new();
    let (mut start, mut depth) = (0, 0usize);
    for (at, byte) in group.iter().enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            b' ' | b'\t' | b',' if depth == 0 => {
                words.push(&group[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    words.push(&group[start..]);
    words.retain(|word| !word.is_empty());
    words
}

/// `0x2000000`, `0X1`, `32`, or `(32 * 1024)`.
fn cell(word: &[u8]) -> Option<u32> {
    let inner = word.strip_prefix(b"(").and_then(|word| word.strip_suffix(b")"));
    let Some(inner) = inner else { return number(word) };
    let operator = inner.iter().position(|byte| b"*+|".contains(byte))?;
    let (left, right) = (inner[..operator].trim_ascii(), inner[operator + 1..].trim_ascii());
    let (left, right) = (number(left)?, cell_of_product(right)?);
    match inner[operator] {
        b'*' => left.checked_mul(right),
        b'+' => left.checked_add(right),
        _ => Some(left | right),
    }
}

fn cell_of_product(text: &[u8]) -> Option<u32> {
    let mut factors = text.split(|byte| *byte == b'*').map(|factor| number(factor.trim_ascii()));
    factors.try_fold(1u32, |product, factor| product.checked_mul(factor?))
}

fn number(word: &[u8]) -> Option<u32> {
    let text = str::from_utf8(word).ok()?.trim_end_matches(['U', 'L', 'u', 'l']);
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(hex) => u32::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    }
}

/// The labels or paths of `<&one>, <&two 0>`.
pub(super) fn references(value: &[u8]) -> Vec<&[u8]> {
    let part = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-/{},@.+".contains(byte);
    let parts = value.split(|byte| *byte == b'&').skip(1);
    let names = parts.map(|part_of| &part_of[..bytes::span(part_of, part)]);
    names.filter(|name| !name.is_empty()).take(MOST).collect()
}

/// What is in quotes.
pub(super) fn string(value: &[u8]) -> Option<&[u8]> {
    value.split(|byte| *byte == b'"').nth(1)
}

/// Whether one of the strings is this one.
pub(super) fn has_string(value: &[u8], string: &[u8]) -> bool {
    value.split(|byte| *byte == b'"').skip(1).step_by(2).any(|one| {
        // As `dtc` shows a list: `"one\0two"`.
        memchr::memmem::find(one, string).is_some_and(|at| {
            let end = at + string.len();
            (at == 0 || one[at - 1] == b'0') && (end == one.len() || one[end] == b'\\')
        })
    })
}

/// Cells as a number, the first one the highest.
pub(super) fn joined(cells: &[u32]) -> u64 {
    cells.iter().fold(0, |sum, cell| sum << 32 | u64::from(*cell))
}
