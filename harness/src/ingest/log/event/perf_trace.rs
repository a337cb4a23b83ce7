//! `perf trace -e cma:*`: its events, in the shape of `perf script`.

use std::io::Write;

use super::super::super::Format;
use super::super::bytes::{self, number};
use super::EVENTS;

pub(super) const FORMAT: Format = Format {
    name: "perf-trace",
    about: "CMA trace events as perf trace prints them; its time is since its start",
    columns: "MILLISECONDS COMM/TID cma:EVENT(name: \"AREA\", FIELD: VALUE, …)",
    kernels: "4.1 on",
    written: false,
};

/// What leads to such an event.
const MARK: &[u8] = b" cma:cma_";

/// The line as `perf script` has it; `None` where it is none of `perf trace`.
///
/// A field that is 0 is not printed, the page of a failure so, nor an errno of 0; numbers are
/// decimal, and an errno has no sign.
/// Once a line shows that the kernel has an errno in its events, `has_errno` is set, and an errno
/// that is not there is 0.
pub(super) fn plain(line: &[u8], has_errno: &mut bool) -> Option<Vec<u8>> {
    let at = memchr::memmem::find(line, MARK)?;
    let (head, rest) = (&line[..at], &line[at + b" cma:".len()..]);
    let open = memchr::memchr(b'(', rest)?;
    let (name, fields) = (&rest[..open], rest[open + 1..].trim_ascii_end().strip_suffix(b")")?);
    let event = EVENTS.iter().find(|event| event.name.as_bytes() == name)?;
    let (before, who) = bytes::last_word(head);
    let (comm, tid) = (who.rsplitn(2, |byte| *byte == b'/').nth(1)?, tid(who)?);
    let time_us = bytes::last_word(before).1;
    let (ms, us) = time_us.split_at(memchr::memchr(b'.', time_us)?);
    let time_us = number::<u64>(ms)?.checked_mul(1000)?.checked_add(number(&us[1..])?)?;
    let mut text = Vec::new();
    text.extend_from_slice(comm);
    write!(text, " {tid} {}.{:06}: cma:", time_us / 1_000_000, time_us % 1_000_000).ok()?;
    text.extend_from_slice(name);
    text.push(b':');
    let shows = |field| memchr::memmem::find(fields, field).is_some();
    // The counts of the area came later than the errno.
    *has_errno |= shows(b", errorno: ") || shows(b", available_count: ");
    payload(fields, event.ends_a_call, &mut text)?;
    if *has_errno && event.ends_a_call && !shows(b", errorno: ") {
        text.extend_from_slice(b" errorno=0");
    }
    Some(text)
}

fn tid(who: &[u8]) -> Option<u32> {
    number(who.rsplit(|byte| *byte == b'/').next()?)
}

/// `name: "linux,cma", pfn: 508160, …` as `name=linux,cma pfn=0x7c100 …`.
fn payload(fields: &[u8], ends_a_call: bool, text: &mut Vec<u8>) -> Option<()> {
    let rest = fields.strip_prefix(b"name: \"")?;
    let end = memchr::memchr(b'"', rest)?;
    text.extend_from_slice(b" name=");
    text.extend_from_slice(&rest[..end]);
    let fields = || {
        let fields = rest[end + 1..].split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
        fields.filter(|field| !field.is_empty())
    };
    let has = |name: &[u8]| fields().any(|field| field.starts_with(name));
    if ends_a_call && !has(b"pfn: ") {
        text.extend_from_slice(b" pfn=0x0");
    }
    if ends_a_call && !has(b"page: ") {
        text.extend_from_slice(b" page=0x0");
    }
    for field in fields() {
        let colon = memchr::memchr(b':', field)?;
        let (key, value) = (&field[..colon], field[colon + 1..].trim_ascii());
        text.push(b' ');
        text.extend_from_slice(key);
        text.push(b'=');
        match key {
            b"pfn" => write!(text, "{:#x}", number::<u64>(value)?).ok()?,
            b"errorno" => write!(text, "{}", number::<u32>(value)?.cast_signed()).ok()?,
            _ => text.extend_from_slice(value),
        }
    }
    if !has(b"align: ") {
        text.extend_from_slice(b" align=0");
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Option<String> {
        plain(line.as_bytes(), &mut false).map(|text| String::from_utf8(text).expect("ASCII"))
    }

    #[test]
    fn what_is_not_printed_is_zero() {
        let line = "  1383.760 v/6 cma:cma_alloc_finish(name: \"linux,cma\", count: 2040, align: 8, \
                    errorno: 4294967280)";
        let text = "v 6 1.383760: cma:cma_alloc_finish: name=linux,cma pfn=0x0 page=0x0 count=2040 \
                    align=8 errorno=-16";
        assert_eq!(read(line).as_deref(), Some(text));
        let line = " 0.000 vload/612 cma:cma_alloc_start(name: \"a\", request_count: 1)";
        let text = "vload 612 0.000000: cma:cma_alloc_start: name=a request_count=1 align=0";
        assert_eq!(read(line).as_deref(), Some(text));
    }

    #[test]
    fn a_granted_call_has_its_page() {
        let line =
            " 31.583 a/b/6 cma:cma_release(name: \"x\", pfn: 508160, page: 0xffff0, count: 2)";
        let text =
            "a/b 6 0.031583: cma:cma_release: name=x pfn=0x7c100 page=0xffff0 count=2 align=0";
        assert_eq!(read(line).as_deref(), Some(text));
    }

    #[test]
    fn an_errno_of_zero_is_there_once_the_kernel_is_known_to_have_one() {
        let (mut has_errno, granted) =
            (false, b" 1.5 v/6 cma:cma_alloc_finish(name: \"x\", pfn: 5, page: 0xf, count: 2)");
        let ends = |text: Option<Vec<u8>>| text.is_some_and(|text| text.ends_with(b" errorno=0"));
        assert!(!ends(plain(granted, &mut has_errno)) && !has_errno);
        let start =
            b" 1.5 v/6 cma:cma_alloc_start(name: \"x\", request_count: 2, available_count: 9)";
        assert!(plain(start, &mut has_errno).is_some() && has_errno);
        assert!(ends(plain(granted, &mut has_errno)));
    }

    #[test]
    fn other_lines_are_none() {
        for line in [
            "vload 612 [001] 71.3: cma:cma_alloc_start: name=x count=1 align=0",
            "[    1.0] cma: cma_alloc(cma 0, count 1, align 0)",
            " 1.0 v/6 cma:cma_other(name: \"x\")",
            "now cma:cma_release(name: \"x\")",
        ] {
            assert_eq!(read(line), None, "{line}");
        }
    }
}
