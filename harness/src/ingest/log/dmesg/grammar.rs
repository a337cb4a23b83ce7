//! The messages of `mm/cma.c` and those around it, from their first word on.

use super::calls;
use super::cursor::{Cursor, Stop};
use super::failed::failed;
use super::message::{Function, Message, Parsed, Tools};
use crate::ingest::log::{Record, Shape};

/// The kind of the function called `word`, where it is one of CMA.
fn function(word: &[u8]) -> Option<Function> {
    let has = |part: &[u8]| memchr::memmem::find(word, part).is_some();
    // Trace events are read elsewhere.
    let events: [&[u8]; 4] = [b"_start", b"_finish", b"_retry", b"_info"];
    if events.iter().any(|event| word.ends_with(event)) || has(b"alloc_pages") {
        return None;
    }
    if has(b"cma") && has(b"alloc") || has(b"alloc_from_contig") {
        return Some(Function::Alloc);
    }
    (has(b"cma") && has(b"release") || has(b"release_from_contig")).then_some(Function::Release)
}

/// Words that a message begins with, to tell a word that is broken.
const WORDS: [&[u8]; 9] = [
    b"cma_alloc",
    b"__cma_alloc",
    b"__cma_alloc_frozen",
    b"cma_release",
    b"dma_alloc_from_contiguous",
    b"dma_release_from_contiguous",
    b"alloc_contig_range",
    b"number",
    b"bitmap_find_next_zero_area_off",
];

/// Reads the message that `c` stands in front of.
pub(super) fn message(c: &mut Cursor<'_>, tools: &mut Tools) -> Result<Message, Stop> {
    c.ident(&mut tools.word)?;
    tools.word.make_ascii_lowercase();
    if tools.word == b"cma" {
        return if c.eat(b':')? { behind_cma(c, tools) } else { Err(Stop::No) };
    }
    named(c, tools)
}

/// Words that another one follows: where a line ends between the two, neither is broken.
const FOLLOWED: [&[u8]; 4] = [b"number", b"alloc", b"reserved", b"dma"];

/// The message whose first word was read.
fn named(c: &mut Cursor<'_>, tools: &mut Tools) -> Result<Message, Stop> {
    if !FOLLOWED.contains(&tools.word.as_slice()) {
        let _ = FOLLOWED.iter().any(|word| c.back_to(word, &mut tools.word));
    }
    match tools.word.as_slice() {
        b"number" => {
            c.literal(b"ofavailablepages")?;
            return if c.eat(b':')? {
                Ok(Message::new(Parsed::List { head: true }))
            } else {
                Err(Stop::No)
            };
        }
        b"req" => {
            // `req size` may be any words, unless the rest of the line follows.
            let typed = !c.optional(b"-")?;
            c.literal(b"size")?;
            let message = failed(c, Shape::Fragment, None)?;
            let told =
                matches!(message.parsed, Parsed::Record(Record::Failed { ret: Some(_), .. }));
            return if typed && !told { Err(Stop::No) } else { Ok(message) };
        }
        b"alloc" => {
            c.literal(b"failed")?;
            req_size(c)?;
            return failed(c, Shape::Fragment, None);
        }
        b"reserved" => return reserved(c),
        b"dma" => {
            c.literal(b"allocofsize")?;
            let bytes = Some(c.any_number()?);
            c.literal(b"failed")?;
            return Ok(Message::record(Record::Driver { bytes, cma: false }));
        }
        b"bitmap_find_next_zero_area_off" => return calls::search(c, tools),
        word if word.starts_with(b"alloc_contig_") => return calls::contig(c, tools),
        _ => {}
    }
    if let Some(function) = function(&tools.word) {
        return match c.peek()? {
            b':' => {
                c.at += 1;
                behind_function(c, tools)
            }
            b'(' => {
                c.at += 1;
                calls::call(c, function, tools)
            }
            _ => Err(Stop::No),
        };
    }
    let broken = c.rest().is_empty() && WORDS.iter().any(|word| word.starts_with(&tools.word));
    Err(if broken { c.end() } else { Stop::No })
}

