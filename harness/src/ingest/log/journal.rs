//! A record of the journal as `journalctl -o json` prints it: an object in a line.

use std::io::Write;

use super::bytes::{number, span};

/// The message of such a record after its stamp in brackets; `None` where the line is none.
///
/// Where the message has bytes that a JSON string has not, colours for one, it is an array of
/// numbers. The stamp is the kernel's (`_SOURCE_MONOTONIC_TIMESTAMP`, in microseconds).
pub(super) fn message(line: &[u8]) -> Option<Vec<u8>> {
    // `data: {` of `-o json-sse`, a record separator and `{` of `-o json-seq`.
    const MOST_BEFORE: usize = 8;
    // Without a branch between them: every line is asked.
    let begins = line.first_chunk::<MOST_BEFORE>()?;
    begins.iter().fold(false, |any, byte| any | (*byte == b'{')).then_some(())?;
    let value = value(line, b"\"MESSAGE\"")?;
    let mut text = Vec::new();
    if let Some(us) = stamp(line) {
        write!(text, "[{:5}.{:06}] ", us / 1_000_000, us % 1_000_000).ok()?;
    }
    match value.first()? {
        b'"' => string(&value[1..], &mut text)?,
        b'[' => array(&value[1..], &mut text)?,
        _ => return None,
    }
    Some(text)
}

/// When the kernel printed it, in microseconds since boot.
fn stamp(line: &[u8]) -> Option<u64> {
    let text = value(line, b"\"_SOURCE_MONOTONIC_TIMESTAMP\"")?.strip_prefix(b"\"")?;
    number(&text[..span(text, u8::is_ascii_digit)])
}

/// What follows `key` and its colon.
fn value<'a>(line: &'a [u8], key: &[u8]) -> Option<&'a [u8]> {
    let at = memchr::memmem::find(line, key)?;
    Some(line[at + key.len()..].trim_ascii_start().strip_prefix(b":")?.trim_ascii_start())
}

/// Reads a string up to its quote.
fn string(text: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let mut rest = text;
    loop {
        let plain = memchr::memchr2(b'"', b'\\', rest)?;
        out.extend_from_slice(&rest[..plain]);
        rest = &rest[plain..];
        if rest[0] == b'"' {
            return Some(());
        }
        let (byte, used) = match rest.get(1)? {
            b'n' => (b'\n', 2),
            b't' => (b'\t', 2),
            b'r' | b'b' | b'f' => (b' ', 2),
            b'u' => {
                let digits = str::from_utf8(rest.get(2..6)?).ok()?;
                let unit = u32::from_str_radix(digits, 16).ok()?;
                // What is no ASCII is in no message of CMA.
                (u8::try_from(unit).ok().filter(u8::is_ascii).unwrap_or(b'?'), 6)
            }
            other => (*other, 2),
        };
        out.push(byte);
        rest = &rest[used..];
    }
}

/// Reads numbers up to the bracket.
fn array(text: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let numbers = &text[..memchr::memchr(b']', text)?];
    for byte in numbers.split(|byte| *byte == b',') {
        out.push(number(byte.trim_ascii())?);
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Option<String> {
        message(line.as_bytes()).map(|text| String::from_utf8(text).expect("UTF-8"))
    }

    #[test]
    fn strings_and_arrays_are_one() {
        let stamp = r#""_SOURCE_MONOTONIC_TIMESTAMP":"13250961""#;
        let expected = Some("[   13.250961] cma: 4@5".to_string());
        for line in [
            format!(r#"{{"MESSAGE":"cma: 4@5",{stamp}}}"#),
            format!(r#"{{{stamp},"MESSAGE":[99,109,97,58,32,52,64,53]}}"#),
            format!(r#"{{ {stamp}, "MESSAGE" : [ 99, 109, 97, 58, 32, 52, 64, 53 ] }}"#),
            format!(r#"{{{stamp},"MESSAGE":"cma: 4\u00405"}}"#),
            format!(r#"data: {{{stamp},"MESSAGE":"cma: 4@5"}}"#),
        ] {
            assert_eq!(read(&line), expected, "{line}");
        }
        assert_eq!(read(r#"{"MESSAGE":"a\"b\\c\nd"}"#).as_deref(), Some("a\"b\\c\nd"));
    }

    #[test]
    fn what_is_no_record_is_none() {
        for line in [
            r#""MESSAGE":"cma""#,
            r#"{"msg":"cma"}"#,
            r#"{"MESSAGE":null}"#,
            r#"{"MESSAGE":[99,1000]}"#,
            r#"{"MESSAGE":"cut"#,
            r#"{"MESSAGE":[99"#,
        ] {
            assert_eq!(read(line), None, "{line}");
        }
    }
}