/// Behind `cma:`.
fn behind_cma(c: &mut Cursor<'_>, tools: &mut Tools) -> Result<Message, Stop> {
    let first = c.peek()?;
    if matches!(first, b'+' | b'=' | b'0'..=b'9') {
        return Ok(Message::new(Parsed::List { head: false }));
    }
    let start = c.at;
    c.ident(&mut tools.word)?;
    tools.word.make_ascii_lowercase();
    if tools.word == b"range" {
        c.at = start;
        return Ok(Message::new(Parsed::List { head: false }));
    }
    named(c, tools)
}

/// Behind `cma_alloc:`.
fn behind_function(c: &mut Cursor<'_>, tools: &mut Tools) -> Result<Message, Stop> {
    let start = c.at;
    let first = c.peek()?;
    let shape = if memchr::memmem::find(&tools.word, b"frozen").is_some() {
        Some(Shape::Frozen)
    } else {
        tools.word.starts_with(b"__").then_some(Shape::Inner)
    };
    if first.is_ascii_digit() {
        match calls::suppressed(c, tools) {
            Err(Stop::No) => c.at = start,
            read => return read,
        }
    }
    match c.literal(b"numberofavailablepages:") {
        Ok(()) => return Ok(Message::new(Parsed::List { head: true })),
        Err(Stop::More) => return Err(Stop::More),
        Err(Stop::No) => {}
    }
    if matches!(first, b'+' | b'=') || c.optional(b"range0:")? {
        c.at = start;
        return Ok(Message::new(Parsed::List { head: false }));
    }
    if c.optional(b"mask=")? {
        return calls::mask(c);
    }
    // A developer's print of the bit that is claimed: the busy line behind it has the pfn.
    if c.optional(b"bitmap_no")? {
        return Ok(Message::new(Parsed::Nothing));
    }
    match alloc_failed(c) {
        Ok(()) => return failed(c, shape.unwrap_or(Shape::Unnamed), None),
        Err(Stop::More) => return Err(Stop::More),
        Err(Stop::No) => {}
    }
    let name = area(c, start)?;
    tools.spare.clear();
    tools.spare.extend(name.iter().filter(|byte| **byte != super::cursor::JOIN));
    let area = tools.names.get(tools.spare.trim_ascii());
    failed(c, shape.unwrap_or(Shape::Named), Some(&area))
}

/// `alloc failed, req-size`.
fn alloc_failed(c: &mut Cursor<'_>) -> Result<(), Stop> {
    let start = c.at;
    let read = c.literal(b"allocfailed").and_then(|()| req_size(c));
    if read.is_err() {
        c.at = start;
    }
    read
}

/// `, req-size`; who types it may write `req size`.
fn req_size(c: &mut Cursor<'_>) -> Result<(), Stop> {
    c.optional(b",")?;
    c.literal(b"req")?;
    if !c.optional(b"-")? {
        c.optional(b"_")?;
    }
    c.literal(b"size")
}

/// The name in front of `: alloc failed, req-size`, which is passed; `from` is where the function
/// ends.
fn area<'a>(c: &mut Cursor<'a>, from: usize) -> Result<&'a [u8], Stop> {
    // CMA_MAX_NAME is 64 (mm/cma.h).
    const LONGEST: usize = 80;
    let rest = c.rest();
    let near = &rest[..rest.len().min(LONGEST)];
    let mut begun = false;
    for colon in memchr::memchr_iter(b':', near) {
        let mut behind = Cursor::new(rest, colon + 1, c.last);
        match alloc_failed(&mut behind) {
            Ok(()) => {
                let name = &rest[..colon];
                let other: [&[u8]; 3] = [b"cma_alloc:", b"available", b"failed"];
                let foreign = other.iter().any(|o| memchr::memmem::find(name, o).is_some());
                if foreign || name.trim_ascii().is_empty() {
                    return Err(Stop::No);
                }
                c.at += behind.at;
                return Ok(name);
            }
            Err(Stop::More) => begun = true,
            Err(Stop::No) => {}
        }
    }
    // A line that is no name is not taken as one that goes on.
    let joined = c.from(from).contains(&super::cursor::JOIN);
    let broken = rest.len() < LONGEST && (begun || !joined);
    Err(if broken { c.end() } else { Stop::No })
}

/// `cma: Reserved 64 MiB at 0x2b000000`.
fn reserved(c: &mut Cursor<'_>) -> Result<Message, Stop> {
    let size = c.number()?;
    let unit = match c.peek()? {
        b'K' => 1 << 10,
        b'M' => 1 << 20,
        b'G' => 1 << 30,
        _ => return Err(Stop::No),
    };
    c.at += 1;
    if !c.optional(b"iBat")? {
        c.literal(b"Bat")?;
    }
    let base = c.hex()?;
    let bytes = size.saturating_mul(unit);
    Ok(Message::record(Record::Reserved { area: None, base, bytes }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    pub(super) fn read(text: &str) -> Result<Message, Stop> {
        message(&mut Cursor::new(text.as_bytes(), 0, false), &mut Tools::default())
    }

    fn failure(shape: Shape, area: Option<&str>, count: u64, ret: Option<i32>) -> Record {
        Record::Failed { shape, area: area.map(Arc::from), count, ret }
    }

    #[test]
    fn every_shape_of_a_failure_line_is_read() {
        for (text, expected) in [
            (
                "cma: cma_alloc: alloc failed, req-size: 77 pages, ret: -12",
                failure(Shape::Unnamed, None, 77, Some(-12)),
            ),
            (
                "cma_alloc: linux,cma: alloc failed, req-size: 77 pages, ret: -16",
                failure(Shape::Named, Some("linux,cma"), 77, Some(-16)),
            ),
            (
                "cma : __cma_alloc: vpu@7c000000, pool: alloc failed, req-size: 1 pages, ret: -4",
                failure(Shape::Inner, Some("vpu@7c000000, pool"), 1, Some(-4)),
            ),
            (
                "cma: __cma_alloc_frozen: cma: alloc failed, req-size: 5 pages, ret: -16",
                failure(Shape::Frozen, Some("cma"), 5, Some(-16)),
            ),
            ("req-size: 49152 pages` (192 MiB)", failure(Shape::Fragment, None, 49152, None)),
            (
                "cma_alloc: alloc failed, req-size: 19 pages, ret: -12/-16",
                failure(Shape::Unnamed, None, 19, None),
            ),
        ] {
            let message = read(text).unwrap_or_else(|stop| panic!("{text}: {stop:?}"));
            assert_eq!(message.parsed, Parsed::Record(expected), "{text}");
        }
    }

    #[test]
    fn a_message_broken_anywhere_asks_for_more_and_is_then_the_same() {
        let text = "cma: __cma_alloc: linux,cma: alloc failed, req-size: 4537 pages, ret: -16";
        let whole = read(text).expect("whole");
        for at in 4..text.len() {
            let (front, back) = text.split_at(at);
            match read(front) {
                Err(Stop::More) => {}
                Ok(message) if message.soft => {}
                other => panic!("{front}: {other:?}"),
            }
            let joined = read(&format!("{}\n{}", front.trim_end(), back.trim_start()));
            assert_eq!(joined.as_ref(), Ok(&whole), "{front}|{back}");
        }
    }

    #[test]
    fn what_is_no_message_is_none() {
        for text in [
            "cma: 31 pages are still in use!",
            "cma: Failed to reserve 512 MiB",
            "cma_alloc+0x270/0x868",
            "cma_debug: x",
            "cma: %s: alloc failed, req-size: %lu pages, ret: %d",
            "cma_alloc: one: two: three four five six seven eight nine ten eleven twelve thirteen and more!",
            "req-size: %zu pages",
            "number of pages: 5",
            "alloc_contig_range test_pages_isolated(fc00, 10400) failed",
        ] {
            let read = read(text);
            let other = matches!(&read, Ok(message) if matches!(message.parsed, Parsed::List { head: false }));
            assert!(read == Err(Stop::No) || other, "{text}: {read:?}");
        }
    }

    #[test]
    fn a_reserved_area_is_read() {
        let expected = Record::Reserved { area: None, base: 0x2b00_0000, bytes: 48 << 20 };
        for text in [
            "cma: Reserved 48 MiB at 0x2b000000",
            "cma: Reserved 48 MiB at 0x000000002b000000 on node -1",
        ] {
            assert_eq!(read(text), Ok(Message::record(expected.clone())), "{text}");
        }
    }
}
